"""What is measured in memory: three kinds of work on the same chat stream, each by everything that is installed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from ..versions import installed_version
from .harness import Contender, Effort, Reads, WrongOutputError, check, measure, over
from .peers import PROMPT, langchain_events, langchain_texts, msgspec_loop, sdk_texts, split_loop, texts_of_events
from .streams import chat_stream
from .tables import Row, Table

__all__ = ("WORKS", "Work", "measure_work")

FULL, QUICK = Effort(rounds=9, sample=10_000_000), Effort(rounds=3, sample=1_000_000)


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work: its title, and the contenders; the first one is ours."""

    title: str
    contenders: Callable[[], Iterator[Contender]]


def measure_work(work: Work, left_out: list[str], *, quick: bool) -> Table:
    """Return the table of a kind of work; a peer that fails or returns something else is left out, and noted."""
    count = 200 if quick else 1000
    pieces, reads = chat_stream(count)
    expected = [piece for piece in pieces if piece]
    contenders = list(_usable(list(work.contenders()), reads, expected, left_out))
    timings = measure(contenders, reads, expected, QUICK if quick else FULL)
    first = contenders[0].key
    rows = [
        Row(one.key, one.name, timings.best(one.key) / count, timings.ratio(one.key, first).median)
        for one in contenders
    ]
    return Table(f"{work.title}: {count:,} chunks in memory", "memory", "chunk", rows)


def _usable(
    contenders: Sequence[Contender], reads: Reads, expected: list[str], left_out: list[str]
) -> Iterator[Contender]:
    """Yield the contenders whose package is installed and whose output is right; ours must be."""
    with asyncio.Runner() as runner:
        for one in contenders:
            try:
                check(one, one.bind(reads), runner, expected)
            except ImportError as error:
                left_out.append(f"{one.name}: {error.name or error} is not installed")
            except Exception as error:
                if one is contenders[0]:
                    raise
                reason = str(error) if isinstance(error, WrongOutputError) else f"{type(error).__name__}: {error}"
                left_out.append(f"{one.name}: {reason}")
            else:
                yield one


def _text_readers() -> Iterator[Contender]:
    import millstream

    halves = (("rust", "_core", "the Rust core"), ("python", "_pure", "the Python half"))
    for key, module, name in sorted(halves, key=lambda half: half[0] != millstream.BACKEND):
        yield Contender(key, f"Millstream, {name}", partial(_bind_half, module), _not_empty)
    yield Contender("json", "a loop of split and json", over(partial(split_loop, json.loads)), _not_empty)
    yield Contender("msgspec", _named("a loop of split and msgspec", "msgspec"), _bind_msgspec, _not_empty)


def _bind_half(module: str, reads: Reads) -> Callable[[], list[str]]:
    core = import_module(f"millstream.{module}")

    def run() -> list[str]:
        decoder = core.StreamDecoder("openai.chat")
        texts = [text for data in reads for text in decoder.feed_text(data)]
        texts += decoder.close_text()
        return texts

    return run


def _bind_msgspec(reads: Reads) -> Callable[[], list[str]]:
    return partial(msgspec_loop(), reads)


def _model_streams() -> Iterator[Contender]:
    yield Contender("ours", "Millstream, ChatOpenAI.stream", _bind_stream, _not_empty)
    yield Contender("json", "a loop of split and json", over(partial(split_loop, json.loads)), _not_empty)
    accelerated = _named("the SDK, accelerated by Millstream", "openai")
    yield Contender("accelerated", accelerated, partial(sdk_texts, accelerated=True), _not_empty)
    yield Contender("openai", _named("the SDK", "openai"), partial(sdk_texts, accelerated=False), _not_empty)
    changed = "millstream.integrations.langchain"
    yield Contender("changed", "LangChain's app, import changed", partial(langchain_texts, changed), _not_empty)
    name = _named("LangChain's app", "langchain-openai")
    yield Contender("langchain", name, partial(langchain_texts, "langchain_openai"), _not_empty)


def _model_events() -> Iterator[Contender]:
    yield Contender("ours", "Millstream, ChatOpenAI.astream_events", _bind_events, _not_empty, waits=True)
    changed = "millstream.integrations.langchain"
    name = "LangChain's app, import changed"
    yield Contender("changed", name, partial(langchain_events, changed), _not_empty, waits=True)
    name = _named("LangChain's app", "langchain-openai")
    yield Contender("langchain", name, partial(langchain_events, "langchain_openai"), _not_empty, waits=True)


def _model(reads: Reads) -> Any:
    from millstream import ChatOpenAI
    from millstream.testing.memory import MemoryTransport

    return ChatOpenAI(model="gpt-4.1", base_url="http://memory/v1", api_key="none", http_client=MemoryTransport(reads))


def _bind_stream(reads: Reads) -> Callable[[], list[str]]:
    model = _model(reads)
    return lambda: [chunk.content for chunk in model.stream(PROMPT) if chunk.content]


def _bind_events(reads: Reads) -> Callable[[], Awaitable[list[str]]]:
    model = _model(reads)

    async def run() -> list[str]:
        return texts_of_events([event async for event in model.astream_events(PROMPT, version="v2")])

    return run


def _not_empty(texts: list[str]) -> list[str]:
    """Return the texts; contenders may differ in an empty one at the end."""
    return [text for text in texts if text]


def _named(name: str, package: str) -> str:
    version = installed_version(package)
    return f"{name} ({package} {version})" if version else f"{name} ({package})"


WORKS = (
    Work("text of a stream", _text_readers),
    Work("stream of a chat model", _model_streams),
    Work("events of a chat model", _model_events),
)
"""The kinds of work."""
