"""Both transports: reuse, draining, faults as our exceptions."""

import asyncio
import gzip
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import httpx2
import pytest

from endings import aread, at_once, read_all, streamed
from langchain_peer import llm_of
from millstream import OpenAI
from millstream.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    NotFoundError,
    StreamDecodeError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.testing import VERSE, Cut, Endless, MockServer, Refuse, Reply, Stall
from millstream.transport import AsyncTransport, Request, Transport
from millstream.transport.httpx2 import HTTPX2Transport
from millstream.transport.timeouts import DEFAULT_TIMEOUTS, Timeouts, read_timeouts

FRAMES = b"".join(b'data: {"choices": [{"index": 0, "text": "%d"}]}\n\n' % number for number in range(3))
END = b'data: {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
TEXTS = ["0", "1", "2", ""]


# Reuse.


@pytest.mark.usefixtures("patient")
def test_twenty_streams_in_a_row_use_one_connection(mock_server: MockServer) -> None:
    for _ in range(20):
        # Another model each time: the connections do not belong to a model.
        assert list(llm_of(mock_server).stream("p")) == list(VERSE)
    assert mock_server.connections.opened == 1


@pytest.mark.usefixtures("patient")
def test_twenty_async_streams_in_a_row_use_one_connection(mock_server: MockServer) -> None:
    async def main() -> None:
        for _ in range(20):
            assert await aread(llm_of(mock_server).astream("p")) == list(VERSE)

    asyncio.run(main())
    assert mock_server.connections.opened == 1


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_a_connection_is_reused_however_the_bodys_end_is_marked(framing: Any) -> None:
    with MockServer(Reply(framing=framing)) as server:
        for _ in range(5):
            list(llm_of(server).stream("p"))
            llm_of(server).invoke("p")
        assert server.connections.opened == 1


def test_streams_invokes_and_errors_share_a_connection(mock_server: MockServer) -> None:
    llm = llm_of(mock_server, max_retries=0)
    for _ in range(3):
        list(llm.stream("p"))
        llm.invoke("p")
        with pytest.raises(NotFoundError):
            llm_of(mock_server, max_retries=0, model="fault:status:404").invoke("p")
    assert mock_server.connections.opened == 1


def test_streams_in_many_threads_share_one_client(mock_server: MockServer) -> None:
    with ThreadPoolExecutor(8) as executor:
        results = list(executor.map(lambda _: list(llm_of(mock_server).stream("p")), range(40)))
    assert results == [list(VERSE)] * 40
    # Under load the end of a body may come too late for the next stream to take its connection.
    assert mock_server.connections.opened < 20


def test_every_loop_has_a_client_of_its_own(mock_server: MockServer) -> None:
    def in_a_loop(_: int) -> Any:
        async def main() -> Any:
            return await asyncio.gather(*(aread(llm_of(mock_server).astream("p")) for _ in range(5)))

        return asyncio.run(main())

    with ThreadPoolExecutor(3) as executor:
        results = list(executor.map(in_a_loop, range(6)))
    assert results == [[list(VERSE)] * 5] * 6
    mock_server.wait_until(lambda: mock_server.connections.open == 0)


# The end of the body.


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_waiting_for_the_end_of_a_body_has_a_limit(asynchronous: bool, transport: str) -> None:
    with MockServer(Reply(body=[FRAMES, END, b": more\n\n"], fault=Stall(after=2))) as server:
        started = time.monotonic()
        texts = streamed(llm_of(server), asynchronous)
        took = time.monotonic() - started
        assert texts == TEXTS
        # The native transport waits for the end, a second, behind the consumer's back.
        assert took < 1 if transport == "native" else took > 0.09
        assert server.wait_closed().closed_by == "client"


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_the_last_text_comes_before_the_bodys_end_is_waited_for(asynchronous: bool) -> None:
    with MockServer(Reply(body=[FRAMES, END], fault=Stall(after=2))) as server:

        async def main() -> None:
            stream = llm_of(server).astream("p")
            assert [await anext(stream) for _ in TEXTS] == TEXTS
            assert server.connections.open == 1
            await stream.aclose()

        if asynchronous:
            asyncio.run(main())
        else:
            stream = llm_of(server).stream("p")
            assert [next(stream) for _ in TEXTS] == TEXTS
            assert server.connections.open == 1
            stream.close()
        assert server.wait_closed().closed_by == "client"


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_body_that_never_ends_is_closed_too(asynchronous: bool) -> None:
    endless = [FRAMES, END, *[b": more\n\n"] * 2000]
    with MockServer(Reply(body=endless, pace=0.001)) as server:
        assert streamed(llm_of(server), asynchronous) == TEXTS
        assert server.wait_closed().closed_by == "client"


