"""``Generation``, one text that a model generated, and its chunks."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from .._merge import merge_info
from .._pydantic_field import PydanticField

__all__ = ("Generation", "GenerationChunk", "merge_generations")


class Generation(PydanticField):
    """One text that a model generated.

    ``generation_info`` holds the provider's data about it (finish reason, log probabilities), or ``None``.
    """

    __slots__ = ("generation_info", "text")
    __match_args__ = ("text", "generation_info")
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __init__(self, text: str, generation_info: dict[str, Any] | None = None) -> None:
        self.text: str = text
        self.generation_info: dict[str, Any] | None = generation_info

    @property
    def type(self) -> str:
        """``"Generation"``, for a chunk too: the name in event records."""
        return "Generation"

    def model_dump(self) -> dict[str, Any]:
        """Return the generation as a plain dict: ``text``, ``generation_info``, ``type``."""
        return {"text": self.text, "generation_info": self.generation_info, "type": self.type}

    def __eq__(self, other: object) -> bool:
        """Compare class and fields."""
        if not isinstance(other, Generation):
            return NotImplemented
        return type(self) is type(other) and self.text == other.text and self.generation_info == other.generation_info

    __hash__ = None

    def __repr__(self) -> str:
        """Show the fields; ``generation_info`` only if it is set."""
        info = "" if self.generation_info is None else f", generation_info={self.generation_info!r}"
        return f"{type(self).__name__}(text={self.text!r}{info})"


class GenerationChunk(Generation):
    """A piece of a :class:`Generation` that streams; ``+`` merges two of them."""

    __slots__ = ()

    def __add__(self, other: object) -> Self:
        """Return the merged chunk; ``other`` is a chunk of ours or of LangChain's.

        Texts are joined. In ``generation_info``, lists are joined and counts added. Of finish reasons and
        names, the last one wins.
        """
        if isinstance(other, str) or not hasattr(other, "text") or not hasattr(other, "generation_info"):
            return NotImplemented
        info = merge_info((self.generation_info, other.generation_info))
        return type(self)(self.text + other.text, info or None)


def merge_generations(chunks: Sequence[Any]) -> GenerationChunk:
    """Merge ``chunks`` as ``+`` does, but in time linear in them."""
    info = merge_info(chunk.generation_info for chunk in chunks)
    return GenerationChunk("".join([chunk.text for chunk in chunks]), info or None)
