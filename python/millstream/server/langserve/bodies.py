"""The bodies of requests: JSON objects, refused as FastAPI refuses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ..request_body import BodyTooLargeError, read_data

__all__ = ("InvalidRequestError", "prefix_errors", "read_body", "require")


class InvalidRequestError(Exception):
    """A request that is answered with status 422; ``errors`` are FastAPI's, each with ``type``, ``loc`` and ``msg``."""

    def __init__(self, errors: Sequence[Mapping[str, Any]], body: Any = None) -> None:
        super().__init__(errors)
        self.errors = list(errors)
        self.body = body

    @classmethod
    def one(cls, type: str, loc: Sequence[str | int], msg: str, value: Any = None) -> InvalidRequestError:
        """Return the exception for one error at the place ``loc`` of the body."""
        return cls([{"type": type, "loc": ["body", *loc], "msg": msg, "input": value}])


def prefix_errors(error: Any, *place: str | int) -> InvalidRequestError:
    """Return the exception for pydantic's validation ``error`` of the value at ``place`` in the body."""
    errors = error.errors(include_url=False, include_context=False)
    return InvalidRequestError([{**one, "loc": ["body", *place, *one["loc"]]} for one in errors])


async def read_body(request: Request, limit: int) -> dict[str, Any]:
    """Return the JSON object in the body of a request.

    Raises :class:`InvalidRequestError` if it is not one, an ``HTTPException`` with status 413 if it is larger than
    ``limit`` bytes, and ``ClientDisconnect`` if the client leaves.
    """
    try:
        data = await read_data(request, limit)
    except BodyTooLargeError:
        raise HTTPException(413, f"The body of a request may have {limit} bytes") from None
    # Where `request.body()` keeps it: the function that modifies a configuration may read it again.
    request._body = data
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError.one("json_invalid", [error.pos], f"JSON decode error: {error.msg}") from None
    if not isinstance(body, dict):
        raise InvalidRequestError.one("dict_type", [], "Input should be a valid dictionary", body)
    return body


def require(body: Mapping[str, Any], key: str) -> Any:
    """Return ``body[key]``; raises :class:`InvalidRequestError` if there is none."""
    if key not in body:
        raise InvalidRequestError.one("missing", [key], "Field required", dict(body))
    return body[key]
