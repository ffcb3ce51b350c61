"""LangChain's own ``OpenAI``, as the oracle beside ours: the same arguments, the same server."""

import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx2

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_openai
    from pydantic import SecretStr

__all__ = ("KEY", "achat_peer", "apeer", "chat_peer", "dumped", "normalised", "peer", "v1_allowed")

KEY = "sk-canary-0123456789"


@contextmanager
def peer(url: str, **arguments: Any) -> Iterator[Any]:
    """Make LangChain's model for ``url``, with clients of its own that are closed at the end."""
    with httpx2.Client() as client:
        yield langchain_openai.OpenAI(base_url=url, api_key=SecretStr(KEY), http_client=client, **arguments)


@asynccontextmanager
async def apeer(url: str, **arguments: Any) -> AsyncIterator[Any]:
    """:func:`peer` for async code."""
    async with httpx2.AsyncClient() as client:
        yield langchain_openai.OpenAI(base_url=url, api_key=SecretStr(KEY), http_async_client=client, **arguments)


@contextmanager
def chat_peer(url: str, **arguments: Any) -> Iterator[Any]:
    """Make LangChain's chat model for ``url``, with clients of its own that are closed at the end."""
    with httpx2.Client() as client:
        yield langchain_openai.ChatOpenAI(base_url=url, api_key=SecretStr(KEY), http_client=client, **arguments)


@asynccontextmanager
async def achat_peer(url: str, **arguments: Any) -> AsyncIterator[Any]:
    """:func:`chat_peer` for async code."""
    async with httpx2.AsyncClient() as client:
        yield langchain_openai.ChatOpenAI(base_url=url, api_key=SecretStr(KEY), http_async_client=client, **arguments)


def dumped(value: Any) -> Any:
    """Return ``value`` with messages in it, of either library, as dicts; ids that runs made are not compared."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if isinstance(value, dict):
        return {key: _named(key, dumped(item)) for key, item in value.items()}
    return [dumped(item) for item in value] if isinstance(value, list | tuple) else value


def _named(key: str, value: Any) -> Any:
    if key == "id" and isinstance(value, str) and value.startswith("lc_run--"):
        return f"lc_run{value[44:]}"
    return value


def normalised(events: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    """Return events as lists of items, so that key order counts; run ids numbered, LangChain's versions left out."""
    numbers: dict[str, int] = {}

    def plain(value: Any) -> Any:
        if hasattr(value, "content"):
            value = dumped(value)
        if isinstance(value, dict):
            return [(key, plain(item)) for key, item in value.items() if key != "lc_versions"]
        return [plain(item) for item in value] if isinstance(value, list) else value

    return [plain({**event, "run_id": numbers.setdefault(event["run_id"], len(numbers))}) for event in events]


@contextmanager
def v1_allowed() -> Iterator[None]:
    """Let LangChain warn that version 1 is deprecated."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is deprecated.*")
        yield
