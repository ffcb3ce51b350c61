"""The exceptions of the SDKs for ours: an app catches ``openai.RateLimitError`` as before.

The exception of the SDK is raised from ours, which is its ``__cause__`` and has what the SDK's has not: the text
received before a stream ended, for example.
"""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

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
from ._sdk_calls import find_sdk
from ._sdk_client import ClientRequest, WholeResponse

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
    sent, sdk = request.sent, find_sdk(request.client)
    assert sdk is not None
    if isinstance(error, APIStatusError) and request.failed is not None:
        response = build_response(request.failed, sent)
        return _checked(request.client._make_status_error_from_response(response))
    if isinstance(error, APITimeoutError | StreamStalledError):
        return _checked(sdk.APITimeoutError(request=sent))
    if isinstance(error, APIConnectionError):
        return _checked(sdk.APIConnectionError(request=sent))
    # An error in the data of a response has their place; without one, the body could not be decompressed.
    if isinstance(error, StreamTruncatedError) or (isinstance(error, StreamDecodeError) and error.frame is None):
        return _checked(sdk.APIConnectionError(message=str(error), request=sent))
    if isinstance(error, ProviderError):
        return _to_api_error(error, request, sdk)
    if isinstance(error, StreamDecodeError):
        return _to_json_error(error)
    return _checked(sdk.APIError(str(error), request=sent, body=None))


def _checked(error: Any) -> Exception:
    made: Exception = error
    return made


def build_response(whole: WholeResponse, sent: Any) -> Any:
    """Return ``whole`` as a response of the HTTP library whose request ``sent`` is, read to its end."""
    library = sys.modules[type(sent).__module__.partition(".")[0]]
    response = library.Response(whole.status, content=whole.content, request=sent)
    # Set afterwards: the transport has decompressed the body already, and no length is to be added.
    response.headers = library.Headers(dict(whole.headers))
    return response


def _to_api_error(error: ProviderError, request: ClientRequest, sdk: ModuleType) -> Exception:
    """Return the SDK's exception for an error in a stream.

    OpenAI's is an ``APIError``, with its words for an error without a message. Anthropic's has the status of the
    response, which is a success, and the whole payload as its body.
    """
    body, message = error.error, error.error.get("message")
    if sdk.__name__ == "anthropic":
        whole = {"type": "error", "error": body}
        response = build_response(WholeResponse(200, {}, b""), request.sent)
        return _checked(request.client._make_status_error(str(whole), body=whole, response=response))
    if isinstance(message, str) and message.startswith(NO_MESSAGE):
        body = {name: value for name, value in body.items() if name != "message"}
        message = None
    if not (isinstance(message, str) and message):
        message = "An error occurred during streaming"
    return _checked(sdk.APIError(message, request=request.sent, body=body))


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
