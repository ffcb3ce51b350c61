"""The contenders that read a response of an HTTP client: a loop as its users write it, and ours."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from millstream.cli.bench.harness import Contender

from ..contenders import peer
from ..fixtures import Reads
from ..readers import not_empty
from .halves import with_python_half
from .parts import changed, core_alone, events_alone

__all__ = ("CLIENTS", "Client", "connected", "texts_of")


def _decode(response: Any) -> list[str]:
    return list(changed("responses").decode(response))


async def _adecode(response: Any) -> list[str]:
    return [text async for text in changed("responses").adecode(response)]


@dataclass(frozen=True)
class Client:
    """An HTTP client: its package, and what benches/peers/MODULE.py has for it.

    ``over`` binds a reader of a response to reads, after ``arguments``; ``loop`` reads by hand, and ``drain`` only
    lets the client read.
    """

    package: str
    module: str
    over: str
    loop: str
    drain: str
    arguments: tuple[str, ...] = ()
    waits: bool = False


_HTTPX = partial(Client, module="httpx_responses", over="over", loop="loop", drain="drain")
_ASYNC_HTTPX = partial(Client, module="httpx_responses", over="aover", loop="aloop", drain="adrain", waits=True)

CLIENTS: dict[str, Client] = {
    "httpx": _HTTPX("httpx", arguments=("httpx",)),
    "httpx, async": _ASYNC_HTTPX("httpx", arguments=("httpx",)),
    "httpx2": _HTTPX("httpx2", arguments=("httpx2",)),
    "httpx2, async": _ASYNC_HTTPX("httpx2", arguments=("httpx2",)),
    "requests": Client("requests", "requests_responses", "over_requests", "requests_loop", "requests_drain"),
    "urllib3": Client("urllib3", "requests_responses", "over_urllib3", "urllib3_loop", "urllib3_drain"),
    "aiohttp": Client("aiohttp", "aiohttp_responses", "over_aiohttp", "loop", "drain", waits=True),
    "the OpenAI SDK": Client("openai", "openai_apps", "raw_texts", "raw_loop", "raw_drain"),
}
"""The clients, by name."""


def texts_of(name: str) -> list[Contender]:
    """Return the ways to read the texts of a chat stream from a response of the client ``name`` of ``CLIENTS``."""
    client = CLIENTS[name]
    if (known := peer(client.package, client.module)) is None:
        return []
    theirs, number = known
    over: Callable[..., Any] = partial(getattr(theirs, client.over), *client.arguments)
    make = partial(Contender, shown=not_empty, waits=client.waits)
    function = "adecode" if client.waits else "decode"
    title = f"{client.package} {number}"
    made = make("ours", f"{function}(response)", partial(over, _adecode if client.waits else _decode))
    by_hand = make("loop", f"{title}, a loop by hand", partial(over, getattr(theirs, client.loop)))
    alone = Contender(
        "client", f"{title} alone: its reads", partial(over, getattr(theirs, client.drain)), None, waits=client.waits
    )
    return [*with_python_half(made), by_hand, *core_alone("chat", method="feed_text"), alone]


def connected(library: str, *, waits: bool) -> list[Contender]:
    """Return the ways to read events with the interface of httpx-sse, over httpx or httpx2."""
    known, of_sse = peer("httpx2", "httpx_responses"), peer("httpx-sse", "httpx_sse_reader")
    if known is None or of_sse is None:
        return []
    theirs, number = known[0], of_sse[1]
    run = theirs.aconnected if waits else theirs.connected

    def ours(reads: Reads) -> Any:
        return run(changed("httpx_sse"), library, reads)

    def peers(reads: Reads) -> Any:
        import httpx_sse

        return run(httpx_sse, library, reads)

    alone = partial(theirs.aover, library, theirs.adrain) if waits else partial(theirs.over, library, theirs.drain)
    method = "aconnect_sse" if waits else "connect_sse"
    make = partial(Contender, shown=_data, waits=waits, whole=_fields)
    return [
        *with_python_half(make("ours", f"integrations.httpx_sse {method}", ours)),
        make("httpx-sse", f"httpx-sse {number} {method}", peers),
        *events_alone(),
        Contender("client", f"{library} alone: its reads", alone, None, waits=waits),
    ]


def _data(events: list[Any]) -> list[str]:
    return [event.data for event in events]


def _fields(events: list[Any]) -> str:
    return repr([(event.event, event.data, event.id, event.retry) for event in events])
