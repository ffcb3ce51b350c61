"""The stream that is measured: a chat stream of English, the same bytes at every run."""

import json
import random
from typing import Any

__all__ = ("DONE", "PROSE", "chat_frame", "chat_stream", "data_frame", "write_json")

DONE = b"data: [DONE]\n\n"

# fmt: off
PROSE: tuple[str, ...] = (
    " the", " a", " of", " water", " stream", ",", ".", " and", " in", " it", " runs", " over", " stones", " as",
    " if", " no", "body", " had", " ever", " told", " it", " to", " stop", "ling", "ly", " spark", " clear", " cold",
    " 12", " per", " cent", ";", " \"quoted\"", "\n", "\n\n", " it's", " (so", " they", " say", ")", " well", "-known",
    " understanding", " nevertheless", " morning", " light", " down", " hill", " mill", " wheel", " turns", "!",
)
"""Pieces of English: one token each, some with characters that JSON escapes."""
# fmt: on


def chat_stream(count: int) -> tuple[list[str], list[bytes]]:
    """Return ``count`` pieces of prose, and the frames of a chat stream of them."""
    pieces = random.Random(f"prose {count}").choices(PROSE, k=count)
    begin = chat_frame({"role": "assistant", "content": "", "refusal": None})
    return pieces, [begin, *(chat_frame({"content": piece}) for piece in pieces), chat_frame({}, "stop"), DONE]


def chat_frame(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    """Return a frame of a chat stream, as the API sends it."""
    return data_frame(
        {
            "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
            "object": "chat.completion.chunk",
            "created": 1741569952,
            "model": "gpt-4.1-2025-04-14",
            "service_tier": "default",
            "system_fingerprint": "fp_b376dfbbd5",
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}],
        }
    )


def data_frame(payload: dict[str, Any]) -> bytes:
    """Return an event with the payload."""
    return b"data: %b\n\n" % write_json(payload)


def write_json(value: Any) -> bytes:
    """Serialize ``value`` as the API does: compact, without escaping UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
