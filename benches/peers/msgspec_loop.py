"""The hand loop over msgspec: ``split`` at blank lines, then typed structs that hold what is needed and no more.

The fastest loop that Python's packages allow, and so the one to beat.
"""

from collections.abc import AsyncIterator, Iterator

import msgspec

from ..fixtures import Reads

__all__ = (
    "achat_messages",
    "achat_records",
    "acompletions_records",
    "acompletions_stream",
    "acompletions_text",
    "chat_messages",
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
    """The delta of a chat chunk."""

    content: str | None = None


class ChatChoice(msgspec.Struct, gc=False):
    """A choice of a chat chunk."""

    delta: ChoiceDelta
    finish_reason: str | None = None


class ChatChunk(msgspec.Struct, gc=False):
    """A chat chunk."""

    choices: list[ChatChoice]


class FullDelta(msgspec.Struct, gc=False):
    """The delta of a chat chunk, with all fields of a message."""

    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[msgspec.Raw] | None = None


class FullChoice(msgspec.Struct, gc=False):
    """A choice of a chat chunk."""

    delta: FullDelta
    finish_reason: str | None = None
    logprobs: msgspec.Raw | None = None


class FullChunk(msgspec.Struct, gc=False):
    """A chat chunk."""

    id: str
    model: str
    choices: list[FullChoice]
    usage: msgspec.Raw | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None


class Message:
    """A message chunk as a plain object with the fields of LangChain's."""

    __slots__ = (
        *("additional_kwargs", "chunk_position", "content", "id", "invalid_tool_calls", "name"),
        *("response_metadata", "tool_call_chunks", "tool_calls", "usage_metadata"),
    )

    def __init__(self, content: str, id: str, kwargs: dict[str, str], metadata: dict[str, str]) -> None:
        self.content = content
        self.additional_kwargs = kwargs
        self.response_metadata = metadata
        self.name = None
        self.id = id
        self.tool_calls: list[object] = []
        self.invalid_tool_calls: list[object] = []
        self.usage_metadata = None
        self.tool_call_chunks: list[object] = []
        self.chunk_position = None


_FULL = msgspec.json.Decoder(FullChunk)
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


def _message(data: bytes, id: str) -> Message:
    chunk = _FULL.decode(data)
    choice = chunk.choices[0]
    delta = choice.delta
    kwargs = {} if delta.refusal is None else {"refusal": delta.refusal}
    metadata = {"model_provider": "openai"}
    if choice.finish_reason is not None:
        metadata |= {"finish_reason": choice.finish_reason, "model_name": chunk.model}
    return Message(delta.content or "", id, kwargs, metadata)


def chat_messages(reads: Reads) -> Iterator[Message]:
    """Yield a message for each chat chunk: the loop as a function that an application can call."""
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
                yield _message(payload, "run-1")


async def achat_messages(reads: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    """Yield a message for each chat chunk, for async code."""
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
                yield _message(payload, "run-1")


async def achat_records(reads: AsyncIterator[bytes], prefix: bytes, suffix: bytes) -> AsyncIterator[bytes]:
    """Yield for each read the records of its chat chunks with text: JSON between constant bytes."""
    decode, encode = _CHAT.decode, msgspec.json.Encoder().encode
    buffer = b""
    async for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        records = [
            prefix + encode(text) + suffix
            for frame in frames
            if frame.startswith(b"data: ")
            and frame != b"data: [DONE]"
            and (text := decode(frame[6:]).choices[0].delta.content)
        ]
        if records:
            yield b"".join(records)


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
    """Yield for each read the records of its chunks: the text as JSON between constant bytes."""
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
