"""How streams over the responses of every HTTP client end: whole, cut off, with an error, or left by their consumer."""

import asyncio
import weakref
from collections.abc import Iterator
from contextlib import _GeneratorContextManager
from traceback import walk_tb
from typing import Any

import httpx
import httpx2
import pytest
import zstandard

from http_clients import BODY, Leave, collect, every_client, raised_by
from millstream.errors import (
    APIStatusError,
    EventTooLargeError,
    ProviderError,
    RateLimitError,
    StreamDecodeError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.integrations import httpx_sse
from millstream.integrations.responses import adecode, aiter_sse, decode, iter_sse
from millstream.testing import Compress, Cut, Endless, ErrorFrame, ErrorStatus, MockServer, Redirect, Reply, Stall
from millstream.testing import assert_no_leaks as no_leaks

CHAT = "/chat/completions"
EXIT = _GeneratorContextManager.__exit__.__code__
ABC = Reply(pieces=["a", "b", "c", "d"])
# The library of the exception that is the cause: the client's own, as its users know it.
LIBRARIES = {
    "httpx": "httpx",
    "httpx2": "httpx2",
    "requests": "requests.exceptions",
    "urllib3": "urllib3.exceptions",
    "urllib": "http.client",
    "openai": "httpx2",
    "aiohttp": "aiohttp.client_exceptions",
}


def reply(*faults: Any, **options: Any) -> Reply:
    return Reply(pieces=["a", "b", "c", "d"], fault=faults, **options)


@every_client()
@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_stream_that_is_cut_off_raises_with_what_arrived(client: str, how: Any) -> None:
    with MockServer(reply(Cut(3, how, inside="chunk"))) as server:
        items, error = raised_by(client, server.url + CHAT)
    assert type(error) is StreamTruncatedError
    assert str(error).startswith("the connection broke in mid-stream: ")
    library = LIBRARIES[client.removeprefix("async ")]
    # A reset of the connection is an OSError of Python's own in some clients.
    assert type(error.__cause__).__module__.startswith((library, "builtins") if how == "reset" else library)
    if how == "fin":
        assert (items, error.text) == (["a", "b", "c"], "abc")
    assert error.text == "".join(items)


@every_client()
@pytest.mark.parametrize("framing", ["close", "chunked"])
def test_a_body_that_ends_without_its_end_mark_is_cut_off(client: str, framing: Any) -> None:
    fault = Cut(3, "end") if framing == "chunked" else Cut(3, "fin")
    with MockServer(reply(fault, framing=framing)) as server:
        items, error = raised_by(client, server.url + CHAT)
    assert (items, type(error), error.text) == (["a", "b", "c"], StreamTruncatedError, "abc")


@every_client()
def test_an_error_in_the_stream_raises_with_the_text_so_far(client: str) -> None:
    with MockServer(reply(ErrorFrame(after=2))) as server:
        items, error = raised_by(client, server.url + CHAT)
        deltas, second = raised_by(client, server.url + CHAT, "decode", "deltas")
    assert (items, type(error), error.text) == (["a", "b"], ProviderError, "ab")
    assert "".join(delta.text or "" for delta in deltas) == "ab"
    assert (type(second), second.error) == (ProviderError, error.error)


@every_client(but=("openai", "urllib"))
@pytest.mark.parametrize("read", ["decode", "iter_sse"])
def test_an_error_status_raises_with_the_reason_of_the_server(client: str, read: str) -> None:
    with MockServer(reply(ErrorStatus(429, message="Slow down."))) as server:
        items, error = raised_by(client, server.url + CHAT, read)
    assert (items, type(error)) == ([], RateLimitError)
    assert str(error) == "Error code: 429 - Slow down."
    assert error.headers["content-type"] == "application/json"


def test_a_redirect_is_not_a_stream() -> None:
    with MockServer(reply(Redirect(307, "/elsewhere"))) as server:
        _, error = raised_by("httpx", server.url + CHAT)
    assert type(error) is APIStatusError
    assert "a redirect to /elsewhere" in str(error)


@every_client()
def test_the_timeout_of_the_client_is_a_stall(client: str) -> None:
    with MockServer(reply(Stall(2))) as server:
        items, error = raised_by(client, server.url + CHAT, timeout=0.2)
    assert (items, type(error), error.text) == (["a", "b"], StreamStalledError, "ab")
    assert str(error) == "the connection timed out in mid-stream: nothing arrived in time"
    assert error.__cause__ is not None


@every_client(but=("urllib",))
def test_a_connection_is_used_again_after_the_end_of_its_stream(client: str) -> None:
    with MockServer(ABC) as server:
        assert "".join(collect(client, server.url + CHAT, times=3)) == "abcd" * 3
        assert server.connections.opened == 1


@every_client()
@pytest.mark.parametrize("fault", [Endless("done"), Stall("done")], ids=repr)
def test_a_body_that_does_not_end_after_its_stream_is_not_waited_for(client: str, fault: Any) -> None:
    with MockServer(reply(fault)) as server:
        assert "".join(collect(client, server.url + CHAT, times=2)) == "abcdabcd"
        assert server.connections.opened == 2


@every_client()
@pytest.mark.parametrize("fault", [(Stall(2),), (Compress(), Stall(2))], ids=["identity", "gzip"])
def test_leaving_a_stream_closes_its_connection_at_once(client: str, fault: Any) -> None:
    def visit(items: list[Any]) -> None:
        if len(items) == 2:
            raise Leave

    with MockServer(reply(*fault)) as server:
        assert collect(client, server.url + CHAT, visit=visit) == ["a", "b"]
        assert server.wait_closed().closed_by == "client"


@every_client()
def test_leaving_the_events_closes_the_connection_at_once(client: str) -> None:
    def visit(items: list[Any]) -> None:
        raise Leave

    with MockServer(Reply(body=[b"data: 1\n\n", b"data: 2\n\n"], fault=Stall(1))) as server:
        assert len(collect(client, server.url + CHAT, "iter_sse", visit=visit)) == 1
        assert server.wait_closed().closed_by == "client"


@pytest.mark.parametrize("read", [decode, iter_sse])
@pytest.mark.parametrize("steps", [0, 1])
def test_closing_a_stream_closes_the_response_even_before_it_begins(read: Any, steps: int) -> None:
    with MockServer(reply(Stall(2))) as server, httpx.Client() as client:
        response = client.send(client.build_request("POST", server.url + CHAT, json=BODY), stream=True)
        with no_leaks():
            with read(response) as stream:
                for _ in range(steps):
                    next(stream)
            assert response.is_closed
            assert server.wait_closed().closed_by == "client"


@pytest.mark.parametrize("read", [adecode, aiter_sse])
@pytest.mark.parametrize("steps", [0, 1])
def test_closing_an_async_stream_closes_the_response_even_before_it_begins(read: Any, steps: int) -> None:
    async def main() -> None:
        async with httpx.AsyncClient() as client:
            response = await client.send(client.build_request("POST", server.url + CHAT, json=BODY), stream=True)
            async with read(response) as stream:
                for _ in range(steps):
                    await anext(stream)
            assert response.is_closed
            await server.await_closed()

    with MockServer(reply(Stall(2))) as server:
        asyncio.run(main())


@pytest.mark.usefixtures("without_the_collector")
def test_dropping_a_stream_closes_the_response() -> None:
    with MockServer(reply(Stall(2))) as server, httpx.Client() as client:
        response = client.send(client.build_request("POST", server.url + CHAT, json=BODY), stream=True)
        for _ in decode(response):
            break
        assert response.is_closed
        assert server.wait_closed().closed_by == "client"


def test_cancelling_the_task_that_reads_closes_the_response() -> None:
    async def main() -> None:
        async with httpx.AsyncClient() as client:
            response = await client.send(client.build_request("POST", server.url + CHAT, json=BODY), stream=True)
            begun = asyncio.Event()

            async def read() -> None:
                async for _ in adecode(response):
                    begun.set()

            task = asyncio.create_task(read())
            await begun.wait()
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            assert response.is_closed
            await server.await_closed()

    with MockServer(reply(Stall(2))) as server:
        asyncio.run(main())


@every_client()
def test_an_exception_of_the_consumer_closes_the_connection(client: str) -> None:
    def visit(items: list[Any]) -> None:
        raise LookupError

    with MockServer(reply(Stall(2))) as server:
        with pytest.raises(LookupError):
            collect(client, server.url + CHAT, visit=visit)
        assert server.wait_closed().closed_by == "client"


@every_client()
def test_a_broken_connection_raises_the_exception_of_the_client_from_events(client: str) -> None:
    with MockServer(Reply(body=[b"data: 1\n\n", b"data: 2\n\n", b"data: 3"], fault=Cut(2, "fin"))) as server:
        items, error = raised_by(client, server.url + CHAT, "iter_sse")
    assert [event.data for event in items] == ["1", "2"]
    assert type(error).__module__.startswith(LIBRARIES[client.removeprefix("async ")])


@every_client()
def test_an_event_that_is_too_large_ends_the_stream(client: str) -> None:
    body = [b"data: 1\n\n", b"data: " + b"x" * 5000, b"x" * 5000]
    with MockServer(Reply(body=body, fault=Stall(2))) as server:
        items, error = raised_by(client, server.url + CHAT, "iter_sse", max_event_size=1000)
        assert server.wait_closed().closed_by == "client"
    assert ([event.data for event in items], type(error)) == (["1"], EventTooLargeError)


@pytest.mark.parametrize("output", ["text", "deltas", "records"])
def test_an_event_of_a_model_that_is_too_large_ends_the_stream(output: Any) -> None:
    body = [b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n', b"data: " + b"x" * 5000]
    stream: Any = decode(body, output, max_event_size=1000)
    assert next(stream)
    with pytest.raises(EventTooLargeError) as raised:
        next(stream)
    assert raised.value.text == "a"


def test_a_response_of_another_type_is_not_read_as_events() -> None:
    with MockServer(Reply(body=b'{"a": 1}', content_type="application/json")) as server:
        _, error = raised_by("httpx", server.url + CHAT, "iter_sse")
        assert type(error) is StreamDecodeError
        assert "its content-type is 'application/json', not 'text/event-stream'" in str(error)
        with httpx.stream("POST", server.url + CHAT) as response:
            assert list(iter_sse(response.iter_bytes())) == []


@every_client(but=("aiohttp",))
@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, br"])
def test_data_that_cannot_be_decompressed_ends_the_stream(client: str, coding: str) -> None:
    with MockServer(Reply(body=b"data: not compressed\n\n", headers={"content-encoding": coding})) as server:
        items, error = raised_by(client, server.url + CHAT)
    assert (items, type(error)) == ([], StreamDecodeError)
    assert "the body cannot be decompressed (" in str(error) or "its body cannot be decompressed (" in str(error)


@pytest.mark.parametrize("client", ["httpx", "async httpx"])
def test_a_coding_that_only_the_client_can_read_is_read_by_it(client: str) -> None:
    compressor = zstandard.ZstdCompressor().compressobj()
    first = compressor.compress(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n')
    writes = [first + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)]
    writes.append(compressor.compress(b"data: [DONE]\n\n") + compressor.flush())
    reply = Reply(body=writes, headers={"content-encoding": "zstd"}, fault=Stall(1))
    with MockServer(reply) as server:
        assert collect(client, server.url + CHAT, visit=lambda _: server.release()) == ["a"]


def test_an_exception_of_an_iterable_is_raised_unchanged() -> None:
    def body() -> Iterator[bytes]:
        try:
            yield b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'
            try:
                raise KeyError
            except KeyError:
                raise LookupError("mine")  # noqa: B904
        finally:
            closed.append(True)

    for read in (decode, iter_sse):
        closed: list[bool] = []
        stream: Any = read(body())
        next(stream)
        with pytest.raises(LookupError, match="mine") as raised:
            next(stream)
        assert type(raised.value.__context__) is KeyError
        assert not raised.value.__suppress_context__
        assert closed == [True]


def break_the_cycle(error: BaseException | None) -> None:
    """Break the cycle in which the exceptions of httpx2 are from Python 3.12 on, whoever reads the response.

    The frame of ``__exit__`` of :mod:`contextlib` holds the exception that httpx2 replaces there. The traceback of
    that exception leads to this frame, and from there to all callers.
    """
    while error is not None:
        for frame, _ in walk_tb(error.__traceback__):
            if (caller := frame.f_back) is not None and caller.f_code is EXIT:
                caller.clear()
        error = error.__cause__ or error.__context__


@pytest.mark.usefixtures("without_the_collector")
@pytest.mark.parametrize("read", [decode, iter_sse, lambda response: httpx_sse.EventSource(response).iter_sse()])
@pytest.mark.parametrize("fault", [Cut(3), ErrorFrame(2)], ids=repr)
def test_a_response_is_freed_after_an_error_without_the_collector(read: Any, fault: Any) -> None:
    with MockServer(reply(fault)) as server, httpx2.Client() as client:
        response = client.send(client.build_request("POST", server.url + CHAT, json=BODY), stream=True)
        freed = weakref.ref(response)
        try:
            list(read(response))
        except Exception as error:
            break_the_cycle(error)
        del response
        assert freed() is None


@pytest.mark.usefixtures("without_the_collector")
@pytest.mark.parametrize("read", [adecode, aiter_sse, lambda response: httpx_sse.EventSource(response).aiter_sse()])
def test_an_async_response_is_freed_after_an_error_without_the_collector(read: Any) -> None:
    async def main() -> None:
        async with httpx2.AsyncClient() as client:
            response = await client.send(client.build_request("POST", server.url + CHAT, json=BODY), stream=True)
            freed = weakref.ref(response)
            try:
                async for _ in read(response):
                    pass
            except Exception as error:
                break_the_cycle(error)
            del response
            assert freed() is None

    with MockServer(reply(Cut(3))) as server:
        asyncio.run(main())


@every_client()
def test_nothing_is_left_behind(client: str) -> None:
    with MockServer(reply()) as server:
        collect(client, server.url + CHAT)
        with no_leaks():
            collect(client, server.url + CHAT)
