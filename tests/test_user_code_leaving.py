"""Users' code in streams that are left: it is closed, at once, and nothing of it is left behind."""

import asyncio
import gc
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from endings import read_into
from leaving import cancel_after
from millstream.outputs import GenerationChunk
from millstream.streaming.channel import MAX_BUFFERED_ITEMS, Channel
from recording import handlers
from user_code import Base, run, settled

pytestmark = pytest.mark.usefixtures("without_the_collector")


# Leaving.


class Waits(Base):
    """Notes how it is left: at a yield (``size`` fills the line), or while it waits."""

    size: int = 2

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
        try:
            for _ in range(self.size):
                yield GenerationChunk("x")
            await asyncio.Event().wait()
        except BaseException as error:
            self.log.append(type(error).__name__)
            raise
        finally:
            self.log.append("closed")


SIZES = pytest.mark.parametrize(("size", "error"), [(2, "CancelledError"), (2 * MAX_BUFFERED_ITEMS, "GeneratorExit")])


@SIZES
@pytest.mark.parametrize("events", [False, True])
@pytest.mark.parametrize("notified", [False, True])
def test_leaving_closes_the_model_before_aclose_returns(size: int, error: str, events: bool, notified: bool) -> None:
    async def main() -> None:
        log: list[str] = []
        config: Any = {"callbacks": [handlers([])[1]]} if notified else None
        model = Waits(size=size, log=log)
        stream: Any = model.astream_events("p", config) if events else model.astream("p", config)
        async with stream:
            await anext(stream)
            await anext(stream)
            await settled(lambda: True)
        assert log == [error, "closed"]

    run(main)


@SIZES
def test_break_closes_the_model_within_a_few_turns(size: int, error: str) -> None:
    async def main() -> None:
        log: list[str] = []
        async for _ in Waits(size=size, log=log).astream("p"):
            break
        for _ in range(4):
            await asyncio.sleep(0)
        assert log == [error, "closed"]

    run(main)


@pytest.mark.parametrize("turns", range(12))
@pytest.mark.parametrize("times", [1, 3])
def test_cancellation_at_any_step_leaves_nothing(turns: int, times: int) -> None:
    class Slow(Base):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
            self.log.append("open")
            try:
                for _ in range(5):
                    await asyncio.sleep(0)
                    yield GenerationChunk("x")
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                self.log.append("closed")

    async def main() -> None:
        log: list[str] = []
        assert await cancel_after(read_into([], Slow(log=log).astream("p")), turns, times)
        await settled(lambda: log in ([], ["open", "closed"]))
        for _ in range(3):
            await asyncio.sleep(0)

    run(main)


def test_a_stream_that_is_dropped_at_the_end_of_the_loop_leaves_nothing() -> None:
    log: list[str] = []

    async def main() -> Any:
        stream = Waits(log=log).astream("p")
        await anext(stream)
        return stream

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())
    assert log == ["CancelledError", "closed"]


def test_a_model_that_will_not_be_cancelled_is_closed_at_its_next_yield() -> None:
    class Stubborn(Base):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
            try:
                yield GenerationChunk("a")
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.log.append("ignored")
                while True:
                    yield GenerationChunk("b")
            finally:
                self.log.append("closed")

    log: list[str] = []

    async def main() -> None:
        stream = Stubborn(log=log).astream("p")
        await anext(stream)
        await stream.aclose()

    run(main)
    assert log == ["ignored", "closed"]


# Sync models in async code, and events of sync code: in a thread.


def test_a_sync_model_runs_in_one_thread_of_its_own() -> None:
    class Where(Base):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            for _ in range(3 * MAX_BUFFERED_ITEMS):
                self.log.append(threading.current_thread())
                yield GenerationChunk("x")

    log: list[Any] = []
    run(lambda: read_into([], Where(log=log).astream("p")))
    assert len(set(log)) == 1
    assert log[0] is not threading.main_thread()
    log[0].join(5)
    assert not log[0].is_alive()


def test_a_sync_model_that_waits_for_the_consumer_is_closed_before_aclose_returns() -> None:
    class Endless(Base):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            try:
                while True:
                    self.log.append("x")
                    yield GenerationChunk("x")
            finally:
                self.log.append("closed")

    async def main() -> None:
        log: list[str] = []
        async with Endless(log=log).astream("p") as stream:
            await anext(stream)
            # One batch was taken, the next one waits.
            await settled(lambda: len(log) >= MAX_BUFFERED_ITEMS)
            await settled(lambda: any(type(one) is Channel and one.paused for one in gc.get_objects()))
        assert log[-1] == "closed"

    def sync() -> None:
        log: list[str] = []
        with Endless(log=log).stream_events("p") as stream:
            next(stream)
            next(stream)
        moment = threading.Event()
        while log[-1] != "closed":
            moment.wait(0.005)

    run(main)
    sync()
