"""Reads the body of a request, up to a limit."""

from __future__ import annotations

from starlette.requests import Request

__all__ = ("BodyTooLargeError", "read_data")


class BodyTooLargeError(Exception):
    """The body of a request is larger than its limit."""


async def read_data(request: Request, max_size: int) -> bytes:
    """Return the body of a request.

    Raises :class:`BodyTooLargeError` for more than ``max_size`` bytes, which are not read if the request says their
    number, and Starlette's ``ClientDisconnect`` if the client leaves.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_size:
        raise BodyTooLargeError
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > max_size:
            raise BodyTooLargeError
    return bytes(data)
