"""The contenders that stream the messages of other providers' chat models."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import millstream
from millstream.cli.bench.harness import Contender, Reads
from millstream.testing.memory import MemoryTransport

from .contenders import peer
from .fixtures import Fixture
from .formats import format_stream
from .integrations.langchain import whole_of_outputs

__all__ = ("PROVIDERS", "Provider", "provider_apps", "provider_streams")


@dataclass(frozen=True)
class Provider:
    """A chat model: its class, the package of LangChain's class of that name, its arguments, and its format.

    ``options`` are those of a call with tools. ``goal`` is how many times faster than LangChain's it is to be, and
    ``app_goal`` the same for an app with one import changed; ``None``: our class of Google's does not read over a
    user's client, so that no client in memory can be used.
    """

    name: str
    package: str
    arguments: dict[str, Any]
    format: str
    path: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    goal: float = 100
    app_goal: float | None = None

    def stream(self, count: int) -> Fixture:
        """Return a stream of ``count`` pieces of prose."""
        return format_stream(self.format, count)


_CLAUDE = Provider(
    "ChatAnthropic", "langchain-anthropic", {"model": "claude-sonnet-4-6"}, "anthropic.messages", app_goal=4
)
_TOOLS = {"tools": [{"name": "f", "input_schema": {"type": "object"}}]}
_RESPONSES = {"model": "gpt-5", "use_responses_api": True}

PROVIDERS = {
    "ChatAnthropic": _CLAUDE,
    "ChatAnthropic, with tools": replace(_CLAUDE, options=_TOOLS, app_goal=None),
    "ChatGoogleGenerativeAI": Provider(
        "ChatGoogleGenerativeAI", "langchain-google-genai", {"model": "gemini-2.5-flash"}, "gemini.generate", goal=10
    ),
    "ChatOllama": Provider("ChatOllama", "langchain-ollama", {"model": "llama3.2"}, "ollama.chat", goal=15, app_goal=3),
    "ChatOpenAI over Responses": Provider(
        "ChatOpenAI", "langchain-openai", _RESPONSES, "openai.responses", "/v1", goal=60, app_goal=15
    ),
}
"""The models, by name."""


def provider_streams(name: str, *, waits: bool) -> list[Contender]:
    """Return the ways to stream messages, sync or async: our model and LangChain's."""
    provider = PROVIDERS[name]

    def ours(reads: Reads) -> Any:
        of_name = getattr(millstream, provider.name)
        over = {"base_url": f"http://memory{provider.path}", "http_client": MemoryTransport(reads)}
        keys = {} if provider.name == "ChatOllama" else {"api_key": "none"}
        return of_name(**provider.arguments, **keys, **over)

    found = [_contender("ours", name, ours, provider, waits=waits)]
    return found + _theirs(name, provider, waits=waits)


def provider_apps(name: str, *, waits: bool) -> list[Contender]:
    """Return an app of LangChain's users with one import changed, and the same app as it was."""
    provider = PROVIDERS[name]
    if (known := peer(provider.package, "langchain_providers")) is None:
        return []
    models, _ = known

    def ours(reads: Reads) -> Any:
        return models.make_model(models.CHANGED, provider.name, provider.arguments, reads)

    ours_and_theirs = [
        _contender("ours", f"integrations.langchain {name}", ours, provider, waits=waits),
        *_theirs(name, provider, waits=waits),
    ]
    return [replace(one, whole=whole_of_outputs) for one in ours_and_theirs]


def _theirs(name: str, provider: Provider, *, waits: bool) -> list[Contender]:
    if (known := peer(provider.package, "langchain_providers")) is None:
        return []
    models, version = known

    def theirs(reads: Reads) -> Any:
        return models.make_model(models.THEIRS, provider.name, provider.arguments, reads)

    return [_contender("langchain", f"{provider.package} {version} {name}", theirs, provider, waits=waits)]


def _contender(key: str, name: str, make: Callable[[Reads], Any], provider: Provider, *, waits: bool) -> Contender:
    options = provider.options

    def stream(reads: Reads) -> Callable[[], list[Any]]:
        llm = make(reads)
        return lambda: list(llm.stream("a prompt", **options))

    def astream(reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
        llm = make(reads)

        async def run() -> list[Any]:
            return [chunk async for chunk in llm.astream("a prompt", **options)]

        return run

    return Contender(key, name, astream if waits else stream, _texts, waits=waits)


def _texts(chunks: list[Any]) -> list[str]:
    return [str(chunk.text) for chunk in chunks if chunk.text]
