"""The contenders that stream text: models over an in-memory transport, and loops over the same reads."""

from collections.abc import AsyncIterator, Awaitable, Callable

from millstream import OpenAI
from millstream.cli.bench.harness import Contender, over
from millstream.testing.memory import MemoryTransport

from .contenders import peer
from .fixtures import Reads
from .readers import not_empty

__all__ = ("async_streams", "completions_models", "streams")

_URL = "http://memory/v1"


def streams() -> list[Contender]:
    """Return the sync ways to stream a completion's text."""
    found = [Contender("ours", "OpenAI.stream", _stream, not_empty)]
    if known := peer("httpx2", "memory"):
        client = known[0].client

        def over_httpx2(reads: Reads) -> Callable[[], list[str]]:
            llm = OpenAI(base_url=_URL, api_key="none", http_client=client(reads))
            return lambda: list(llm.stream("a prompt"))

        found.append(Contender("ours-httpx2", "OpenAI.stream over httpx2", over_httpx2, not_empty))
    if known := peer("msgspec", "msgspec_loop"):
        loops, version = known
        name = f"split + msgspec {version}"
        found.append(Contender("msgspec", f"{name}, a loop", over(loops.completions_text), not_empty))
        run = over(lambda reads: list(loops.completions_stream(reads)))
        found.append(Contender("msgspec-generator", f"{name}, a generator", run, not_empty))
    return found


def async_streams() -> list[Contender]:
    """Return the async ways to stream a completion's text."""
    found = [Contender("ours", "OpenAI.astream", _astream, not_empty, waits=True)]
    if known := peer("httpx2", "memory"):
        client = known[0].async_client

        def over_httpx2(reads: Reads) -> Callable[[], Awaitable[list[str]]]:
            return _collecting(OpenAI(base_url=_URL, api_key="none", http_async_client=client(reads)))

        found.append(Contender("ours-httpx2", "OpenAI.astream over httpx2", over_httpx2, not_empty, waits=True))
    if known := peer("msgspec", "msgspec_loop"):
        loops, version = known
        name = f"split + msgspec {version}"

        async def generator(reads: Reads) -> list[str]:
            return [text async for text in loops.acompletions_stream(_source(reads))]

        loop = over(lambda reads: loops.acompletions_text(_source(reads)))
        found.append(Contender("msgspec", f"{name}, a loop", loop, not_empty, waits=True))
        found.append(Contender("msgspec-generator", f"{name}, a generator", over(generator), not_empty, waits=True))
    return found


def completions_models(*, waits: bool) -> list[Contender]:
    """Return our model and langchain-openai's, sync or async."""
    found = [async_streams()[0] if waits else streams()[0]]
    if known := peer("langchain-openai", "langchain"):
        models, version = known
        bind, method = (models.acompletions, "astream") if waits else (models.completions, "stream")
        name = f"langchain-openai {version} OpenAI.{method}"
        found.append(Contender("langchain", name, bind, not_empty, waits=waits))
    return found


def _stream(reads: Reads) -> Callable[[], list[str]]:
    llm = OpenAI(base_url=_URL, api_key="none", http_client=MemoryTransport(reads))
    return lambda: list(llm.stream("a prompt"))


def _astream(reads: Reads) -> Callable[[], Awaitable[list[str]]]:
    return _collecting(OpenAI(base_url=_URL, api_key="none", http_client=MemoryTransport(reads)))


def _collecting(llm: OpenAI) -> Callable[[], Awaitable[list[str]]]:
    async def run() -> list[str]:
        return [text async for text in llm.astream("a prompt")]

    return run


async def _source(reads: Reads) -> AsyncIterator[bytes]:
    """Yield the reads without waiting, as our in-memory transport does for async code."""
    for data in reads:
        yield data
