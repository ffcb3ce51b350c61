"""The back-off that the calls of a batch share: after one refusal, none asks before the server allows it."""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any

import pytest

from langchain_chat import chat_models
from millstream import ChatOpenAI
from millstream._back_off import SharedBackOff, Turn, find_shared_back_off, sharing_back_off
from millstream.errors import APITimeoutError, RateLimitError
from millstream.runnables import AddableDict, RunnableLambda, RunnableParallel
from millstream.testing import ErrorStatus, MockServer, Reply, assert_no_leaks

CALLS = 8
WINDOW = 0.4
# Calls that do not wait for each other ask within this time on a busy machine too.
LONG_WINDOW = 1.5


class Limited:
    """Replies of a server that refuses every request for a while after its first one, and the times of all."""

    def __init__(self, status: int = 429, *, names_wait: bool = True, window: float = WINDOW) -> None:
        self.times: list[float] = []
        self._window = window
        self._status = status
        self._names_wait = names_wait

    def __call__(self, _request: Any) -> Reply:
        now = time.monotonic()
        self.times.append(now)
        left = self.times[0] + self._window - now
        headers = {"retry-after-ms": str(max(1, math.ceil(left * 1000)))} if self._names_wait else {}
        return Reply() if left <= 0 else Reply(fault=ErrorStatus(self._status, headers=headers))

    def inside(self) -> int:
        """Return how many requests came after the first one, before the server allowed them."""
        return sum(at < self.times[0] + self._window for at in self.times[1:])


