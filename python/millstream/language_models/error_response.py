"""The provider's answer to a request that failed, as the generation that handlers receive beside the error."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..errors import APIStatusError
from ..messages.ai import AIMessage
from ..outputs.chat_generation import ChatGeneration

__all__ = ("generate_response_from_error",)


def generate_response_from_error(error: BaseException) -> list[ChatGeneration]:
    """Return an empty message whose ``response_metadata`` has the body, the headers and the status of the response.

    The list is empty for an error without a response. The errors of other libraries have a ``response``.
    """
    if isinstance(error, APIStatusError):
        metadata = {"body": error.body, "headers": dict(error.headers), "status_code": error.status_code}
        metadata["request_id"] = error.request_id
    elif hasattr(error, "response"):
        metadata = _read_response(error.response)
        if hasattr(error, "request_id"):
            metadata["request_id"] = error.request_id
    else:
        return []
    return [ChatGeneration(AIMessage("", response_metadata=metadata))]


# LangChain's name.
_generate_response_from_error = generate_response_from_error


def _read_response(response: Any) -> dict[str, Any]:
    """Return the parts of a response; the body is ``None`` if it was not read."""
    metadata: dict[str, Any] = {}
    if hasattr(response, "json"):
        metadata["body"] = None
        with suppress(Exception):
            metadata["body"] = response.text
        with suppress(Exception):
            metadata["body"] = response.json()
    if hasattr(response, "headers"):
        metadata["headers"] = None
        with suppress(Exception):
            metadata["headers"] = dict(response.headers)
    if hasattr(response, "status_code"):
        metadata["status_code"] = response.status_code
    return metadata
