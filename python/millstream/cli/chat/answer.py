"""One answer of a model: streamed to the display, and stopped by Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .display import Display

if TYPE_CHECKING:
    from ...language_models.chat_models import BaseChatModel
    from ...messages import AIMessageChunk, BaseMessage

__all__ = ("Answer", "stream_answer")


@dataclass(slots=True)
class Answer:
    """What has arrived of an answer, and why it ended: ``error``, or Ctrl-C if it ``is_stopped``."""

    chunks: list[AIMessageChunk] = field(default_factory=list)
    error: Exception | None = None
    is_stopped: bool = False
    first_seconds: float | None = None
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def is_limited(self) -> bool:
        """Whether the limit of tokens has ended the answer."""
        from ...messages.finish_reasons import find_finish_reasons, is_cut_off

        reasons = (reason for chunk in self.chunks for reason in find_finish_reasons(chunk.response_metadata))
        return any(map(is_cut_off, reasons))

    def message(self) -> BaseMessage | None:
        """Return the message for the history, ``None`` if there is none.

        Of a partial answer it has the text alone: providers refuse reasoning that is not whole.
        """
        from ...messages import AIMessage, message_chunk_to_message

        if self.error is None and not self.is_stopped:
            return message_chunk_to_message(self.chunks[0] + self.chunks[1:]) if self.chunks else AIMessage("")
        return AIMessage(self.text) if self.text else None

    def describe(self) -> str:
        """Return a line with the tokens and the times."""
        usage = (self.chunks[0] + self.chunks[1:]).usage_metadata if self.chunks else None
        parts = [f"{usage['input_tokens']} + {usage['output_tokens']} tokens" if usage else "usage unknown"]
        if self.first_seconds is not None:
            parts.append(f"first chunk after {self.first_seconds:.2f} s")
            rest = self.seconds - self.first_seconds
            if len(self.chunks) > 1 and rest > 0:
                parts.append(f"{(len(self.chunks) - 1) / rest:.0f} chunks/s")
        return ", ".join([*parts, f"{self.seconds:.2f} s in all"])


def stream_answer(model: BaseChatModel, messages: Sequence[BaseMessage], display: Display) -> Answer:
    """Show the answer while it arrives. Ctrl-C closes its connection at once; what has arrived is kept."""
    from ...errors import MillstreamError

    answer, began = Answer(), time.perf_counter()
    try:
        with display, closing(model.stream(messages)) as stream:
            for chunk in stream:
                answer.chunks.append(chunk)
                thought = _reasoning_of(chunk)
                if answer.first_seconds is None and (chunk.text or thought):
                    answer.first_seconds = time.perf_counter() - began
                display.add(chunk.text, thought)
    except KeyboardInterrupt:
        answer.is_stopped = True
    except (MillstreamError, TypeError, ValueError) as error:
        answer.error = error
    answer.seconds = time.perf_counter() - began
    return answer


def _reasoning_of(chunk: AIMessageChunk) -> str:
    blocks = (block for block in chunk.content_blocks if block["type"] == "reasoning")
    return "".join(str(block.get("reasoning") or "") for block in blocks)
