"""Whatever the wire does, a stream ends with the right text or a typed error, and leaves nothing behind."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from endings import read_into
from langchain_peer import KEY
from marks import both_ways
from millstream import OpenAI
from millstream.errors import (
    APIConnectionError,
    APITimeoutError,
    StreamError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.testing import (
    VERSE,
    Chunking,
    Compress,
    Cut,
    Drip,
    Endless,
    Fault,
    Garble,
    GiantHead,
    Interim,
    MockServer,
    Redirect,
    Reply,
    Send,
    Stale,
    Stall,
    assert_no_leaks,
    refusing_url,
    unaccepting_url,
)
from wire_cases import CASES, WHOLE, Case, Ending

# Nobody should wait for as long as this; if somebody does, the test fails instead of hanging.
FAR = {"timeout": 20, "stream_chunk_timeout": 20}


@pytest.fixture(autouse=True)
def leaks_nothing(no_leaks: assert_no_leaks) -> None:
    """Have every test leave nothing behind but idle connections in pools."""


def model(url: str, **arguments: Any) -> OpenAI:
    return OpenAI(base_url=url, api_key=KEY, **{"max_retries": 0, **FAR, **arguments})


def read(llm: OpenAI) -> tuple[str, Exception | None]:
    """Return the text of one stream and the exception that ended it."""
    chunks: list[str] = []
    try:
        for chunk in llm.stream("p"):
            chunks.append(chunk)  # noqa: PERF402
    except Exception as error:
        return "".join(chunks), error
    return "".join(chunks), None


async def aread(llm: OpenAI) -> tuple[str, Exception | None]:
    """:func:`read` for async streams."""
    chunks: list[str] = []
    try:
        await read_into(chunks, llm.astream("p"))
    except Exception as error:
        return "".join(chunks), error
    return "".join(chunks), None


def read_in_turn(
    *llms: OpenAI, asynchronous: bool, between: Callable[[], bool] = lambda: True, server: MockServer | None = None
) -> list[tuple[str, Exception | None]]:
    """Read streams one after another, in one loop if they are async; return their texts and errors.

    ``between`` becomes true at ``server`` after each of them; then their loop has nothing left to do.
    """

    async def main() -> list[tuple[str, Exception | None]]:
        got = []
        for llm in llms:
            # A connection that the server ends meanwhile is closed in some turn of the loop after that.
            async with assert_no_leaks():
                got.append(await aread(llm))
                if server is not None:
                    await server.await_until(between)
        return got

    if asynchronous:
        return asyncio.run(main())
    got = []
    for llm in llms:
        got.append(read(llm))
        if server is not None:
            server.wait_until(between)
    return got


def assert_ends(got: tuple[str, Exception | None], ending: Ending) -> None:
    text, error = got
    if ending.error is None:
        assert got == (ending.text, None)
        return
    assert (text, type(error)) == (ending.text, ending.error)
    assert error is not None
    assert (error.__cause__ is not None) is ending.caused
    assert not isinstance(error, StreamError) or error.text == ending.text


@both_ways
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_stream_with_a_fault_of_the_wire_is_whole_or_a_typed_error(
    case: Case, asynchronous: bool, transport: str, mock_server: MockServer, request: pytest.FixtureRequest
) -> None:
    if case.reused:
        request.getfixturevalue("patient")
    mock_server.script.append(case.reply)
    llm, another = model(mock_server.url, **case.limits), model(mock_server.url)

    def is_over() -> bool:
        return case.reused is not False or connections[1].closed

    connections = mock_server.connections
    first, second = read_in_turn(llm, another, asynchronous=asynchronous, between=is_over, server=mock_server)
    assert_ends(first, case.differs.get(transport, case.ending))
    # Whatever happened to one stream, the next one is whole.
    assert_ends(second, WHOLE)
    if case.reused is not None:
        assert mock_server.connections.opened == (1 if case.reused else 2)
    mock_server.release()
    mock_server.wait_until(lambda: mock_server.connections.open <= (0 if asynchronous else 1))


@both_ways
@pytest.mark.parametrize(
    ("url", "error", "timeout"), [(refusing_url, APIConnectionError, 20), (unaccepting_url, APITimeoutError, 0.2)]
)
def test_a_connection_that_cannot_be_made_is_a_typed_error(
    url: Callable[[], AbstractContextManager[str]], error: type[Exception], timeout: float, asynchronous: bool
) -> None:
    with url() as address:
        (got,) = read_in_turn(model(address, timeout=timeout), asynchronous=asynchronous)
        assert_ends(got, Ending("", error))


@both_ways
@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("absolute", [False, True], ids=["path", "url"])
def test_only_the_native_transport_follows_a_redirect_to_the_same_origin(
    status: int, absolute: bool, asynchronous: bool, transport: str, mock_server: MockServer
) -> None:
    location = mock_server.url + "/completions" if absolute else ""
    mock_server.script.append(Reply(fault=Redirect(status, location)))
    (got,) = read_in_turn(model(mock_server.url), asynchronous=asynchronous)
    if transport == "httpx2":
        # httpx2 is configured to follow no redirects.
        assert f"Error code: {status}" in str(got[1])
        return
    assert_ends(got, WHOLE)
    assert [request.body for request in mock_server.requests] == [mock_server.requests[0].body] * 2


@both_ways
@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_connection_that_closes_as_it_is_reused_is_replaced(
    how: Any, asynchronous: bool, transport: str, mock_server: MockServer
) -> None:
    mock_server.reply = Reply(fault=Stale(how))
    llm = model(mock_server.url, max_retries=1)
    got = read_in_turn(llm, llm, asynchronous=asynchronous)
    assert got == [(WHOLE.text, None)] * 2
    assert [connection.requests for connection in mock_server.connections] == [2, 1]


@both_ways
@pytest.mark.parametrize("how", ["fin", "reset"])
def test_without_retries_a_request_is_sent_once(how: Any, asynchronous: bool, mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stale(how))
    llm = model(mock_server.url, max_retries=0)
    first, (text, error) = read_in_turn(llm, llm, asynchronous=asynchronous)
    assert first == (WHOLE.text, None)
    assert (text, type(error)) == ("", APIConnectionError)
    assert [connection.requests for connection in mock_server.connections] == [2]


@both_ways
def test_a_connection_that_was_closed_while_idle_is_replaced(asynchronous: bool, mock_server: MockServer) -> None:
    mock_server.script.append(Reply(fault=Cut("body", "fin")))
    connections = mock_server.connections
    llm = model(mock_server.url)
    got = read_in_turn(llm, llm, asynchronous=asynchronous, between=lambda: connections[1].closed, server=mock_server)
    assert got == [(WHOLE.text, None)] * 2
    assert [connection.requests for connection in connections] == [1, 1]


@both_ways
@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", b"\r\n", b"x"])
def test_data_after_a_response_is_not_read_as_the_next_response(
    data: bytes, asynchronous: bool, transport: str, mock_server: MockServer
) -> None:
    mock_server.script.append(Reply(fault=Send(data, after="body")))
    llm = model(mock_server.url)
    got = read_in_turn(
        llm, llm, asynchronous=asynchronous, between=lambda: mock_server.requests[0].over, server=mock_server
    )
    assert got == [(WHOLE.text, None)] * 2
    assert [connection.requests for connection in mock_server.connections] == [1, 1]


# Answers that do not stream.

DOCUMENTS: list[tuple[Fault | tuple[Fault, ...], type[Exception] | None]] = [
    (Cut("accept"), APIConnectionError),
    (Cut("request", "fin"), APIConnectionError),
    (Cut("half-head", "fin"), APIConnectionError),
    (GiantHead(), APIConnectionError),
    (Garble("conflicting-lengths"), APIConnectionError),
    (Stall("half-head"), APITimeoutError),
    (Cut("head", "reset"), StreamTruncatedError),
    (Cut("head", "fin"), StreamTruncatedError),
    (Cut(0, "reset"), StreamTruncatedError),
    (Cut(0, "fin"), StreamTruncatedError),
    (Garble("chunk-size"), StreamTruncatedError),
    (Stall("head"), StreamStalledError),
    (Cut("body", "reset"), None),
    (Interim(), None),
    (Chunking(), None),
    (Compress(), None),
    ((Drip(), Interim(), Chunking()), None),
]


@both_ways
@pytest.mark.parametrize(("fault", "error"), DOCUMENTS)
def test_an_answer_that_does_not_stream_is_whole_or_a_typed_error(
    fault: Fault | tuple[Fault, ...], error: type[Exception] | None, asynchronous: bool, mock_server: MockServer
) -> None:
    mock_server.reply = Reply(fault=fault)
    llm = model(mock_server.url, **({"timeout": 0.3} if isinstance(fault, Stall) else {}))

    def invoke() -> str:
        return asyncio.run(llm.ainvoke("p")) if asynchronous else llm.invoke("p")

    if error is None:
        assert invoke() == WHOLE.text
        return
    with pytest.raises(error) as caught:
        invoke()
    assert type(caught.value) is error


# Leaving.


@both_ways
@pytest.mark.parametrize(
    "fault", [Endless(3, data=None), Endless(3), None], ids=["endless pieces", "endless comments", "a verse"]
)
def test_a_stream_that_is_left_closes_its_connection(
    fault: Fault | None, asynchronous: bool, transport: str, mock_server: MockServer, no_leaks: assert_no_leaks
) -> None:
    mock_server.reply = Reply(fault=fault, pace=0.001)
    # httpx2 reads through generators one in another, and each takes its turn to close.
    turns = 10 if transport == "httpx2" else 3

    async def main() -> None:
        async with assert_no_leaks(turns=turns):
            async for _ in model(mock_server.url).astream("p"):
                break

    if asynchronous:
        asyncio.run(main())
    else:
        for _ in model(mock_server.url).stream("p"):
            break
    assert mock_server.wait_closed().closed_by == "client"


@both_ways
def test_a_consumer_that_does_not_read_slows_the_server(asynchronous: bool, mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Endless(3, data=None, send_buffer_size=65_536), pieces_per_write=100)
    connections = mock_server.connections

    async def main() -> None:
        async with model(mock_server.url).astream("p") as stream:
            assert await anext(stream) == VERSE[0]
            await mock_server.await_until(lambda: connections[1].blocked)

    if asynchronous:
        asyncio.run(main())
    else:
        with model(mock_server.url).stream("p") as stream:
            assert next(stream) == VERSE[0]
            mock_server.wait_until(lambda: connections[1].blocked)
    # The kernel's buffers of both ends, and one read of ours.
    assert connections[1].bytes_sent < 8_000_000
    assert mock_server.wait_closed().closed_by == "client"
