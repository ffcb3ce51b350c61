"""The groups of contenders, their streams, and the targets for their ratios."""

from collections.abc import Iterator
from functools import partial

from .anthropic import anthropic_streams, messages
from .chains import chain_events, chain_streams
from .chat import chat_ids, chat_records, chat_streams, langchain_chat_records, message_events, tool_streams
from .compositions import COMPOSITIONS, calls_of_five_steps, guarded, streams_of
from .documents import documents
from .events import Version, event_dicts, event_records, langchain_dicts, langchain_records
from .fixtures import arguments, events, fixture, large_event, tool_calls
from .formats import FORMATS, format_readers, format_stream
from .groups import Group, Target
from .harness import Effort
from .integrations.rows import existing_apps
from .readers import calls, large_readers, payload_readers, sse_readers, text_readers, tool_readers
from .streams import async_streams, completions_models, streams
from .wires import WIRES, wire_writers

__all__ = ("groups",)

_LONG = Effort(rounds=11, sample=2_000_000)
_SLOW = Effort(rounds=7, sample=20_000_000)
_ONCE = Effort(rounds=3, sample=1)


def groups() -> Iterator[Group]:
    """Yield all groups; the ones that import the most packages come last."""
    yield from _events()
    yield from _large_events()
    yield from _documents()
    yield from _texts()
    yield from _formats()
    yield from _wires()
    yield from _arguments()
    yield from _tool_calls()
    yield from _models()
    yield from _chat_models()
    yield from _anthropic_models()
    yield from _message_events()
    yield from _models_with_tools()
    yield from _stream_events()
    yield from _records()
    yield from _chains()
    yield from _compositions()
    yield from existing_apps()


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
                    headline=f"text of a {kind} stream" if (count, text, read) == (1000, "prose", "event") else "",
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
            headline="JSON that streams, 4,000 deltas" if count == 4000 else "",
        )


def _tool_calls() -> Iterator[Group]:
    for number in (1, 4):
        for read in ("event", "64 KB"):
            stream = tool_calls(1000, number)
            yield Group("StreamDecoder.feed", stream, read, "chunk", tool_readers, full=_LONG)


def _models() -> Iterator[Group]:
    stream = fixture("completions", 1000)
    group = partial(Group, stream=stream, read="event", unit="chunk")
    yield group("OpenAI.stream", contenders=streams, targets=(Target("ours", "msgspec", at_least=3.5),))
    yield group(
        "OpenAI.astream", contenders=async_streams, targets=(Target("ours", "msgspec-generator", at_least=2.5),)
    )
    for work, waits in (("OpenAI.stream", False), ("OpenAI.astream", True)):
        yield group(
            f"{work} and langchain-openai's",
            contenders=partial(completions_models, waits=waits),
            targets=(Target("ours", "langchain", at_least=300),),
            full=_SLOW,
            headline=f"`{work}`",
        )
    yield from _shapes_of_models()


def _chat_models() -> Iterator[Group]:
    for count in (1000, 20_000):
        stream = fixture("chat", count)
        group = partial(Group, stream=stream, read="event", unit="chunk", full=_SLOW)
        for work, waits in (("ChatOpenAI.stream", False), ("ChatOpenAI.astream", True)):
            yield group(
                f"{work} and langchain-openai's",
                contenders=partial(chat_streams, waits=waits),
                targets=(Target("ours", "msgspec", at_least=1), Target("ours", "langchain", at_least=100)),
                headline=f"`{work}`" if count == 1000 else "",
            )
    target = Target("each", "one", at_most=1.1)
    yield Group("ids of chat chunks", fixture("chat", 1000), "event", "chunk", chat_ids, (target,), full=_LONG)
    for read in ("event", "64 KB"):
        yield Group("ChatOpenAI.astream_records", fixture("chat", 1000), read, "chunk", chat_records, full=_LONG)
    yield Group(
        "ChatOpenAI.astream_records and langchain-openai's events",
        fixture("chat", 1000),
        "event",
        "chunk",
        langchain_chat_records,
        (Target("ours", "langchain", at_least=600),),
        full=_SLOW,
        headline="`ChatOpenAI.astream_records`",
    )


def _anthropic_models() -> Iterator[Group]:
    for work, waits in (("ChatAnthropic.stream", False), ("ChatAnthropic.astream", True)):
        for tools in (False, True):
            yield Group(
                f"{work}{', with tools' if tools else ''} and langchain-anthropic's",
                messages(1000),
                "event",
                "chunk",
                partial(anthropic_streams, waits=waits, tools=tools),
                (Target("ours", "langchain", at_least=60 if waits else 100),),
                full=_SLOW,
                headline="" if tools else f"`{work}`",
            )


def _message_events() -> Iterator[Group]:
    """Yield the cost of version 3 of the events."""
    for work, waits in (("ChatOpenAI.stream_events v3", False), ("ChatOpenAI.astream_events v3", True)):
        yield Group(
            f"{work} and langchain-openai's",
            fixture("chat", 1000),
            "event",
            "chunk",
            partial(message_events, waits=waits),
            (Target("ours", "langchain", at_least=50),),
            full=_SLOW,
            headline=f"`{work}`",
        )


