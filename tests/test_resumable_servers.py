"""Resumable streams over real servers: a client that loses one goes on with another, without a lost or doubled byte."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest

from event_source import EventSource
from millstream.server.resumable import parse_position
from millstream.testing import MockServer, Reply, Stall
from resumable_stores import SHARED, place_for

TESTS = Path(__file__).parent
PIECES = [f"piece {number}, " for number in range(60)]


class Server:
    """A server in a process of its own."""

    def __init__(self, place: str, upstream: str, lease: float = 10.0) -> None:
        command = [sys.executable, str(TESTS / "resumable_server.py"), place, upstream, str(lease)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal, and return the exit status."""
        self.process.send_signal(how)
        return self.process.wait(60)

    def close(self) -> None:
        """End it, if it runs."""
        if self.process.poll() is None:
            self.end()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(params=SHARED)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with place_for(request.param, tmp_path) as place:
        yield place


@contextmanager
def servers(place: str, upstream: MockServer, count: int, lease: float = 10.0) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        found = [Server(place, upstream.url, lease) for _ in range(count)]
        for server in found:
            stack.callback(server.close)
        yield found


def text_of(source: EventSource) -> str:
    documents = [json.loads(data) for kind, data in source.events if kind == "message" and data != "[DONE]"]
    return "".join(document.get("delta", "") for document in documents)


def assert_without_gaps(source: EventSource) -> None:
    places = [parse_position(text) for text in source.ids]
    epoch = places[0].epoch
    own = [place.seq for place in places if place.epoch == epoch]
    assert own == list(range(1, len(own) + 1))
    # The records of a lost writer's end have the next epoch.
    rest = [place for place in places if place.epoch != epoch]
    assert [(place.epoch, place.seq) for place in rest] == [(epoch + 1, number + 1) for number in range(len(rest))]


def test_a_client_whose_connection_breaks_goes_on_at_another_server(place: str) -> None:
    with MockServer(Reply(pieces=PIECES, pace=0.005)) as upstream, servers(place, upstream, 3) as found:

        async def main() -> None:
            source = EventSource(lambda: f"{found[source.connections % 3].url}/source/s1")
            # It leaves after each few records, and comes back to the next server.
            for enough in range(7, 1000, 7):
                await source.run(lambda enough=enough: len(source.events) >= enough)  # type: ignore[misc]
                if source.failed_with is not None:
                    break
            assert source.failed_with == 204
            assert_without_gaps(source)
            assert text_of(source) == "".join(PIECES)
            whole = EventSource(lambda: f"{found[1].url}/streams/s1")
            await whole.run()
            assert (whole.events, whole.ids) == (source.events, source.ids)

        asyncio.run(main())
        assert len(upstream.requests) == 1


def test_an_event_source_costs_one_answer_however_often_it_connects(place: str) -> None:
    with MockServer(Reply(pieces=PIECES)) as upstream, servers(place, upstream, 2) as found:

        async def main() -> None:
            urls = [f"{server.url}/source/one" for server in found]
            sources = [EventSource(partial(str, url)) for url in urls * 2]
            await asyncio.gather(*(source.run() for source in sources))
            for source in sources:
                assert (source.failed_with, text_of(source)) == (204, "".join(PIECES))
                assert source.connections == 2
                await source.run()

        asyncio.run(main())
        assert len(upstream.requests) == 1