# Compression.


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_a_body_that_is_compressed_without_request_is_read(name: str, asynchronous: bool) -> None:
    data = gzip.compress(FRAMES + END) if name == "gzip" else zlib.compress(FRAMES + END)
    with MockServer(Reply(body=[data[:20], data[20:]], headers={"content-encoding": name})) as server:
        texts = streamed(llm_of(server), asynchronous)
        assert texts == TEXTS
        assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_body_that_cannot_be_decompressed_is_a_decode_error(asynchronous: bool, transport: str) -> None:
    with MockServer(Reply(body=FRAMES + END, headers={"content-encoding": "gzip"})) as server:
        with pytest.raises(StreamDecodeError, match="decompressed") as caught:
            streamed(llm_of(server), asynchronous)
        assert type(caught.value.__cause__).__name__ == ("error" if transport == "native" else "DecodingError")


# Faults before the head.


@pytest.fixture
def llms(mock_server: MockServer) -> Iterator[list[OpenAI]]:
    """Return models over the shared clients, over httpx2's and over httpx's."""
    arguments: dict[str, Any] = {"max_retries": 0, "timeout": 0.5}
    with httpx2.Client() as new, httpx.Client() as old:
        yield [llm_of(mock_server, **arguments, http_client=client) for client in (None, new, old)]


def assert_told_by(error: BaseException | None, names: tuple[str, ...]) -> None:
    """Check that the cause is the system's own error, or that of httpx2 or httpx for it."""
    assert type(error).__name__ in names
    assert type(error).__module__ in ("builtins", "httpx2", "httpx")


def test_a_refused_connection_is_a_connection_error(mock_server: MockServer, llms: list[OpenAI]) -> None:
    mock_server.reply = Reply(fault=Refuse())
    for llm in llms:
        with pytest.raises(APIConnectionError, match="before the response began") as caught:
            list(llm.stream("p"))
        assert isinstance(caught.value, ConnectionError)
        assert_told_by(caught.value.__cause__, ("ConnectionResetError", "ReadError"))
        with pytest.raises(APIConnectionError, match="before the response began"):
            llm.invoke("p")


def test_no_head_in_time_is_a_timeout(mock_server: MockServer, llms: list[OpenAI]) -> None:
    mock_server.reply = Reply(fault=Stall(after=-1))
    streams: list[Any] = [*(llm.stream("p") for llm in llms), llms[0].astream("p")]
    for items, error in at_once([partial(read_all, stream) for stream in streams]):
        assert (items, type(error)) == ([], APITimeoutError)
        assert isinstance(error, TimeoutError)


def test_a_read_that_times_out_after_the_head_is_a_stall(mock_server: MockServer, llms: list[OpenAI]) -> None:
    mock_server.reply = Reply(fault=Stall(after=2))
    for items, error in at_once([partial(read_all, llm.stream("p")) for llm in llms]):
        assert items == list(VERSE[:2])
        assert isinstance(error, StreamStalledError)
        assert error.text == "".join(items)
        assert_told_by(error.__cause__, ("TimeoutError", "ReadTimeout"))


def test_a_reset_after_the_head_is_a_truncated_stream_over_any_client(
    mock_server: MockServer, llms: list[OpenAI]
) -> None:
    mock_server.reply = Reply(fault=Cut(after=2, how="reset"))
    for llm in llms:
        with pytest.raises(StreamTruncatedError) as caught:
            list(llm.stream("p"))
        assert caught.value.text == "".join(VERSE[:2])
        assert_told_by(caught.value.__cause__, ("ConnectionResetError", "ReadError"))


def test_a_body_cut_off_in_an_invoke_is_truncated_too() -> None:
    with MockServer(Reply(body=b'{"choices": [', headers={"content-length": "1000"}, framing="close")) as server:
        with pytest.raises(StreamTruncatedError):
            llm_of(server, max_retries=0).invoke("p")
        with pytest.raises(StreamTruncatedError):
            asyncio.run(llm_of(server, max_retries=0).ainvoke("p"))


def test_an_unknown_host_and_an_invalid_url_are_connection_errors() -> None:
    for url in ("http://name.invalid/v1", "nonsense", "ftp://host/v1"):
        with pytest.raises(APIConnectionError):
            list(OpenAI(base_url=url, api_key="k", max_retries=0).stream("p"))


# Clients that are given.


def test_clients_of_httpx_and_httpx2_are_used_unchanged(mock_server: MockServer) -> None:
    with httpx.Client(headers={"x-mine": "old"}) as old, httpx2.Client(headers={"x-mine": "new"}) as new:
        for client in (old, new):
            assert list(llm_of(mock_server, http_client=client).stream("p")) == list(VERSE)
            assert llm_of(mock_server, http_client=client).invoke("p") == "".join(VERSE)
        assert not old.is_closed
        assert not new.is_closed

    async def main() -> None:
        async with httpx.AsyncClient(headers={"x-mine": "old"}) as old, httpx2.AsyncClient() as new:
            for client in (old, new):
                assert await aread(llm_of(mock_server, http_async_client=client).astream("p")) == list(VERSE)
                assert await llm_of(mock_server, http_async_client=client).ainvoke("p") == "".join(VERSE)

    asyncio.run(main())
    sent_headers = [request.headers.get("x-mine") for request in mock_server.requests]
    assert sent_headers == ["old"] * 2 + ["new"] * 2 + ["old"] * 2 + [None] * 2


