"""The processors of Ollama's streams, and the result of one that is merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import EventTooLargeError
from ...messages.ai import AIMessage
from ...outputs.chat_generation import ChatGeneration, ChatGenerationChunk, ChatResult, merge_chat_generation_chunks
from ..payload_stream import PayloadGenerations, PayloadMessages

__all__ = ("MergedAnswer", "OllamaGenerations", "OllamaMessages")


class _Answers(PayloadGenerations):
    """A stream in which the server may have loaded the model and done nothing else: an error, as in LangChain."""

    __slots__ = ()

    def close(self) -> Sequence[Any]:
        """Return the outputs that were held back and the last ones; set ``error`` unless there was an answer."""
        outputs = super().close()
        reader: Any = self._reader
        if self.error is None and reader.is_load and not self._decoder._contents_seen:
            self.error = ValueError("No data received from Ollama stream.")
            return ()
        return outputs


class OllamaGenerations(_Answers):
    """Outputs generation chunks."""

    __slots__ = ()


class OllamaMessages(_Answers, PayloadMessages):
    """Outputs messages."""

    __slots__ = ()


class MergedAnswer:
    """The chunks of an answer that streams, for a call that returns it whole: at most ``size`` bytes of content."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._remaining = size
        self._chunks: list[ChatGenerationChunk] = []

    def add(self, chunk: ChatGenerationChunk) -> None:
        """Add a chunk; raise :class:`~millstream.errors.EventTooLargeError` if they are too large together."""
        message: Any = chunk.message
        self._remaining -= len(message.content.encode("utf-8", "replace"))
        if message._additional_kwargs:
            self._remaining -= len(message._additional_kwargs["reasoning_content"])
        for call in message._tool_call_chunks or ():
            self._remaining -= len(call["args"])
        if self._remaining < 0:
            raise EventTooLargeError(f"the response is larger than max_response_size ({self._size} bytes)")
        self._chunks.append(chunk)

    def create_result(self) -> ChatResult:
        """Return the result: text, tool calls, usage and metadata of the chunks as one message."""
        merged: Any = merge_chat_generation_chunks(self._chunks)
        message = AIMessage(
            merged.text,
            additional_kwargs=merged.message.additional_kwargs,
            tool_calls=merged.message.tool_calls,
            invalid_tool_calls=merged.message.invalid_tool_calls,
            usage_metadata=merged.message.usage_metadata,
        )
        return ChatResult([ChatGeneration(message, merged.generation_info)])
