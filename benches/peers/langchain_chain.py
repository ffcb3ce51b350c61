"""langchain-core's chain of a prompt, langchain-openai's model over httpx2 in memory, and a parser of its text."""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import PromptTemplate
from langchain_openai import ChatOpenAI, OpenAI

from ..fixtures import Reads
from .memory import async_client, client

__all__ = ("astream", "events")

_MODELS: dict[str, Any] = {"completions": OpenAI, "chat": ChatOpenAI}


def astream(kind: str, reads: Reads) -> Callable[[], Awaitable[list[str]]]:
    """Return what streams the reads through the chain's ``astream``."""
    chain = _chain(kind, reads)

    async def run() -> list[str]:
        return [text async for text in chain.astream({"text": "a prompt"})]

    return run


def events(kind: str, reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
    """Return what streams the reads through the chain's ``astream_events``, version 2."""
    chain = _chain(kind, reads)

    async def run() -> list[Any]:
        return [event async for event in chain.astream_events({"text": "a prompt"}, version="v2")]

    return run


def _chain(kind: str, reads: Reads) -> Any:
    llm = _MODELS[kind](
        base_url="http://memory/v1", api_key="none", http_client=client(reads), http_async_client=async_client(reads)
    )
    return PromptTemplate.from_template("{text}") | llm | StrOutputParser()
