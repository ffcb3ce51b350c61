"""Outputs of models: generations, their chunks, and results."""

from typing import TYPE_CHECKING

from .._late import lazy_names
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

# Lazy, because they import messages, which completion models do not need.
__getattr__ = lazy_names(
    globals(), dict.fromkeys(("ChatGeneration", "ChatGenerationChunk", "ChatResult"), ".chat_generation")
)
