"""The exceptions of the OpenAI SDK for ours: an app catches ``openai.RateLimitError`` as before.

The exception of the SDK is raised from ours, which is its ``__cause__`` and has what the SDK's has not: the text
received before a stream ended, for example.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import openai

from .._provider_errors import NO_MESSAGE
from ..errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    MillstreamError,
    ProviderError,
    StreamDecodeError,
    StreamStalledError,
    StreamTruncatedError,
)
from ._openai_client import ClientRequest, WholeResponse

__all__ = ("build_response", "to_sdk_error")


def to_sdk_error(error: MillstreamError, request: ClientRequest) -> Exception:
    """Return the exception that the SDK would raise in place of ``error``; the caller raises it from ``error``.

    ============================  ==================================================================
    ours                          the SDK's
    ============================  ==================================================================
    ``APIStatusError``            the class for the status, with ``response``, ``body``, ``request_id``
    ``APITimeoutError``           ``APITimeoutError``
    ``APIConnectionError``        ``APIConnectionError``
    ``StreamStalledError``        ``APITimeoutError``
    ``StreamTruncatedError``      ``APIConnectionError``
    ``ProviderError``             ``APIError``, with the provider's error as ``body``
    ``StreamDecodeError``         ``json.JSONDecodeError``, a ``ValueError``; ``APIConnectionError`` for a body that
                                  cannot be decompressed
    any other                     ``APIError``
    ============================  ==================================================================
    """
    sent = request.sent
    if isinstance(error, APIStatusError) and request.failed is not None:
        response = build_response(request.failed, sent)
        made: Exception = request.client._make_status_error_from_response(response)
        return made
    if isinstance(error, APITimeoutError | StreamStalledError):
        return openai.APITimeoutError(request=sent)
    if isinstance(error, APIConnectionError):
        return openai.APIConnectionError(request=sent)
    # An error in the data of a response has their place; without one, the body could not be decompressed.
    if isinstance(error, StreamTruncatedError) or (isinstance(error, StreamDecodeError) and error.frame is None):
        return openai.APIConnectionError(message=str(error), request=sent)
    if isinstance(error, ProviderError):
        return _to_api_error(error, sent)
    if isinstance(error, StreamDecodeError):
        return _to_json_error(error)
    return openai.APIError(str(error), request=sent, body=None)


def build_response(whole: WholeResponse, sent: Any) -> Any:
    """Return ``whole`` as a response of the HTTP library whose request ``sent`` is, read to its end."""
    library = sys.modules[type(sent).__module__.partition(".")[0]]
    response = library.Response(whole.status, content=whole.content, request=sent)
    # Set afterwards: the transport has decompressed the body already, and no length is to be added.
    response.headers = library.Headers(dict(whole.headers))
    return response


def _to_api_error(error: ProviderError, sent: Any) -> openai.APIError:
    """Return the SDK's exception for an error in a stream, with its words for an error without a message."""
    body, message = error.error, error.error.get("message")
    if isinstance(message, str) and message.startswith(NO_MESSAGE):
        body = {name: value for name, value in body.items() if name != "message"}
        message = None
    if not (isinstance(message, str) and message):
        message = "An error occurred during streaming"
    return openai.APIError(message, request=sent, body=body)


def _to_json_error(error: StreamDecodeError) -> json.JSONDecodeError:
    document = (error.frame or b"").decode("utf-8", "replace")
    try:
        json.loads(document)
    except json.JSONDecodeError as failure:
        # Its position in the frame is known.
        return json.JSONDecodeError(f"{error.message}: {failure.msg}", document, failure.pos)
    except RecursionError:
        pass
    return json.JSONDecodeError(error.message, document, 0)
