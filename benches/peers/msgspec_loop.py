"""The hand loop over msgspec: ``split`` at blank lines, then typed structs that hold what is needed and no more.

The fastest loop that Python's packages allow, and so the one to beat.
"""

from collections.abc import AsyncIterator, Iterator

import msgspec

from ..fixtures import Reads

__all__ = (
    "acompletions_records",
    "acompletions_stream",
    "acompletions_text",
    "chat_text",
    "completions_stream",
    "completions_text",
)


class TextChoice(msgspec.Struct, gc=False):
    """A choice of a completions chunk."""

    text: str
    finish_reason: str | None = None


class Completion(msgspec.Struct, gc=False):
    """A completions chunk."""

    choices: list[TextChoice]


class ChoiceDelta(msgspec.Struct, gc=False):
    """What a chat chunk adds."""

    content: str | None = None


class ChatChoice(msgspec.Struct, gc=False):
    """A choice of a chat chunk."""

    delta: ChoiceDelta
    finish_reason: str | None = None


class ChatChunk(msgspec.Struct, gc=False):
    """A chat chunk."""

    choices: list[ChatChoice]


_COMPLETION = msgspec.json.Decoder(Completion)
_CHAT = msgspec.json.Decoder(ChatChunk)


def completions_text(reads: Reads) -> list[str]:
    """Return the text of each completions chunk."""
    decode = _COMPLETION.decode
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
                out.append(decode(payload).choices[0].text)
    return out


def chat_text(reads: Reads) -> list[str]:
    """Return the text of each chat chunk that has any."""
    decode = _CHAT.decode
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
                if text := decode(payload).choices[0].delta.content:
                    out.append(text)
    return out


def completions_stream(reads: Reads) -> Iterator[str]:
    """Yield the text of each completions chunk: the loop as a function that an application can call."""
    decode = _COMPLETION.decode
    buffer = b""
    for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(b"data: "):
                payload = frame[6:]
                if payload == b"[DONE]":
                    return
                yield decode(payload).choices[0].text


async def acompletions_text(reads: AsyncIterator[bytes]) -> list[str]:
    """Return the text of each completions chunk, for async code."""
    decode = _COMPLETION.decode
    out: list[str] = []
    buffer = b""
    async for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(b"data: "):
                payload = frame[6:]
                if payload == b"[DONE]":
                    return out
                out.append(decode(payload).choices[0].text)
    return out


async def acompletions_stream(reads: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Yield the text of each completions chunk, for async code."""
    decode = _COMPLETION.decode
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
                yield decode(payload).choices[0].text


async def acompletions_records(reads: AsyncIterator[bytes], prefix: bytes, suffix: bytes) -> AsyncIterator[bytes]:
    """Yield for each read the records of its chunks: the text as JSON between what is constant."""
    decode, encode = _COMPLETION.decode, msgspec.json.Encoder().encode
    buffer = b""
    async for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        records = [
            prefix + encode(decode(frame[6:]).choices[0].text) + suffix
            for frame in frames
            if frame.startswith(b"data: ") and frame != b"data: [DONE]"
        ]
        if records:
            yield b"".join(records)
