"""``ChatGoogleGenerativeAI``: langchain-google-genai's chat model, whose streams this package reads.

Arguments, messages, tools, structured output, callbacks, caches and serialisation are LangChain's, by inheritance.
Replaced is the path from the parameters of a request to its chunks or its result: Google's SDK builds the request, our
transport sends it, and our decoder reads the response. See ``chat_models`` for OpenAI's.

langchain-google-genai keeps the calls of Vertex AI, of clients with HTTP settings of their own, and of a user's
subclass that overrides how requests are made.
"""

from __future__ import annotations

from typing import Any

import langchain_google_genai
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_google_genai.chat_models import _response_to_result

from .chat_model_streams import ChatModelStreams
from .google_requests import GoogleRequest, build_request
from .google_stream import GoogleGenerations, GoogleMessages

__all__ = ("ChatGoogleGenerativeAI",)


class ChatGoogleGenerativeAI(ChatModelStreams, langchain_google_genai.ChatGoogleGenerativeAI):
    """langchain-google-genai's ``ChatGoogleGenerativeAI`` with this package's streams: the same arguments and messages.

    Streams can be closed, and are context managers. ::

        model = ChatGoogleGenerativeAI(model="gemini-2.5-flash")
        with model.stream("Write me a 1 verse song about sparkling water.") as chunks:
            for chunk in chunks:
                print(chunk.text, end="|", flush=True)

    Raises langchain-google-genai's exceptions, or those of Google's SDK and its HTTP library, with ours as a cause.
    """

    # Streams.

    def _build_stream_request(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any], *, is_async: bool
    ) -> GoogleRequest | None:
        return build_request(self, messages, stop, kwargs, stream=True)

    def _read_generations(self, request: GoogleRequest) -> GoogleGenerations:
        return GoogleGenerations(request)

    def _read_messages(self, request: GoogleRequest, id: str, *, collect_result: bool) -> GoogleMessages:
        return GoogleMessages(request, id, collect_result=collect_result)

    # Whole responses.

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        request = build_request(self, messages, stop, kwargs, stream=False)
        if request is None:
            return super()._generate(messages, stop, run_manager, **kwargs)
        return _response_to_result(request.read_response())

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        request = build_request(self, messages, stop, kwargs, stream=False)
        if request is None:
            return await super()._agenerate(messages, stop, run_manager, **kwargs)
        return _response_to_result(await request.aread_response())