class Refused(logging.Handler):
    """Sets ``event`` once a request has been refused and is to be tried again."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "trying again" in record.msg:
            self.event.set()


@pytest.fixture
def refused() -> Generator[threading.Event, None, None]:
    handler, logger = Refused(), logging.getLogger("millstream")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel("INFO")
    try:
        yield handler.event
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def calls_of(model: Any, refused: threading.Event) -> RunnableLambda[Any, Any]:
    """Return a step that asks ``model``; the inputs after the first one, once that has been refused."""

    def ask(place: int) -> str:
        if place:
            assert refused.wait(30)
        return str(model.invoke("p").content)

    async def aask(place: int) -> str:
        if place:
            await asyncio.to_thread(refused.wait, 30)
        return str((await model.ainvoke("p")).content)

    return RunnableLambda(ask, afunc=aask)


def model_of(server: MockServer, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(**{"model": "m", "base_url": server.url, "api_key": "k", **options})


def parallel(step: Any) -> Any:
    return RunnableParallel({str(place): RunnableLambda(lambda _, place=place: place) | step for place in range(CALLS)})


async def _streamed(step: Any) -> Any:
    whole = None
    async for chunk in parallel(step).astream(None):
        whole = chunk if whole is None else whole + chunk
    return whole


async def _completed(step: Any) -> list[Any]:
    return [output async for output in step.abatch_as_completed(list(range(CALLS)))]


WAYS: dict[str, Callable[[Any], Any]] = {
    "batch": lambda step: step.batch(list(range(CALLS)), {"max_concurrency": CALLS}),
    "batch_as_completed": lambda step: list(step.batch_as_completed(list(range(CALLS)), {"max_concurrency": CALLS})),
    "map": lambda step: step.map().invoke(list(range(CALLS)), {"max_concurrency": CALLS}),
    "parallel": lambda step: parallel(step).invoke(None, {"max_concurrency": CALLS}),
    "parallel stream": lambda step: sum(parallel(step).stream(None), AddableDict()),
    "abatch": lambda step: asyncio.run(step.abatch(list(range(CALLS)))),
    "abatch_as_completed": lambda step: asyncio.run(_completed(step)),
    "aparallel": lambda step: asyncio.run(parallel(step).ainvoke(None)),
    "aparallel stream": lambda step: asyncio.run(_streamed(step)),
    "amap": lambda step: asyncio.run(step.map().ainvoke(list(range(CALLS)))),
}


@pytest.mark.parametrize("way", WAYS)
def test_after_one_refusal_no_call_of_the_batch_asks_before_the_server_allows_it(
    way: str, refused: threading.Event
) -> None:
    replies = Limited()
    with assert_no_leaks(), MockServer(replies) as server:
        outputs = WAYS[way](calls_of(model_of(server, max_retries=1), refused))
    assert len(outputs) == CALLS
    assert replies.inside() == 0
    assert len(replies.times) == CALLS + 1


@pytest.mark.parametrize("way", ["batch", "abatch"])
def test_the_models_of_langchains_packages_wait_too(way: str, refused: threading.Event) -> None:
    replies = Limited()
    with chat_models(replies, max_retries=1) as (ours, _, _server):
        outputs = WAYS[way](calls_of(ours, refused))
    assert len(outputs) == CALLS
    assert (replies.inside(), len(replies.times)) == (0, CALLS + 1)


def test_calls_outside_of_a_batch_are_refused_one_by_one(refused: threading.Event) -> None:
    replies = Limited(window=LONG_WINDOW)
    with MockServer(replies) as server:
        step = calls_of(model_of(server, max_retries=5), refused)
        threads = [threading.Thread(target=step.invoke, args=(place,)) for place in range(CALLS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert replies.inside() >= CALLS - 1
    assert len(replies.times) >= 2 * CALLS


@pytest.mark.parametrize(("status", "names_wait", "is_shared"), [(503, True, True), (503, False, False)])
def test_an_overload_is_shared_if_it_names_the_wait(
    status: int, names_wait: bool, is_shared: bool, refused: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = WINDOW if is_shared else LONG_WINDOW
    monkeypatch.setattr("millstream.providers.http.retry._FIRST_DELAY", window * 1.5)
    replies = Limited(status, names_wait=names_wait, window=window)
    with MockServer(replies) as server:
        WAYS["batch"](calls_of(model_of(server, max_retries=5), refused))
    assert (replies.inside() == 0) is is_shared


def test_a_refusal_without_a_wait_is_shared_too(refused: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    # The delay is a quarter shorter at most.
    monkeypatch.setattr("millstream.providers.http.retry._FIRST_DELAY", WINDOW * 1.5)
    replies = Limited(names_wait=False)
    with MockServer(replies) as server:
        WAYS["batch"](calls_of(model_of(server, max_retries=1), refused))
    assert (replies.inside(), len(replies.times)) == (0, CALLS + 1)


def test_another_model_and_another_key_do_not_wait(refused: threading.Event) -> None:
    answered = threading.Event()

    def reply(request: Any) -> Reply:
        key, model = request.headers["authorization"], request.body["model"]
        if (key, model) == ("Bearer k", "m") and not answered.is_set():
            return Reply(fault=ErrorStatus(429, headers={"retry-after-ms": "50"}))
        return Reply()

    with MockServer(reply) as server:
        limited = model_of(server, max_retries=100)
        others = [model_of(server, model="other"), model_of(server, api_key="k2")]

        def ask(place: int) -> None:
            if place == 0:
                limited.invoke("p")
                return
            assert refused.wait(30)
            others[place - 1].invoke("p")
            if place == 2:
                answered.set()

        RunnableLambda(ask).batch([0, 1, 2], {"max_concurrency": 3})
    assert answered.is_set()


def test_a_call_whose_deadline_is_earlier_fails_without_a_request() -> None:
    def reply(_request: Any) -> Reply:
        return Reply(fault=ErrorStatus(429, headers={"retry-after": "30"}))

    with MockServer(reply) as server:
        hasty, failed = model_of(server, total_timeout=20), threading.Event()

        def ask(place: int) -> Any:
            if place == 0:
                with pytest.raises(RateLimitError):
                    hasty.invoke("p")
                failed.set()
                return None
            assert failed.wait(30)
            with pytest.raises(APITimeoutError, match="another request of the batch"):
                hasty.invoke("p")
            return None

        RunnableLambda(ask).batch([0, 1])
        assert len(server.requests) == 1


def test_a_cancelled_batch_stops_waiting(refused: threading.Event) -> None:
    def reply(_request: Any) -> Reply:
        return Reply(fault=ErrorStatus(429, headers={"retry-after": "50"}))

    async def cancel(server: MockServer) -> None:
        step = calls_of(model_of(server), refused)
        task = asyncio.create_task(step.abatch(list(range(CALLS))))
        await asyncio.to_thread(refused.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with assert_no_leaks(), MockServer(reply) as server:
        asyncio.run(cancel(server))


@pytest.mark.parametrize("way", ["batch", "batch_as_completed", "batch in a batch"])
def test_a_batch_that_has_failed_waits_for_no_call_and_sends_none(way: str, refused: threading.Event) -> None:
    def reply(_request: Any) -> Reply:
        return Reply(fault=ErrorStatus(429, headers={"retry-after": "50"}))

    with assert_no_leaks(), MockServer(reply) as server:
        asking = calls_of(model_of(server), refused)

        def ask(place: int) -> Any:
            if place < 2:
                return asking.batch([0, 1]) if way == "batch in a batch" else asking.invoke(place)
            assert refused.wait(30)
            raise LookupError(place)

        step = RunnableLambda(ask)
        run = step.batch_as_completed if way == "batch_as_completed" else step.batch
        with pytest.raises(LookupError, match="2"):
            list(run([0, 1, 2]))
        # Both of the outer calls may be refused at once.
        assert len(server.requests) <= 2


def test_without_retries_nothing_waits() -> None:
    def reply(_request: Any) -> Reply:
        return Reply(fault=ErrorStatus(429, headers={"retry-after": "50"}))

    with MockServer(reply) as server:
        outputs = model_of(server, max_retries=0).batch(["p"] * CALLS, return_exceptions=True)
        assert [type(output) for output in outputs] == [RateLimitError] * CALLS
        assert len(server.requests) == CALLS


# The decisions, without a clock.


def make_turns(count: int) -> list[Turn]:
    shared = SharedBackOff()
    return [shared.take_turn("lane") for _ in range(count)]


def test_the_waiting_requests_are_sent_in_growing_groups() -> None:
    first, *others = make_turns(9)
    assert first.seconds_left(100.0) == 0
    first.refuse(100.1, 5.0, is_last=False)
    # A step is twice the time that the refusal took.
    assert [round(turn.seconds_left(101.0), 3) for turn in (first, *others)] == pytest.approx(
        [4.1, *[4.3] * 2, *[4.5] * 4, *[4.7] * 2]
    )
    assert first.seconds_left(105.2) == 0
    assert others[0].seconds_left(105.2) == pytest.approx(0.1)
    assert others[0].seconds_left(105.31) == 0


def test_a_refusal_during_the_wait_prolongs_it_and_one_afterwards_begins_another() -> None:
    first, second, third = make_turns(3)
    for turn in (first, second):
        assert turn.seconds_left(0.0) == 0
    first.refuse(0.01, 1.0, is_last=False)
    assert third.seconds_left(0.01) == pytest.approx(1.05)
    second.refuse(0.02, 1.0, is_last=False)
    assert first.seconds_left(0.02) == pytest.approx(1.0)
    second.refuse(0.03, 0.1, is_last=False)
    assert first.seconds_left(0.03) == pytest.approx(0.99)
    assert first.seconds_left(1.02) == 0
    first.refuse(1.03, 2.0, is_last=False)
    assert first.seconds_left(1.03) == pytest.approx(2.0)
    assert third.seconds_left(1.08) == pytest.approx(2.0)


def test_a_request_that_is_not_sent_again_takes_no_place() -> None:
    first, second = make_turns(2)
    first.seconds_left(0.0)
    first.refuse(0.0, 1.0, is_last=True)
    assert second.seconds_left(0.0) == 1.0


def test_steps_are_neither_too_short_nor_too_long() -> None:
    for took, step in ((0.0, 0.05), (0.1, 0.2), (30.0, 1.0)):
        first, second = make_turns(2)
        first.seconds_left(0.0)
        first.refuse(took, 1.0, is_last=False)
        assert second.seconds_left(took) == pytest.approx(1.0 + step)


def test_a_batch_inside_of_a_batch_shares_the_outer_ones_back_off() -> None:
    assert find_shared_back_off() is None
    with sharing_back_off():
        outer = find_shared_back_off()
        assert outer is not None
        with sharing_back_off():
            assert find_shared_back_off() is outer
    assert find_shared_back_off() is None


def test_the_threads_of_steps_that_run_at_the_same_time_see_the_callers_context() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    token = variable.set("set")
    try:
        step = RunnableLambda(lambda _: variable.get())
        assert RunnableParallel(a=step, b=step).invoke(None) == {"a": "set", "b": "set"}
        assert step.batch([1, 2]) == ["set", "set"]
    finally:
        variable.reset(token)
