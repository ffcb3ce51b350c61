"""Runnables with fallbacks, beside LangChain's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import langchain_core.language_models as their_models
import langchain_core.runnables as theirs
import pytest

import millstream.language_models as our_models
import millstream.runnables as ours
from millstream import ChatOpenAI
from millstream.runnables import RunnableLambda
from millstream.runnables.fallbacks import RunnableWithFallbacks
from recorded_runs import RunNotes


def refuse(text: str) -> str:
    raise ValueError(f"no {text}")


def refuse_a(text: str) -> str:
    if text == "a":
        raise KeyError(text)
    return text * 2


def compose(library: Any, shape: str) -> Any:
    step = {
        "bad": library.RunnableLambda(refuse),
        "no a": library.RunnableLambda(refuse_a),
        "good": library.RunnableLambda(str.upper, name="good"),
    }
    shapes = {
        "first": lambda: step["good"].with_fallbacks([step["bad"]]),
        "second": lambda: step["bad"].with_fallbacks([step["good"]]),
        "third": lambda: step["bad"].with_fallbacks([step["no a"], step["good"]]),
        "none": lambda: step["bad"].with_fallbacks([step["no a"]]),
        "handled": lambda: step["no a"].with_fallbacks([step["good"]], exceptions_to_handle=(KeyError,)),
        "not handled": lambda: step["bad"].with_fallbacks([step["good"]], exceptions_to_handle=(KeyError,)),
        "in a chain": lambda: step["good"] | step["bad"].with_fallbacks([step["good"]]) | step["good"],
        "at the start": lambda: step["bad"].with_fallbacks([step["good"]]) | step["good"],
        "of chains": lambda: (step["good"] | step["bad"]).with_fallbacks([step["good"] | step["good"]]),
        "nested": lambda: step["bad"].with_fallbacks([step["bad"].with_fallbacks([step["good"]])]),
        "retried": lambda: step["bad"].with_retry(wait_exponential_jitter=False).with_fallbacks([step["good"]]),
    }
    return shapes[shape]()


SHAPES = [
    *("first", "second", "third", "none", "handled", "not handled"),
    *("in a chain", "at the start", "of chains", "nested", "retried"),
]


def call(step: Any, how: str, config: Any) -> Any:
    async def read() -> list[Any]:
        return [chunk async for chunk in step.astream("a", config)]

    calls: dict[str, Any] = {
        "invoke": lambda: step.invoke("a", config),
        "ainvoke": lambda: asyncio.run(step.ainvoke("a", config)),
        "stream": lambda: list(step.stream("a", config)),
        "astream": lambda: asyncio.run(read()),
        "batch": lambda: step.batch(["a", "b"], config),
        "abatch": lambda: asyncio.run(step.abatch(["a", "b"], config)),
        "exceptions": lambda: list(map(repr, step.batch(["a", "b"], config, return_exceptions=True))),
    }
    try:
        return calls[how]()
    except Exception as error:
        return repr(error)


def outcome(library: Any, shape: str, how: str) -> tuple[Any, Any]:
    notes = RunNotes()
    result = call(compose(library, shape), how, {"callbacks": [notes], "tags": ["t"], "max_concurrency": 1})
    if library is ours:
        assert notes.open == []
    return result, notes.notes


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream", "abatch"])
@pytest.mark.parametrize("shape", SHAPES)
def test_results_and_runs_are_langchain_s(shape: str, how: str) -> None:
    found, expected = outcome(ours, shape, how), outcome(theirs, shape, how)
    if how == "abatch" and shape == "not handled":
        # In LangChain these runs never end.
        assert [note[0] for note in found[1][-2:]] == ["error", "error"]
        found[1][-2:] = []
    if how in ("stream", "astream") and shape in ("in a chain", "retried"):
        # Here the fallback reads its input chunk by chunk, and a retried stream has several attempts.
        found, expected = (found[0], None), (expected[0], None)
    assert found == expected


@pytest.mark.parametrize("how", ["batch", "exceptions"])
@pytest.mark.parametrize("shape", SHAPES)
def test_results_of_batches_are_langchain_s(shape: str, how: str) -> None:
    assert outcome(ours, shape, how)[0] == outcome(theirs, shape, how)[0]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "in a chain"])
@pytest.mark.filterwarnings("ignore:astream_events version='v1' is deprecated")
def test_events_are_langchain_s(shape: str, version: str) -> None:
    async def collect(step: Any) -> list[Any]:
        events: list[Any] = []
        try:
            async for event in step.astream_events("a", version=version):
                events += [event]
        except Exception as error:
            events.append(repr(error))
        return events

    def normalise(events: list[Any]) -> list[Any]:
        ids: dict[str, int] = {}
        for event in events:
            if isinstance(event, dict):
                event["run_id"] = ids.setdefault(event["run_id"], len(ids))
                event["parent_ids"] = [ids.get(id) for id in event["parent_ids"]]
                event["data"] = {key: str(value) for key, value in event["data"].items()}
        return events

    found, expected = (normalise(asyncio.run(collect(compose(library, shape)))) for library in (ours, theirs))
    if shape == "retried":
        # The attempts of a stream are runs of their own.
        found = [event for event in found if "retry:attempt:2" not in event["tags"]]
        found = [event for event in found if "retry:attempt:3" not in event["tags"]]
        found, expected = ([{**e, "run_id": 0, "parent_ids": 0} for e in events] for events in (found, expected))
    assert found == expected


def with_exception(value: Any) -> Any:
    if "error" not in value:
        raise ValueError("missing")
    return repr(value["error"])


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "batch", "abatch", "stream", "astream"])
def test_the_exception_is_passed_in_a_copy_of_the_input(how: str) -> None:
    step = RunnableLambda(with_exception)
    chain: Any = step.with_fallbacks([step], exception_key="error")
    value = {"text": "a"}

    async def read() -> list[Any]:
        return [chunk async for chunk in chain.astream(value)]

    calls: dict[str, Any] = {
        "invoke": lambda: [chain.invoke(value)],
        "ainvoke": lambda: [asyncio.run(chain.ainvoke(value))],
        "batch": lambda: chain.batch([value]),
        "abatch": lambda: asyncio.run(chain.abatch([value])),
        "stream": lambda: list(chain.stream(value)),
        "astream": lambda: asyncio.run(read()),
    }
    assert calls[how]() == ["ValueError('missing')"]
    assert value == {"text": "a"}


@pytest.mark.parametrize("library", [ours, theirs])
def test_an_input_that_cannot_hold_the_exception_is_refused(library: Any) -> None:
    chain = library.RunnableLambda(refuse).with_fallbacks([library.RunnableLambda(refuse)], exception_key="error")
    with pytest.raises(ValueError, match="If 'exception_key' is specified then input must be a dictionary"):
        chain.invoke("a")
    with pytest.raises(ValueError, match="If 'exception_key' is specified then input must be a dictionary"):
        next(iter(chain.stream("a")))
    with pytest.raises(ValueError, match="If 'exception_key' is specified then inputs must be dictionaries"):
        chain.batch(["a"])


# Streams of an input that comes in chunks.


def read_transformed(step: Any, items: Iterator[Any], *, is_async: bool) -> list[Any]:
    async def aitems() -> AsyncIterator[Any]:
        for item in items:
            yield item

    async def read() -> list[Any]:
        return [chunk async for chunk in step.atransform(aitems())]

    return asyncio.run(read()) if is_async else list(step.transform(items))


@pytest.mark.parametrize("is_async", [False, True])
def test_each_attempt_reads_the_input_from_its_beginning(is_async: bool) -> None:
    model = our_models.FakeListLLM(responses=["abc"])
    chain: Any = RunnableLambda(refuse).with_fallbacks([RunnableLambda(refuse_a), RunnableLambda(str.upper)])
    assert read_transformed(chain, iter("xy"), is_async=is_async) == ["xyxy"]
    assert (model | chain).invoke("p") == "abcabc"


@pytest.mark.parametrize("is_async", [False, True])
def test_chunks_pass_while_the_input_comes(is_async: bool) -> None:
    pulled: list[str] = []

    def items() -> Iterator[str]:
        for letter in "abc":
            pulled.append(letter)
            yield letter

    class Doubling(ours.RunnableLambda[str, str]):
        def transform(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
            return ours.Stream(letter * 2 for letter in input)

        def atransform(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
            async def chunks() -> Any:
                async for letter in input:
                    yield letter * 2

            return ours.AsyncStream(chunks())

        def _atransform_inline(self, items: Any, config: Any, kwargs: Any) -> Any:
            return self.atransform(items, config)

    chain: Any = RunnableLambda(refuse).with_fallbacks([Doubling(str.upper)])
    assert read_transformed(chain, items(), is_async=is_async) == ["aa", "bb", "cc"]
    doubling: Any = Doubling(str.upper).with_fallbacks([RunnableLambda(refuse)])
    pulled.clear()
    if not is_async:
        stream = doubling.transform(items())
        assert next(stream) == "aa"
        assert pulled == ["a"]
        stream.close()


# Attributes.


def look(place: str) -> str:
    """Look at a place."""
    return place


def test_what_a_model_binds_is_bound_to_each() -> None:
    first = ChatOpenAI(model="a", api_key="k", base_url="http://127.0.0.1:1")
    second = ChatOpenAI(model="b", api_key="k", base_url="http://127.0.0.1:1")
    chain: Any = first.with_fallbacks([second], exceptions_to_handle=(KeyError,))
    assert chain.model_name == "a"
    with pytest.raises(AttributeError):
        _ = chain.nothing
    for bound in (
        chain.bind_tools([look]),
        chain.with_structured_output({"title": "t", "type": "object", "properties": {}}),
    ):
        assert type(bound) is RunnableWithFallbacks
        assert bound.exceptions_to_handle == (KeyError,)
        assert [type(one).__name__ for one in bound.runnables] == [type(bound.runnable).__name__] * 2


@pytest.mark.parametrize(("library", "models"), [(ours, our_models), (theirs, their_models)])
def test_a_method_that_returns_a_runnable_is_called_on_each(library: Any, models: Any) -> None:
    class Model(models.FakeListLLM):  # type: ignore[misc]
        def twice(self) -> library.Runnable[str, str]:
            return library.RunnableLambda(lambda text: self.responses[0] * 2)

        def size(self) -> int:
            return len(self.responses)

    chain = Model(responses=["a"]).with_fallbacks([Model(responses=["b", "c"])])
    assert chain.size() == 1
    twice = chain.twice()
    assert [one.invoke("p") for one in twice.runnables] == ["aa", "bb"]


# LangChain's Runnables.


def test_langchain_s_runnables_may_be_bound_retried_and_fallen_back_to() -> None:
    theirs_good: Any = theirs.RunnableLambda(str.upper)
    theirs_bad: Any = theirs.RunnableLambda(refuse)
    chain: Any = RunnableLambda(refuse).with_fallbacks([theirs_bad, theirs_good])
    assert chain.invoke("a") == "A"
    assert list(chain.stream("a")) == ["A"]
    assert asyncio.run(chain.abatch(["a", "b"])) == ["A", "B"]
    bound: Any = ours.RunnableBinding(bound=theirs_good, config={"tags": ["t"]})
    assert bound.invoke("a") == "A"
    assert list(bound.with_retry().stream("a")) == ["A"]
    which = ours.ConfigurableField(id="which")
    lower: Any = RunnableLambda(str.lower) | str.lower
    chosen = lower.configurable_alternatives(which, upper=theirs_good)
    assert chosen.invoke("a", {"configurable": {"which": "upper"}}) == "A"
