"""The one timer of all responses of a loop: keep-alive bytes, send timeouts, farewells; and what it leaves behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.background import BackgroundTask

from asgi_calls import Client
from millstream import OpenAI
from millstream.server import EventStreamResponse, keep_alive, shut_down
from millstream.server.bodies import AsyncItems
from millstream.testing import MockServer, Reply, Stall
from user_code import run, settled

PING = b": keep-alive\n"


async def waiting(event: asyncio.Event, *first: Any) -> AsyncIterator[Any]:
    for item in first:
        yield item
    await event.wait()
    yield "last"


def tickers() -> int:
    return len(keep_alive._tickers)


def test_all_responses_of_a_loop_share_one_timer() -> None:
    async def main() -> None:
        event = asyncio.Event()
        clients = [Client() for _ in range(20)]
        calls = [client.call(EventStreamResponse(waiting(event), ping_interval=0.02)) for client in clients]
        tasks = [asyncio.create_task(call) for call in calls]
        await settled(lambda: all(client.body.count(PING) >= 2 for client in clients))
        timers = [handle for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
        # One more is of the test.
        assert len(timers) <= 2
        assert tickers() == 1
        event.set()
        await asyncio.gather(*tasks)
        assert tickers() == 0
        assert all(client.body.endswith(b"data: last\n\n") for client in clients)

    run(main)


def test_a_ping_comes_before_the_first_item_and_never_between_the_parts_of_one() -> None:
    async def main() -> bytes:
        event = asyncio.Event()
        client = Client(suspends=True)
        task = asyncio.create_task(client.call(EventStreamResponse(waiting(event), ping_interval=0.01)))
        await settled(lambda: PING in client.body)
        event.set()
        await task
        return client.body

    body = run(main)
    assert body.replace(PING, b"") == b"data: last\n\n"


def test_a_ping_is_sent_after_a_silence_and_not_after_an_item() -> None:
    async def main() -> None:
        items: asyncio.Queue[str] = asyncio.Queue()

        async def queued() -> AsyncIterator[str]:
            while item := await items.get():
                yield item

        client = Client()
        task = asyncio.create_task(client.call(EventStreamResponse(queued(), ping_interval=1000)))
        await settled(lambda: bool(client.messages))
        loop = asyncio.get_running_loop()
        (relay,) = keep_alive._tickers[loop]._responses
        now = loop.time()
        relay.check(now)
        relay.check(now + 900)
        items.put_nowait("item")
        await settled(lambda: len(client.messages) == 2)
        # The item starts the silence anew.
        assert relay.check(now + 1100) == now + 2100
        assert relay.check(now + 2000) == now + 2100
        await asyncio.sleep(0)
        assert PING not in client.body
        relay.check(now + 2100)
        await settled(lambda: PING in client.body)
        items.put_nowait("")
        await task

    run(main)


def test_a_ping_that_fails_ends_the_response() -> None:
    async def main() -> None:
        def on_send(message: Any) -> None:
            if message.get("body") == PING:
                raise OSError("gone")

        client = Client(on_send)
        await client.call(EventStreamResponse(waiting(asyncio.Event()), ping_interval=0.01))
        assert not client.is_whole

    run(main)


@pytest.mark.parametrize("suspends", [False, True], ids=["from the callback", "from the task"])
def test_a_client_that_does_not_read_is_left_after_the_timeout(suspends: bool) -> None:
    async def main() -> list[str]:
        stuck = asyncio.Event()

        def on_send(message: Any) -> Any:
            return stuck.wait() if b"piece 3" in message.get("body", b"") else None

        errors: list[str] = []
        client = Client(on_send, suspends=suspends)
        pieces = [f"piece {number}" for number in range(100)]
        with MockServer(Reply(pieces=pieces, pace=0.002)) as server:
            llm = OpenAI(base_url=server.url, api_key="k")
            response = EventStreamResponse(
                llm.astream_records("p", wire="vercel.ui"),
                send_timeout=0.05,
                on_error=lambda error: errors.append(type(error).__name__),
            )
            with pytest.raises(EOFError, match="the connection is cut"):
                await client.call(response)
            assert (await server.await_closed()).closed_by == "client"
        return errors

    assert run(main) == ["TimeoutError"]


# Farewells.


def test_a_farewell_is_an_error_of_the_wire() -> None:
    async def main() -> None:
        client = Client()
        with MockServer(Reply(fault=Stall(after=2))) as server:
            llm = OpenAI(base_url=server.url, api_key="k")
            task = asyncio.create_task(client.call(EventStreamResponse(llm.astream_records("p"))))
            await server.await_until(lambda: bool(server.requests) and server.requests[-1].pieces_sent == 2)
            await shut_down(grace=0.01)
            await task
            assert (await server.await_closed()).closed_by == "client"
        assert client.is_whole
        assert b'"the server is shutting down' in client.body

    run(main)


def test_a_response_that_ends_by_itself_says_no_farewell() -> None:
    async def main() -> None:
        event, client = asyncio.Event(), Client()
        task = asyncio.create_task(client.call(EventStreamResponse(waiting(event), farewell=b"data: bye\n\n")))
        await settled(lambda: bool(client.messages))
        stopping = asyncio.create_task(shut_down(grace=30))
        await asyncio.sleep(0)
        event.set()
        await asyncio.gather(task, stopping)
        assert client.body == b"data: last\n\n"
        assert client.is_whole

    run(main)


def test_a_shutdown_without_responses_returns_at_once() -> None:
    async def main() -> None:
        await shut_down(grace=30)
        assert tickers() == 0

    run(main)


def test_a_response_that_waits_for_its_first_chunk_is_refused_at_the_shutdown() -> None:
    async def main() -> None:
        client = Client()
        response = EventStreamResponse(waiting(asyncio.Event()), wait_for_first_chunk=True)
        task = asyncio.create_task(client.call(response))
        await asyncio.sleep(0)
        await shut_down(grace=0.01)
        await task
        assert client.messages[0]["status"] == 503
        assert client.is_whole

    run(main)


def test_a_client_that_does_not_read_gets_no_farewell() -> None:
    async def main() -> None:
        stuck = asyncio.Event()
        client = Client(lambda message: stuck.wait() if message.get("body") else None)
        task = asyncio.create_task(client.call(EventStreamResponse(waiting(asyncio.Event(), "first"))))
        await settled(lambda: len(client.messages) == 1)
        await shut_down(grace=0.01)
        with pytest.raises(EOFError):
            await task

    run(main)


# What is left.


@pytest.mark.parametrize("how", ["disconnect", "cancel", "fail", "end"])
@pytest.mark.parametrize("suspends", [False, True], ids=["direct", "by task"])
def test_nothing_is_left_of_a_response(how: str, suspends: bool, no_leaks: None) -> None:
    async def main() -> None:
        event, closed = asyncio.Event(), asyncio.Event()

        async def items() -> AsyncIterator[Any]:
            try:
                async for item in waiting(event, "first"):
                    yield item
                if how == "fail":
                    raise ValueError
            finally:
                closed.set()

        client = Client(suspends=suspends)
        task = asyncio.create_task(client.call(EventStreamResponse(items(), ping_interval=0.01)))
        await settled(lambda: PING in client.body)
        actions: dict[str, Any] = {
            "disconnect": client.leave,
            "cancel": task.cancel,
            "fail": event.set,
            "end": event.set,
        }
        actions[how]()
        await asyncio.wait([task])
        assert closed.is_set()
        assert client.is_whole is (how in ("fail", "end"))
        assert tickers() == 0

    run(main)


def test_a_stream_that_ignores_its_cancellation_is_closed_all_the_same() -> None:
    async def main() -> None:
        closed = asyncio.Event()

        async def stubborn() -> AsyncIterator[str]:
            try:
                while True:
                    try:
                        yield "item"
                        await asyncio.Event().wait()
                    except asyncio.CancelledError:
                        continue
            finally:
                closed.set()

        client = Client()
        task = asyncio.create_task(client.call(EventStreamResponse(stubborn())))
        await settled(lambda: len(client.messages) == 2)
        client.leave()
        await task
        assert closed.is_set()
        assert len(client.messages) == 2

    run(main)


@pytest.mark.parametrize("how", ["disconnect", "cancel"])
def test_a_body_that_was_not_read_yet_is_closed_too(how: str) -> None:
    async def main() -> None:
        closed: list[bool] = []

        class Counting(AsyncItems):
            async def aclose(self) -> None:
                closed.append(True)

        stuck = asyncio.Event()
        client = Client(lambda message: stuck.wait())
        task = asyncio.create_task(client.call(EventStreamResponse(Counting(waiting(stuck)))))
        await asyncio.sleep(0)
        (client.leave if how == "disconnect" else task.cancel)()
        await asyncio.wait([task])
        assert closed == [True]

    run(main)


def test_a_receive_function_that_raises_is_not_watched() -> None:
    async def main() -> None:
        async def refuse() -> Any:
            raise RuntimeError

        event, client = asyncio.Event(), Client()
        event.set()
        client.receive = refuse  # type: ignore[method-assign]
        await client.call(EventStreamResponse(waiting(event)))
        assert client.is_whole

    run(main)


def test_a_response_that_is_never_sent_leaves_nothing(no_leaks: None) -> None:
    async def main() -> None:
        with MockServer() as server:
            llm = OpenAI(base_url=server.url, api_key="k")
            EventStreamResponse(llm.astream_records("p"))
            EventStreamResponse(llm.astream("p"))
            EventStreamResponse(waiting(asyncio.Event()))
            assert server.requests == []

    run(main)


@pytest.mark.parametrize("hook", ["async", "raising"])
def test_the_hook_of_errors_may_be_async_and_may_fail(hook: str) -> None:
    seen: list[Exception] = []

    async def remember(error: Exception) -> None:
        await asyncio.sleep(0)
        seen.append(error)

    def fail(error: Exception) -> None:
        seen.append(error)
        raise LookupError

    async def failing() -> AsyncIterator[str]:
        yield "a"
        raise ValueError

    async def main() -> bytes:
        client = Client()
        await client.call(EventStreamResponse(failing(), on_error=remember if hook == "async" else fail))
        assert client.is_whole
        return client.body

    assert b"event: error" in run(main)
    assert [type(error) for error in seen] == [ValueError]


@pytest.mark.parametrize("how", ["disconnect", "cancel"])
def test_the_background_task_runs_after_a_disconnect_and_not_after_a_cancellation(how: str) -> None:
    async def main() -> list[str]:
        ran: list[str] = []
        client = Client()
        response = EventStreamResponse(waiting(asyncio.Event()), background=BackgroundTask(ran.append, "ran"))
        task = asyncio.create_task(client.call(response))
        await settled(lambda: bool(client.messages))
        (client.leave if how == "disconnect" else task.cancel)()
        await asyncio.wait([task])
        return ran

    assert run(main) == (["ran"] if how == "disconnect" else [])
