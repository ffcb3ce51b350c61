"""The streams of version 3 of the events: read by many, left early, cut off."""

import asyncio
import gc
from typing import Any

import pytest
import trio
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from endings import aread, assert_closed_by_us, at_once, read_into
from langchain_peer import KEY
from millstream import ChatOpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.errors import APIStatusError, StreamStalledError, StreamTruncatedError
from millstream.events.protocol.message_accumulator import MessageAccumulator
from millstream.testing import VERSE, Cut, ErrorStatus, MockServer, Reply, Stall
from user_code import run

PIECES = [piece for piece in VERSE if piece]

pytestmark = pytest.mark.usefixtures("without_the_collector", "patient")


def model(server: MockServer, **arguments: Any) -> Any:
    return ChatOpenAI(base_url=server.url, api_key=KEY, **{"max_retries": 0, **arguments})


def opened(server: MockServer) -> Any:
    return model(server).stream_events("p", version="v3")


async def aopened(server: MockServer) -> Any:
    return await model(server).astream_events("p", version="v3")


# Reading.


def test_nothing_is_requested_until_something_is_read(mock_server: MockServer) -> None:
    stream = opened(mock_server)

    async def main() -> None:
        await aopened(mock_server)

    run(main)
    assert not mock_server.requests
    assert not stream.done
    assert next(iter(stream.text)) == VERSE[0]
    assert len(mock_server.requests) == 1


def test_every_reader_sees_everything_from_the_start(mock_server: MockServer) -> None:
    stream = opened(mock_server)
    first = iter(stream.text)
    assert next(first) == VERSE[0]
    assert list(stream.text) == PIECES
    assert list(first) == PIECES[1:]
    assert list(stream) == list(stream)
    assert str(stream.text) == stream.output.text == stream.output_message.text == "".join(VERSE)
    assert_valid_event_stream(list(stream))
    assert len(mock_server.requests) == 1


def test_the_message_is_not_there_before_its_end(mock_server: MockServer) -> None:
    stream = opened(mock_server)
    assert stream.output_message is None
    next(iter(stream))
    assert stream.output_message is None
    assert not stream.done
    assert stream.has_events


def test_usage_is_that_of_the_message(mock_server: MockServer) -> None:
    asking = model(mock_server, stream_usage=True)
    stream = asking.stream_events("p", version="v3")
    assert stream.usage == stream.output.usage_metadata
    assert stream.usage["total_tokens"] > 0

    async def main() -> Any:
        opened = await asking.astream_events("p", version="v3")
        return await opened.usage

    assert run(main) == stream.usage


def test_several_tasks_read_one_stream_without_a_task_of_its_own(mock_server: MockServer) -> None:
    async def main() -> None:
        stream = await aopened(mock_server)
        readers = [asyncio.create_task(aread(stream.text)) for _ in range(2)]
        whole = asyncio.ensure_future(_value(stream.output))
        events = await aread(stream)
        assert len(asyncio.all_tasks()) <= 4
        for text in await asyncio.gather(*readers):
            assert text == PIECES
        assert (await whole).text == "".join(VERSE)
        assert (await stream) is (await stream.output)
        assert_valid_event_stream(events)

    run(main)
    assert len(mock_server.requests) == 1


async def _value(projection: Any) -> Any:
    return await projection


@pytest.mark.parametrize("arguments", [{}, {"output_version": "v1"}, {"callbacks": [BaseCallbackHandler()]}])
def test_a_stream_of_a_model_of_ours_has_no_task(mock_server: MockServer, arguments: dict[str, Any]) -> None:
    async def main() -> None:
        async for _ in await model(mock_server, **arguments).astream_events("p", version="v3"):
            assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main)


def test_streams_that_were_read_share_a_connection(mock_server: MockServer) -> None:
    one = model(mock_server)
    for _ in range(3):
        assert one.stream_events("p", version="v3").output.text == "".join(VERSE)
    assert mock_server.connections.opened == 1


def test_several_threads_read_one_stream(mock_server: MockServer) -> None:
    stream = opened(mock_server)
    reads = [lambda: list(stream.text), lambda: list(stream), lambda: stream.output.text, lambda: list(stream.text)]
    found = at_once(reads)
    assert found[0] == found[3] == PIECES
    assert found[2] == "".join(VERSE)
    assert_valid_event_stream(found[1])
    assert len(mock_server.requests) == 1


def test_streams_run_under_trio(mock_server: MockServer) -> None:
    async def main() -> None:
        async with await aopened(mock_server) as stream:
            assert [piece async for piece in stream.text] == PIECES
            assert (await stream.output).text == "".join(VERSE)

    trio.run(main)


def test_a_loop_without_await_is_told_of_it(mock_server: MockServer) -> None:
    async def main() -> None:
        async for _ in model(mock_server).astream_events("p", version="v3"):
            pass

    with pytest.raises(TypeError, match="in await model.astream_events"):
        run(main)


