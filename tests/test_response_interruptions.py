"""A response's own cancellations reach neither the app's hooks nor the code around the response."""

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest
import uvloop

from asgi_calls import Client
from millstream import OpenAI
from millstream.errors import StreamTruncatedError
from millstream.server import EventStreamResponse
from millstream.testing import VERSE, MockServer, Reply


@pytest.mark.parametrize("has_begun", [False, True], ids=["before the head", "in the stream"])
def test_a_client_that_leaves_does_not_interrupt_on_error(has_begun: bool) -> None:
    async def main() -> None:
        client, reported = Client(), []

        async def chunks() -> AsyncIterator[str]:
            if has_begun:
                yield "a"
            raise ValueError

        async def report(error: Exception) -> None:
            client.leave()
            for _ in range(5):
                await asyncio.sleep(0)
            reported.append(error)

        response = EventStreamResponse(chunks(), on_error=report, wait_for_first_chunk=not has_begun)
        await client.call(response)
        assert [type(error) for error in reported] == [ValueError]
        assert not client.is_whole
        assert _cancelling() == 0

    asyncio.run(main())


def test_a_client_that_leaves_after_a_send_timeout_does_not_interrupt_on_error() -> None:
    async def main() -> None:
        reported: list[Exception] = []

        async def report(error: Exception) -> None:
            client.leave()
            for _ in range(5):
                await asyncio.sleep(0)
            reported.append(error)

        async def chunks() -> AsyncIterator[bytes]:
            yield b"a"

        async def wait(message: Any) -> None:
            await asyncio.Event().wait()

        client = Client(lambda message: wait(message) if "body" in message else None)
        with pytest.raises(StreamTruncatedError):
            await client.call(EventStreamResponse(chunks(), on_error=report, send_timeout=0.01))
        assert [type(error) for error in reported] == [TimeoutError]
        assert _cancelling() == 0

    asyncio.run(main())


def test_a_cancellation_from_outside_interrupts_on_error() -> None:
    async def main() -> None:
        client = Client()

        async def chunks() -> AsyncIterator[str]:
            yield "a"
            raise ValueError

        async def report(error: Exception) -> None:
            client.leave()
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.Event().wait()

        task = asyncio.create_task(client.call(EventStreamResponse(chunks(), on_error=report)))
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_stream_that_ends_in_place_of_being_cancelled_leaves_no_cancellation_behind() -> None:
    async def main() -> None:
        client = Client()

        async def chunks() -> AsyncIterator[str]:
            yield "a"
            client.leave()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return

        await client.call(EventStreamResponse(chunks()))
        assert _cancelling() == 0

    asyncio.run(main())


@pytest.mark.usefixtures("native")
def test_messages_sent_from_the_callback_have_the_variables_that_the_head_set() -> None:
    variable, seen = ContextVar("variable", default=0), []

    def on_send(message: Any) -> None:
        if "status" in message:
            variable.set(1)
        seen.append(variable.get())

    with MockServer(Reply(pace=0.001)) as server:
        client = Client(on_send)
        llm = OpenAI(base_url=server.url, api_key="k")
        asyncio.run(client.call(EventStreamResponse(llm.astream_records("p", wire="ndjson"))))
    assert client.is_direct
    assert set(seen) == {1}


# Policies are deprecated since Python 3.14, and work until 3.16.
@pytest.mark.filterwarnings("ignore:.*olicy. is deprecated:DeprecationWarning")
def test_the_mock_server_runs_on_the_loop_of_the_policy() -> None:
    policy = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        with MockServer() as server:
            assert OpenAI(base_url=server.url, api_key="k").invoke("p") == "".join(VERSE)
    finally:
        asyncio.set_event_loop_policy(policy)


def _cancelling() -> int:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()
