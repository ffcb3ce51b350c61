"""What models return: generations, their streamed pieces, and results."""

from .generation import Generation, GenerationChunk
from .llm_result import LLMResult
from .run_info import RunInfo

__all__ = ("Generation", "GenerationChunk", "LLMResult", "RunInfo")
