"""``ChatGeneration``, one answer of a chat model, its chunks, and ``ChatResult``, the answers of one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from .._merge import merge_info
from .._pydantic_field import PydanticField
from ..messages.base import BaseMessage
from .generation import Generation

__all__ = ("ChatGeneration", "ChatGenerationChunk", "ChatResult", "merge_chat_generation_chunks")


class ChatGeneration(Generation):
    """One answer of a chat model: a message, and its text.

    ``generation_info`` holds the provider's data about it, or ``None``; models put it into the
    message's ``response_metadata`` too.
    """

    __slots__ = ("message",)
    __match_args__ = ("message", "generation_info")

    def __init__(self, message: BaseMessage, generation_info: dict[str, Any] | None = None, *, text: str = "") -> None:
        # `text` is ignored, as in LangChain: the text is the message's.
        self.message: BaseMessage = message
        self.generation_info = generation_info

    @property
    def text(self) -> str:  # type: ignore[override]
        """The message's text."""
        content = self.message.content
        return content if isinstance(content, str) else _text_of(content)

    @property
    def type(self) -> str:
        """``"ChatGeneration"``: the name in event records."""
        return "ChatGeneration"

    def model_dump(self) -> dict[str, Any]:
        """Return the generation as a plain dict: ``text``, ``generation_info``, ``type``, ``message``."""
        return {**super().model_dump(), "message": self.message.model_dump()}

    def __eq__(self, other: object) -> bool:
        """Compare class, message and details."""
        if type(other) is not type(self):
            return NotImplemented
        return self.message == other.message and self.generation_info == other.generation_info

    __hash__: ClassVar[None] = None

    def __repr__(self) -> str:
        """Show the fields; ``generation_info`` only if it is set."""
        info = "" if self.generation_info is None else f"generation_info={self.generation_info!r}, "
        return f"{type(self).__name__}(text={self.text!r}, {info}message={self.message!r})"


class ChatGenerationChunk(ChatGeneration):
    """A piece of a :class:`ChatGeneration` that streams; ``+`` merges it with another one or a list of them."""

    __slots__ = ()

    @property
    def type(self) -> str:
        """``"ChatGenerationChunk"``: the name in event records."""
        return "ChatGenerationChunk"

    def __add__(self, other: object) -> Self:
        """Return the merged chunk; ``other`` is a chunk or a list of chunks, of ours or of LangChain's.

        Messages are merged. In ``generation_info``, lists are joined and counts added. Of finish reasons
        and names, the last one wins.
        """
        others: list[Any] = other if isinstance(other, list) else [other]
        if not all(hasattr(one, "message") and hasattr(one, "generation_info") for one in others):
            types = f"'{type(self)}' and '{type(other)}'"
            raise TypeError(f"unsupported operand type(s) for +: {types}")
        info = merge_info(one.generation_info for one in (self, *others))
        message: Any = self.message
        return type(self)(message + [one.message for one in others], info or None)


class ChatResult(PydanticField):
    """The result of one call of a chat model, for one conversation.

    ``generations`` holds one generation per choice, ``llm_output`` the provider's data about the whole call.
    """

    __slots__ = ("generations", "llm_output")
    __match_args__ = ("generations", "llm_output")

    def __init__(self, generations: Sequence[ChatGeneration], llm_output: dict[str, Any] | None = None) -> None:
        self.generations: list[ChatGeneration] = list(generations)
        self.llm_output: dict[str, Any] | None = llm_output

    def model_dump(self) -> dict[str, Any]:
        """Return the result as a plain dict, the generations too."""
        return {"generations": [one.model_dump() for one in self.generations], "llm_output": self.llm_output}

    def __eq__(self, other: object) -> bool:
        """Compare the fields."""
        if not isinstance(other, ChatResult):
            return NotImplemented
        return self.generations == other.generations and self.llm_output == other.llm_output

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the fields."""
        return f"ChatResult(generations={self.generations!r}, llm_output={self.llm_output!r})"


def merge_chat_generation_chunks(chunks: Sequence[ChatGenerationChunk]) -> Any:
    """Merge ``chunks``, in time linear in them; ``None`` if there are none."""
    if len(chunks) > 1:
        return chunks[0] + list(chunks[1:])
    return chunks[0] if chunks else None


def _text_of(blocks: Sequence[Any]) -> str:
    """Return the joined texts of blocks. A block without a type counts as a text block."""
    texts = []
    for block in blocks:
        if isinstance(block, str):
            texts.append(block)
        elif block.get("type", "text") == "text" and isinstance(block.get("text"), str):
            texts.append(block["text"])
    return "".join(texts)
