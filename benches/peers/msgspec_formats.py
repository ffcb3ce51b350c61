"""The hand loops over msgspec for the other providers' formats: typed structs that hold what is needed and no more.

One loop for each framing. What differs between formats is the start of the frames that have text, the decoder of
their payloads, and the way to the text in them.
"""

from binascii import a2b_base64, crc32
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from struct import Struct as Packed
from typing import Any

import msgspec

from ..fixtures import Reads

__all__ = ("READERS",)


class Text(msgspec.Struct, gc=False):
    """An object that has text."""

    text: str = ""


class Block(msgspec.Struct, gc=False):
    """An event of a block."""

    delta: Text | None = None


class OutputText(msgspec.Struct, gc=False):
    """A piece of a response's text."""

    delta: str


class Content(msgspec.Struct, gc=False):
    """A content that has text."""

    content: Text


class CohereDelta(msgspec.Struct, gc=False):
    """The delta of a message."""

    message: Content


class CohereEvent(msgspec.Struct, gc=False):
    """An event of Cohere's."""

    delta: CohereDelta


class Parts(msgspec.Struct, gc=False):
    """A content of parts."""

    parts: list[Text] = []


class Candidate(msgspec.Struct, gc=False):
    """A candidate."""

    content: Parts


class Candidates(msgspec.Struct, gc=False):
    """A chunk of Gemini's."""

    candidates: list[Candidate]


class OllamaMessage(msgspec.Struct, gc=False):
    """A message of Ollama's."""

    content: str


class OllamaChat(msgspec.Struct, gc=False):
    """A line of a chat."""

    message: OllamaMessage


class OllamaGenerate(msgspec.Struct, gc=False):
    """A line of a completion."""

    response: str


class LlamaChunk(msgspec.Struct, gc=False):
    """A chunk of llama.cpp's."""

    content: str


class Token(msgspec.Struct, gc=False):
    """A token."""

    text: str
    special: bool = False


class TokenChunk(msgspec.Struct, gc=False):
    """A chunk of text-generation-inference."""

    token: Token


class Envelope(msgspec.Struct, gc=False):
    """An envelope of Bedrock's."""

    bytes: str


_decoder = msgspec.json.Decoder


def _events(start: bytes, decode: Callable[[bytes], Any], text_of: Callable[[Any], str], reads: Reads) -> list[str]:
    """Return the text of the frames that begin with ``start``."""
    out: list[str] = []
    buffer, size = b"", len(start)
    for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(start):
                text = text_of(decode(frame[size:]))
                out.append(text)
    return out


def _candidates(reads: Reads) -> list[str]:
    out: list[str] = []
    buffer, decode = b"", _decoder(Candidates).decode
    for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(b"data: "):
                out += [part.text for part in decode(frame[6:]).candidates[0].content.parts]
    return out


def _tokens(reads: Reads) -> list[str]:
    out: list[str] = []
    buffer, decode = b"", _decoder(TokenChunk).decode
    for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(b"data:"):
                token = decode(frame[5:]).token
                if not token.special:
                    out.append(token.text)
    return out


def _lines(decode: Callable[[bytes], Any], text_of: Callable[[Any], str], reads: Reads) -> list[str]:
    out: list[str] = []
    buffer = b""
    for data in reads:
        buffer += data
        lines = buffer.split(b"\n")
        buffer = lines.pop()
        for line in lines:
            text = text_of(decode(line))
            out.append(text)
    return out


_PRELUDE = Packed(">III")


def _messages(name: bytes, read: Callable[[bytes], str], reads: Reads) -> list[str]:
    """Return the text of the messages whose headers have ``name``, each checked by its CRCs."""
    out: list[str] = []
    buffer = b""
    unpack = _PRELUDE.unpack_from
    for data in reads:
        buffer += data
        while len(buffer) >= 12:
            total, headers, crc = unpack(buffer)
            if len(buffer) < total:
                break
            end = total - 4
            if crc32(buffer[:8]) != crc or crc32(buffer[:end]) != int.from_bytes(buffer[end:total], "big"):
                raise ValueError("a checksum is wrong")
            if name in buffer[12 : 12 + headers] and (text := read(buffer[12 + headers : end])):
                out.append(text)
            buffer = buffer[total:]
    return out


_block = _decoder(Block).decode
_envelope = _decoder(Envelope).decode
_delta_text = attrgetter("delta.text")


def _converse_text(payload: bytes) -> str:
    delta = _block(payload).delta
    return delta.text if delta is not None else ""


def _wrapped_text(payload: bytes) -> str:
    return _converse_text(a2b_base64(_envelope(payload).bytes))


READERS: dict[str, Callable[[Reads], list[str]]] = {
    "anthropic.messages": partial(_events, b"event: content_block_delta\ndata: ", _block, _delta_text),
    "openai.responses": partial(
        _events, b"event: response.output_text.delta\ndata: ", _decoder(OutputText).decode, attrgetter("delta")
    ),
    "gemini.generate": _candidates,
    "cohere.v2": partial(
        _events,
        b"event: content-delta\ndata: ",
        _decoder(CohereEvent).decode,
        attrgetter("delta.message.content.text"),
    ),
    "ollama.chat": partial(_lines, _decoder(OllamaChat).decode, attrgetter("message.content")),
    "ollama.generate": partial(_lines, _decoder(OllamaGenerate).decode, attrgetter("response")),
    "llamacpp.completion": partial(_events, b"data: ", _decoder(LlamaChunk).decode, attrgetter("content")),
    "tgi.generate": _tokens,
    "bedrock.converse": partial(_messages, b"contentBlockDelta", _converse_text),
    "bedrock.anthropic": partial(_messages, b"chunk", _wrapped_text),
}
"""For each format, the function that returns the text of a stream's reads."""
