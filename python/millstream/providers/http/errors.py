"""Maps error statuses to exceptions."""

import contextlib
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from ..._provider_errors import find_reason, has_text
from ..._values import read_json
from ...errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContextOverflowError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from ...transport import AsyncResponse, Response

__all__ = (
    "araise_status_error",
    "aread_error_body",
    "find_url_mistake",
    "make_status_error",
    "raise_status_error",
    "read_error_body",
)

_CLASSES: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}
# At most so many bytes of an error's body are read.
_BODY_SIZE = 1 << 20
# What servers say of a prompt that is longer than the model's context.
_OVERFLOWS = (
    "context_length_exceeded",
    "Input tokens exceed the configured limit",
    "prompt is too long",
    "exceeds the maximum number of tokens allowed",
    "ContextWindowExceededError",
)
# The paths of requests whose base URL has a path as well.
_OPENAI_PATHS = ("/chat/completions", "/completions", "/responses")
# If no reason is found in the body, the message contains its first characters.
_REASON_SIZE = 200


def raise_status_error(response: Response, hint: str = "") -> NoReturn:
    """Raise the exception for an error status, with what the body says, and ``hint``; the response is closed."""
    try:
        raise make_status_error(response.status, response.headers, read_error_body(response), hint)
    finally:
        response.close()


async def araise_status_error(response: AsyncResponse, hint: str = "") -> NoReturn:
    """:func:`raise_status_error` for async code."""
    try:
        raise make_status_error(response.status, response.headers, await aread_error_body(response), hint)
    finally:
        await response.aclose()


def make_status_error(status: int, headers: Mapping[str, str], data: bytes, hint: str = "") -> APIStatusError:
    """Return the exception for an error status, from the bytes read of the body; its message ends with ``hint``.

    The message contains the server's reason: see :func:`~millstream._provider_errors.find_reason`. If the
    body has text, but no known field for the reason, the message contains the beginning of the body.
    """
    text = data.decode("utf-8-sig", "replace").strip()
    body: Any = text
    try:
        body = read_json(text)
    except (ValueError, RecursionError):
        reason = text[:_REASON_SIZE]
    else:
        reason = find_reason(body) or (text[:_REASON_SIZE] if has_text(body) else "")
    message = f"Error code: {status}{f' - {reason}' if reason else ''}"
    if 300 <= status < 400:
        message += f" (a redirect to {headers.get('location', 'nowhere')}, which is not followed)"
    cls = _CLASSES.get(status) or (InternalServerError if status >= 500 else APIStatusError)
    if cls is BadRequestError and any(sign in text for sign in _OVERFLOWS):
        cls = ContextOverflowError
    return cls(message + hint, status_code=status, headers=headers, body=body)


def find_url_mistake(status: int, url: str, path: str) -> str:
    """Return the end of the message for a URL that no server has: its base lacks a path, or has one that ``path`` adds.

    It is empty where the URL may be right. It does not show the URL, which may contain a key.
    """
    if status not in (404, 405):
        return ""
    from urllib.parse import urlsplit

    base = urlsplit(url).path.removesuffix(path)
    if path in _OPENAI_PATHS and not base:
        return " (base_url has no path: most servers with OpenAI's protocol need /v1 at its end)"
    ends = [path[: at.start()] for at in re.finditer("/|$", path) if at.start()]
    end = next(filter(base.endswith, [*ends, "/v1"] if path == "/api/chat" else ends), None)
    if end is None and (versions := re.search(r"(/v1[a-z]*)/v1[a-z]*$", base)):
        end = versions[1]
    return "" if end is None else f" (base_url must not end in {end})"


def read_error_body(response: Response) -> bytes:
    """Return the body of an error, up to a limit; if reading it fails, the bytes so far."""
    data = bytearray()
    with contextlib.suppress(Exception):
        for read in response:
            data += read
            if len(data) > _BODY_SIZE:
                break
    return bytes(data)


async def aread_error_body(response: AsyncResponse) -> bytes:
    """`read_error_body` for async code."""
    data = bytearray()
    with contextlib.suppress(Exception):
        while len(data) <= _BODY_SIZE and (reads := await response.read()):
            data += b"".join(reads)
    return bytes(data)
