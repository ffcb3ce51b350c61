"""``MessageReader``: what the payloads of a provider mean, as messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..messages.ai import AIMessageChunk
from ..outputs.chat_generation import ChatGenerationChunk, ChatResult

__all__ = ("MessageReader", "read_values")


class MessageReader:
    """Reads the payloads of one stream, or one whole answer, into messages; a provider subclasses it.

    The decoder of the format has checked the payloads, and the model raises for errors, for answers that were cut
    and for streams that stall. A payload may have fields of any type.

    ``id`` is the id of the chunks that have none of the provider's. A reader that leaves the reasoning out of the
    messages says so by ``keeps_reasoning``.
    """

    __slots__ = ("id", "keeps_reasoning")

    def __init__(self) -> None:
        self.id: str | None = None
        self.keeps_reasoning = True

    def text(self, text: str) -> AIMessageChunk:
        """Return the chunk of a payload that is ``text`` and nothing else, in the block that began last.

        This is called for most payloads: use :func:`~millstream.messages.ai.text_chunk`, with :attr:`id`.
        """
        raise NotImplementedError

    def read(self, payload: Any, text: str | None) -> ChatGenerationChunk | None:
        """Return the chunk of any other payload, a value of JSON; ``None`` if it has nothing to hand out.

        ``text`` is the text in it, in whole characters: halves of a character that came in two payloads are joined.
        """
        raise NotImplementedError

    def finish(self) -> Sequence[ChatGenerationChunk]:
        """Return the chunks behind the payloads of a stream that ended well."""
        return ()

    def whole(self, body: Any) -> ChatResult:
        """Return the result of an answer that did not stream; ``body`` is the JSON object of the response."""
        raise NotImplementedError


def read_values(reader: MessageReader, values: Sequence[Any], text: str | None) -> list[ChatGenerationChunk]:
    """Return the chunks of ``values``, those of one payload, the last of which has ``text``."""
    if len(values) == 1:
        chunk = reader.read(values[0], text)
        return [] if chunk is None else [chunk]
    chunks = [reader.read(value, text if at == len(values) else None) for at, value in enumerate(values, 1)]
    return [chunk for chunk in chunks if chunk is not None]
