"""``ToolMessage``: the result of a tool call. Also the types of tool calls, under LangChain's import path."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from .._merge import Content, merge_contents, merge_info, merge_lists
from .base import BaseMessage, BaseMessageChunk, merge_fields
from .tool_calls import (
    InvalidToolCall,
    ToolCall,
    ToolCallChunk,
    default_tool_chunk_parser,
    default_tool_parser,
    invalid_tool_call,
    tool_call,
    tool_call_chunk,
)
from .validation import as_id, as_status

if TYPE_CHECKING:
    from uuid import UUID

    from .content import ContentBlock

__all__ = (
    "InvalidToolCall",
    "ToolCall",
    "ToolCallChunk",
    "ToolMessage",
    "ToolMessageChunk",
    "ToolOutputMixin",
    "default_tool_chunk_parser",
    "default_tool_parser",
    "invalid_tool_call",
    "tool_call",
    "tool_call_chunk",
)


class ToolOutputMixin:
    """The base class of values that tools return as they are: no :class:`ToolMessage` is made of them."""

    __slots__ = ()


class ToolMessage(BaseMessage, ToolOutputMixin):
    """The result of the tool call ``tool_call_id``.

    Content other than texts and blocks is converted to text. ``artifact`` is an additional result, which
    is not sent to the model. ``status`` is ``"success"`` or ``"error"``.
    """

    __slots__ = ("artifact", "status", "tool_call_id")
    _fields: ClassVar[tuple[str, ...]] = (*BaseMessage._fields, "tool_call_id", "artifact", "status")
    _repr_omit_default: ClassVar[dict[str, Any]] = {
        **BaseMessage._repr_omit_default,
        "artifact": None,
        "status": "success",
    }
    _repr_omit: ClassVar[frozenset[str]] = frozenset({"type", "additional_kwargs", "response_metadata"})
    type: str = "tool"

    def __init__(
        self,
        content: object = None,
        content_blocks: "Sequence[ContentBlock] | None" = None,
        *,
        tool_call_id: "str | int | float | UUID",
        artifact: Any = None,
        status: Literal["success", "error"] = "success",
        **fields: Any,
    ) -> None:
        super().__init__(_as_text_or_blocks(content), content_blocks, **fields)
        owner = self.__class__.__name__
        self.tool_call_id: str = as_id(owner, "tool_call_id", tool_call_id)
        self.artifact: Any = artifact
        self.status = as_status(owner, status)


class ToolMessageChunk(ToolMessage, BaseMessageChunk):
    """A piece of a :class:`ToolMessage`."""

    __slots__ = ()
    type: str = "ToolMessageChunk"

    def _merge(self, chunks: list[BaseMessageChunk]) -> BaseMessageChunk:
        pieces = [chunk for chunk in chunks if isinstance(chunk, ToolMessageChunk)]
        if len(pieces) < len(chunks) or any(piece.tool_call_id != self.tool_call_id for piece in pieces):
            raise ValueError("Cannot concatenate ToolMessageChunks with different tool_call_ids.")
        return self.model_construct(
            id=self.id,
            tool_call_id=self.tool_call_id,
            artifact=_merge_artifacts([piece.artifact for piece in pieces if piece.artifact is not None]),
            status="error" if any(piece.status == "error" for piece in pieces) else "success",
            **merge_fields(chunks),
        )


def _as_text_or_blocks(content: object) -> Content:
    if isinstance(content, list | tuple):
        return [block if isinstance(block, str | dict) else str(block) for block in content]
    return content if isinstance(content, str) else str(content)


def _merge_artifacts(artifacts: list[Any]) -> Any:
    """Merge the artifacts: texts, lists and mappings are joined; of other types the last one wins."""
    if not artifacts:
        return None
    if all(isinstance(artifact, str) for artifact in artifacts):
        return merge_contents(artifacts)
    if all(isinstance(artifact, dict) for artifact in artifacts):
        return merge_info(artifacts)
    if all(isinstance(artifact, list) for artifact in artifacts):
        return merge_lists(artifacts)
    return artifacts[-1]
