"""``RemoteRunnable`` continues a stream whose connection broke, where the server keeps its streams."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from endings import read_all
from millstream import RemoteRunnable, StreamTruncatedError
from millstream.providers.http import retry
from millstream.runnables import RunnableGenerator
from millstream.server import add_routes
from millstream.server.resumable import MemoryStore
from millstream.testing import assert_no_leaks
from serving import serve

PIECES = [f"piece {number} \u2028 ü" for number in range(20)]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST_DELAY", 0.001)


async def chunks(inputs: Any) -> AsyncIterator[str]:
    async for _ in inputs:
        pass
    for piece in PIECES:
        await asyncio.sleep(0)
        yield piece


class Proxy:
    """Passes connections on, and cuts each of the first ones after so many bytes of its answer."""

    def __init__(self, url: str, cuts: list[int]) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._target = (host, int(port))
        self._cuts = iter(cuts)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.opened = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            client, _ = self._listening.accept()
            with client:
                request = self._read(client)
                if request == b"stop":
                    return
                self.opened += 1
                with suppress(ConnectionError):
                    self._pass_on(client, request, next(self._cuts, -1))

    def _read(self, client: socket.socket) -> bytes:
        """Return a whole request."""
        data = client.recv(1 << 16)
        length = re.search(rb"content-length: (\d+)", data, re.IGNORECASE)
        while length is not None and len(data) < data.index(b"\r\n\r\n") + 4 + int(length[1]):
            data += client.recv(1 << 16)
        return data

    def _pass_on(self, client: socket.socket, request: bytes, left: int) -> None:
        """Send one request, and pass its answer on until the cut."""
        with socket.create_connection(self._target) as server:
            server.sendall(request.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1))
            while left and (data := server.recv(left if left > 0 else 1 << 16)):
                client.sendall(data)
                left -= len(data) if left > 0 else 0

    def stop(self) -> None:
        with socket.create_connection(self._listening.getsockname()) as last:
            last.sendall(b"stop")
            self._thread.join(20)
        self._listening.close()


@contextmanager
def serving(**options: Any) -> Iterator[str]:
    app = FastAPI()
    add_routes(app, RunnableGenerator(chunks), path="/chain", input_type=str, include_input=True, **options)
    with serve(app) as url:
        yield url


@contextmanager
def cutting(url: str, cuts: list[int]) -> Iterator[Proxy]:
    proxy = Proxy(url, cuts)
    try:
        yield proxy
    finally:
        proxy.stop()


@contextmanager
def proxied(cuts: list[int], **options: Any) -> Iterator[Proxy]:
    with serving(**options) as url, cutting(url, cuts) as proxy:
        yield proxy


# Within the head, within an event, at the end of one, and just before the end.
CUTS = [[600], [700, 450], [900, 500, 501], [1200, 300, 350, 400, 450]]


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("method", ["stream", "astream"])
def test_no_chunk_is_lost_or_doubled(method: str, cuts: list[int]) -> None:
    with proxied(cuts, store=MemoryStore()) as proxy:
        remote: Any = RemoteRunnable(f"{proxy.url}/chain", max_resumes=5)
        items, error = read_all(getattr(remote, method)("x"))
        assert error is None
        assert items == PIECES
        assert proxy.opened == len(cuts) + 1


@pytest.mark.parametrize("method", ["stream", "astream", "astream_events", "astream_log"])
def test_a_cut_at_any_place_is_survived(method: str) -> None:
    with serving(store=MemoryStore()) as url:
        direct: Any = RemoteRunnable(f"{url}/chain")
        whole, _ = read_all(getattr(direct, method)("x"))
        for place in range(560, 1400, 29):
            with cutting(url, [place]) as proxy:
                remote: Any = RemoteRunnable(f"{proxy.url}/chain")
                items, error = read_all(getattr(remote, method)("x"))
            assert error is None
            assert len(items) == len(whole)
            assert items == whole or not method.endswith("stream")


@pytest.mark.parametrize("method", ["stream", "astream"])
def test_without_a_store_the_stream_is_truncated(method: str) -> None:
    with proxied([700]) as proxy:
        remote: Any = RemoteRunnable(f"{proxy.url}/chain")
        items, error = read_all(getattr(remote, method)("x"))
        assert isinstance(error, StreamTruncatedError)
        assert items == PIECES[: len(items)]
        assert error.text == "".join(items)
        assert proxy.opened == 1


@pytest.mark.parametrize("method", ["stream", "astream"])
def test_it_gives_up_when_nothing_more_arrives(method: str) -> None:
    with proxied([700, 10, 10, 700], store=MemoryStore()) as proxy:
        remote: Any = RemoteRunnable(f"{proxy.url}/chain", max_resumes=2)
        items, error = read_all(getattr(remote, method)("x"))
        assert isinstance(error, StreamTruncatedError)
        assert items == PIECES[: len(items)]
        assert proxy.opened == 3
        none: Any = RemoteRunnable(f"{proxy.url}/chain", max_resumes=0)
        assert isinstance(read_all(getattr(none, method)("x"))[1], StreamTruncatedError)
        assert proxy.opened == 4


def test_a_stream_that_is_left_after_it_was_continued_leaves_nothing() -> None:
    def leave() -> None:
        with proxied([700], store=MemoryStore()) as proxy:
            remote: Any = RemoteRunnable(f"{proxy.url}/chain")

            async def main() -> None:
                async with remote.astream("x") as items:
                    for _ in range(15):
                        await anext(items)

            asyncio.run(main())
            with remote.stream("x") as items:
                next(items)

    leave()
    with assert_no_leaks():
        leave()


def scripted(location: str, rest: Response) -> Starlette:
    """Return an app whose stream ends early, and whose place answers with ``rest``."""

    async def begin(request: Request) -> Response:
        content = iter([b'id: 1-1\nevent: data\ndata: "a"\n\n'])
        return StreamingResponse(content, headers={"location": location}, media_type="text/event-stream")

    async def follow(request: Request) -> Response:
        assert request.headers["last-event-id"] == "1-1"
        assert request.headers["authorization"] == "Bearer k"
        return rest

    app = Starlette()
    app.add_route("/chain/stream", begin, methods=["POST"])
    app.add_route("/chain/streams/1", follow)
    return app


@pytest.mark.parametrize("method", ["stream", "astream"])
@pytest.mark.parametrize("status", [204, 404, 410])
def test_a_server_says_that_it_has_nothing_more(method: str, status: int) -> None:
    with serve(scripted("/chain/streams/1", Response(status_code=status))) as url:
        remote: Any = RemoteRunnable(f"{url}/chain", api_key="k")
        items, error = read_all(getattr(remote, method)("x"))
    assert items == ["a"]
    assert (error is None) is (status == 204)


@pytest.mark.parametrize("method", ["stream", "astream"])
def test_no_key_is_sent_to_another_server(method: str) -> None:
    with serve(scripted("http://127.0.0.1:9/chain/streams/1", Response())) as url:
        remote: Any = RemoteRunnable(f"{url}/chain", api_key="k")
        items, error = read_all(getattr(remote, method)("x"))
    assert items == ["a"]
    assert str(error) == "the stream ended before its end event"
