"""``WholePayloads``: a response without streaming, as the payloads that a :class:`MessageReader` reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import StreamError, StreamTruncatedError
from ..messages.conversion import finish_message
from ..outputs.chat_generation import (
    ChatGeneration,
    ChatGenerationChunk,
    ChatResult,
    merge_chat_generation_chunks,
)
from .message_reader import MessageReader, read_values
from .payload_joiner import PayloadJoiner
from .whole_body import WholeBody

__all__ = ("WholePayloads",)


class WholePayloads(WholeBody):
    """A processor without outputs: it collects the payloads, which are one where the server did not stream."""

    __slots__ = ("_payloads",)

    def _start(self) -> None:
        super()._start()
        self._payloads: list[Any] = []

    def _collect(self, data: bytes) -> None:
        self._payloads += self._decoder.feed_payloads(data)

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        try:
            self._payloads += self._decoder.close_payloads()
        except StreamError as error:
            self._payloads += error.items
            return (), error
        return (), None

    def create_result(self, reader: MessageReader) -> ChatResult:
        """Return the result: of the whole answer, or of the stream that the server sent nevertheless.

        Raises :class:`~millstream.errors.StreamTruncatedError` for a response without an answer.
        """
        if self._is_object and len(self._payloads) == 1 and type(self._payloads[0]) is tuple:
            return reader.whole(PayloadJoiner(self._format).read(self._payloads[0][0])[-1])
        merged = merge_chat_generation_chunks([*self._read_chunks(reader)])
        if merged is None:
            raise StreamTruncatedError("the server sent no choices")
        return ChatResult([ChatGeneration(finish_message(merged.message), merged.generation_info)])

    def _read_chunks(self, reader: MessageReader) -> Iterator[ChatGenerationChunk]:
        joiner = PayloadJoiner(self._format)
        for payload in self._payloads:
            if type(payload) is str:
                yield ChatGenerationChunk(reader.text(payload))
            else:
                yield from read_values(reader, joiner.read(payload[0]), payload[1])
        yield from read_values(reader, joiner.finish(), None)
        yield from reader.finish()
