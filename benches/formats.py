"""The streams of the other providers' formats, and the contenders that read their text."""

import base64
import binascii
import json
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType
from typing import Any

from millstream.cli.bench.harness import Contender, over

from .contenders import halves, peer
from .fixtures import PROSE, Fixture, Reads

__all__ = ("FORMATS", "format_readers", "format_stream")

_Object = dict[str, Any]
_Event = tuple[str, _Object]


@dataclass(frozen=True)
class _Shape:
    """How the stream of a format begins, goes on with a piece of text, and ends; and the frame of an event."""

    begin: tuple[_Event, ...]
    piece: Callable[[int, str], _Event]
    end: tuple[_Event, ...]
    frame: Callable[[str, _Object], bytes]


def format_stream(name: str, count: int = 1000) -> Fixture:
    """Return a stream of the format ``name`` with ``count`` pieces of text."""
    return _stream(name, count)


@cache
def _stream(name: str, count: int) -> Fixture:
    shape = FORMATS[name]
    pieces = tuple(random.Random(f"prose {count}").choices(PROSE, k=count))
    events = [*shape.begin, *map(shape.piece, range(count), pieces), *shape.end]
    frames = tuple(shape.frame(event, payload) for event, payload in events)
    return Fixture(f"{name}, {count:,} chunks", name, pieces, frames, partial(_stream, name))


def format_readers(name: str) -> list[Contender]:
    """Return the readers of the text of a stream of the format ``name``; they agree on each piece."""
    found: list[Contender] = []
    for key, half, core in halves():
        found.append(Contender(key, f"{half}, feed_text", over(partial(_texts, core, name)), _not_empty))
    if known := peer("msgspec", "msgspec_formats"):
        module, version = known
        run = over(module.READERS[name])
        found.append(Contender("msgspec", f"split + msgspec {version}, typed structs", run, _not_empty))
    return found


def _texts(core: ModuleType, name: str, reads: Reads) -> list[str]:
    feed = core.StreamDecoder(name).feed_text
    out: list[str] = []
    for data in reads:
        out += feed(data)
    return out


def _not_empty(texts: list[str]) -> list[str]:
    return [text for text in texts if text]


def _json(payload: _Object) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _named(event: str, payload: _Object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.encode(), _json(payload))


def _typed(event: str, payload: _Object) -> bytes:
    return _named(event, {"type": event, **payload})


def _data(_: str, payload: _Object) -> bytes:
    return b"data: %b\n\n" % _json(payload)


def _dense(_: str, payload: _Object) -> bytes:
    return b"data:%b\n\n" % _json(payload)


def _line(_: str, payload: _Object) -> bytes:
    return _json(payload) + b"\n"


def _message(event: str, payload: _Object) -> bytes:
    names = {":event-type": event, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        b"%c%b\x07%b%b" % (len(name), name.encode(), struct.pack(">H", len(value)), value.encode())
        for name, value in names.items()
    )
    body = _json(payload)
    start = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    start += struct.pack(">I", binascii.crc32(start)) + headers + body
    return start + struct.pack(">I", binascii.crc32(start))


def _wrapped(event: str, payload: _Object) -> bytes:
    data = base64.b64encode(_json({"type": event, **payload})).decode()
    return _message("chunk", {"bytes": data, "p": "abcdefghijk"})


def _block(_: int, text: str) -> _Event:
    return "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}


_MESSAGE = {"id": "msg_01Q", "type": "message", "role": "assistant", "model": "claude", "content": [], "usage": {}}
_ANTHROPIC: tuple[tuple[_Event, ...], Callable[[int, str], _Event], tuple[_Event, ...]] = (
    (
        ("message_start", {"message": _MESSAGE}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
    ),
    _block,
    (
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1000}}),
        ("message_stop", {}),
    ),
)


def _output_text(at: int, text: str) -> _Event:
    place = {"sequence_number": at + 4, "item_id": "msg_67c9fdcf37fc8190ba82116e33fb28c5", "output_index": 0}
    payload = {**place, "content_index": 0, "delta": text, "logprobs": [], "obfuscation": "q8Lw1k3Z"[: at % 8]}
    return "response.output_text.delta", payload


