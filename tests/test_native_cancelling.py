"""Streams over the native transport that are cancelled at every point at which there is something to wait for."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import pytest

from endings import read_into
from millstream.testing import VERSE, MockServer, Reply, Stall, assert_no_leaks
from millstream.transport.native import Limits, NativeTransport
from millstream.transport.native import asyncio_connection as native_loops
from native_cases import Run, begin_loop, both_loops, model
from scripted import client_context, tls_front

pytestmark = pytest.mark.usefixtures("without_the_collector")

END = b'data: {"choices": [{"index": 0, "text": "0", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


# Cancelled at every point at which there is something to wait for.


class Cancelled:
    """Awaits a coroutine and cancels its task at one of its waits: as it begins, or as it is over.

    The latter is the moment in which what was waited for is there, and is lost if nobody takes it.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], at: int, when: str) -> None:
        self._coroutine = coroutine
        self._at = at
        self._when = when
        self.is_reached = False

    def __await__(self) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        step: Callable[[Any], Any] = self._coroutine.send
        value: Any = None
        waits = 0
        while True:
            try:
                waited = step(value)
            except StopIteration as stop:
                return stop.value
            if waits == self._at:
                self.is_reached = True
                if self._when == "begins" or waited is None:
                    task.cancel()
                else:
                    waited.add_done_callback(lambda _: task.cancel())
            waits += 1
            try:
                value = yield waited
                step = self._coroutine.send
            except BaseException as error:
                step, value = self._coroutine.throw, error


async def cancel_everywhere(
    native: NativeTransport, use: Callable[[], Coroutine[Any, Any, Any]], when: str, *, most_turns: int = 1
) -> int:
    """Run ``use`` again and again, cancelled at its first wait, its second, …; return how many waits it has."""
    at = 0
    while True:
        cancelled = Cancelled(use(), at, when)

        async def run(cancelled: Cancelled = cancelled) -> None:
            await cancelled

        task = asyncio.ensure_future(run())
        await asyncio.wait([task])
        pool = native._loops.get(asyncio.get_running_loop())
        if pool is not None:
            # Every exchange has ended, and the open connections are unused.
            assert pool._active == 0
            assert len(pool.connections) == pool.unused
        if not cancelled.is_reached:
            task.result()
            return at
        assert task.cancelled(), at
        at += 1


@both_loops
@pytest.mark.parametrize("when", ["begins", "is over"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_cancellation_at_every_wait_of_a_new_connection(
    mock_server: MockServer, run: Run, when: str, host: str
) -> None:
    native = NativeTransport(limits=Limits(max_idle=0))
    mock_server.reply = Reply(pieces_per_write=10, pace=0.0001)
    url = mock_server.url.replace("127.0.0.1", host)

    async def use() -> None:
        chunks: list[str] = []
        await read_into(chunks, model(url, native).astream("p"))
        assert chunks == list(VERSE)

    async def main() -> None:
        await begin_loop()
        # The last stream is not cancelled, and the end of its body may be under way.
        async with assert_no_leaks(idle_connections=1):
            assert await cancel_everywhere(native, use, when) >= 3
        # Connections are accepted in order: when this one is, all earlier ones have been, too.
        await use()
        await mock_server.await_until(lambda: mock_server.connections.open == 0)

    run(main())


@both_loops
@pytest.mark.parametrize("when", ["begins", "is over"])
def test_cancellation_at_every_wait_of_a_tls_connection(mock_server: MockServer, run: Run, when: str) -> None:
    native = NativeTransport(ssl_context=client_context(), limits=Limits(max_idle=0))
    mock_server.reply = Reply(pieces_per_write=10)
    with tls_front(mock_server.url, 100) as url:

        async def use() -> None:
            await read_into([], model(url, native).astream("p"))

        async def main() -> None:
            waits = await cancel_everywhere(native, use, when)
            assert waits >= 3
            for _ in range(5):
                await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}

        run(main())
        mock_server.wait_until(lambda: mock_server.connections.open == 0)


@both_loops
@pytest.mark.parametrize("when", ["begins", "is over"])
def test_cancellation_at_every_wait_of_a_kept_connection(mock_server: MockServer, run: Run, when: str) -> None:
    native = NativeTransport(limits=Limits(max_connections=1))

    async def use() -> None:
        await read_into([], model(mock_server.url, native).astream("p"))

    async def again() -> None:
        await use()
        await use()

    async def main() -> None:
        await use()
        assert await cancel_everywhere(native, again, when) >= 3
        await use()
        await mock_server.await_until(lambda: mock_server.connections.open == 1)

    run(main())


@both_loops
@pytest.mark.parametrize("when", ["begins", "is over"])
def test_cancellation_while_a_parked_connection_is_waited_for(
    run: Run, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native_loops, "PARKED_SECONDS", 0.1)
    native = NativeTransport()
    with MockServer(Reply(body=[END, b": late\n\n"], fault=Stall(after=1))) as server:

        async def use() -> None:
            for _ in range(2):
                await read_into([], model(server.url, native).astream("p"))

        async def main() -> None:
            await cancel_everywhere(native, use, when)
            await server.await_until(lambda: server.connections.open <= 1)

        run(main())
        server.wait_until(lambda: server.connections.open == 0)


@both_loops
def test_a_request_cancelled_many_times_still_releases_its_connection(mock_server: MockServer, run: Run) -> None:
    native = NativeTransport()
    mock_server.reply = Reply(fault=Stall(after=3))

    async def use(seen: list[str]) -> None:
        async for chunk in model(mock_server.url, native).astream("p"):
            seen.append(chunk)  # noqa: PERF401

    async def main() -> None:
        await begin_loop()
        async with assert_no_leaks():
            for turns in range(40):
                seen: list[str] = []
                task = asyncio.ensure_future(use(seen))
                for _ in range(turns):
                    await asyncio.sleep(0)
                for _ in range(3):
                    task.cancel()
                    await asyncio.sleep(0)
                assert task.cancelled()
                del task
        await mock_server.await_until(lambda: mock_server.connections.open == 0)

    run(main())
