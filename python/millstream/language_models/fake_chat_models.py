"""Fake chat models for tests: they return the responses they are constructed with."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..messages.ai import AIMessage, AIMessageChunk
from ..messages.base import BaseMessage
from ..outputs.chat_generation import ChatGeneration, ChatGenerationChunk, ChatResult
from .chat_models import BaseChatModel, SimpleChatModel

if TYPE_CHECKING:
    from ..runnables.config import RunnableConfig

__all__ = (
    "FakeChatModel",
    "FakeListChatModel",
    "FakeListChatModelError",
    "FakeMessagesListChatModel",
    "GenericFakeChatModel",
    "ParrotFakeChatModel",
)


class FakeMessagesListChatModel(BaseChatModel):
    """Returns ``responses`` in order, ``sleep`` seconds after each call, and starts over after the last one."""

    responses: list[BaseMessage]
    sleep: float | None = None
    i: int = 0

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        if self.sleep is not None:
            time.sleep(self.sleep)
        response = self.responses[self.i]
        self.i = (self.i + 1) % len(self.responses)
        return ChatResult([ChatGeneration(response)])

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        if type(self) is not FakeMessagesListChatModel or self.sleep is not None:
            return await super()._agenerate(messages, stop, run_manager, **kwargs)
        return self._generate(messages, stop, run_manager, **kwargs)

    @property
    def _llm_type(self) -> str:
        return "fake-messages-list-chat-model"


class FakeListChatModelError(Exception):
    """Raised by :class:`FakeListChatModel` at ``error_on_chunk_number``."""


class FakeListChatModel(SimpleChatModel):
    """Returns the texts ``responses`` in order, and starts over after the last one.

    Its streams yield one character at a time, ``sleep`` seconds apart. At the chunk
    ``error_on_chunk_number`` they raise :class:`FakeListChatModelError`. Batches call the model for one
    input after the other, in order.
    """

    responses: list[str]
    sleep: float | None = None
    i: int = 0
    error_on_chunk_number: int | None = None

    @property
    def _llm_type(self) -> str:
        return "fake-list-chat-model"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"responses": self.responses}

    def _next(self) -> str:
        response = self.responses[self.i]
        self.i = (self.i + 1) % len(self.responses)
        return response

    def _call(self, *args: Any, **kwargs: Any) -> str:
        if self.sleep is not None:
            time.sleep(self.sleep)
        return self._next()

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        if type(self) is not FakeListChatModel or self.sleep is not None:
            return await super()._agenerate(messages, stop, run_manager, **kwargs)
        return self._generate(messages, stop, run_manager, **kwargs)

    def _chunk(self, response: str, place: int) -> ChatGenerationChunk:
        if self.error_on_chunk_number is not None and place == self.error_on_chunk_number:
            raise FakeListChatModelError
        last = place == len(response) - 1
        return ChatGenerationChunk(AIMessageChunk(response[place], chunk_position="last" if last else None))

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        response = self._next()
        for place in range(len(response)):
            if self.sleep is not None:
                time.sleep(self.sleep)
            yield self._chunk(response, place)

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        import asyncio

        response = self._next()
        for place in range(len(response)):
            if self.sleep is not None:
                await asyncio.sleep(self.sleep)
            yield self._chunk(response, place)

    def batch(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the messages in the order of the inputs, from one call after the other."""
        configs = config if isinstance(config, list) else [config] * len(inputs)
        return [self.invoke(*pair, **kwargs) for pair in zip(inputs, configs, strict=False)]

    async def abatch(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the messages in the order of the inputs, from one call after the other."""
        configs = config if isinstance(config, list) else [config] * len(inputs)
        return [await self.ainvoke(*pair, **kwargs) for pair in zip(inputs, configs, strict=False)]


class FakeChatModel(SimpleChatModel):
    """Returns "fake response"."""

    def _call(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> str:
        return "fake response"

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return self._generate(messages, stop, run_manager, **kwargs)

    @property
    def _llm_type(self) -> str:
        return "fake-chat-model"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"key": "fake"}


class GenericFakeChatModel(BaseChatModel):
    """Returns the messages, or texts, of the iterator ``messages``.

    Its streams yield the text word by word, with white space as separate chunks, and then the
    ``additional_kwargs`` one by one; the texts of a function call are split at commas.
    """

    messages: Iterator[AIMessage | str]

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        message = next(self.messages)
        return ChatResult([ChatGeneration(AIMessage(message) if isinstance(message, str) else message)])

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        message = self._generate(messages, stop=stop, run_manager=run_manager, **kwargs).generations[0].message
        if not isinstance(message, AIMessage):
            raise ValueError(f"Expected invoke to return an AIMessage, but got {type(message)} instead.")
        for chunk in _split_message(message):
            if run_manager:
                run_manager.on_llm_new_token(chunk.content, chunk=ChatGenerationChunk(chunk))
            yield ChatGenerationChunk(chunk)

    @property
    def _llm_type(self) -> str:
        return "generic-fake-chat-model"


def _split_message(message: AIMessage) -> Iterator[AIMessageChunk]:
    content = message.content
    if content:
        if not isinstance(content, str):
            raise ValueError("Expected content to be a string.")
        words = re.split(r"(\s)", content)
        for place, word in enumerate(words):
            last = place == len(words) - 1 and not message.additional_kwargs
            yield AIMessageChunk(word, id=message.id, chunk_position="last" if last else None)
    for key, value in message.additional_kwargs.items():
        for piece in _split_function_call(value) if key == "function_call" else (value,):
            yield AIMessageChunk("", id=message.id, additional_kwargs={key: piece})


def _split_function_call(call: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key, value in call.items():
        for piece in re.split(r"(,)", value) if isinstance(value, str) else (value,):
            yield {key: piece}


class ParrotFakeChatModel(BaseChatModel):
    """Returns the last message of its input."""

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        if not messages:
            raise ValueError("messages list cannot be empty.")
        return ChatResult([ChatGeneration(messages[-1])])

    @property
    def _llm_type(self) -> str:
        return "parrot-fake-chat-model"