@pytest.mark.parametrize("after", [1, 4, 17, 33, 59])
def test_a_client_whose_server_is_killed_gets_all_that_was_stored_and_an_explicit_end(place: str, after: int) -> None:
    reply = Reply(pieces=PIECES, pace=0.002, fault=Stall(after=after))
    with MockServer(reply) as upstream, servers(place, upstream, 2, lease=0.5) as (first, second):

        async def main() -> None:
            url = first.url
            source = EventSource(lambda: f"{url}/source/killed")
            await source.run(lambda: len(source.events) >= after)
            first.end()
            url = second.url
            await source.run()
            assert source.failed_with == 204
            assert_without_gaps(source)
            whole = EventSource(lambda: f"{second.url}/streams/killed")
            await whole.run()
            stored = whole.ids[: len(whole.ids) - 2]
            # The client may have had records that were not stored yet; it has missed and doubled none.
            assert source.ids[: len(stored)] == stored
            assert source.events[: len(stored)] == whole.events[: len(stored)]
            assert source.ids[-2:] == whole.ids[-2:]
            assert "".join(PIECES).startswith(text_of(source))
            error, done = source.events[-2:]
            assert "the server that generated the answer was lost" in json.loads(error[1])["errorText"]
            assert done[1] == "[DONE]"

        asyncio.run(main())
        assert len(upstream.requests) <= 1


def test_a_server_that_is_shut_down_records_it_for_the_others(place: str) -> None:
    reply = Reply(pieces=PIECES, fault=Stall(after=5))
    with MockServer(reply) as upstream, servers(place, upstream, 2) as (first, second):

        async def main() -> None:
            url = first.url
            source = EventSource(lambda: f"{url}/source/ended")
            await source.run(lambda: len(source.events) >= 5)
            first.end(signal.SIGTERM)
            url = second.url
            await source.run()
            assert_without_gaps(source)
            assert "the server was shut down" in source.events[-2][1]

        asyncio.run(main())
        upstream.wait_closed()


def test_the_routes_begin_follow_and_stop_a_stream(place: str) -> None:
    reply = Reply(pieces=PIECES, fault=Stall(after=5))
    with MockServer(reply) as upstream, servers(place, upstream, 2) as (first, second):
        with httpx2.stream("POST", f"{first.url}/streams?wire=openai.chat", timeout=30) as response:
            name = response.headers["millstream-stream-id"]
            epoch = int(response.headers["millstream-stream-epoch"])
            assert response.headers["location"] == f"/streams/{name}"
            assert response.headers["content-type"].startswith("text/event-stream")
            head = next(response.iter_raw())
            assert head.startswith(f"retry: 10\nid: {epoch}-1\ndata: ".encode())
        # The client has left; a second request of the same id costs nothing.
        with httpx2.stream("POST", f"{second.url}/streams/{name}", timeout=30) as response:
            assert next(response.iter_raw()).startswith(head[:40])
        one = f"{second.url}/streams/{name}"
        assert httpx2.delete(one).status_code == 202
        upstream.wait_closed()
        data = httpx2.get(one, timeout=30).content
        assert b'"code":"stopped"' in data
        assert httpx2.delete(one).status_code == 204
        last = data.rpartition(b"id: ")[2].partition(b"\n")[0].decode()
        assert httpx2.get(one, headers={"Last-Event-ID": last}).status_code == 204
        for position in ("x", "1", "-1-1", f"{epoch}-1 "):
            expected = 200 if position == "1" else 400
            assert httpx2.get(one, params={"last_event_id": position}).status_code == expected
        gone = httpx2.get(one, params={"last_event_id": f"{epoch - 9}-1"})
        error = gone.json()["error"]
        assert (gone.status_code, error["type"], error["code"]) == (410, "not_resumable", "superseded")
        unknown = httpx2.get(f"{first.url}/streams/unknown")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown")
        assert len(upstream.requests) == 1


def test_a_position_never_begins_a_stream(place: str) -> None:
    with MockServer(Reply(pieces=PIECES)) as upstream, servers(place, upstream, 1) as (server,):
        response = httpx2.get(f"{server.url}/source/gone", headers={"Last-Event-ID": "7-3"})
        assert (response.status_code, response.json()["error"]["type"]) == (404, "not_resumable")
        assert httpx2.get(f"{server.url}/source/gone", headers={"Last-Event-ID": "7"}).status_code == 404
        assert httpx2.get(f"{server.url}/source/gone", headers={"Last-Event-ID": "x"}).status_code == 400
        assert upstream.requests == []
