"""Events of Runnables alone, and of those that functions call: LangChain's in both versions, with every filter."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import langchain_core.language_models
import langchain_core.output_parsers
import langchain_core.prompts
import langchain_core.runnables
import pytest

import millstream.language_models
import millstream.output_parsers
import millstream.prompts
import millstream.runnables
from chains import events_of
from langchain_peer import allow_v1
from marks import versions

NAMES = ("language_models", "output_parsers", "prompts", "runnables")
OURS: Any = SimpleNamespace(**{name: getattr(millstream, name) for name in NAMES})
THEIRS: Any = SimpleNamespace(**{name: getattr(langchain_core, name) for name in NAMES})


def step(lib: Any, function: Callable[..., Any], name: str | None = None) -> Any:
    return lib.runnables.RunnableLambda(function, name=name)


def same(value: Any) -> Any:
    return value


def fail(value: Any) -> Any:
    raise ValueError("failed")


async def afail(value: Any) -> Any:
    raise ValueError("failed")


async def twice(value: Any) -> AsyncIterator[Any]:
    yield value
    yield value


def calls_a_chain(lib: Any) -> Any:
    inner = step(lib, same, "first") | step(lib, same, "second")

    async def call(value: Any) -> Any:
        return await inner.ainvoke(value)

    return step(lib, call) | step(lib, same, "last")


def returns_a_chain(lib: Any) -> Any:
    inner = step(lib, same, "first") | step(lib, same, "second")
    return step(lib, lambda _: inner)


def batches(lib: Any) -> Any:
    inner = step(lib, same, "one")

    async def call(value: Any) -> Any:
        return await inner.abatch([value, value], {"max_concurrency": 1})

    return step(lib, call)


def calls_a_model(lib: Any) -> Any:
    model = lib.language_models.FakeListChatModel(responses=["abc"])

    async def call(value: Any) -> Any:
        return (await model.ainvoke(value)).content

    return step(lib, call)


def streams_a_model(lib: Any) -> Any:
    model = lib.language_models.FakeListChatModel(responses=["abc"])

    async def call(value: Any) -> AsyncIterator[str]:
        async for chunk in model.astream(value):
            yield chunk.content

    return step(lib, call)


def calls_a_model_in_sync_code(lib: Any) -> Any:
    model = lib.language_models.FakeListChatModel(responses=["abc"])
    return step(lib, lambda value: model.invoke(value).content)


def reads_its_config(lib: Any) -> Any:
    def call(value: Any, config: Any) -> Any:
        return sorted(config["tags"]), config["metadata"].get("m")

    return step(lib, call).with_config(tags=["q"], metadata={"m": 1}, run_name="named")


def recovers(lib: Any) -> Any:
    failing = step(lib, fail)

    async def call(value: Any) -> Any:
        try:
            return await failing.ainvoke(value)
        except ValueError as error:
            return str(error)

    return step(lib, call)


CALLING = (
    *(calls_a_chain, returns_a_chain, batches, calls_a_model, streams_a_model),
    *(calls_a_model_in_sync_code, reads_its_config, recovers),
)
RUNNABLES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "prompt": (lambda lib: lib.prompts.PromptTemplate.from_template("{a}"), {"a": "x"}),
    "chat prompt": (lambda lib: lib.prompts.ChatPromptTemplate.from_template("{a}"), {"a": "x"}),
    "text parser": (lambda lib: lib.output_parsers.StrOutputParser(), "x"),
    "JSON parser": (lambda lib: lib.output_parsers.JsonOutputParser(), '{"a": [1]}'),
    "JSON parser that fails": (lambda lib: lib.output_parsers.JsonOutputParser(), "no"),
    "list parser": (lambda lib: lib.output_parsers.CommaSeparatedListOutputParser(), "a, b"),
    "model": (lambda lib: lib.language_models.FakeListLLM(responses=["ab"]), "x"),
    "streaming model": (lambda lib: lib.language_models.FakeStreamingListLLM(responses=["ab"]), "x"),
    "chat model": (lambda lib: lib.language_models.FakeListChatModel(responses=["ab"]), "x"),
    "generic chat model": (lambda lib: lib.language_models.GenericFakeChatModel(messages=iter(["a b"])), "x"),
    "function": (lambda lib: step(lib, same), "x"),
    "function that fails": (lambda lib: step(lib, fail), "x"),
    "async function that fails": (lambda lib: step(lib, afail), "x"),
    "async generator function": (lambda lib: step(lib, twice), "x"),
    "function of nothing": (lambda lib: step(lib, same) | step(lib, same), None),
    "function of an empty text": (lambda lib: step(lib, same), ""),
    "function that returns nothing": (lambda lib: step(lib, lambda _: None) | step(lib, same), "x"),
    "sequence that fails": (lambda lib: step(lib, same) | step(lib, fail) | step(lib, same), "x"),
    "binding": (lambda lib: step(lib, lambda value, y=1: (value, y)).bind(y=2) | step(lib, same), "x"),
    "listeners": (lambda lib: step(lib, same).with_listeners(on_end=lambda run: None), "x"),
    "types": (lambda lib: step(lib, same).with_types(input_type=str) | step(lib, same), "x"),
    "chain of a chat model": (
        lambda lib: (
            lib.prompts.ChatPromptTemplate.from_template("{a}")
            | lib.language_models.FakeListChatModel(responses=['{"a": [1, 2]}'])
            | lib.output_parsers.JsonOutputParser()
        ),
        {"a": "x"},
    ),
    "chain of a model": (
        lambda lib: (
            lib.prompts.PromptTemplate.from_template("{a}")
            | lib.language_models.FakeStreamingListLLM(responses=["ab"])
            | lib.output_parsers.StrOutputParser()
        ),
        {"a": "x"},
    ),
    **{make.__name__.replace("_", " "): (make, "x") for make in CALLING},
}
FILTERS: list[dict[str, Any]] = [
    {},
    {"include_types": ["chain"]},
    {"exclude_types": ["chain", "prompt"]},
    {"exclude_tags": ["seq:step:1"]},
    {"exclude_names": ["first", "StrOutputParser"]},
]


@versions
@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("name", RUNNABLES)
def test_events_are_those_of_langchain(name: str, filters: dict[str, Any], version: str) -> None:
    make, value = RUNNABLES[name]
    with allow_v1():
        expected, failure = events_of(make(THEIRS).astream_events(value, version=version, **filters))
    found, own_failure = events_of(make(OURS).astream_events(value, version=version, **filters))
    assert found == with_own_inputs(expected, found, filters)
    assert own_failure.partition("(")[0] == failure.partition("(")[0]


def with_own_inputs(expected: list[Any], found: list[Any], filters: dict[str, Any]) -> list[Any]:
    """Return LangChain's events, where a filter excludes the first one with the inputs of their own runs.

    LangChain puts the input of the whole stream into the first event of version 2 that passes the filter.
    """
    if not expected or not found or expected[0] == found[0] or not filters:
        return expected
    ids = {dict(event)["run_id"] for event in (expected[0], found[0])}
    assert len(ids) == 1
    return [
        [(key, dict(own)["data"] if key == "data" else value) for key, value in event]
        if dict(event)["run_id"] in ids and dict(event)["event"].endswith(("start", "end"))
        else event
        for event, own in zip(expected, found, strict=True)
    ]


ASYNC = ("calls a chain", "batches", "calls a model", "streams a model", "recovers")


@versions
@pytest.mark.parametrize("name", [name for name in RUNNABLES if "async" not in name and name not in ASYNC])
def test_sync_code_gets_the_same_events(name: str, version: Any) -> None:
    make, value = RUNNABLES[name]
    expected = events_of(make(OURS).astream_events(value, version=version))
    assert events_of(make(OURS).stream_events(value, version=version)) == expected


def test_a_version_that_does_not_exist_is_an_error_of_the_first_step() -> None:
    async def read(stream: Any) -> None:
        async for _ in stream:
            pass

    for lib in (OURS, THEIRS):
        stream = step(lib, same).astream_events(1, version="v9")
        with pytest.raises(NotImplementedError):
            asyncio.run(read(stream))


class _Array:
    """A value that is neither true nor false, as an array of numbers is."""

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")

    def __eq__(self, other: object) -> Any:
        return self

    def __add__(self, other: object) -> Any:
        return _Array()


async def _atwice(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for chunk in chunks:
        yield chunk
        yield chunk


def test_an_input_without_a_truth_value_is_shown_in_the_events() -> None:
    value: Any = _Array()
    chain: Any = step(OURS, same) | step(OURS, same)

    async def main() -> list[Any]:
        return [event async for event in chain.astream_events(value, version="v2")]

    async def read_log() -> list[Any]:
        return [patch async for patch in OURS.runnables.RunnableGenerator(_atwice).astream_log(value, diff=False)]

    logs = asyncio.run(read_log())
    assert len({id(log.state["final_output"]) for log in logs[1:]}) == 2
    ends = [event["data"] for event in asyncio.run(main()) if event["event"] == "on_chain_end"]
    assert ends == [{"input": value, "output": value}] * 2 + [{"output": value}]
