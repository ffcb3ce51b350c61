"""``MessageOutputs``: the processor of a stream of LangChain's messages, over that of its generation chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, LLMResult
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks

from .payload_outputs import PayloadOutputs
from .text_chunks import merge_metadata

__all__ = ("MessageOutputs", "keeping_maker", "merge_result")


class MessageOutputs(PayloadOutputs):
    """Outputs the messages of the chunks, with the id ``_id``, and a last one unless the provider's is marked so.

    That is what ``stream`` yields. The class stands before one of generation chunks among the bases of a class, which
    has the attributes below, and sets ``_id`` and ``_texts`` before it is initialized.

    Raises :class:`ValueError`, as LangChain does, for a stream without chunks.
    """

    __slots__ = ()

    _needs_chunks = True

    _id: str
    _has_last: bool
    # For the result: the chunks with more than text, and the texts since the last one of them.
    _kept: list[ChatGenerationChunk]
    _texts: list[str]
    _make: Callable[..., Any]

    def _start(self) -> None:
        super()._start()
        self._has_last = False
        self._kept = []
        self._texts.clear()

    def _make_output(self, payload: Any) -> Any:
        if type(payload) is not str:
            # They belong to the block that a payload may end.
            self._keep_texts()
        return super()._make_output(payload)

    def _keep_texts(self) -> None:
        if self._texts:
            self._keep_text(self._make("".join(self._texts)))
            self._texts.clear()

    def _keep_text(self, message: Any) -> None:
        """Keep a message of text for the result."""
        self._kept.append(ChatGenerationChunk(message=message))

    def _finish(self, chunk: ChatGenerationChunk) -> Any:
        """Return the message of ``chunk``."""
        message: Any = chunk.message
        if message.id is None:
            message.id = self._id
        message.response_metadata = merge_metadata(chunk)
        self._has_last = message.chunk_position == "last"
        if self._collects:
            # The consumer may change the message.
            self._kept.append(chunk.model_copy(update={"message": message.model_copy()}))
        return message

    def result(self) -> Any:
        """Return LangChain's result of the run: the merged chunks, without an added last one."""
        self._keep_texts()
        return merge_result(self._kept)

    @property
    def _last_content(self) -> Any:
        """The content of an added last message."""
        return ""

    def close(self) -> Sequence[Any]:
        """Return the messages that were held back, and the last one."""
        outputs = super().close()
        if self.error is not None or self._has_last:
            return outputs
        return [*outputs, AIMessageChunk(content=self._last_content, chunk_position="last", id=self._id)]


def merge_result(chunks: list[ChatGenerationChunk]) -> LLMResult:
    """Return LangChain's result of a run with these chunks."""
    merged = merge_chat_generation_chunks(chunks)
    return LLMResult(generations=[[] if merged is None else [merged]])


def keeping_maker(make: Callable[[str], Any], texts: list[str]) -> Callable[[str], Any]:
    """Return the function that makes the output of a text, and appends the text to ``texts``."""

    def keep(text: str) -> Any:
        texts.append(text)
        return make(text)

    return keep
