"""Fake completion models for tests: they return the responses of a list."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator, Mapping
from typing import Any

from ..runnables.config import RunnableConfig
from ..streaming.stream import AsyncStream, Stream
from .llms import LLM
from .prompt_text import LanguageModelInput

__all__ = ("FakeListLLM", "FakeListLLMError", "FakeStreamingListLLM")


class FakeListLLM(LLM):
    """Returns ``responses`` in order, and starts over after the last one."""

    responses: list[str]
    sleep: float | None = None
    i: int = 0

    @property
    def _llm_type(self) -> str:
        return "fake-list"

    def _call(self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> str:
        response = self.responses[self.i]
        self.i = (self.i + 1) % len(self.responses)
        return response

    async def _acall(self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> str:
        return self._call(prompt, stop, run_manager, **kwargs)

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"responses": self.responses}


class FakeListLLMError(Exception):
    """Raised by :class:`FakeStreamingListLLM` at ``error_on_chunk_number``."""


class FakeStreamingListLLM(FakeListLLM):
    """A :class:`FakeListLLM` whose streams yield one character at a time, ``sleep`` seconds apart.

    At the chunk ``error_on_chunk_number`` they raise :class:`FakeListLLMError`.
    """

    error_on_chunk_number: int | None = None

    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Stream[str]:
        """Stream the characters of the response."""

        def characters() -> Generator[str, None, None]:
            for place, character in enumerate(self.invoke(input, config)):
                if self.sleep is not None:
                    time.sleep(self.sleep)
                self._raise_at(place)
                yield character

        return Stream(characters())

    def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncStream[str]:
        """Stream the characters of the response."""

        async def characters() -> AsyncGenerator[str, None]:
            import asyncio

            for place, character in enumerate(await self.ainvoke(input, config)):
                if self.sleep is not None:
                    await asyncio.sleep(self.sleep)
                self._raise_at(place)
                yield character

        return AsyncStream(characters())

    def _raise_at(self, place: int) -> None:
        if self.error_on_chunk_number is not None and place == self.error_on_chunk_number:
            raise FakeListLLMError