def test_filters_are_for_chains(mock_server: MockServer) -> None:
    with pytest.raises(ValueError, match="among the models of a chain"):
        model(mock_server).stream_events("p", version="v3", include_names=["a"])


# Leaving.


def test_break_closes_when_the_last_reference_goes(server: MockServer) -> None:
    for _ in opened(server):
        break
    assert_closed_by_us(server)


def test_a_projection_alone_keeps_the_stream_open(server: MockServer) -> None:
    text = opened(server).text
    pieces = iter(text)
    assert next(pieces) == VERSE[0]
    assert server.connections.open == 1
    del text, pieces
    assert_closed_by_us(server)


def test_close_and_with_close_the_connection_at_once(server: MockServer) -> None:
    stream = opened(server)
    next(iter(stream.text))
    stream.close()
    assert_closed_by_us(server)
    stream.close()
    assert repr(stream.text) == repr(VERSE[0])
    with pytest.raises(RuntimeError, match="closed before its end"):
        list(stream)
    with pytest.raises(RuntimeError, match="closed before its end"):
        stream.output  # noqa: B018


def test_with_closes_the_connection(server: MockServer) -> None:
    with opened(server) as stream:
        next(iter(stream))
    assert_closed_by_us(server)


def test_a_stream_that_was_not_read_is_closed_without_a_request(mock_server: MockServer) -> None:
    async def main() -> None:
        async with await aopened(mock_server) as stream:
            pass
        with pytest.raises(asyncio.CancelledError):
            await stream.output

    run(main)
    opened(mock_server).close()
    assert not mock_server.requests


@pytest.mark.parametrize("how", ["break", "aclose", "async with", "cancel"])
def test_leaving_an_async_stream_closes_the_connection_at_once(server: MockServer, how: str) -> None:
    async def main() -> None:
        stream = await aopened(server)
        if how == "break":
            async for _ in stream.text:
                break
        elif how == "aclose":
            await anext(aiter(stream))
            await stream.aclose()
        elif how == "async with":
            async with stream:
                await anext(aiter(stream.text))
        else:
            await _cancel_reader(stream)
            with pytest.raises(asyncio.CancelledError):
                await stream.output
        del stream
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    run(main)
    assert_closed_by_us(server)


async def _cancel_reader(stream: Any) -> None:
    received = asyncio.Event()

    async def read() -> None:
        async for _ in stream.text:
            received.set()

    task = asyncio.create_task(read())
    await received.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("transport", ["native", "httpx2"], indirect=True)
def test_aclose_stops_a_task_that_reads(transport: str, server: MockServer) -> None:
    async def main() -> None:
        stream = await aopened(server)
        reading = asyncio.create_task(aread(stream))
        waiting = asyncio.create_task(_value(stream.output))
        async for _ in stream.text:
            break
        await stream.aclose()
        await stream.aclose()
        assert server.wait_closed(timeout=10).closed_by == "client"
        for task in (reading, waiting):
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main)


# Failing.


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(fault=Cut(3)), StreamTruncatedError),
        (Reply(fault=ErrorStatus(429)), APIStatusError),
        (Reply(fault=Stall(3)), StreamStalledError),
    ],
)
def test_a_stream_that_fails_raises_behind_what_arrived(reply: Reply, error: Any, asynchronous: bool) -> None:
    with MockServer(reply) as server:
        failing = model(server, stream_chunk_timeout=0.2)
        events: list[Any] = []

        async def main() -> Any:
            stream = await failing.astream_events("p", version="v3")
            with pytest.raises(error):
                await read_into(events, stream)
            for projection in (stream.text, stream.tool_calls, stream.output, stream.usage):
                with pytest.raises(error):
                    await projection
            return stream

        if asynchronous:
            stream = run(main)
        else:
            stream = failing.stream_events("p", version="v3")
            with pytest.raises(error):
                events.extend(stream)
            for projection in (stream.text, stream.tool_calls):
                with pytest.raises(error):
                    projection.get()
        assert stream.done
        assert stream.output_message is None
        kinds = [event["event"] for event in events]
        assert "message-finish" not in kinds
        assert "content-block-finish" not in kinds
        if error is not APIStatusError:
            assert kinds[:2] == ["message-start", "content-block-start"]
            assert [event["delta"]["text"] for event in events[2:]] == list(VERSE[:3])


def test_a_stream_that_failed_is_freed_without_the_collector() -> None:
    with MockServer(Reply(fault=Cut(3))) as server:
        failing = [opened(server)]
        with pytest.raises(StreamTruncatedError):
            list(failing.pop())
    assert not [one for one in gc.get_objects() if type(one) is MessageAccumulator]


def test_an_async_stream_that_failed_is_freed_without_the_collector() -> None:
    async def main() -> None:
        failing = [await aopened(server)]
        with pytest.raises(StreamTruncatedError):
            async for _ in failing.pop():
                pass

    with MockServer(Reply(fault=Cut(3))) as server:
        run(main)
    assert not [one for one in gc.get_objects() if type(one) is MessageAccumulator]
