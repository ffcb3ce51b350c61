"""``ChatMessage``: a message with an arbitrary role."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from .._merge import Content
from .base import BaseMessage, BaseMessageChunk, merge_fields
from .validation import as_text

if TYPE_CHECKING:
    from .content import ContentBlock

__all__ = ("ChatMessage", "ChatMessageChunk")


class ChatMessage(BaseMessage):
    """A message with an arbitrary ``role``."""

    __slots__ = ("role",)
    _fields: ClassVar[tuple[str, ...]] = (*BaseMessage._fields, "role")
    type: str = "chat"

    def __init__(
        self,
        content: Content | None = None,
        content_blocks: "Sequence[ContentBlock] | None" = None,
        *,
        role: str,
        **fields: Any,
    ) -> None:
        super().__init__(content, content_blocks, **fields)
        self.role: str = as_text(self.__class__.__name__, "role", role)


class ChatMessageChunk(ChatMessage, BaseMessageChunk):
    """A piece of a :class:`ChatMessage`."""

    __slots__ = ()
    type: str = "ChatMessageChunk"

    def _merge(self, chunks: list[BaseMessageChunk]) -> BaseMessageChunk:
        if any(isinstance(chunk, ChatMessageChunk) and chunk.role != self.role for chunk in chunks):
            raise ValueError("Cannot concatenate ChatMessageChunks with different roles.")
        return self.model_construct(id=self.id, role=self.role, **merge_fields(chunks))
