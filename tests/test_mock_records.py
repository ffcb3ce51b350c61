"""What the mock server sees of its clients, and its own life."""

import asyncio
import gc
import json
import socket
import threading

import httpx2
import openai
import pytest

from millstream.testing import Cut, ErrorFrame, Fault, MockServer, Reply, Stall, varied
from mock_clients import post, texts


def test_requests_are_recorded(mock_server: MockServer) -> None:
    body = {"model": "m", "prompt": "hello", "stream": True}
    httpx2.post(mock_server.url + "/completions", json=body, headers={"X-Own": "1"})
    (request,) = mock_server.requests
    assert (request.number, request.connection_id) == (1, 1)
    assert (request.method, request.path) == ("POST", "/v1/completions")
    assert (request.body, json.loads(request.data), request.headers["x-own"]) == (body, body, "1")
    assert (request.pieces_sent, request.answered) == (28, True)


def test_a_reply_can_depend_on_the_request(mock_server: MockServer, client: openai.OpenAI) -> None:
    mock_server.reply = lambda request: Reply(pieces=[f"number {request.number}"])
    assert [texts(client)[0] for _ in range(2)] == ["number 1", "number 2"]


def test_a_client_that_leaves_is_seen_at_once(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stall(after=1))
    with httpx2.stream("POST", mock_server.url + "/completions", json={"prompt": "p", "stream": True}) as response:
        parts = response.iter_raw()
        next(parts)
        assert mock_server.connections.open == 1
    assert mock_server.wait_closed(1).closed_by == "client"
    assert (mock_server.connections.opened, mock_server.connections.closed) == (1, 1)
    assert not mock_server.requests[0].answered


def test_a_client_that_leaves_stops_an_endless_stream(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["word "] * 1_000_000)
    with httpx2.stream("POST", mock_server.url + "/completions", json={"prompt": "p", "stream": True}) as response:
        next(response.iter_raw())
    mock_server.wait_closed()
    assert mock_server.requests[0].pieces_sent < 1_000_000


def test_async_code_waits_without_blocking(mock_server: MockServer) -> None:
    async def leave_early() -> None:
        mock_server.reply = Reply(fault=Stall(after=1))
        async with httpx2.AsyncClient() as client:
            body = {"prompt": "p", "stream": True}
            async with client.stream("POST", mock_server.url + "/completions", json=body) as response:
                parts = response.aiter_raw()
                await anext(parts)
                await mock_server.await_until(lambda: len(mock_server.requests) == 1)
                with pytest.raises(TimeoutError, match="connection 1 is closed"):
                    await mock_server.await_closed(timeout=0.01)
            assert (await mock_server.await_closed()).closed_by == "client"

    asyncio.run(leave_early())


def test_a_wait_has_a_timeout(mock_server: MockServer) -> None:
    with pytest.raises(TimeoutError, match=r"not within 0\.01 s: the condition"):
        mock_server.wait_until(lambda: False, timeout=0.01)


def test_an_error_in_a_condition_is_raised_in_the_waiting_code(mock_server: MockServer) -> None:
    with pytest.raises(IndexError):
        mock_server.wait_until(lambda: mock_server.requests[0].answered)


@pytest.mark.parametrize("fault", [None, ErrorFrame(after=1), Cut(after=1, how="end")])
def test_a_body_without_a_mark_ends_with_its_connection(mock_server: MockServer, fault: Fault | None) -> None:
    mock_server.reply = Reply(framing="close", fault=fault)
    assert post(mock_server.url).content.startswith(b"data: ")
    assert mock_server.wait_closed().closed_by == "server"


def test_a_hundred_streams_at_once_are_all_whole() -> None:
    pieces = varied(50, seed=3)

    async def read(client: httpx2.AsyncClient, url: str) -> str:
        response = await client.post(url, json={"prompt": "p", "stream": True})
        events = response.text.split("\n\n")
        return "".join(json.loads(event[6:])["choices"][0]["text"] for event in events[:-2])

    async def read_all(server: MockServer) -> list[str]:
        async with httpx2.AsyncClient() as client:
            return await asyncio.gather(*(read(client, server.url + "/completions") for _ in range(100)))

    with MockServer(Reply(pieces=pieces, pieces_per_write=5)) as server:
        assert set(asyncio.run(read_all(server))) == {"".join(pieces)}


def test_stopping_closes_connections_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with (
        MockServer(Reply(fault=Stall(after=0))) as server,
        socket.create_connection(("127.0.0.1", server.port)) as sock,
    ):
        server.wait_until(lambda: server.connections.open == 1)
        assert threading.active_count() == before + 1
        server.stop()
        assert sock.recv(1) == b""
        assert server.connections[1].closed_by == "server"
    assert threading.active_count() == before
    gc.collect()


def test_it_listens_on_loopback_alone(mock_server: MockServer) -> None:
    assert mock_server.origin == f"http://127.0.0.1:{mock_server.port}"
    assert mock_server.url == mock_server.origin + "/v1"


def test_it_starts_from_async_code_too() -> None:
    async def ask() -> int:
        async with MockServer() as server, httpx2.AsyncClient() as client:
            return (await client.get(server.url + "/models")).status_code

    assert asyncio.run(ask()) == 200


def test_a_taken_port_is_an_error_at_the_start(mock_server: MockServer) -> None:
    with pytest.raises(OSError, match="in use"):
        MockServer(port=mock_server.port).start()
    with pytest.raises(RuntimeError, match="started already"):
        mock_server.start()


def test_an_error_in_a_reply_function_is_raised_by_stop() -> None:
    def broken(prompt: str, index: int) -> list[str]:
        raise LookupError(f"no text for {prompt!r}")

    with pytest.raises(LookupError, match="no text for 'p'"), MockServer(Reply(pieces=broken)) as server:  # noqa: SIM117
        with pytest.raises(httpx2.ReadError):
            post(server.url)
