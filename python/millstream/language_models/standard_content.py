"""Answers of models with ``output_version="v1"``: their content is LangChain's standard blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ("BlockNumbering", "with_standard_content")


def with_standard_content(message: Any) -> Any:
    """Return a copy of a message whose content is its standard blocks."""
    metadata = {**message.response_metadata, "output_version": "v1"}
    return message.model_copy(update={"content": message.content_blocks, "response_metadata": metadata})


class BlockNumbering:
    """Completes the chunks of one stream, by ``complete``, and makes standard blocks of their contents.

    Chunks merge by the indexes of their blocks. A block without an index gets the one of the block before it, or a new
    one where its type is another.
    """

    def __init__(self, complete: Callable[[Any], None]) -> None:
        self._complete = complete
        self._index = -1
        self._type = ""

    def __call__(self, chunk: Any) -> None:
        """Complete a chunk in place."""
        self._complete(chunk)
        chunk.message = message = with_standard_content(chunk.message)
        # Copies: the blocks may be the model's own.
        message.content = [self._number(dict(block)) for block in message.content]

    def _number(self, block: dict[str, Any]) -> dict[str, Any]:
        if block["type"] != self._type:
            self._type = block["type"]
            self._index += 1
        block.setdefault("index", self._index)
        return block
