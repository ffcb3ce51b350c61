"""The groups of contenders, their streams, and the targets for their ratios."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from millstream.cli.bench.harness import Effort

from .documents import documents
from .fixtures import arguments, events, fixture, large_event, tool_calls
from .formats import FORMATS, format_readers, format_stream
from .groups import Group, Target
from .integrations.rows import existing_apps
from .model_rows import models
from .readers import calls, large_readers, payload_readers, sse_readers, text_readers, tool_readers
from .wires import WIRES, wire_writers

__all__ = ("GROWTH", "groups")

_LONG = Effort(rounds=11, sample=2_000_000)
_SLOW = Effort(rounds=7, sample=20_000_000)
_ONCE = Effort(rounds=3, sample=1)
_GROWN = Effort(rounds=5, sample=2_000_000)


def groups() -> Iterator[Group]:
    """Yield all groups; the ones that import the most packages come last."""
    for group in _core():
        yield replace(group, section="core")
    yield from models()
    for group in existing_apps():
        yield replace(group, section="apps")


def _core() -> Iterator[Group]:
    yield from _events()
    yield from _large_events()
    yield from _documents()
    yield from _texts()
    yield from _formats()
    yield from _wires()
    yield from _arguments()
    yield from _tool_calls()
    yield from _growing_arguments()


def _events() -> Iterator[Group]:
    sse = partial(Group, "SSEParser.feed", unit="event", contenders=sse_readers)
    targets = (Target("rust", "naive", at_least=2), Target("rust", "openai", at_least=8))
    yield sse(fixture("completions", 1000), "event", targets=targets)
    yield sse(fixture("chat", 1000), "event", targets=targets)
    yield sse(fixture("completions", 1000, "world"), "event", targets=targets)
    for read in ("64 KB", "1,460 B", "16 B"):
        yield sse(fixture("completions", 1000), read, full=_LONG)
    yield Group(
        "SSEParser.feed",
        fixture("completions", 50),
        "1 B",
        "byte",
        lambda: sse_readers() + calls(),
        (Target("rust", "method", at_most=2.5), Target("rust", "builtin", at_most=2.5)),
        full=_LONG,
    )


def _large_events() -> Iterator[Group]:
    sse = partial(Group, "SSEParser.feed", read="1,460 B", unit="byte", contenders=sse_readers, full=_LONG)
    target = Target("rust", "spec", at_least=3)
    yield sse(stream=events(65536, 1), targets=(target,))
    yield sse(stream=events(65536, 1, "world"))
    yield sse(stream=events(4096, 50))
    yield Group("SSEParser.feed", large_event(1 << 26), "64 KB", "byte", large_readers, full=_ONCE, has_peak=True)


def _documents() -> Iterator[Group]:
    for kind in ("completions", "chat"):
        for read in ("event", "64 KB"):
            yield Group(
                "SSEParser.feed, then orjson",
                fixture(kind, 1000),
                read,
                "document",
                payload_readers,
                (Target("python", "orjson", at_most=2.5),),
                full=_LONG,
            )


def _texts() -> Iterator[Group]:
    for kind in ("completions", "chat"):
        for count, text in ((1000, "prose"), (1000, "world"), (20_000, "prose")):
            for read, bound in (("event", 5), ("64 KB", 9)):
                yield Group(
                    "StreamDecoder.feed_text",
                    fixture(kind, count, text),
                    read,
                    "chunk",
                    partial(text_readers, kind),
                    # Texts that are not ASCII wait for CPython's own decoder, on both sides.
                    (
                        Target("rust", "msgspec", at_least=bound if text == "prose" else bound / 2),
                        Target("python", "orjson", at_most=2.5),
                    ),
                    full=_LONG if count == 1000 else _SLOW,
                )


def _formats() -> Iterator[Group]:
    for name in FORMATS:
        for read in ("event", "64 KB"):
            yield Group(
                "feed_text of other formats",
                format_stream(name),
                read,
                "chunk",
                partial(format_readers, name),
                (Target("rust", "msgspec", at_least=2.5),),
                full=_LONG,
            )


def _wires() -> Iterator[Group]:
    targets = tuple(Target(wire, "records", at_most=1.15) for wire in WIRES)
    for text in ("prose", "world"):
        for read in ("event", "1,460 B"):
            yield Group(
                "records for clients",
                fixture("chat", 1000, text),
                read,
                "chunk",
                wire_writers,
                targets,
                full=_LONG,
                is_joined=True,
            )


def _arguments() -> Iterator[Group]:
    """Yield the same document at growing lengths: a linear reader takes the same time per delta."""
    for count in (1000, 4000, 16_000):
        peers = count <= 4000
        yield Group(
            "JSON that streams",
            arguments(count),
            "event",
            "delta",
            partial(documents, peers=peers),
            (Target("rust-diff", "langchain", at_least=250), Target("ours", "langchain", at_least=30)) if peers else (),
            full=_SLOW if count == 1000 else _ONCE if peers else _LONG,
        )


def _tool_calls() -> Iterator[Group]:
    for number in (1, 4):
        for read in ("event", "64 KB"):
            stream = tool_calls(1000, number)
            yield Group("StreamDecoder.feed", stream, read, "chunk", tool_readers, full=_LONG)


def _growing_arguments() -> Iterator[Group]:
    """Yield a tool call's arguments at growing lengths."""
    for count in GROWTH:
        yield Group("a tool call that grows", tool_calls(count), "event", "chunk", tool_readers, full=_GROWN)


GROWTH = (2000, 20_000, 100_000)
"""The numbers of deltas of the tool calls whose times per delta are compared."""
