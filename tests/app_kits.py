"""Runs an app of LangChain's twice on the mock server: with langchain-openai's classes, and with Millstream's."""

from __future__ import annotations

import asyncio
import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import openai
import pytest
from langchain_core.tracers.log_stream import RunLogPatch

from langchain_peer import clients
from millstream.providers import stream_decoding
from millstream.testing import MockServer

__all__ = ("KITS", "App", "Choice", "Kit", "made", "pairs_of", "plain", "shown", "shown_by_langchain")

App = Callable[["Kit"], Any]
"""Takes a kit, and returns the values to compare, or a coroutine that does."""

_VOLATILE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|127\.0\.0\.1:\d+|cmpl-mock\d+"
)
"""What differs from run to run and has an identity: ids, and the server's address."""
_PASSING = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?| at 0x[0-9a-f]+|(?<='timestamp': )\d+")
"""What differs from run to run: times and addresses."""

_CLIENTS = ("http_client", "http_async_client")
_EXPECTED = "(?s).*(deprecated|beta|experimental|moved to|Pydantic serializer warnings)"
"""The warnings of LangChain's own code."""


@dataclass(slots=True)
class Kit:
    """One set of classes, and the server that the app's models stream from."""

    module: str
    arguments: Mapping[str, Any]
    server: MockServer

    def model(self, **arguments: Any) -> Any:
        """Return a chat model of the server."""
        return self._made("ChatOpenAI", {"model": "gpt-4o-mini"} | arguments)

    def llm(self, **arguments: Any) -> Any:
        """Return a completion model of the server."""
        return self._made("OpenAI", arguments)

    def azure(self, **arguments: Any) -> Any:
        """Return a chat model of a deployment of Azure's."""
        place = {"azure_endpoint": self.server.origin, "azure_deployment": "d", "api_version": "2024-10-21"}
        return self._made("AzureChatOpenAI", {"base_url": None, **place, **arguments})

    def parser(self, name: str = "StrOutputParser", **arguments: Any) -> Any:
        """Return a parser."""
        module = "langchain_core.output_parsers" if self.module == THEIRS else self.module
        return getattr(import_module(module), name)(**arguments)

    def script(self, *replies: Any) -> None:
        """Let the server send ``replies``, and then its standard one."""
        self.server.script.extend(replies)

    async def aclose(self) -> None:
        """Close the async client, in the loop of its connections."""
        if "http_async_client" in self.arguments:
            await self.arguments["http_async_client"].aclose()

    def _made(self, name: str, arguments: Mapping[str, Any]) -> Any:
        make = getattr(import_module(self.module), name)
        return make(**{"base_url": self.server.url, "api_key": "sk-mock", **self.arguments, **arguments})


THEIRS = "langchain_openai"
OURS = "millstream.integrations.langchain"


class Choice(NamedTuple):
    """How a kit is made: of which module, with or without HTTP clients of the app, on which half of the core."""

    module: str
    has_clients: bool
    half: str = "millstream._core"


LANGCHAIN = Choice(THEIRS, has_clients=True, half="millstream._pure")
KITS = {
    "Rust, own transport": Choice(OURS, has_clients=False),
    "Python, over httpx2": Choice(OURS, has_clients=True, half="millstream._pure"),
}


def pairs_of(apps: Iterable[str], ways: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the names of kits and apps: all apps for the first kit, those of ``ways`` for the others."""
    first, *others = KITS
    return [(first, app) for app in apps] + [
        (kit, app) for kit in others for app in apps if app.rpartition(", ")[2] in ways
    ]


@cache
def shown_by_langchain(app: App) -> list[str]:
    """Return :func:`shown` with langchain-openai's classes."""
    lines = shown(app, LANGCHAIN)
    assert lines
    return lines


def shown(app: App, choice: Choice) -> list[str]:
    """Return the values of ``app`` and the bodies of its requests as lines, equal for equal runs."""
    with MockServer() as server, made(choice, server) as kit:
        values = list(_values(app, kit))
        bodies = sorted(repr(plain(request.body)) for request in server.requests)
    return _without_identities([*(repr(plain(value)) for value in values), *bodies])


def _values(app: App, kit: Kit) -> Iterator[Any]:
    """Yield the values of ``app``, and the error of the SDK that ended it."""
    try:
        if inspect.iscoroutinefunction(app):
            yield from asyncio.run(_closing(app(kit), kit))
        else:
            yield from app(kit)
    except openai.OpenAIError as error:
        yield error


async def _closing(call: Any, kit: Kit) -> Any:
    try:
        return await call
    finally:
        await kit.aclose()


@contextmanager
def made(choice: Choice, server: MockServer) -> Iterator[Kit]:
    """Make a kit for ``server``."""
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message=_EXPECTED)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(stream_decoding, "StreamDecoder", import_module(choice.half).StreamDecoder)
        yield Kit(choice.module, stack.enter_context(clients()) if choice.has_clients else {}, server)


def plain(value: Any) -> Any:
    """Return ``value`` with the objects in it as their class and their fields, in order."""
    if isinstance(value, Mapping):
        # One of the kits has clients.
        return {plain(key): plain(item) for key, item in value.items() if key not in _CLIENTS}
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(item) for item in value]
        return sorted(items, key=repr) if isinstance(value, set | frozenset) else items
    if isinstance(value, RunLogPatch):
        return type(value).__name__, plain(value.ops)
    if isinstance(value, BaseException):
        return [base.__name__ for base in type(value).__mro__], str(value), plain(getattr(value, "body", None))
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return type(value).__name__, plain(value.model_dump(mode="python", warnings=False))
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    # A listener gets an error with the places in the code that it passed.
    return value.partition("Traceback (most recent call last)")[0] if isinstance(value, str) else value


def _without_identities(lines: list[str]) -> list[str]:
    """Number the ids of a run in the order in which they appear."""
    numbers: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"<{len(numbers)}>")

    return [_PASSING.sub("<passing>", _VOLATILE.sub(numbered, line)) for line in lines]
