"""What is known of an answer whose chunks were written into a wire, and never made: its end, and its token counts."""

from typing import Any

from ..messages.ai import AIMessageChunk
from ..outputs import LLMResult
from ..outputs.chat_generation import ChatGenerationChunk
from .usage_metadata import read_usage

__all__ = ("summarize",)


def summarize(decoder: Any) -> LLMResult:
    """Return a message without content for the answer that ``decoder`` has read."""
    message = AIMessageChunk("", response_metadata={"finish_reason": decoder.finish_reason})
    if decoder.usage:
        message.usage_metadata = read_usage(decoder.usage)
    return LLMResult([[ChatGenerationChunk(message)]])
