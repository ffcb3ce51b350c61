"""``ChatGoogleGenerativeAI``: langchain-google-genai's chat model, whose streams this package reads.

Arguments, messages, tools, structured output, callbacks, caches and serialisation are LangChain's, by inheritance.
Replaced is the path from the parameters of a request to its chunks or its result: Google's SDK builds the request, our
transport sends it, and our decoder reads the response. See ``chat_models`` for OpenAI's.

langchain-google-genai keeps the calls of Vertex AI, of clients with HTTP settings of their own, and of a user's
subclass that overrides how requests are made.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import langchain_google_genai
from langchain_core.language_models._utils import _normalize_messages
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.utils.uuid import uuid7
from langchain_google_genai.chat_models import _response_to_result

from ...streaming.drive import adrive, drive
from .google_requests import GoogleRequest, build_request
from .google_stream import GoogleGenerations, GoogleMessages
from .model_streams import ModelStreams

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

__all__ = ("ChatGoogleGenerativeAI",)


class ChatGoogleGenerativeAI(ModelStreams[AIMessageChunk], langchain_google_genai.ChatGoogleGenerativeAI):
    """langchain-google-genai's ``ChatGoogleGenerativeAI`` with this package's streams: the same arguments and messages.

    Streams can be closed, and are context managers. ::

        model = ChatGoogleGenerativeAI(model="gemini-2.5-flash")
        with model.stream("Write me a 1 verse song about sparkling water.") as chunks:
            for chunk in chunks:
                print(chunk.text, end="|", flush=True)

    Raises langchain-google-genai's exceptions, or those of Google's SDK and its HTTP library, with ours as a cause.
    """

    _run_type = "chat_model"

    # Streams for LangChain's machinery.

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        request = build_request(self, messages, stop, {**kwargs}, stream=True)
        if request is None:
            return super()._stream(messages, stop, run_manager, **kwargs)
        chunks = drive(request, GoogleGenerations(request, None))
        return chunks if run_manager is None else self._notify(chunks, run_manager)

    def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = build_request(self, messages, stop, {**kwargs}, stream=True)
        if request is None:
            return super()._astream(messages, stop, run_manager, **kwargs)
        chunks = adrive(request, GoogleGenerations(request, None))
        return chunks if run_manager is None else self._anotify(chunks, run_manager)

    def _open_stream(
        self,
        input: Any,
        config: RunnableConfig,
        stop: Any,
        kwargs: dict[str, Any],
        *,
        is_async: bool,
        collect_result: bool = False,
    ) -> tuple[GoogleRequest, GoogleMessages] | None:
        """Return the source and the processor of a stream; ``None`` if it needs LangChain.

        The steps are those of LangChain's ``stream``, without those that are for handlers.
        """
        if self.output_version == "v1" or not self._should_stream(async_api=is_async, **{**kwargs, "stream": True}):
            return None
        messages = _normalize_messages(self._convert_input(input).to_messages())
        kwargs = {**kwargs}
        # These are for tracing alone.
        _ = kwargs.pop("ls_structured_output_format", None) or kwargs.pop("structured_output_format", None)
        request = build_request(self, messages, stop, kwargs, stream=True)
        if request is None:
            return None
        request.limiter = self.rate_limiter
        id = f"lc_run--{config.get('run_id') or uuid7()}"
        return request, GoogleMessages(request, None, id, collect_result=collect_result)

    def _token_info(self, chunk: ChatGenerationChunk) -> dict[str, Any]:
        return {"chunk": chunk}

    # Whole responses.

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        request = build_request(self, messages, stop, {**kwargs}, stream=False)
        if request is None:
            return super()._generate(messages, stop, run_manager, **kwargs)
        return _response_to_result(request.read_response())

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        request = build_request(self, messages, stop, {**kwargs}, stream=False)
        if request is None:
            return await super()._agenerate(messages, stop, run_manager, **kwargs)
        return _response_to_result(await request.aread_response())
