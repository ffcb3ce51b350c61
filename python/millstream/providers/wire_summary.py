"""What is known of an answer whose chunks were written into a wire, and never made: its end, and its token counts."""

from typing import Any

from .._pure.wire.usage import count_tokens
from ..messages.ai import AIMessageChunk
from ..messages.usage import InputTokenDetails, OutputTokenDetails, UsageMetadata
from ..outputs import LLMResult
from ..outputs.chat_generation import ChatGenerationChunk

__all__ = ("summarize",)


def summarize(decoder: Any) -> LLMResult:
    """Return a message without content for the answer that ``decoder`` has read."""
    message = AIMessageChunk("", response_metadata={"finish_reason": decoder.finish_reason})
    counts = count_tokens(decoder.usage or {})
    if "input" in counts:
        message.usage_metadata = UsageMetadata(
            input_tokens=counts["input"],
            output_tokens=counts.get("output", 0),
            total_tokens=counts.get("total", counts["input"]),
            input_token_details=InputTokenDetails(cache_read=counts.get("cached", 0)),
            output_token_details=OutputTokenDetails(reasoning=counts.get("reasoning", 0)),
        )
    return LLMResult([[ChatGenerationChunk(message)]])
