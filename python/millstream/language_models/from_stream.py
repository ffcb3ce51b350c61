"""``generate_from_stream``: a stream's chunks as the whole result that ``_generate`` of a chat model returns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from ..messages.conversion import finish_message
from ..outputs.chat_generation import (
    ChatGeneration,
    ChatGenerationChunk,
    ChatResult,
    merge_chat_generation_chunks,
)

__all__ = ("agenerate_from_stream", "generate_from_stream")


def generate_from_stream(stream: Iterable[ChatGenerationChunk]) -> ChatResult:
    """Return the chunks merged into one result; :class:`ValueError` if there are none.

    For example::

        def _generate(self, messages, stop=None, run_manager=None, **kwargs):
            return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))
    """
    return _merge(list(stream))


async def agenerate_from_stream(stream: AsyncIterator[ChatGenerationChunk]) -> ChatResult:
    """Return the chunks merged into one result; :class:`ValueError` if there are none."""
    return _merge([chunk async for chunk in stream])


def _merge(chunks: Sequence[ChatGenerationChunk]) -> ChatResult:
    merged: Any = merge_chat_generation_chunks(chunks)
    if merged is None:
        raise ValueError("No generations found in stream.")
    return ChatResult([ChatGeneration(finish_message(merged.message), merged.generation_info)])
