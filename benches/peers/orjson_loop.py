"""The hand loop over orjson: ``split`` at blank lines, then untyped documents."""

from typing import Any

import orjson

from ..fixtures import Reads

__all__ = ("chat_text", "completions_text", "documents", "payloads")


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