def _candidate(_: int, text: str) -> _Event:
    content = {"parts": [{"text": text}], "role": "model"}
    names = {"modelVersion": "gemini-2.5-flash", "responseId": "pV2BaN6lG5W0vdIPgqmLsAk"}
    return "", {"candidates": [{"content": content, "index": 0}], **names}


def _counted(at: int, text: str) -> _Event:
    event, payload = _candidate(at, text)
    details = [{"modality": "TEXT", "tokenCount": 8}]
    counts = {"promptTokenCount": 8, "candidatesTokenCount": at, "totalTokenCount": at + 8}
    return event, {**payload, "usageMetadata": {**counts, "promptTokensDetails": details}}


_STOPPED = {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP", "index": 0}]}


def _ollama(at: int, member: _Object) -> _Event:
    return "", {"model": "llama3.2", "created_at": f"2026-01-01T10:{at % 60:02}:00.{at:06}Z", **member, "done": False}


_OLLAMA_END = {"done": True, "done_reason": "stop", "eval_count": 1000}


def _llama(at: int, text: str) -> _Event:
    counts = {"id_slot": -1, "tokens_predicted": at, "tokens_evaluated": 8}
    return "", {"index": 0, "content": text, "tokens": [at], "stop": False, **counts}


def _token(at: int, text: str) -> _Event:
    token = {"id": at * 7, "text": text, "logprob": -0.25 - at / 1000, "special": False}
    return "", {"index": at, "token": token, "generated_text": None, "details": None}


def _converse(at: int, text: str) -> _Event:
    return "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}, "p": "abcdefgh"[: at % 8]}


_DETAILS = {"finish_reason": "eos_token", "generated_tokens": 1000}
_LAST = {"index": 1001, "token": {"id": 2, "text": "</s>", "logprob": -0.1, "special": True}}

FORMATS: dict[str, _Shape] = {
    "anthropic.messages": _Shape(*_ANTHROPIC, _typed),
    "openai.responses": _Shape(
        (("response.content_part.added", {"output_index": 0, "content_index": 0}),),
        _output_text,
        (("response.completed", {"response": {"id": "resp_1", "status": "completed", "output": []}}),),
        _typed,
    ),
    "gemini.generate": _Shape((), _counted, (("", _STOPPED),), _data),
    "cohere.v2": _Shape(
        (("message-start", {"id": "c1", "delta": {"message": {"role": "assistant"}}}),),
        lambda _, text: ("content-delta", {"index": 0, "delta": {"message": {"content": {"text": text}}}}),
        (("message-end", {"delta": {"finish_reason": "COMPLETE"}}),),
        _typed,
    ),
    "ollama.chat": _Shape(
        (),
        lambda at, text: _ollama(at, {"message": {"role": "assistant", "content": text}}),
        (("", {"model": "llama3.2", "message": {"role": "assistant", "content": ""}, **_OLLAMA_END}),),
        _line,
    ),
    "ollama.generate": _Shape(
        (),
        lambda at, text: _ollama(at, {"response": text}),
        (("", {"model": "llama3.2", "response": "", **_OLLAMA_END}),),
        _line,
    ),
    "llamacpp.completion": _Shape((), _llama, (("", {"content": "", "stop": True, "stop_type": "eos"}),), _data),
    "tgi.generate": _Shape((), _token, (("", {**_LAST, "generated_text": "", "details": _DETAILS}),), _dense),
    "bedrock.converse": _Shape(
        (("messageStart", {"role": "assistant", "p": "abcd"}),),
        _converse,
        (("messageStop", {"stopReason": "end_turn", "p": "ab"}), ("metadata", {"usage": {"totalTokens": 1008}})),
        _message,
    ),
    "bedrock.anthropic": _Shape(*_ANTHROPIC, _wrapped),
}
"""The formats beside OpenAI's chat and completions, by their names."""
