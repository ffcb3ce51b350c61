"""langchain-openai's models over httpx2 in memory."""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_openai import ChatOpenAI, OpenAI

from ..fixtures import Reads
from .memory import async_client, client

__all__ = ("achat", "acompletions", "chat", "completions")


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
    return lambda: [chunk.content for chunk in llm.stream("a prompt")]


def achat(reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
    """Return what streams the reads through ``ChatOpenAI.astream``."""
    llm = ChatOpenAI(**_options(reads))

    async def run() -> list[Any]:
        return [chunk.content async for chunk in llm.astream("a prompt")]

    return run
