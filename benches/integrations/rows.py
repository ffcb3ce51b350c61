"""The groups of existing apps, with their targets."""

from collections.abc import Iterator
from functools import partial

from millstream.cli.bench.harness import Effort

from ..fixtures import fixture
from ..groups import Group, Target
from ..providers import PROVIDERS, provider_apps
from .langchain import langchain_apps, langchain_models
from .responses import CLIENTS, connected, texts_of
from .sdk import sdk_apps

__all__ = ("existing_apps",)

_APPS = Effort(rounds=7, sample=20_000_000)
_LONG = Effort(rounds=3, sample=1)
_READERS = Effort(rounds=11, sample=2_000_000)

# Of the programs in peers/langchain_apps.py, by the kind of their model: at least so many times as fast.
_PROGRAMS: tuple[tuple[str, str, float], ...] = (
    ("chat", "stream", 25),
    ("chat", "astream", 25),
    ("completions", "stream", 25),
    ("completions", "astream", 25),
    ("chat", "astream_events v2", 12),
    ("completions", "astream_events v2", 12),
    ("chat", "stream of a chain", 8),
    ("chat", "astream of a chain", 8),
    ("completions", "stream of a chain", 8),
    ("completions", "astream of a chain", 8),
    ("chat", "stream of an agent", 4),
    ("chat", "astream of an agent", 4),
)
# By the client whose response is read; where the client itself takes most of the time, its own is most of both.
_TEXTS = {"httpx": 6, "httpx, async": 3, "httpx2": 6, "httpx2, async": 3, "the OpenAI SDK": 3}
_MODELS = {"chat": "ChatOpenAI", "completions": "OpenAI"}
_WORKS = {
    "of a chain": "of lc_prompt | {model} | StrOutputParser",
    "of an agent": 'of create_agent({model}), stream_mode="messages"',
}


def existing_apps() -> Iterator[Group]:
    """Yield the groups."""
    yield from _langchain()
    yield from _providers()
    yield from _shapes()
    yield from _sdk()
    yield from _httpx_sse()
    yield from _responses()


def _langchain() -> Iterator[Group]:
    for kind, program, bound in _PROGRAMS:
        yield _program(kind, program, 1000, (Target("ours", "langchain", at_least=bound),))


def _providers() -> Iterator[Group]:
    for name, provider in PROVIDERS.items():
        for method in ("stream", "astream"):
            if provider.app_goal is not None:
                yield Group(
                    f"LangChain app, {name.replace(provider.name, f'{provider.name}.{method}')}",
                    provider.stream(1000),
                    "event",
                    "chunk",
                    partial(provider_apps, name, waits=method == "astream"),
                    (Target("ours", "langchain", at_least=provider.app_goal),),
                    full=_APPS,
                )


def _shapes() -> Iterator[Group]:
    """Yield the cost of a call of one chunk, and the cost per chunk for different lengths."""
    for count in (1, 100, 10_000):
        for kind, program in (("chat", "stream"), ("chat", "astream"), ("completions", "astream")):
            yield _program(kind, program, count)
        yield _program("chat", "astream of an agent", count)
    for kind, model in _MODELS.items():
        work = f"LangChain app, making a model: {model}(...)"
        yield Group(work, fixture(kind, 1), "event", "object", partial(langchain_models, kind), full=_APPS)


def _program(kind: str, program: str, count: int, targets: tuple[Target, ...] = ()) -> Group:
    method, _, composed = program.partition(" of ")
    model = _MODELS[kind]
    form = _WORKS[f"of {composed}"].format(model=model) if composed else ""
    work = f"LangChain app, {method} {form}" if composed else f"LangChain app, {model}.{method}"
    return Group(
        work,
        fixture(kind, count),
        "event",
        "chunk",
        partial(langchain_apps, program, kind),
        targets,
        full=_APPS if count <= 1000 else _LONG,
    )


def _sdk() -> Iterator[Group]:
    for kind in ("chat", "completions"):
        for waits in (False, True):
            call = "completions" if kind == "completions" else "chat.completions"
            client = "AsyncOpenAI" if waits else "OpenAI"
            work = f"openai SDK app, {client}.{call}.create(stream=True)"
            yield Group(
                work,
                fixture(kind, 1000),
                "event",
                "chunk",
                partial(sdk_apps, kind, waits=waits),
                (Target("ours", "openai", at_least=5),),
                full=_APPS,
            )


def _httpx_sse() -> Iterator[Group]:
    for library in ("httpx", "httpx2"):
        for waits in (False, True):
            method = "aconnect_sse" if waits else "connect_sse"
            yield Group(
                f"httpx-sse app, {method} over {library}",
                fixture("chat", 1000),
                "event",
                "event",
                partial(connected, library, waits=waits),
                (Target("ours", "httpx-sse", at_least=12),),
                full=_READERS,
            )


def _responses() -> Iterator[Group]:
    for client in CLIENTS:
        yield Group(
            f"text of a response of {client}",
            fixture("chat", 1000),
            "event",
            "chunk",
            partial(texts_of, client),
            (Target("ours", "loop", at_least=_TEXTS.get(client, 1)),),
            full=_READERS,
        )
