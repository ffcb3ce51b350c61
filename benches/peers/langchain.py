"""langchain-openai's models over httpx2 in memory."""

import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from langchain_openai import ChatOpenAI, OpenAI

from ..fixtures import Reads
from .memory import async_client, client

__all__ = ("achat", "acompletions", "chat", "chat_records", "completions", "events", "records")

# It warns of its first version, once it is imported, and of its third.
warnings.filterwarnings("ignore", message=".*(is deprecated|is in beta).*")


def _options(reads: Reads) -> dict[str, Any]:
    return {
        "base_url": "http://memory/v1",
        "api_key": "none",
        "http_client": client(reads),
        "http_async_client": async_client(reads),
    }


def completions(reads: Reads) -> Callable[[], list[str]]:
    """Return what streams the reads through ``OpenAI.stream``."""
    llm = OpenAI(**_options(reads))
    return lambda: list(llm.stream("a prompt"))


def acompletions(reads: Reads) -> Callable[[], Awaitable[list[str]]]:
    """Return what streams the reads through ``OpenAI.astream``."""
    llm = OpenAI(**_options(reads))

    async def run() -> list[str]:
        return [text async for text in llm.astream("a prompt")]

    return run


def chat(reads: Reads) -> Callable[[], list[Any]]:
    """Return what streams the reads through ``ChatOpenAI.stream``."""
    llm = ChatOpenAI(**_options(reads))
    return lambda: list(llm.stream("a prompt"))


def achat(reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
    """Return what streams the reads through ``ChatOpenAI.astream``."""
    llm = ChatOpenAI(**_options(reads))

    async def run() -> list[Any]:
        return [chunk async for chunk in llm.astream("a prompt")]

    return run


def events(reads: Reads, version: str) -> Callable[[], Awaitable[list[Any]]]:
    """Return what streams the reads through ``OpenAI.astream_events``."""
    llm = OpenAI(**_options(reads))

    async def run() -> list[Any]:
        return [event async for event in llm.astream_events("a prompt", version=version)]

    return run


def records(reads: Reads) -> Callable[[], Awaitable[list[bytes]]]:
    """Return what serializes the events as LangServe does: orjson, with ``model_dump`` for LangChain's objects."""
    return _records(OpenAI(**_options(reads)))


def chat_records(reads: Reads) -> Callable[[], Awaitable[list[bytes]]]:
    """Return what serializes the events of the chat model as LangServe does."""
    return _records(ChatOpenAI(**_options(reads)))


def message_events(reads: Reads) -> Callable[[], list[Any]]:
    """Return what streams the events of version 3 of the chat model."""
    llm = ChatOpenAI(**_options(reads))
    return lambda: list(llm.stream_events("a prompt", version="v3"))


def amessage_events(reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
    """:func:`message_events` for async code."""
    llm = ChatOpenAI(**_options(reads))

    async def run() -> list[Any]:
        return [event async for event in await llm.astream_events("a prompt", version="v3")]

    return run


def _records(llm: Any) -> Callable[[], Awaitable[list[bytes]]]:
    async def run() -> list[bytes]:
        found = [
            b"event: data\r\ndata: %b\r\n\r\n" % orjson.dumps(event, default=_dumped)
            async for event in llm.astream_events("a prompt", version="v2")
        ]
        return [*found, b"event: end\r\n\r\n"]

    return run


def _dumped(value: Any) -> Any:
    return value.model_dump()
