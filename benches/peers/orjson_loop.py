"""The hand loop over orjson: ``split`` at blank lines, then untyped documents."""

from collections.abc import AsyncIterator
from typing import Any

import orjson

from ..fixtures import Reads

__all__ = ("acompletions_events", "chat_text", "completions_text", "documents", "payloads")


def payloads(reads: Reads) -> list[Any]:
    """Return the document in each event."""
    loads = orjson.loads
    out: list[Any] = []
    buffer = b""
    for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(b"data: "):
                payload = frame[6:]
                if payload == b"[DONE]":
                    return out
                out.append(loads(payload))
    return out


def documents(parser: Any, reads: Reads) -> list[Any]:
    """Return the document in each event that ``parser``, one of ours, reads."""
    loads = orjson.loads
    feed = parser().feed
    out: list[Any] = []
    for data in reads:
        for event in feed(data):
            payload = event.data
            if payload == "[DONE]":
                return out
            out.append(loads(payload))
    return out


def completions_text(reads: Reads) -> list[str]:
    """Return the text of each completions chunk."""
    loads = orjson.loads
    out: list[str] = []
    buffer = b""
    for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(b"data: "):
                payload = frame[6:]
                if payload == b"[DONE]":
                    return out
                out.append(loads(payload)["choices"][0]["text"])
    return out


def chat_text(reads: Reads) -> list[str]:
    """Return the text of each chat chunk that has any."""
    loads = orjson.loads
    out: list[str] = []
    buffer = b""
    for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(b"data: "):
                payload = frame[6:]
                if payload == b"[DONE]":
                    return out
                if text := loads(payload)["choices"][0]["delta"].get("content"):
                    out.append(text)
    return out


async def acompletions_events(reads: AsyncIterator[bytes], run: dict[str, Any], version: str) -> AsyncIterator[Any]:
    """Yield an event for each completions chunk, like LangChain's ``astream_events`` of a single model."""
    loads = orjson.loads
    run_id, name, tags, metadata = run["run_id"], run["name"], run["tags"], run["metadata"]
    parent_ids: list[str] = []
    buffer = b""
    async for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(b"data: "):
                payload = frame[6:]
                if payload == b"[DONE]":
                    return
                text = loads(payload)["choices"][0]["text"]
                if version == "v2":
                    yield {
                        "event": "on_llm_stream",
                        "run_id": run_id,
                        "name": name,
                        "tags": tags,
                        "metadata": metadata,
                        "data": {"chunk": text},
                        "parent_ids": parent_ids,
                    }
                else:
                    yield {
                        "event": "on_llm_stream",
                        "run_id": run_id,
                        "tags": tags,
                        "metadata": metadata,
                        "name": name,
                        "data": {"chunk": text},
                        "parent_ids": parent_ids,
                    }
