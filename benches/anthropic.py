"""The contenders that stream the messages of Anthropic's chat models, and the stream that they read."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from millstream import ChatAnthropic
from millstream.testing.memory import MemoryTransport

from .contenders import Contender, peer
from .fixtures import Fixture, Reads, fixture

__all__ = ("MODEL", "anthropic_streams", "messages")

MODEL = "claude-sonnet-4-6"
_USAGE = {"input_tokens": 25, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}


def messages(count: int) -> Fixture:
    """Return a stream of ``count`` pieces of prose, as Anthropic sends it."""
    pieces = fixture("chat", count).pieces
    message = {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
    }
    begun = {**message, "stop_reason": None, "stop_sequence": None, "usage": _USAGE}
    stopped = {"stop_reason": "end_turn", "stop_sequence": None}
    payloads: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stopped, "usage": {**_USAGE, "output_tokens": count}},
        {"type": "message_stop"},
    ]
    frames = tuple(map(_frame, payloads))
    return Fixture(f"messages, {count:,} chunks", "anthropic.messages", pieces, frames, messages)


def _frame(payload: dict[str, Any]) -> bytes:
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return f"event: {payload['type']}\ndata: {data}\n\n".encode()


def anthropic_streams(*, waits: bool, tools: bool = False) -> list[Contender]:
    """Return the ways to stream messages, sync or async; with ``tools`` their content is blocks."""
    method = "astream" if waits else "stream"
    bind = _astream if waits else _stream
    options: dict[str, Any] = {"tools": [{"name": "f", "input_schema": {"type": "object"}}]} if tools else {}
    named = f"ChatAnthropic.{method}" + (", with tools" if tools else "")
    found = [Contender("ours", named, lambda reads: bind(reads, options), _texts, waits=waits)]
    if known := peer("langchain-anthropic", "langchain_anthropic"):
        models, version = known
        theirs = models.astream if waits else models.stream
        name = f"langchain-anthropic {version} {named}"
        found.append(Contender("langchain", name, lambda reads: theirs(reads, options), _texts, waits=waits))
    return found


def _stream(reads: Reads, options: dict[str, Any]) -> Callable[[], list[Any]]:
    llm = _model(reads)
    return lambda: list(llm.stream("a prompt", **options))


def _astream(reads: Reads, options: dict[str, Any]) -> Callable[[], Awaitable[list[Any]]]:
    llm = _model(reads)

    async def run() -> list[Any]:
        return [chunk async for chunk in llm.astream("a prompt", **options)]

    return run


def _model(reads: Reads) -> ChatAnthropic:
    return ChatAnthropic(model=MODEL, base_url="http://memory", api_key="none", http_client=MemoryTransport(reads))


def _texts(chunks: list[Any]) -> list[str]:
    return [str(chunk.text) for chunk in chunks if chunk.text]
