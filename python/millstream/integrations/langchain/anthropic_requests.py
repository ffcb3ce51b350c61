"""The requests of LangChain's ``ChatAnthropic`` that this package sends; langchain-anthropic sends the others."""

from __future__ import annotations

from typing import Any

import anthropic
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent
from langchain_anthropic import chat_models as theirs

from ...errors import MillstreamError
from ...transport import AsyncResponse, Response
from .._sdk_calls import capture_options, has_obstacle, report_left
from .._sdk_errors import to_sdk_error
from .classified_errors import classify
from .model_requests import ModelRequest

__all__ = ("AnthropicRequest", "build_request")

_RAW = {"X-Stainless-Raw-Response": "raw"}


class AnthropicRequest(ModelRequest):
    """A request of ``ChatAnthropic``: its exceptions are langchain-anthropic's.

    ``is_text`` says whether the content of chunks is text, ``stream_usage`` whether a stream has the usage;
    ``event_type`` is the SDK's type of the events.
    """

    __slots__ = ("_cast_to", "event_type", "is_text", "stream_usage")

    def __init__(self, resource: Any, payload: dict[str, Any]) -> None:
        headers = {**(payload.get("extra_headers") or {}), **_RAW}
        super().__init__(resource._client, capture_options(resource, {**payload, "extra_headers": headers}))
        is_beta = "betas" in payload
        self._cast_to = BetaMessage if is_beta else Message
        self.event_type: Any = BetaRawMessageStreamEvent if is_beta else RawMessageStreamEvent
        self.stream_usage = True
        self.is_text = not any(test(payload) for test in _OTHER_CONTENT)

    def to_host_error(self, error: MillstreamError, chunks_received: int = 0) -> Exception:
        """Return langchain-anthropic's exception for ``error``; its cause is the SDK's, whose cause is ``error``."""
        failure = to_sdk_error(error, self)
        failure.__cause__ = error
        try:
            return classify(
                failure,
                (anthropic.BadRequestError, theirs._handle_anthropic_bad_request),
                (anthropic.APIError, theirs._handle_anthropic_api_error),
            )
        finally:
            del failure

    def open(self) -> Response:
        """Send the request, with retries, and return the response, whose status is a success."""
        try:
            return super().open()
        except TypeError as error:
            theirs._raise_if_authentication_error(error)
            raise

    async def aopen(self) -> AsyncResponse:
        """:meth:`open` for async code."""
        try:
            return await super().aopen()
        except TypeError as error:
            theirs._raise_if_authentication_error(error)
            raise


# What in a request leads to other content than text, as langchain-anthropic decides it.
_OTHER_CONTENT = (
    theirs._tools_in_params,
    theirs._documents_in_params,
    theirs._thinking_in_params,
    theirs._compact_in_params,
)


_ORIGINALS = ("_create", "_acreate", "_make_message_chunk_from_anthropic_event", "_format_output")


def _is_original(model: Any) -> bool:
    """Return whether langchain-anthropic's own methods send the requests and convert the answers.

    Subclasses override them, and apps patch them, in the class or in the model.
    """
    functions = [getattr(type(model), name) for name in _ORIGINALS]
    is_patched = any(name in vars(model) for name in _ORIGINALS)
    return not is_patched and all(getattr(one, "__globals__", None) is vars(theirs) for one in functions)


def build_request(
    model: Any, messages: Any, stop: list[str] | None, kwargs: dict[str, Any], *, is_async: bool
) -> AnthropicRequest | None:
    """Return the request with the parameters of langchain-anthropic's; ``None`` if that has to send it."""
    if not _is_original(model):
        return report_left("its requests or chunks are made by a method of its own class", to="langchain-anthropic")
    client = model._async_client if is_async else model._client
    if has_obstacle(client.messages):
        return None
    payload = model._get_request_payload(messages, stop=stop, **kwargs)
    resource = client.beta.messages if "betas" in payload else client.messages
    return None if has_obstacle(resource) else AnthropicRequest(resource, payload)
