"""Runnables that are called again after a failure, beside LangChain's."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import langchain_core.runnables as theirs
import pytest
from langchain_core.runnables.retry import RunnableRetry as TheirRetry

import millstream.runnables as ours
from millstream.runnables import Runnable, RunnableConfig, RunnableLambda
from millstream.runnables.retry import RunnableRetry
from millstream.streaming.stream import AsyncStream, Stream
from recorded_runs import RunNotes

Outcome = tuple[Any, list[tuple[Any, ...]], int]


class Flaky:
    """A function that fails as often as it is told to, or for some inputs."""

    def __init__(self, failures: int, error: type[Exception] = ValueError) -> None:
        self.calls = 0
        self.failures = failures
        self.error = error

    def __call__(self, text: str) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error(f"{text} {self.calls}")
        return text.upper()


def run(retried: Any, how: str, notes: RunNotes) -> Any:
    config = {"callbacks": [notes], "tags": ["call"], "max_concurrency": 1}
    if how == "invoke":
        return retried.invoke("a", config)
    if how == "ainvoke":
        return asyncio.run(retried.ainvoke("a", config))
    if how == "batch":
        return retried.batch(["a", "b"], config)
    if how == "abatch":
        return asyncio.run(retried.abatch(["a", "b"], config))
    if how == "exceptions":
        return list(map(repr, retried.batch(["a", "b"], config, return_exceptions=True)))
    raise AssertionError(how)


def outcome(library: Any, how: str, failures: int, error: type[Exception], **options: Any) -> Outcome:
    flaky, notes = Flaky(failures, error), RunNotes()
    step = library.RunnableLambda(lambda text: flaky(text), name="flaky")
    retried = step.with_retry(wait_exponential_jitter=False, **options)
    try:
        result = run(retried, how, notes)
    except Exception as raised:
        result = repr(raised)
    assert notes.open == []
    return result, notes.notes, flaky.calls


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "batch", "abatch", "exceptions"])
@pytest.mark.parametrize(
    ("failures", "options"),
    [
        (0, {}),
        (1, {}),
        (2, {}),
        (3, {}),
        (9, {}),
        (1, {"stop_after_attempt": 1}),
        (4, {"stop_after_attempt": 5}),
        (1, {"retry_if_exception_type": (ValueError, KeyError)}),
        (1, {"retry_if_exception_type": lambda error: "1" in str(error)}),
    ],
)
def test_attempts_and_their_runs_are_langchain_s(how: str, failures: int, options: dict[str, Any]) -> None:
    assert outcome(ours, how, failures, ValueError, **options) == outcome(theirs, how, failures, ValueError, **options)


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
def test_other_exceptions_are_raised_at_once(how: str) -> None:
    found = outcome(ours, how, 1, KeyError, retry_if_exception_type=(ValueError,))
    assert found == outcome(theirs, how, 1, KeyError, retry_if_exception_type=(ValueError,))


def test_an_exception_that_is_not_retried_is_that_of_its_input_alone() -> None:
    # In LangChain it is that of every input, also of those that have an output.
    def refuse(text: str) -> str:
        if text == "bad":
            raise KeyError(text)
        return text

    notes = RunNotes()
    step = RunnableLambda(refuse).with_retry(retry_if_exception_type=(ValueError,))
    with pytest.raises(KeyError, match="bad"):
        step.batch(["bad", "a"], {"callbacks": [notes]})
    assert notes.notes[-2:] == [("error", "refuse", "KeyError('bad')"), ("end", "refuse", "a")]
    assert list(map(repr, step.batch(["bad", "a"], return_exceptions=True))) == ["KeyError('bad')", "'a'"]
    found = asyncio.run(step.abatch(["bad", "a"], return_exceptions=True))
    assert list(map(repr, found)) == ["KeyError('bad')", "'a'"]


def test_of_a_batch_the_inputs_that_failed_are_tried_again() -> None:
    failed: set[int] = set()
    called: list[int] = []

    def fail_once(number: int) -> int:
        called.append(number)
        if number % 2 and number not in failed:
            failed.add(number)
            raise ValueError(number)
        return number

    step = RunnableLambda(fail_once).with_retry(wait_exponential_jitter=False)
    assert step.batch([0, 1, 2, 3], {"max_concurrency": 1}) == [0, 1, 2, 3]
    assert called == [0, 1, 2, 3, 1, 3]


def test_each_call_of_a_batch_as_completed_is_retried() -> None:
    flaky = Flaky(2)
    step = RunnableLambda(lambda text: flaky(text)).with_retry(wait_exponential_jitter=False)
    assert list(step.batch_as_completed(["a", "b"], {"max_concurrency": 1})) == [(0, "A"), (1, "B")]

    async def read_completed() -> list[Any]:
        return [item async for item in step.abatch_as_completed(["a"])]

    flaky.calls = 0
    assert asyncio.run(read_completed()) == [(0, "A")]


# The time between attempts.


@pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated")
@pytest.mark.parametrize("params", [None, {"initial": 0.5, "jitter": 0.25}, {"max": 1.5, "jitter": 0}, {"exp_base": 3}])
def test_the_wait_grows_as_langchain_s_does(params: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    for library in (ours, theirs):
        flaky = Flaky(4)
        step: Any = library.RunnableLambda(lambda text, flaky=flaky: flaky(text))
        assert step.with_retry(exponential_jitter_params=params, stop_after_attempt=5).invoke("a") == "A"
    assert waits[:4] == waits[4:]
    assert len(waits) == 8


def test_the_longest_wait_is_that_of_max() -> None:
    retry: Any = RunnableRetry(bound=RunnableLambda(str.upper), exponential_jitter_params={"max": 7.0})
    assert retry._seconds_after(100_000) == 7.0


def test_the_long_form_of_the_constructor_is_langchain_s() -> None:
    for library, cls in ((ours, RunnableRetry), (theirs, TheirRetry)):
        flaky = Flaky(1)
        step: Any = library.RunnableLambda(lambda text, flaky=flaky: flaky(text))
        made: Any = cls(
            bound=step,
            retry_exception_types=(ValueError,),
            max_attempt_number=2,
            wait_exponential_jitter=False,
            exponential_jitter_params={"initial": 2},
            kwargs={},
            config={},
        )
        assert made.invoke("a") == "A"
        assert made.max_attempt_number == 2


def test_a_retry_of_a_binding_is_inside_of_it() -> None:
    names: list[str] = []
    flaky = Flaky(1)
    listening = RunnableLambda(lambda text: flaky(text), name="flaky").with_listeners(
        on_start=lambda run: names.append(run.name)
    )
    assert listening.with_retry(wait_exponential_jitter=False).invoke("a") == "A"
    assert names == ["flaky"]


# Streams.


class Source(Runnable[str, str]):
    """A step of a user: each stream fails, as often as it is told to, after so many chunks."""

    def __init__(self, failures: int, after: int = 0) -> None:
        self.failures = failures
        self.after = after
        self.tags: list[list[str]] = []
        self.inputs: list[Any] = []
        self.closed = 0

    def invoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        return "".join(self._chunks(input, config))

    def _chunks(self, input: Any, config: RunnableConfig | None) -> Iterator[str]:
        self.inputs.append(input)
        callbacks: Any = (config or {}).get("callbacks")
        self.tags.append(list(getattr(callbacks, "tags", ())))
        fails = len(self.inputs) <= self.failures
        try:
            for number in range(3):
                if fails and number == self.after:
                    raise ValueError(f"attempt {len(self.inputs)}")
                yield str(number)
        finally:
            self.closed += 1

    def stream(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[str]:
        def chunks() -> Any:
            yield from self._chunks(input, config)

        return Stream(chunks())

    def astream(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[str]:
        async def chunks() -> Any:
            for chunk in self._chunks(input, config):
                await asyncio.sleep(0)
                yield chunk

        return AsyncStream(chunks())


async def once(text: str) -> AsyncIterator[str]:
    for letter in text:
        yield letter


def read(step: Any, how: str, config: Any = None) -> list[Any]:
    async def aread() -> list[Any]:
        stream = step.atransform(once("in"), config) if how == "atransform" else step.astream("in", config)
        return [chunk async for chunk in stream]

    if how.startswith("a"):
        return asyncio.run(aread())
    return list(step.transform(iter("in"), config) if how == "transform" else step.stream("in", config))


STREAMS = ["stream", "astream", "transform", "atransform"]


@pytest.mark.parametrize("how", STREAMS)
def test_a_stream_is_begun_again_until_its_first_chunk(how: str) -> None:
    source = Source(2)
    assert read(source.with_retry(wait_exponential_jitter=False), how) == ["0", "1", "2"]
    assert source.inputs == ["in"] * 3
    assert source.closed == 3
    assert source.tags == [[], ["retry:attempt:2"], ["retry:attempt:3"]]


@pytest.mark.parametrize("how", STREAMS)
def test_a_failure_after_the_first_chunk_is_raised(how: str) -> None:
    source = Source(2, after=1)
    with pytest.raises(ValueError, match="attempt 1"):
        read(source.with_retry(wait_exponential_jitter=False), how)
    assert source.closed == 1


@pytest.mark.parametrize("how", STREAMS)
def test_the_last_failure_of_a_stream_is_raised(how: str) -> None:
    source = Source(9)
    with pytest.raises(ValueError, match="attempt 3"):
        read(source.with_retry(wait_exponential_jitter=False), how)
    with pytest.raises(ValueError, match="attempt 4"):
        read(source.with_retry(wait_exponential_jitter=False, retry_if_exception_type=(KeyError,)), how)


@pytest.mark.parametrize("how", STREAMS)
def test_each_attempt_of_a_stream_has_its_own_run_in_a_chain(how: str) -> None:
    flaky, notes = Flaky(1), RunNotes()
    first = RunnableLambda(str.lower, name="first")
    chain = first | RunnableLambda(lambda text: flaky(text), name="flaky").with_retry(wait_exponential_jitter=False)
    assert read(chain, how, {"callbacks": [notes]}) == ["IN"]
    assert notes.open == []
    starts = [(name, parent, tags) for what, name, parent, _, tags in (n for n in notes.notes if n[0] == "start")]
    assert starts == [
        ("RunnableSequence", "", []),
        ("first", "RunnableSequence", ["seq:step:1"]),
        ("flaky", "RunnableSequence", ["seq:step:2"]),
        ("flaky", "RunnableSequence", ["seq:step:2", "retry:attempt:2"]),
    ]


@pytest.mark.parametrize("how", STREAMS)
def test_leaving_a_retried_stream_closes_its_source_at_once(how: str) -> None:
    source = Source(1)
    retried = source.with_retry(wait_exponential_jitter=False)

    async def leave() -> None:
        stream: Any = retried.astream("in") if how == "astream" else retried.atransform(once("in"))
        assert await anext(stream) == "0"
        await stream.aclose()

    if how.startswith("a"):
        asyncio.run(leave())
    else:
        stream: Any = retried.stream("in") if how == "stream" else retried.transform(iter("in"))
        assert next(stream) == "0"
        stream.close()
    assert source.closed == 2


def test_a_cancellation_while_waiting_for_another_attempt_is_raised_at_once() -> None:
    async def leave() -> None:
        failed = asyncio.Event()

        async def fail(text: str) -> str:
            failed.set()
            raise ValueError(text)

        retried = RunnableLambda(fail).with_retry(exponential_jitter_params={"initial": 1000})

        async def consume() -> None:
            _ = [chunk async for chunk in retried.astream("in")]

        for coroutine in (consume(), retried.ainvoke("in")):
            failed.clear()
            task: asyncio.Task[Any] = asyncio.ensure_future(coroutine)
            await failed.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(leave())


# Events.


def events_of(step: Any, version: str) -> list[Any]:
    async def collect() -> list[Any]:
        return [event async for event in step.astream_events("in", version=version)]

    ids: dict[str, int] = {}
    return [
        {**event, "run_id": ids.setdefault(event["run_id"], len(ids)), "parent_ids": len(event["parent_ids"])}
        for event in asyncio.run(collect())
    ]


@pytest.mark.filterwarnings("ignore:astream_events version='v1' is deprecated")
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_events_without_a_failure_are_those_of_the_step(version: str) -> None:
    found: list[Any] = []
    for library in (ours, theirs):
        step: Any = library.RunnableLambda(str.upper)
        found += [events_of(chain, version) for chain in (step.with_retry(), step | step.with_retry())]
    assert found[:2] == found[2:]


def test_the_events_of_another_attempt_have_its_tag_and_the_stream_s_id() -> None:
    flaky = Flaky(1)
    step = RunnableLambda(lambda text: flaky(text), name="flaky").with_retry(wait_exponential_jitter=False)
    events = events_of(step, "v2")
    assert [(event["event"], event["run_id"], event["tags"]) for event in events] == [
        ("on_chain_start", 0, []),
        ("on_chain_start", 0, ["retry:attempt:2"]),
        ("on_chain_stream", 0, ["retry:attempt:2"]),
        ("on_chain_end", 0, ["retry:attempt:2"]),
    ]
    flaky.calls = 0
    assert [event["event"] for event in events_of(step | str.lower, "v2")][-1] == "on_chain_end"
    flaky.calls = 0
    assert asyncio.run(_records(step)).count(b'"on_chain_start"') == 2


async def _records(step: Any) -> bytes:
    return b"".join([record async for record in step.astream_records("in")])
