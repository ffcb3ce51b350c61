"""The contenders that stream a chain: a prompt, a model over an in-memory transport, a parser of its text."""

from collections.abc import Awaitable, Callable
from typing import Any

from millstream import ChatOpenAI, OpenAI
from millstream.cli.bench.harness import Contender
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.testing.memory import MemoryTransport

from .contenders import peer
from .fixtures import Reads
from .readers import not_empty

__all__ = ("chain_events", "chain_streams")

_MODELS: dict[str, Any] = {"completions": OpenAI, "chat": ChatOpenAI}


def chain_streams(kind: str) -> list[Contender]:
    """Return our chain's ``astream`` and langchain-core's."""

    def bind(reads: Reads) -> Callable[[], Awaitable[list[str]]]:
        chain = _chain(kind, reads)

        async def run() -> list[str]:
            return [text async for text in chain.astream({"text": "a prompt"})]

        return run

    found = [Contender("ours", "astream of a chain", bind, not_empty, waits=True)]
    if known := peer("langchain-openai", "langchain_chain"):
        chains, number = known
        name = f"langchain-openai {number}, the same chain"
        found.append(Contender("langchain", name, lambda reads: chains.astream(kind, reads), not_empty, waits=True))
    return found


def chain_events(kind: str) -> list[Contender]:
    """Return our chain's ``astream_events`` and langchain-core's."""

    def bind(reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
        chain = _chain(kind, reads)

        async def run() -> list[Any]:
            return [event async for event in chain.astream_events({"text": "a prompt"}, version="v2")]

        return run

    found = [Contender("ours", "astream_events v2 of a chain", bind, _chunks, waits=True)]
    if known := peer("langchain-openai", "langchain_chain"):
        chains, number = known
        name = f"langchain-openai {number}, the same chain"
        found.append(Contender("langchain", name, lambda reads: chains.events(kind, reads), _chunks, waits=True))
    return found


def _chain(kind: str, reads: Reads) -> Any:
    llm = _MODELS[kind](base_url="http://memory/v1", api_key="none", http_client=MemoryTransport(reads))
    return PromptTemplate.from_template("{text}") | llm | StrOutputParser()


def _chunks(events: list[Any]) -> list[str]:
    """Return the chunks of the chain itself that have text."""
    found = [event["data"]["chunk"] for event in events if event["event"] == "on_chain_stream"]
    return not_empty(found)
