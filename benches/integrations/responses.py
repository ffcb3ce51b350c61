"""The contenders that read a response of an HTTP client: a loop as its users write it, and ours."""

from collections.abc import Callable
from functools import partial
from typing import Any

from ..contenders import Contender, peer
from ..fixtures import Reads
from ..readers import not_empty
from .halves import with_python_half
from .parts import changed, client_alone

__all__ = ("CLIENTS", "connected", "texts_of")


def _decode(response: Any) -> list[str]:
    return list(changed("responses").decode(response))


async def _adecode(response: Any) -> list[str]:
    return [text async for text in changed("responses").adecode(response)]


# The package, the module in peers, the functions that bind a reader of a response and that read one by hand, and the
# first argument of the former.
CLIENTS: dict[str, tuple[str, str, str, str, tuple[str, ...]]] = {
    "httpx": ("httpx", "httpx_responses", "over", "loop", ("httpx",)),
    "httpx, async": ("httpx", "httpx_responses", "aover", "aloop", ("httpx",)),
    "httpx2": ("httpx2", "httpx_responses", "over", "loop", ("httpx2",)),
    "httpx2, async": ("httpx2", "httpx_responses", "aover", "aloop", ("httpx2",)),
    "requests": ("requests", "requests_responses", "over_requests", "requests_loop", ()),
    "urllib3": ("urllib3", "requests_responses", "over_urllib3", "urllib3_loop", ()),
    "aiohttp": ("aiohttp", "aiohttp_responses", "over_aiohttp", "loop", ()),
    "the OpenAI SDK": ("openai", "openai_apps", "raw_texts", "raw_loop", ()),
}
"""The clients."""


def texts_of(client: str) -> list[Contender]:
    """Return the ways to read the texts of a chat stream from a response of ``client``, one of ``CLIENTS``."""
    package, module, bind, loop, arguments = CLIENTS[client]
    if (known := peer(package, module)) is None:
        return []
    theirs, number = known
    waits = client == "aiohttp" or client.endswith("async")
    over: Callable[..., Any] = partial(getattr(theirs, bind), *arguments)
    ours = partial(over, _adecode if waits else _decode)
    by_hand = partial(over, getattr(theirs, loop))
    name = f"{package} {number}, a loop by hand"
    return [
        *with_python_half(
            Contender("ours", f"{'adecode' if waits else 'decode'}(response)", ours, not_empty, waits=waits)
        ),
        Contender("loop", name, by_hand, not_empty, waits=waits),
    ]


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

    method = "aconnect_sse" if waits else "connect_sse"
    make = partial(Contender, shown=_data, waits=waits, whole=_fields)
    return [
        *with_python_half(make("ours", f"integrations.httpx_sse {method}", ours)),
        make("httpx-sse", f"httpx-sse {number} {method}", peers),
        *(client_alone(waits=waits) if library == "httpx2" else ()),
    ]


def _data(events: list[Any]) -> list[str]:
    return [event.data for event in events]


def _fields(events: list[Any]) -> str:
    return repr([(event.event, event.data, event.id, event.retry) for event in events])
