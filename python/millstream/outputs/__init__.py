"""What models return: generations, their streamed pieces, and results."""

from typing import TYPE_CHECKING, Any

from .generation import Generation, GenerationChunk
from .llm_result import LLMResult
from .run_info import RunInfo

if TYPE_CHECKING:
    from .chat_generation import ChatGeneration, ChatGenerationChunk, ChatResult

__all__ = (
    "ChatGeneration",
    "ChatGenerationChunk",
    "ChatResult",
    "Generation",
    "GenerationChunk",
    "LLMResult",
    "RunInfo",
)


def __getattr__(name: str) -> Any:
    """Import what chat models return when it is asked for: it needs messages, which other models do without."""
    if name in __all__:
        from . import chat_generation

        return getattr(chat_generation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
