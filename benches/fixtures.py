"""The streams of the benchmarks: frames of the OpenAI API, split into reads.

The same bytes at every run. ``tests/test_bench_fixtures.py`` shows that they say what they claim.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from millstream.cli.bench.harness import Reads
from millstream.cli.bench.streams import DONE, PROSE, chat_frame, data_frame, write_json

__all__ = (
    "PROSE",
    "READ_SIZES",
    "WORLD",
    "Fixture",
    "Reads",
    "arguments",
    "events",
    "fixture",
    "large_event",
    "split_reads",
    "tool_calls",
)

READ_SIZES: dict[str, int | None] = {
    "event": None,
    "1 B": 1,
    "16 B": 16,
    "1,460 B": 1460,
    "64 KB": 65536,
}
"""Names of read sizes: one event, or a number of bytes (1,460 is the payload of a TCP segment on Ethernet)."""

# fmt: off
WORLD: tuple[str, ...] = (
    "河", "流れ", "水は", "清らか", "。", "言葉", "词语", "中文", "强", "물이", " 흐른다", "👍🏽", "👩\u200d🚀", "🇫🇮",
    "😀", "🌊", " naïve", " façade", " Größe", " été", " señal", " zażółć", " поток", " слово", " ποταμός", " نهر",
    " كلمة", " नदी", " แม่น้ำ", "\n", "\t", " \"引用\"", " C:\\tmp", " the", " stream", " x=1;", "\u2028", " “…”",
    " e\u0301", " 100 %",
)
"""Pieces in many scripts, one to four bytes a character, and every common escape."""
# fmt: on

_TEXTS = {"prose": PROSE, "world": WORLD}


@dataclass(frozen=True)
class Fixture:
    """A stream: its format, its pieces of text, and its frames, including ``[DONE]``.

    ``shortened`` returns a stream like it with fewer pieces, for tests.
    """

    name: str
    format: str
    pieces: tuple[str, ...] = field(repr=False)
    frames: tuple[bytes, ...] = field(repr=False)
    shortened: "Callable[[int], Fixture]" = field(repr=False, compare=False)

    @property
    def body(self) -> bytes:
        """The whole stream."""
        return b"".join(self.frames)

    @property
    def payloads(self) -> list[str]:
        """The data of each event."""
        return [frame[len(b"data: ") : -len(b"\n\n")].decode() for frame in self.frames]

    @property
    def documents(self) -> list[str]:
        """The ``repr`` of each event's document, without ``[DONE]``."""
        return [repr(json.loads(payload)) for payload in self.payloads[:-1]]


@cache
def fixture(kind: str, count: int, text: str = "prose") -> Fixture:
    """Return a stream of ``count`` pieces of ``text`` (prose or world), of ``kind`` completions or chat."""
    pieces = _pieces(text, count)
    if kind == "completions":
        frames = [_completions(piece) for piece in pieces]
        frames.append(_completions("", "stop"))
    else:
        frames = [chat_frame({"role": "assistant", "content": "", "refusal": None})]
        frames += [chat_frame({"content": piece}) for piece in pieces]
        frames.append(chat_frame({}, "stop"))
    name = f"{kind}, {count:,} chunks" + (", many scripts" if text == "world" else "")
    shortened = partial(fixture, kind, text=text)
    return Fixture(name, f"openai.{kind}", pieces, (*frames, DONE), shortened)


@cache
def events(size: int, count: int, text: str = "prose") -> Fixture:
    """Return a completions stream of ``count`` events of ``size`` bytes each (a power of two), and its end."""
    pieces = tuple(_fill_text(text, size - len(_completions("")), seed) for seed in range(count))
    frames = [_completions(piece) for piece in pieces]
    counted = "one event" if count == 1 else f"{count} events"
    name = f"{counted} of {size // 1024} KB" + (", many scripts" if text == "world" else "")
    frames += [_completions("", "stop"), DONE]
    return Fixture(name, "openai.completions", pieces, tuple(frames), lambda count: events(4096, count, text))


@cache
def large_event(size: int) -> Fixture:
    """Return a completions stream of one event of some ``size`` bytes, the same 64 KB again and again, and its end."""
    piece = _fill_text("prose", 65536, 0) * (size // 65536)
    frames = (_completions(piece), _completions("", "stop"), DONE)
    name = f"one event of {size >> 20} MB"
    return Fixture(name, "openai.completions", (piece,), frames, lambda _: large_event(65536))


@cache
def arguments(count: int) -> Fixture:
    """Return the arguments of one tool call, a JSON document, in ``count`` deltas of five characters."""
    size = count * 5
    sections: list[dict[str, Any]] = []
    filled = len(write_json({"sections": []})) - 1
    while filled < size:
        text = _fill_text("prose", 400, len(sections))
        sections.append({"heading": text[:20], "body": text, "tags": ["water", "mill"], "words": 71, "weight": 0.25})
        filled += len(write_json(sections[-1])) + 1
    # The last text fills the rest exactly: the document is ASCII.
    sections.pop()
    sections.append({"body": ""})
    sections[-1]["body"] = "." * (size - len(write_json({"sections": sections})))
    document = write_json({"sections": sections})
    deltas = tuple(document[start : start + 5] for start in range(0, size, 5))
    return Fixture(f"a document in {count:,} deltas", "json", (document.decode(),), deltas, arguments)


@cache
def tool_calls(count: int, calls: int = 1) -> Fixture:
    """Return a chat stream of ``calls`` tool calls, one after the other, that have ``count`` deltas of arguments."""
    pieces = tuple(delta.decode() for delta in arguments(count // calls).frames)
    first: dict[str, Any] = {"role": "assistant", "content": None}
    frames = []
    for index in range(calls):
        call = {"id": f"call_OWDgRZ8Gq3vLn1hYkXb5uT{index:02}", "type": "function"}
        named = {"index": index, **call, "function": {"name": "write_report", "arguments": ""}}
        frames.append(chat_frame({**first, "tool_calls": [named]}))
        frames += [chat_frame({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}) for piece in pieces]
        first = {}
    frames.append(chat_frame({}, "tool_calls"))
    counted = "a tool call" if calls == 1 else f"{calls} tool calls"
    name, shortened = f"{counted} in {count:,} deltas", partial(tool_calls, calls=calls)
    return Fixture(name, "openai.chat", pieces * calls, (*frames, DONE), shortened)


def split_reads(stream: Fixture, size: int | None) -> list[bytes]:
    """Split the stream into reads of ``size`` bytes, or of one event each if ``None``."""
    if size is None:
        return list(stream.frames)
    body = stream.body
    return [body[start : start + size] for start in range(0, len(body), size)]


def _pieces(text: str, count: int) -> tuple[str, ...]:
    return tuple(random.Random(f"{text} {count}").choices(_TEXTS[text], k=count))


def _fill_text(text: str, size: int, seed: int) -> str:
    """Return text that takes ``size`` bytes in a JSON string."""
    source = random.Random(seed)
    pieces: list[str] = []
    while size >= 0:
        piece = source.choice(_TEXTS[text])
        size -= len(write_json(piece)) - 2
        pieces.append(piece)
    left = size + len(write_json(pieces.pop())) - 2
    return "".join(pieces) + "." * left


def _completions(text: str, finish_reason: str | None = None) -> bytes:
    return data_frame(
        {
            "id": "cmpl-7iA7iJjj8V2zOkCGvWF2hAkDWBQZe",
            "object": "text_completion",
            "created": 1690759702,
            "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": finish_reason}],
            "model": "gpt-3.5-turbo-instruct:20230824-v2",
        }
    )
