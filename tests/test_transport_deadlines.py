"""A request ends within its time limits, however slowly the server sends its bytes; over both transports."""

import asyncio
import gzip
import itertools
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest

from langchain_peer import KEY
from marks import both_ways, over_both
from millstream import OpenAI
from millstream.errors import APIStatusError, APITimeoutError, StreamStalledError
from millstream.testing import MockServer
from scripted import read_request, scripted

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
FRAME = b'data: {"choices": [{"index": 0, "text": "x"}]}\n\n'
# Longer than every limit here, and the end of a test that waits in vain.
LONG = 10.0


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def sending(pieces: Callable[[], Iterator[bytes]], pace: float = 0.01) -> Callable[[socket.socket], None]:
    """Return a script that answers a request with ``pieces``, one every ``pace`` seconds."""

    def script(sock: socket.socket) -> None:
        read_request(sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ends = time.monotonic() + LONG
        for piece in pieces():
            sock.sendall(piece)
            if pace:
                time.sleep(pace)
            if time.monotonic() > ends:
                return

    return script


def read(url: str, asynchronous: bool, transport: str, **arguments: Any) -> str:
    """Return a whole stream."""
    llm = OpenAI(base_url=url, api_key=KEY, transport=transport, **{"max_retries": 0, **arguments})

    async def main() -> list[str]:
        return [text async for text in llm.astream("p")]

    return "".join(asyncio.run(main()) if asynchronous else llm.stream("p"))


def forever(*pieces: bytes, first: bytes = b"") -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.chain([first] if first else [], itertools.cycle(pieces))


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    """Load the transports, and what they need for their first request, before any time is measured."""
    transports = ("native", "httpx2") if find_spec("millstream._core") else ("httpx2",)
    with MockServer() as server:
        for transport, asynchronous in itertools.product(transports, (False, True)):
            read(server.url, asynchronous, transport)


# The total time.


@both_ways
@over_both
@pytest.mark.parametrize("pace", [0.01, 0])
@pytest.mark.parametrize("data", [FRAME, b": keep-alive\n\n"], ids=["text", "comments"])
def test_a_flood_ends_with_the_total_time(data: bytes, pace: float, transport: str, asynchronous: bool) -> None:
    pieces = forever(chunk(data) * 20, first=HEAD)
    with scripted(sending(pieces, pace)) as url, pytest.raises(StreamStalledError) as caught:
        read(url, asynchronous, transport, total_timeout=0.5)
    assert "the response did not end within 0.5 s" in str(caught.value.__cause__)


@both_ways
@over_both
def test_the_total_time_counts_the_head(transport: str, asynchronous: bool) -> None:
    pieces = forever(b"a: b\r\n", first=b"HTTP/1.1 200 OK\r\n")
    with scripted(sending(pieces)) as url, pytest.raises(APITimeoutError, match=r"did not end within 0.3 s"):
        read(url, asynchronous, transport, total_timeout=0.3)


@pytest.mark.usefixtures("native")
@both_ways
def test_a_redirect_does_not_begin_the_total_time_anew(asynchronous: bool) -> None:
    redirected: list[float] = []

    def redirecting(sock: socket.socket) -> None:
        read_request(sock)
        time.sleep(1.0)
        redirected.append(time.monotonic())
        sock.sendall(b"HTTP/1.1 307 Go\r\nlocation: /v1/other\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")

    dripping = sending(forever(chunk(FRAME), first=HEAD))
    # On a slow machine the time is over before the second response begins.
    late = pytest.raises((StreamStalledError, APITimeoutError))
    with scripted(redirecting, dripping) as url, late as caught:
        read(url, asynchronous, "native", total_timeout=1.2)
    assert time.monotonic() - redirected[0] < 1.2
    assert "did not end within 1.2 s" in f"{caught.value} {caught.value.__cause__}"


# Heads.


@both_ways
@over_both
@pytest.mark.parametrize(
    "pieces",
    [
        forever(b"a: b\r\n", first=b"HTTP/1.1 200 OK\r\n"),
        forever(b"HTTP/1.1 100 Continue\r\n\r\n"),
        forever(b"x", first=b"HTTP/1.1 200 "),
    ],
    ids=["headers", "interim heads", "a status line"],
)
def test_a_head_that_drips_ends_with_the_timeout(
    pieces: Callable[[], Iterator[bytes]], transport: str, asynchronous: bool
) -> None:
    with scripted(sending(pieces)) as url, pytest.raises(APITimeoutError, match="before the response began: timed out"):
        read(url, asynchronous, transport, timeout=0.3)


# Bodies without output.


def empty_blocks() -> Iterator[bytes]:
    """Yield a gzip body whose blocks hold nothing."""
    deflate = zlib.compressobj(wbits=31)
    yield deflate.compress(FRAME) + deflate.flush(zlib.Z_SYNC_FLUSH)
    while True:
        yield deflate.flush(zlib.Z_FULL_FLUSH) or b"\x00\x00\x00\xff\xff"


def empty_members() -> Iterator[bytes]:
    yield gzip.compress(FRAME)
    while True:
        yield gzip.compress(b"") * 50


def lines_of_chunks() -> Iterator[bytes]:
    yield HEAD + chunk(FRAME)
    yield b"5"
    while True:
        yield b" "


def trailers() -> Iterator[bytes]:
    yield HEAD + chunk(FRAME) + b"0\r\n"
    while True:
        yield b"a: b\r\n"


def compressed(pieces: Callable[[], Iterator[bytes]]) -> Callable[[], Iterator[bytes]]:
    head = HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n")
    return lambda: itertools.chain([head], map(chunk, pieces()))


@both_ways
@over_both
@pytest.mark.parametrize("pace", [0.01, 0])
@pytest.mark.parametrize(
    "pieces", [compressed(empty_blocks), compressed(empty_members)], ids=["empty blocks", "empty members"]
)
def test_compressed_data_without_output_is_a_stall(
    pieces: Callable[[], Iterator[bytes]], pace: float, transport: str, asynchronous: bool
) -> None:
    with scripted(sending(pieces, pace)) as url, pytest.raises(StreamStalledError, match="keep-alives") as caught:
        read(url, asynchronous, transport, stream_chunk_timeout=0.6)
    assert caught.value.text == "x"


@both_ways
@over_both
@pytest.mark.parametrize("pieces", [lines_of_chunks, trailers])
def test_framing_that_drips_is_a_stall(
    pieces: Callable[[], Iterator[bytes]], transport: str, asynchronous: bool
) -> None:
    with scripted(sending(pieces)) as url, pytest.raises(StreamStalledError) as caught:
        read(url, asynchronous, transport, stream_chunk_timeout=0.6)
    assert caught.value.text == "x"


# Bodies of errors.


@both_ways
@over_both
@pytest.mark.parametrize("status", [b"503 No", b"300 Many"])
def test_an_errors_body_that_drips_ends_with_the_timeout(status: bytes, transport: str, asynchronous: bool) -> None:
    head = b"HTTP/1.1 " + status + b"\r\ncontent-length: 1000000\r\n\r\nsorry"
    started = time.monotonic()
    refused = pytest.raises(APIStatusError, match=r"Error code: \d+ - sorry!+")
    with scripted(sending(forever(b"!", first=head))) as url, refused:
        read(url, asynchronous, transport, timeout=0.3)
    assert time.monotonic() - started < 5


@both_ways
@over_both
def test_a_retry_follows_an_errors_body_that_drips(transport: str, asynchronous: bool) -> None:
    head = b"HTTP/1.1 503 No\r\ncontent-length: 1000000\r\nretry-after-ms: 1\r\n\r\nsorry"

    def good() -> Iterator[bytes]:
        yield HEAD + chunk(FRAME) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"

    with scripted(sending(forever(b"!", first=head)), sending(good)) as url:
        assert read(url, asynchronous, transport, timeout=0.3, max_retries=1) == "x"


# Clients that are given.


@both_ways
@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_users_client_observes_the_deadlines_too(library: Any, asynchronous: bool) -> None:
    dripping = sending(forever(b"a: b\r\n", first=b"HTTP/1.1 200 OK\r\n"))

    def refused(url: str, client: Any) -> OpenAI:
        name = "http_async_client" if asynchronous else "http_client"
        return OpenAI(base_url=url, api_key=KEY, max_retries=0, stream_chunk_timeout=0.3, **{name: client})

    async def aread(url: str) -> None:
        async with library.AsyncClient() as client:
            with pytest.raises(APITimeoutError, match="before the response began"):
                await refused(url, client).ainvoke("p", timeout=0.3)
            with pytest.raises(StreamStalledError):
                [text async for text in refused(url, client).astream("p")]

    with scripted(dripping, sending(lines_of_chunks)) as url:
        if asynchronous:
            asyncio.run(aread(url))
            return
        with library.Client() as client:
            with pytest.raises(APITimeoutError, match="before the response began"):
                refused(url, client).invoke("p", timeout=0.3)
            with pytest.raises(StreamStalledError):
                list(refused(url, client).stream("p"))


def test_a_unix_socket_of_a_users_client_is_reached(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def serve() -> None:
            sock, _ = listener.accept()
            with sock:
                read_request(sock)
                sock.sendall(HEAD + chunk(FRAME) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        with httpx2.Client(transport=httpx2.HTTPTransport(uds=path)) as client:
            llm = OpenAI(base_url="http://name.example/v1", api_key=KEY, http_client=client, max_retries=0)
            assert list(llm.stream("p")) == ["x"]
        thread.join()


@both_ways
def test_the_total_time_includes_the_wait_for_the_pool_of_a_users_client(asynchronous: bool) -> None:
    limits = httpx2.Limits(max_connections=1)

    async def aread(url: str) -> None:
        async with httpx2.AsyncClient(limits=limits) as client:
            llm = OpenAI(base_url=url, api_key=KEY, max_retries=0, total_timeout=0.3, http_async_client=client)
            first = llm.astream("p")
            assert await anext(first) == "x"
            with pytest.raises(APITimeoutError, match=r"did not end within 0.3 s"):
                await anext(llm.astream("p"))
            await first.aclose()

    with scripted(sending(forever(chunk(FRAME), first=HEAD)), sending(lines_of_chunks)) as url:
        if asynchronous:
            asyncio.run(aread(url))
            return
        with httpx2.Client(limits=limits) as client:
            llm = OpenAI(base_url=url, api_key=KEY, max_retries=0, total_timeout=0.3, http_client=client)
            first = iter(llm.stream("p"))
            assert next(first) == "x"
            with pytest.raises(APITimeoutError, match=r"did not end within 0.3 s"):
                next(iter(llm.stream("p")))
