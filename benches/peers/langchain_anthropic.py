"""langchain-anthropic's chat model over httpx2 in memory."""

from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
from langchain_anthropic import ChatAnthropic
from pydantic import SecretStr

from ..fixtures import Reads
from .memory import async_client, client

__all__ = ("astream", "stream")


def _model(reads: Reads) -> ChatAnthropic:
    llm = ChatAnthropic(model_name="claude-sonnet-4-6", base_url="http://memory", api_key=SecretStr("none"))
    # It has no argument for the HTTP clients: these properties keep their values here.
    given: dict[str, Any] = {"base_url": "http://memory", "api_key": "none"}
    vars(llm)["_client"] = anthropic.Anthropic(**given, http_client=client(reads))
    vars(llm)["_async_client"] = anthropic.AsyncAnthropic(**given, http_client=async_client(reads))
    return llm


def stream(reads: Reads, options: dict[str, Any]) -> Callable[[], list[Any]]:
    """Return what streams the reads through ``ChatAnthropic.stream``."""
    llm = _model(reads)
    return lambda: list(llm.stream("a prompt", **options))


def astream(reads: Reads, options: dict[str, Any]) -> Callable[[], Awaitable[list[Any]]]:
    """Return what streams the reads through ``ChatAnthropic.astream``."""
    llm = _model(reads)

    async def run() -> list[Any]:
        return [chunk async for chunk in llm.astream("a prompt", **options)]

    return run
