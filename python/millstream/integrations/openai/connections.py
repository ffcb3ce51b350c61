"""The connection under a stream: its errors as the SDK's."""

from __future__ import annotations

from typing import Any

import openai
from openai import _streaming

__all__ = ("translate_error",)

# Functions that return tuples of classes. Earlier versions raise the HTTP library's own exceptions from a stream.
_timeout_exceptions: Any = getattr(_streaming, "timeout_exceptions", tuple)
_request_exceptions: Any = getattr(_streaming, "request_exceptions", tuple)


def translate_error(error: Exception, response: Any) -> Exception | None:
    """Return the exception that the SDK raises for ``error``, raised by a read; ``None`` if that is ``error``."""
    if isinstance(error, _timeout_exceptions()):
        return openai.APITimeoutError(request=response.request)
    if isinstance(error, _request_exceptions()):
        return openai.APIConnectionError(request=response.request)
    return None