def _models_with_tools() -> Iterator[Group]:
    for number in (1, 4):
        for work, waits in (("ChatOpenAI.stream", False), ("ChatOpenAI.astream", True)):
            yield Group(
                f"{work} and langchain-openai's",
                tool_calls(1000, number),
                "event",
                "chunk",
                partial(tool_streams, waits=waits),
                (Target("ours", "langchain", at_least=50),),
                full=_SLOW,
            )


def _shapes_of_models() -> Iterator[Group]:
    """Yield the cost of a stream before its first chunk, and the cost per chunk for different lengths."""
    for work, waits in (("OpenAI.stream", False), ("OpenAI.astream", True)):
        yield Group(
            f"{work}, one call of one chunk, and langchain-openai's",
            fixture("completions", 1),
            "event",
            "chunk",
            partial(completions_models, waits=waits),
            (Target("ours", "langchain", at_least=10),),
            full=_SLOW,
        )
    for count in (100, 20_000):
        yield Group("OpenAI.stream", fixture("completions", count), "event", "chunk", streams, full=_LONG)


def _stream_events() -> Iterator[Group]:
    group = partial(Group, stream=fixture("completions", 1000), read="event", unit="chunk")
    versions: list[tuple[Version, int]] = [("v2", 60), ("v1", 150)]
    for version, bound in versions:
        work = f"OpenAI.astream_events {version}"
        target = Target("ours", "orjson", at_least=1.3)
        yield group(work, contenders=partial(event_dicts, version), targets=(target,), full=_LONG)
        target = Target("ours", "langchain", at_least=bound)
        contenders = partial(langchain_dicts, version)
        yield group(
            f"{work} and langchain-openai's",
            contenders=contenders,
            targets=(target,),
            full=_SLOW,
            headline=f"`OpenAI.astream_events`, {version}",
        )


def _records() -> Iterator[Group]:
    for count in (1000, 20_000):
        for read, bound in (("event", 4.5), ("64 KB", 8)):
            yield Group(
                "OpenAI.astream_records",
                fixture("completions", count),
                read,
                "chunk",
                event_records,
                (Target("ours", "msgspec", at_least=bound),),
                full=_LONG,
            )
    yield Group(
        "OpenAI.astream_records and langchain-openai's events",
        fixture("completions", 1000),
        "event",
        "chunk",
        langchain_records,
        (Target("ours", "langchain", at_least=600),),
        full=_SLOW,
        headline="`OpenAI.astream_records`",
    )


def _chains() -> Iterator[Group]:
    for kind, model in (("completions", "OpenAI"), ("chat", "ChatOpenAI")):
        group = partial(Group, stream=fixture(kind, 1000), read="event", unit="chunk", full=_SLOW)
        work = f"a chain of PromptTemplate, {model} and StrOutputParser"
        for method, contenders, bound in (("astream", chain_streams, 40), ("astream_events v2", chain_events, 50)):
            yield group(
                f"{method} of {work}",
                contenders=partial(contenders, kind),
                targets=(Target("ours", "langchain", at_least=bound),),
                headline=f"`{method}` of {work}",
            )


def _compositions() -> Iterator[Group]:
    """Yield what Runnables compose beside langchain-core's; and what guards around a model cost."""
    stream = fixture("completions", 1000)
    bounds = [
        ("dict", "astream", 100),
        ("dict", "astream_events v2", 60),
        ("dict", "stream", 50),
        ("dict-of-function", "astream", 100),
        ("dict-of-function", "stream", 30),
        ("function-first", "astream", 30),
        ("function-first", "stream", 30),
        ("function-last", "astream", 30),
        ("function-last", "stream", 30),
        # A user's async generator runs in a task of its own: two turns of the loop a chunk, which alone take 6 µs.
        ("generator-last", "astream", 10),
        ("parallel", "astream", 50),
        ("parallel", "stream", 5),
    ]
    for name, method, bound in bounds:
        composition = COMPOSITIONS[name]
        yield Group(
            f"{method} of {composition.name}",
            stream,
            "event",
            "chunk",
            partial(streams_of, composition, method),
            (Target("ours", "langchain", at_least=bound),),
            full=_SLOW,
            headline=f"`{method}` of {composition.name}" if (name, method) in _SHOWN else "",
            is_joined=composition.is_joined,
        )
    for method in ("stream", "astream"):
        contenders = partial(guarded, method)
        work = f"{method} of a chain with a retry and a fallback around its model"
        yield Group(work, stream, "event", "chunk", contenders, (Target("ours", "bare", at_most=1.2),), full=_LONG)
    for count in (100, 10_000):
        longer = fixture("completions", count)
        contenders = partial(streams_of, COMPOSITIONS["dict"], "astream", peers=False)
        yield Group("astream of a chain with a dict step", longer, "event", "chunk", contenders, full=_LONG)
    target = Target("ours", "langchain", at_least=8)
    one = fixture("completions", 1)
    for method in ("ainvoke", "invoke"):
        calls = partial(calls_of_five_steps, method)
        yield Group(f"{method} of a chain of five steps", one, "event", "chunk", calls, (target,), full=_SLOW)


_SHOWN = (("dict", "astream"), ("dict", "astream_events v2"), ("parallel", "astream"))
