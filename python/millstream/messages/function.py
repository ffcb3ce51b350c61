"""``FunctionMessage``: the result of a function call, in OpenAI's older format."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._merge import Content
from .base import BaseMessage, BaseMessageChunk, merge_fields

if TYPE_CHECKING:
    from .content import ContentBlock

__all__ = ("FunctionMessage", "FunctionMessageChunk")


class FunctionMessage(BaseMessage):
    """The result of the function ``name``. For tool calls use :class:`ToolMessage`."""

    __slots__ = ()
    type: str = "function"

    def __init__(
        self,
        content: Content | None = None,
        content_blocks: "Sequence[ContentBlock] | None" = None,
        *,
        name: str,
        **fields: Any,
    ) -> None:
        super().__init__(content, content_blocks, name=name, **fields)


class FunctionMessageChunk(FunctionMessage, BaseMessageChunk):
    """A piece of a :class:`FunctionMessage`."""

    __slots__ = ()
    type: str = "FunctionMessageChunk"

    def _merge(self, chunks: list[BaseMessageChunk]) -> BaseMessageChunk:
        if any(not isinstance(chunk, FunctionMessageChunk) or chunk.name != self.name for chunk in chunks):
            raise ValueError("Cannot concatenate FunctionMessageChunks with different names.")
        return self.model_construct(id=self.id, name=self.name, **merge_fields(chunks))
