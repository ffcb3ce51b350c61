"""What a stream costs where nothing of ours is in it: the client's own reads, the core alone, the objects alone."""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib import import_module
from typing import Any

from millstream.cli.bench.harness import Contender, over

from ..contenders import halves, peer
from ..fixtures import Reads
from ..loops import fed

__all__ = ("changed", "client_alone", "core_alone", "events_alone", "messages_alone")


@cache
def changed(name: str) -> Any:
    """Return the module of ours whose names an app imports instead of its host library's."""
    return import_module(f"millstream.integrations.{name}")


def client_alone(*, waits: bool) -> list[Contender]:
    """Return a loop over the body of an httpx2 client's response: the reads, and nothing done with them."""
    if (known := peer("httpx2", "memory")) is None:
        return []
    memory, number = known

    def bind(reads: Reads) -> Callable[[], Any]:
        client = memory.client(reads)

        def run() -> None:
            with client.stream("POST", "http://memory/v1") as response:
                for _ in response.stream:
                    pass

        return run

    def abind(reads: Reads) -> Callable[[], Awaitable[Any]]:
        client = memory.async_client(reads)

        async def run() -> None:
            async with client.stream("POST", "http://memory/v1") as response:
                async for _ in response.stream:
                    pass

        return run

    return [Contender("client", f"httpx2 {number} alone: its reads", abind if waits else bind, None, waits=waits)]


def core_alone(kind: str, method: str | None = None) -> list[Contender]:
    """Return the core of the half that runs: a ``StreamDecoder`` that is fed the reads."""
    from millstream import BACKEND, StreamDecoder

    name = next(name for key, name, _ in halves() if key == BACKEND)
    method = method or ("feed_text" if kind == "completions" else "feed")
    flush = method.replace("feed", "close")

    def run(reads: Reads) -> list[Any]:
        decoder = StreamDecoder(f"openai.{kind}")
        out = fed(getattr(decoder, method), reads)
        out += getattr(decoder, flush)()
        return out

    return [Contender("core", f"{name}, StreamDecoder.{method}", over(run), _texts)]


def events_alone() -> list[Contender]:
    """Return the core of the half that runs: an ``SSEParser`` that is fed the reads."""
    from millstream import BACKEND, SSEParser

    name = next(name for key, name, _ in halves() if key == BACKEND)
    return [Contender("core", f"{name}, SSEParser.feed", over(lambda reads: fed(SSEParser().feed, reads)), _data)]


def messages_alone() -> list[Contender]:
    """Return the making of LangChain's messages with text, by the shortest way there is."""
    known = peer("langchain-core", "langchain_objects")
    return [Contender("host", "LangChain's messages alone", known[0].messages, _contents)] if known else []


def _texts(deltas: list[Any]) -> list[str]:
    texts = [delta if isinstance(delta, str) else delta.text for delta in deltas]
    return [text for text in texts if text]


def _data(events: list[Any]) -> list[str]:
    return [event.data for event in events]


def _contents(messages: list[Any]) -> list[str]:
    return [message.content for message in messages if message.content]
