"""The requests of a LangChain chat model that this package sends; langchain-openai sends the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_openai.chat_models import base
from langchain_openai.chat_models.base import BaseChatOpenAI
from openai.types.chat import ChatCompletion

from ...errors import MillstreamError
from .._sdk_calls import capture_options, has_obstacle, report_left
from .model_requests import ModelRequest
from .sdk_errors import to_langchain_error

__all__ = ("ChatRequest", "build_stream_request", "build_whole_request")


class ChatRequest(ModelRequest):
    """A request for a chat model: its exceptions are langchain-openai's.

    ``is_raw`` says whether the response's headers are needed.
    """

    __slots__ = ("_model", "is_raw")

    _cast_to = ChatCompletion

    def __init__(
        self, model: BaseChatOpenAI, resource: Any, params: Mapping[str, Any], *, idle: float | None, is_raw: bool
    ) -> None:
        options = capture_options(resource, params, is_raw=is_raw)
        # Socket options are those of the model's own HTTP client.
        super().__init__(resource._client, options, idle=idle, is_native=not model.http_socket_options)
        self._model = model
        self.is_raw = is_raw

    def to_host_error(self, error: MillstreamError, chunks_received: int = 0) -> Exception:
        """Return langchain-openai's exception for ``error``."""
        return to_langchain_error(error, self, self._model, chunks_received)


_FORMAT = "it has a response_format"
_RESPONSES = "it needs the Responses API"


def _converts_as_langchain(model: BaseChatOpenAI) -> bool:
    """Return whether langchain-openai's own functions convert the chunks of the SDK.

    Subclasses override the method, and apps patch the function: both then convert every chunk of the SDK.
    """
    functions = (type(model)._convert_chunk_to_generation_chunk, base._convert_delta_to_message_chunk)
    return all(getattr(function, "__globals__", None) is vars(base) for function in functions)


def build_stream_request(
    model: BaseChatOpenAI, resource: Any, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
) -> ChatRequest | None:
    """Return the request for a stream, with the parameters of langchain-openai's; ``None`` if that has to send it."""
    if not _converts_as_langchain(model):
        return report_left("its chunks are converted by a function that is not langchain-openai's own")
    if model._use_responses_api({**kwargs, **model.model_kwargs}):
        return report_left(_RESPONSES)
    if has_obstacle(resource):
        return None
    kwargs = {**kwargs, "stream": True}
    stream_usage = model._should_stream_usage(kwargs.pop("stream_usage", None), **kwargs)
    if stream_usage:
        kwargs["stream_options"] = {"include_usage": stream_usage}
    payload = model._get_request_payload(messages, stop=stop, **kwargs)
    if "response_format" in payload or "messages" not in payload:
        return report_left(_FORMAT if "response_format" in payload else _RESPONSES)
    is_raw = bool(model.include_response_headers or model._uses_gateway)
    return ChatRequest(model, resource, payload, idle=model.stream_chunk_timeout or None, is_raw=is_raw)


def build_whole_request(
    model: BaseChatOpenAI, resource: Any, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
) -> ChatRequest | None:
    """Return the request for a whole response; ``None`` if langchain-openai has to send it."""
    if has_obstacle(resource):
        return None
    payload = model._get_request_payload(messages, stop=stop, **kwargs)
    if "response_format" in payload:
        return report_left(_FORMAT)
    if "messages" not in payload or model._use_responses_api(payload):
        return report_left(_RESPONSES)
    return ChatRequest(model, resource, payload, idle=None, is_raw=True)