def test_a_users_client_keeps_its_timeouts_unless_the_model_has_some(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stall(after=-1))
    with httpx2.Client(timeout=0.1) as client, pytest.raises(APITimeoutError):
        list(llm_of(mock_server, http_client=client, max_retries=0).stream("p"))
    with httpx2.Client(timeout=60) as client, pytest.raises(APITimeoutError):
        list(llm_of(mock_server, http_client=client, max_retries=0, timeout=0.1).stream("p"))
    with pytest.raises(APITimeoutError):
        list(llm_of(mock_server, max_retries=0).stream("p", timeout=0.1))


def test_a_mock_transport_of_httpx_is_used() -> None:
    def answer(request: Any) -> Any:
        return httpx2.Response(200, content=FRAMES + END)

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        assert list(OpenAI(api_key="k", http_client=client).stream("p")) == TEXTS


# Redirects and cookies.


def test_a_redirect_is_not_followed(mock_server: MockServer) -> None:
    with MockServer(Reply(body=b"", status=307, headers={"location": mock_server.url + "/completions"})) as server:
        with pytest.raises(APIStatusError, match="redirect to .*not followed"):
            list(llm_of(server).stream("p"))
        with pytest.raises(APIStatusError, match="redirect to .*not followed"):
            asyncio.run(aread(llm_of(server).astream("p")))
    assert mock_server.requests == []


def test_cookies_of_a_response_are_not_sent_with_other_requests() -> None:
    with MockServer(Reply(headers={"set-cookie": "session=abc; Path=/"})) as server:
        for _ in range(2):
            list(llm_of(server).stream("p"))
        assert all("cookie" not in request.headers for request in server.requests)


# Timeouts.


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (3, Timeouts(3.0, 3.0, 3.0, 3.0)),
        (0.5, Timeouts(0.5, 0.5, 0.5, 0.5)),
        ((1, 2), Timeouts(1.0, 2.0, 2.0, 2.0)),
        ((1, None, 3, 4), Timeouts(1.0, None, 3.0, 4.0)),
        (httpx.Timeout(7, connect=2), Timeouts(2.0, 7.0, 7.0, 7.0)),
        (httpx2.Timeout(None), Timeouts(None, None, None, None)),
        (DEFAULT_TIMEOUTS, DEFAULT_TIMEOUTS),
    ],
)
def test_timeouts_are_seconds_tuples_or_httpxs(value: Any, expected: Timeouts | None) -> None:
    assert read_timeouts(value) == expected


@pytest.mark.parametrize("value", ["5", True, (1,), object()])
def test_an_invalid_timeout_is_an_error(value: Any) -> None:
    with pytest.raises(TypeError, match="timeout"):
        read_timeouts(value)
    with pytest.raises(ValueError, match="negative"):
        read_timeouts(-1)


# The protocol.


def test_the_httpx2_transport_implements_the_protocols(mock_server: MockServer) -> None:
    transport = HTTPX2Transport()
    serves: Transport = transport
    aserves: AsyncTransport = transport
    body = b'{"model": "m", "prompt": "p", "stream": true}'
    request = Request("POST", mock_server.url + "/completions", {"content-type": "application/json"}, body)
    response = serves.open(request)
    assert (response.status, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    reads = iter(response)
    first = next(reads)
    rest = b"".join(response)
    assert first.startswith(b"data: ")
    assert (first + rest).endswith(b"data: [DONE]\n\n")
    response.drain()
    response.close()
    response.close()

    async def main() -> None:
        response = await aserves.aopen(request)
        data = b""
        while reads := await response.read():
            data += b"".join(reads)
        assert data.endswith(b"data: [DONE]\n\n")
        await response.adrain()
        await response.aclose()
        await response.aclose()

    asyncio.run(main())


def test_a_request_shows_neither_headers_nor_query() -> None:
    request = Request("POST", "http://u:canary@host/path?key=canary", {"authorization": "canary"}, b"12")
    assert repr(request) == "Request(POST http://host/path, 2 bytes)"


def test_a_response_that_does_not_stream_has_a_time_limit_of_its_own(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Endless())
    llm = llm_of(mock_server, max_retries=0, total_timeout=0.2)
    with pytest.raises(StreamStalledError) as sync_error:
        list(llm.stream("p"))

    with pytest.raises(StreamStalledError) as async_error:
        asyncio.run(aread(llm.astream("p")))
    for failed in (sync_error, async_error):
        assert failed.value.text
        assert isinstance(failed.value.__cause__, TimeoutError)
