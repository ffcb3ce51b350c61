"""Reads the payloads of Ollama's chat endpoint into messages."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from ...messages.ai import AIMessageChunk, text_chunk
from ...messages.tool_calls import ToolCallChunk, tool_call_chunk
from ...outputs.chat_generation import ChatGenerationChunk
from ..message_reader import MessageReader
from .tool_calls import read_tool_calls
from .usage import create_usage_metadata

__all__ = ("OllamaReader",)

logger = logging.getLogger("millstream")

# The fields of the last payload that become metadata of the message, as in LangChain: one that is absent is `None`.
_END_FIELDS = (
    *("model", "created_at", "done", "done_reason", "total_duration", "load_duration"),
    *("prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration", "logprobs"),
)


class OllamaReader(MessageReader):
    """Reads the payloads of one answer; ``reasoning`` says whether the model's thinking is kept.

    ``is_load`` says whether the server has loaded the model, and ended the stream without a text.
    """

    __slots__ = ("is_load",)

    def __init__(self, *, reasoning: object) -> None:
        super().__init__()
        self.keeps_reasoning = bool(reasoning)
        self.is_load = False

    def text(self, text: str) -> AIMessageChunk:
        """Return the chunk of a text."""
        return text_chunk(text, self.id)

    def read(self, payload: Any, text: str | None) -> ChatGenerationChunk | None:
        """Return the chunk of a payload: text, thinking, tool calls, log probabilities, or the end."""
        if not isinstance(payload, Mapping):
            return None
        message = payload.get("message")
        if not isinstance(message, Mapping):
            message = {}
        is_end = payload.get("done") is True
        if is_end and payload.get("done_reason") == "load" and not (text or "").strip():
            self.is_load = True
            logger.warning("Ollama loaded the model and generated no answer (its done_reason is 'load')")
            return None
        chunk = text_chunk(text or "", self.id)
        if self.keeps_reasoning and isinstance(thinking := message.get("thinking"), str) and thinking:
            chunk._additional_kwargs = {"reasoning_content": thinking}
        chunk._tool_call_chunks = _read_pieces(message.get("tool_calls")) or None
        chunk.usage_metadata = create_usage_metadata(payload)
        return ChatGenerationChunk(chunk, _read_info(payload, is_end=is_end))


def _read_pieces(calls: object) -> list[ToolCallChunk]:
    """Return the calls of a payload as pieces, each of which is a whole call."""
    if not calls:
        return []
    valid, invalid = read_tool_calls(calls)
    return [
        *(tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"]) for call in valid),
        *(tool_call_chunk(name=call["name"], args=call["args"], id=call["id"]) for call in invalid),
    ]


def _read_info(payload: Mapping[str, Any], *, is_end: bool) -> dict[str, Any] | None:
    if not is_end:
        logprobs = payload.get("logprobs")
        return None if logprobs is None else {"logprobs": logprobs}
    info = {name: payload.get(name) for name in _END_FIELDS}
    return {**info, "model_name": info["model"], "model_provider": "ollama"}
