"""The groups of models and chains beside LangChain's."""

from collections.abc import Iterator
from functools import partial

from millstream.cli.bench.harness import Effort

from .chains import chain_events, chain_streams
from .chat import chat_ids, chat_records, chat_streams, langchain_chat_records, message_events, tool_streams
from .compositions import COMPOSITIONS, calls_of_five_steps, guarded, streams_of
from .events import Version, event_dicts, event_records, langchain_dicts, langchain_records
from .fixtures import fixture, tool_calls
from .groups import Group, Target
from .providers import PROVIDERS, provider_streams
from .streams import async_streams, completions_models, streams

__all__ = ("models",)

_LONG = Effort(rounds=11, sample=2_000_000)
_SLOW = Effort(rounds=7, sample=20_000_000)


def models() -> Iterator[Group]:
    """Yield the groups."""
    yield from _models()
    yield from _chat_models()
    yield from _provider_models()
    yield from _message_events()
    yield from _models_with_tools()
    yield from _stream_events()
    yield from _records()
    yield from _chains()
    yield from _compositions()


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
    )


def _provider_models() -> Iterator[Group]:
    """Yield the chat models of other providers."""
    for name, provider in PROVIDERS.items():
        for method, waits in (("stream", False), ("astream", True)):
            yield Group(
                f"{name.replace(provider.name, f'{provider.name}.{method}')} and {provider.package}'s",
                provider.stream(1000),
                "event",
                "chunk",
                partial(provider_streams, name, waits=waits),
                (Target("ours", "langchain", at_least=min(60, provider.goal) if waits else provider.goal),),
                full=_SLOW,
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
            f"{work}, one call of one chunk and langchain-openai's",
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
