"""LangChain's own ``OpenAI``, as the oracle beside ours: the same arguments, the same server."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx2

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_openai
    from pydantic import SecretStr

from endings import aread
from millstream import ChatOpenAI, OpenAI
from millstream.testing import MockServer

__all__ = (
    "KEY",
    "achat_peer",
    "aclients",
    "allow_v1",
    "apeer",
    "chat_of",
    "chat_peer",
    "clients",
    "dump_messages",
    "events_of",
    "last_two",
    "llm_of",
    "normalize_events",
    "peer",
)

KEY = "sk-canary-0123456789"
# Made once, because reading the system's certificates takes longer than most tests. Nothing here talks TLS to a peer.
_TLS = ssl.create_default_context()


@contextmanager
def clients() -> Iterator[dict[str, Any]]:
    """Make both clients of a peer, which would make a missing one itself; close the sync one.

    The other is left as it is: it has no connection where no async code runs.
    """
    with httpx2.Client(verify=_TLS) as client:
        yield {"http_client": client, "http_async_client": httpx2.AsyncClient(verify=_TLS)}


@asynccontextmanager
async def aclients() -> AsyncIterator[dict[str, Any]]:
    """:func:`clients` for async code: the async client is closed as well."""
    with clients() as both:
        async with both["http_async_client"]:
            yield both


@contextmanager
def peer(url: str, **arguments: Any) -> Iterator[Any]:
    """Make LangChain's model for ``url``, with clients of its own that are closed at the end."""
    with clients() as given:
        yield langchain_openai.OpenAI(base_url=url, api_key=SecretStr(KEY), **given, **arguments)


@asynccontextmanager
async def apeer(url: str, **arguments: Any) -> AsyncIterator[Any]:
    """:func:`peer` for async code."""
    async with aclients() as given:
        yield langchain_openai.OpenAI(base_url=url, api_key=SecretStr(KEY), **given, **arguments)


@contextmanager
def chat_peer(url: str, **arguments: Any) -> Iterator[Any]:
    """Make LangChain's chat model for ``url``, with clients of its own that are closed at the end."""
    with clients() as given:
        yield langchain_openai.ChatOpenAI(base_url=url, api_key=SecretStr(KEY), **given, **arguments)


@asynccontextmanager
async def achat_peer(url: str, **arguments: Any) -> AsyncIterator[Any]:
    """:func:`chat_peer` for async code."""
    async with aclients() as given:
        yield langchain_openai.ChatOpenAI(base_url=url, api_key=SecretStr(KEY), **given, **arguments)


def dump_messages(value: Any) -> Any:
    """Return ``value`` with its messages, of either library, as dicts, without ids that runs generated."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if isinstance(value, dict):
        return {key: _named(key, dump_messages(item)) for key, item in value.items()}
    return [dump_messages(item) for item in value] if isinstance(value, list | tuple) else value


def _named(key: str, value: Any) -> Any:
    if key == "id" and isinstance(value, str) and value.startswith("lc_run--"):
        return f"lc_run{value[44:]}"
    return value


def normalize_events(events: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    """Return events as lists of items, in key order, with numbered run ids and without LangChain's versions."""
    numbers: dict[str, int] = {}

    def plain(value: Any) -> Any:
        if hasattr(value, "content"):
            value = dump_messages(value)
        if isinstance(value, dict):
            return [(key, plain(item)) for key, item in value.items() if key != "lc_versions"]
        return [plain(item) for item in value] if isinstance(value, list) else value

    return [plain({**event, "run_id": numbers.setdefault(event["run_id"], len(numbers))}) for event in events]


@contextmanager
def allow_v1() -> Iterator[None]:
    """Expect LangChain's warning that version 1 is deprecated."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is deprecated.*")
        yield


def llm_of(server: MockServer, **arguments: Any) -> OpenAI:
    """Return our model for ``server``."""
    return OpenAI(base_url=server.url, api_key=KEY, **arguments)


def chat_of(server: MockServer, **arguments: Any) -> ChatOpenAI:
    """Return our chat model for ``server``."""
    return ChatOpenAI(base_url=server.url, api_key=KEY, **arguments)


def last_two(server: MockServer) -> tuple[Any, Any]:
    """Return the last two bodies as lists of items: key order counts."""
    first, second = server.requests[-2:]
    return list(first.body.items()), list(second.body.items())


def events_of(subject: Any, /, *args: Any, **called: Any) -> list[dict[str, Any]]:
    """Return the events of a run in either library."""
    with allow_v1():
        return asyncio.run(aread(subject.astream_events(*args, **called)))
