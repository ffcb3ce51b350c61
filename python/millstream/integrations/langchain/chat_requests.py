"""The requests of a LangChain chat model that this package sends; langchain-openai sends the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from langchain_core.messages import BaseMessage
from langchain_openai.chat_models import base
from langchain_openai.chat_models.base import BaseChatOpenAI
from openai.types.chat import ChatCompletion

from ...errors import MillstreamError
from ...transport import AsyncResponse, Response
from .._openai_calls import capture_options, find_obstacle
from .._openai_client import ClientRequest, WholeResponse
from .._openai_errors import build_response
from .sdk_errors import raise_langchain_error

__all__ = ("ModelRequest", "build_stream_request", "build_whole_request")

T = TypeVar("T")


class ModelRequest(ClientRequest):
    """A request for a model: its exceptions are langchain-openai's.

    ``is_raw`` says whether the response's headers are needed. ``limiter`` is a rate limiter of LangChain's, which
    is asked before the first try.
    """

    __slots__ = ("_model", "is_raw", "limiter")

    def __init__(
        self, model: BaseChatOpenAI, resource: Any, params: Mapping[str, Any], *, idle: float | None, is_raw: bool
    ) -> None:
        options = capture_options(resource, params, is_raw=is_raw)
        # Socket options are those of the model's own HTTP client.
        super().__init__(resource._client, options, idle=idle, is_native=not model.http_socket_options)
        self._model = model
        self.is_raw = is_raw
        self.limiter: Any = None

    @property
    def has_one_choice(self) -> bool:
        """Whether the request is for one choice."""
        body = self._options.json_data
        params = {**(body if isinstance(body, Mapping) else {}), **(self._options.extra_json or {})}
        return params.get("n") in (None, 1)

    def open(self) -> Response:
        """Send the request, with retries, and return the response, whose status is a success."""
        if (limiter := self._take_limiter()) is not None:
            limiter.acquire(blocking=True)
        try:
            return super().open()
        except MillstreamError as error:
            raise_langchain_error(error, self, self._model)

    async def aopen(self) -> AsyncResponse:
        """:meth:`open` for async code."""
        if (limiter := self._take_limiter()) is not None:
            await limiter.aacquire(blocking=True)
        try:
            return await super().aopen()
        except MillstreamError as error:
            raise_langchain_error(error, self, self._model)

    def read_raw(self) -> Any:
        """Send the request, with retries, and return the response as the SDK's ``with_raw_response`` does."""
        try:
            whole = self.read()
        except MillstreamError as error:
            raise_langchain_error(error, self, self._model)
        return self._client._process_response(**self._describe(whole))

    async def aread_raw(self) -> Any:
        """:meth:`read_raw` for async code."""
        try:
            whole = await self.aread()
        except MillstreamError as error:
            raise_langchain_error(error, self, self._model)
        return await self._client._process_response(**self._describe(whole))

    def _describe(self, whole: WholeResponse) -> dict[str, Any]:
        """Return the arguments with which the SDK's client processes the response ``whole``."""
        return {
            "cast_to": ChatCompletion,
            "options": self._options,
            "response": build_response(whole, self.sent),
            "stream": False,
            "stream_cls": None,
            "retries_taken": self.retries,
        }

    def _take_limiter(self) -> Any:
        limiter, self.limiter = self.limiter, None
        return limiter


def _converts_as_langchain(model: BaseChatOpenAI) -> bool:
    """Return whether langchain-openai's own functions convert the chunks of the SDK.

    Subclasses override the method, and apps patch the function: both then convert every chunk of the SDK.
    """
    functions = (type(model)._convert_chunk_to_generation_chunk, base._convert_delta_to_message_chunk)
    return all(getattr(function, "__globals__", None) is vars(base) for function in functions)


def build_stream_request(
    model: BaseChatOpenAI, resource: Any, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
) -> ModelRequest | None:
    """Return the request for a stream, with the parameters of langchain-openai's; ``None`` if that has to send it."""
    if not _converts_as_langchain(model):
        return None
    if model._use_responses_api({**kwargs, **model.model_kwargs}) or find_obstacle(resource) is not None:
        return None
    kwargs = {**kwargs, "stream": True}
    stream_usage = model._should_stream_usage(kwargs.pop("stream_usage", None), **kwargs)
    if stream_usage:
        kwargs["stream_options"] = {"include_usage": stream_usage}
    payload = model._get_request_payload(messages, stop=stop, **kwargs)
    if "response_format" in payload or "messages" not in payload:
        return None
    is_raw = bool(model.include_response_headers or model._uses_gateway)
    return ModelRequest(model, resource, payload, idle=model.stream_chunk_timeout or None, is_raw=is_raw)


def build_whole_request(
    model: BaseChatOpenAI, resource: Any, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
) -> ModelRequest | None:
    """Return the request for a whole response; ``None`` if langchain-openai has to send it."""
    if find_obstacle(resource) is not None:
        return None
    payload = model._get_request_payload(messages, stop=stop, **kwargs)
    if "response_format" in payload or "messages" not in payload or model._use_responses_api(payload):
        return None
    return ModelRequest(model, resource, payload, idle=None, is_raw=True)
