"""The requests of a LangChain chat model that this package sends; langchain-openai sends the others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai.chat_models import base
from langchain_openai.chat_models.base import BaseChatOpenAI
from openai._models import construct_type
from openai.types.chat import ChatCompletion
from openai.types.responses import Response as SDKResponse

from ...errors import MillstreamError
from .._sdk_calls import capture_options, has_obstacle, report_left
from .model_requests import ModelRequest
from .sdk_errors import to_langchain_error

__all__ = ("ChatRequest", "ResponsesRequest", "build_stream_request", "build_whole_request")


class ChatRequest(ModelRequest):
    """A request for a chat model: its exceptions are langchain-openai's.

    ``is_raw`` says whether the response's headers are needed.
    """

    __slots__ = ("_model", "is_raw")

    _cast_to: Any = ChatCompletion

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


class ResponsesRequest(ChatRequest):
    """A request of the Responses API. ``schema`` is the response format that the call asked for."""

    __slots__ = ("schema",)

    _cast_to = SDKResponse

    def __init__(self, *args: Any, schema: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.schema = schema

    def convert_whole(self, payload: dict[str, Any]) -> ChatGenerationChunk:
        """Return the only chunk of a stream whose server sent a whole response."""
        made: Any = construct_type(value=payload, type_=SDKResponse)
        version = self._model.output_version
        result = base._construct_lc_result_from_responses_api(made, schema=self.schema, output_version=version)
        message: Any = result.generations[0].message
        fields = {name: getattr(message, name) for name in ("content", "additional_kwargs", "usage_metadata", "id")}
        calls = [
            tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
            for index, call in enumerate(message.tool_calls)
        ]
        chunk = AIMessageChunk(
            **fields, tool_call_chunks=calls, response_metadata=message.response_metadata, chunk_position="last"
        )
        return ChatGenerationChunk(message=chunk)


_FORMAT = "it has a response_format"
_MIXED = "its parameters are for another API than the call"
_CLASS = "its response_format is a class, in a call that does not stream"


def _converts_as_langchain(model: BaseChatOpenAI, *, responses: bool) -> bool:
    """Return whether langchain-openai's own functions convert the chunks of the SDK.

    Subclasses override the method, and apps patch the function: both then convert every chunk of the SDK.
    """
    if responses:
        functions: tuple[Any, ...] = (
            base._convert_responses_chunk_to_generation_chunk,
            type(model)._stream_responses,
            type(model)._astream_responses,
        )
    else:
        functions = (type(model)._convert_chunk_to_generation_chunk, base._convert_delta_to_message_chunk)
    return all(getattr(function, "__globals__", None) is vars(base) for function in functions)


def build_stream_request(
    model: BaseChatOpenAI,
    messages: list[BaseMessage],
    stop: list[str] | None,
    kwargs: dict[str, Any],
    *,
    is_async: bool,
) -> ChatRequest | None:
    """Return the request for a stream, with the parameters of langchain-openai's; ``None`` if that has to send it."""
    uses_responses = model._use_responses_api({**kwargs, **model.model_kwargs})
    if not _converts_as_langchain(model, responses=uses_responses):
        return report_left("its chunks are converted by a function that is not langchain-openai's own")
    resource = _find_resource(model, is_async=is_async, responses=uses_responses)
    if has_obstacle(resource):
        return None
    is_raw = bool(model.include_response_headers or model._uses_gateway)
    idle = model.stream_chunk_timeout or None
    kwargs = {**kwargs, "stream": True}
    if uses_responses:
        payload = model._get_request_payload(messages, stop=stop, **kwargs)
        schema = kwargs.get("response_format")
        return ResponsesRequest(model, resource, payload, idle=idle, is_raw=is_raw, schema=schema)
    stream_usage = model._should_stream_usage(kwargs.pop("stream_usage", None), **kwargs)
    if stream_usage:
        kwargs["stream_options"] = {"include_usage": stream_usage}
    payload = model._get_request_payload(messages, stop=stop, **kwargs)
    if "response_format" in payload or "messages" not in payload:
        return report_left(_FORMAT if "response_format" in payload else _MIXED)
    return ChatRequest(model, resource, payload, idle=idle, is_raw=is_raw)


def build_whole_request(
    model: BaseChatOpenAI,
    messages: list[BaseMessage],
    stop: list[str] | None,
    kwargs: dict[str, Any],
    *,
    is_async: bool,
) -> ChatRequest | None:
    """Return the request for a whole response; ``None`` if langchain-openai has to send it."""
    payload = model._get_request_payload(messages, stop=stop, **kwargs)
    uses_responses = "messages" not in payload and model._use_responses_api(payload)
    resource = _find_resource(model, is_async=is_async, responses=uses_responses)
    if has_obstacle(resource):
        return None
    if "response_format" in payload:
        return report_left(_FORMAT)
    if not uses_responses:
        return ChatRequest(model, resource, payload, idle=None, is_raw=True)
    if "text_format" in payload:
        return report_left(_CLASS)
    schema = kwargs.get("response_format")
    return ResponsesRequest(model, resource, payload, idle=None, is_raw=True, schema=schema)


def _find_resource(model: BaseChatOpenAI, *, is_async: bool, responses: bool) -> Any:
    """Return the part of the SDK's client that sends the request."""
    if not responses:
        return model.async_client if is_async else model.client
    client = model.root_async_client if is_async else model.root_client
    return getattr(client, "responses", None)
