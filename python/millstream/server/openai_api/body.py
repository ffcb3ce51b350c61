"""Reads the JSON object in the body of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request

from ..request_body import BodyTooLargeError, read_data
from .errors import RequestError

__all__ = ("read_body",)


async def read_body(request: Request, max_size: int) -> dict[str, Any]:
    """Return the JSON object in a request's body.

    Raises :class:`RequestError` for a body of more than ``max_size`` bytes, and for one that is not a JSON object,
    ``ClientDisconnect`` if the client leaves. A body must be declared as JSON: a page of another site can send other
    types without being asked.
    """
    _check_type(request.headers)
    try:
        body = orjson.loads(await read_data(request, max_size))
    except BodyTooLargeError:
        message = f"The body of a request must have at most {max_size} bytes."
        raise RequestError(message, status=413, code="request_too_large") from None
    except ValueError:
        raise RequestError("We could not parse the JSON body of your request.", code="invalid_json") from None
    if not isinstance(body, dict):
        raise RequestError("The body of a request must be a JSON object.", code="invalid_json")
    return body


def _check_type(headers: Mapping[str, str]) -> None:
    declared = headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json" and not declared.endswith("+json"):
        raise RequestError(
            "The body of a request must be JSON: send the header 'content-type: application/json'.",
            status=415,
            code="unsupported_media_type",
        )
    if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise RequestError("The body of a request must not be compressed.", status=415, code="unsupported_media_type")
