"""Responses of errors: those that the app finds itself, those of its hooks, and those of Runnables."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ...wires.public_error import describe_error
from ..errors import error_body, log_error
from .errors import RequestError

__all__ = ("failure_response", "http_error", "json_response")

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def json_response(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return the response with a document as its body."""
    data = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
    return Response(data, status, headers, "application/json")


def failure_response(error: Exception) -> Response:
    """Return the response for an error before the answer. An error that is not the client's is logged."""
    if isinstance(error, RequestError):
        return json_response(error.body, error.status, error.headers)
    if isinstance(error, HTTPException):
        return _http_response(error)
    public = describe_error(error)
    if public.status >= 500:
        log_error(error, "a request failed")
    return json_response(error_body(public.message, public.type, code=public.code), public.status, public.headers)


async def http_error(request: Request, error: Exception) -> Response:
    """Return the response for a path or a method that the app does not have."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        message = f"Invalid URL ({request.method} {request.url.path})"
        return json_response(error_body(message, "invalid_request_error", code="unknown_url"), 404)
    if error.status_code == 405:
        message = f"Not allowed to {request.method} on {request.url.path}."
        body = error_body(message, "invalid_request_error", code="method_not_supported")
        return json_response(body, 405, dict(error.headers or {}))
    return _http_response(error)


def _http_response(error: HTTPException) -> Response:
    status = error.status_code
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return json_response(error_body(error.detail, kind), status, dict(error.headers or {}))
