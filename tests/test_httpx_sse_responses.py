"""How the interface of httpx-sse reads, leaves and closes responses of httpx and httpx2, beside httpx-sse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import accumulate
from types import ModuleType
from typing import Any

import httpx
import httpx_sse as theirs
import pytest

from httpx_sse_peers import (
    EVENT_STREAM,
    EVENTS,
    aconnected,
    both_libraries,
    both_ways,
    connected,
    events_of,
    response_of,
    run,
)
from millstream.integrations import httpx_sse as ours
from millstream.testing import Compress, Cut, Drip, MockServer, Reply, Stall, assert_no_leaks


@both_libraries
@both_ways
@pytest.mark.parametrize("fault", [None, Drip(2), Compress("gzip"), Compress("deflate")], ids=repr)
def test_the_events_of_a_server_are_those_of_httpx_sse(library: ModuleType, waits: bool, fault: Any) -> None:
    with MockServer(Reply(body=EVENTS, fault=fault)) as server:
        own, other = (run(module, library, server.url, waits=waits) for module in (ours, theirs))
        assert [repr(event) for event in own] == [repr(event) for event in other]
        assert len(own) == 3


@both_libraries
@both_ways
def test_an_event_comes_before_the_next_one_is_sent(library: ModuleType, waits: bool) -> None:
    sent: list[int] = []
    with MockServer(Reply(body=EVENTS, fault=Stall(2))) as server:

        def use(events: list[Any]) -> None:
            if len(events) == 2:
                sent.append(server.requests[-1].pieces_sent)
                server.release()

        assert len(run(ours, library, server.url, use, waits=waits)) == 3
    assert sent == [2]


@both_libraries
@both_ways
def test_a_broken_connection_raises_what_it_raises_for_httpx_sse(library: ModuleType, waits: bool) -> None:
    with MockServer(Reply(body=EVENTS, fault=Cut(2, "fin"))) as server:
        seen = []
        for module in (ours, theirs):
            events: list[Any] = []
            with pytest.raises(library.TransportError) as raised:
                run(module, library, server.url, events.append, waits=waits)
            seen.append((type(raised.value), str(raised.value), raised.value.request.url, len(events)))
    assert seen[0] == seen[1]


@both_libraries
@both_ways
def test_a_timeout_raises_what_it_raises_for_httpx_sse(library: ModuleType, waits: bool) -> None:
    with MockServer(Reply(body=EVENTS, fault=Stall(2))) as server:
        for module in (ours, theirs):
            with pytest.raises(library.ReadTimeout) as raised:
                run(module, library, server.url, waits=waits, timeout=0.2)
            assert raised.value.request.method == "POST"


@both_libraries
def test_the_state_of_the_response_is_that_after_httpx_sse(library: ModuleType) -> None:
    for reads in ([], EVENTS):
        states = []
        for module in (ours, theirs):
            response = response_of(library, reads)
            assert events_of(module, response) is not None
            state = (response.is_closed, response.is_stream_consumed, response.num_bytes_downloaded)
            with pytest.raises(library.StreamConsumed) as raised:
                events_of(module, response)
            states.append((*state, str(raised.value)))
        assert states[0] == states[1]


@both_libraries
def test_the_bytes_are_counted_on_the_way_and_exactly_at_the_end(library: ModuleType) -> None:
    reads = [b"data: " + b"x" * size + b"\n\n" for size in (100, 3000, 3000, 10_000, 1)]
    response = response_of(library, reads)
    counts = [response.num_bytes_downloaded for _ in ours.EventSource(response).iter_sse()]
    behind = [total - count for total, count in zip(accumulate(map(len, reads)), counts, strict=True)]
    assert all(0 <= size < 4096 for size in behind)
    assert counts[3] > 10_000
    assert response.num_bytes_downloaded == len(b"".join(reads))


@both_libraries
@both_ways
def test_the_bytes_are_counted_exactly_when_the_events_are_left(library: ModuleType, waits: bool) -> None:
    async def leave() -> None:
        events = ours.EventSource(response).aiter_sse()
        await anext(events)
        await events.aclose()

    response = response_of(library, EVENTS)
    if waits:
        asyncio.run(leave())
    else:
        for _ in ours.EventSource(response).iter_sse():
            break
    assert response.num_bytes_downloaded == len(EVENTS[0])


@both_libraries
def test_a_response_that_was_read_has_its_events(library: ModuleType) -> None:
    for module in (ours, theirs):
        response = response_of(library, EVENTS)
        response.read()
        assert len(events_of(module, response)) == 3
        assert len(events_of(module, response, waits=True)) == 3


@both_libraries
def test_a_response_of_the_other_kind_raises_what_the_library_raises(library: ModuleType) -> None:
    class Body(library.AsyncByteStream):  # type: ignore[misc, name-defined]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b""

    for module in (ours, theirs):
        with pytest.raises(RuntimeError, match="Attempted to call a sync iterator on an async stream"):
            events_of(module, library.Response(200, headers=EVENT_STREAM, stream=Body()))


@both_libraries
@both_ways
def test_leaving_the_events_closes_the_connection_at_once(library: ModuleType, waits: bool) -> None:
    async def main() -> None:
        async with library.AsyncClient() as client, ours.aconnect_sse(client, "POST", server.url) as source:
            events = source.aiter_sse()
            async for _ in events:
                break
            await events.aclose()
            assert source.response.is_closed
            await server.await_closed()

    with MockServer(Reply(body=EVENTS, fault=Stall(1))) as server:
        if waits:
            asyncio.run(main())
            return
        with library.Client() as client, ours.connect_sse(client, "POST", server.url) as source:
            for _ in source.iter_sse():
                break
            assert source.response.is_closed
            server.wait_closed()


@both_libraries
@both_ways
def test_a_connection_is_used_again_after_the_end(library: ModuleType, waits: bool) -> None:
    async def main() -> None:
        async with library.AsyncClient() as client:
            for _ in range(3):
                await aconnected(ours, client, server.url)

    with MockServer(Reply(body=EVENTS)) as server:
        if waits:
            asyncio.run(main())
        else:
            with library.Client() as client:
                for _ in range(3):
                    connected(ours, client, server.url)
        assert server.connections.opened == 1


@both_libraries
@both_ways
@pytest.mark.parametrize("leaves", [False, True])
def test_nothing_is_left_behind(library: ModuleType, waits: bool, leaves: bool) -> None:
    if library is httpx and waits and leaves:
        pytest.skip("httpcore 1 leaves its own generator to the event loop")

    def use(events: list[Any]) -> None:
        if leaves:
            raise LookupError

    with MockServer(Reply(body=EVENTS)) as server:
        run(ours, library, server.url, waits=waits)
        with assert_no_leaks(), suppress(LookupError):
            run(ours, library, server.url, use, waits=waits)
