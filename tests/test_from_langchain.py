"""``from_langchain``: a composition of LangChain's is, for Millstream, what its own composition would be."""

import asyncio
import json
from typing import Any

import pytest

from both_libraries import COMPOSITIONS, INPUT, WAYS, assert_same_face, calls_of, ours, theirs
from chains import events_of, numbered
from endings import aread
from langchain_peer import dump_messages
from marks import versions
from millstream.integrations.langchain import from_langchain
from millstream.messages import AIMessage, HumanMessage
from millstream.runnables import Runnable
from millstream.runnables.graph import Graph
from test_to_langchain import IN_NO_ORDER, ORDERED, UNLIKE, plain


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", COMPOSITIONS)
def test_it_is_called_as_our_own(name: str, way: str) -> None:
    expected = calls_of(way, COMPOSITIONS[name](ours), place=1)
    made = from_langchain(COMPOSITIONS[name](theirs))
    assert isinstance(made, Runnable)
    found = calls_of(way, made, place=1)
    assert plain(found[0]) == plain(expected[0])
    assert name in IN_NO_ORDER or (name, way) in UNLIKE or found[1] == expected[1]


@versions
@pytest.mark.parametrize("name", ORDERED)
def test_its_events_are_those_of_our_own(name: str, version: str) -> None:
    config: Any = {"tags": ["t"], "metadata": {"k": 1}}
    expected = events_of(COMPOSITIONS[name](ours).astream_events(INPUT, config, version=version))
    found = events_of(from_langchain(COMPOSITIONS[name](theirs)).astream_events(INPUT, config, version=version))
    assert found == expected
    assert found[0]
    assert not found[1]


@pytest.mark.parametrize("name", ORDERED)
def test_the_values_in_its_events_are_ours(name: str) -> None:
    made = from_langchain(COMPOSITIONS[name](theirs))
    found = asyncio.run(aread(made.astream_events(INPUT, version="v2")))
    assert "langchain_core" not in {module.partition(".")[0] for module in modules_in(found)}


def modules_in(value: Any) -> set[str]:
    """Return the modules of the classes of all values in events."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {found for item in value for found in modules_in(item)}
    if isinstance(value, str):  # also a text of LangChain's that can be called
        return set()
    return {type(value).__module__} | (modules_in(value.messages) if hasattr(value, "messages") else set())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [name for name in ORDERED if name != "tool"])
def test_it_is_a_step_of_our_chains(name: str, way: str) -> None:
    def chain(step: Any) -> Any:
        return ours.RunnablePassthrough() | step | ours.RunnableLambda(lambda value: value)

    expected = calls_of(way, chain(COMPOSITIONS[name](ours).with_config(run_name="step")), place=1)
    found = calls_of(way, chain(from_langchain(COMPOSITIONS[name](theirs)).with_config(run_name="step")), place=1)
    assert plain(found[0]) == plain(expected[0])
    assert found[1] == expected[1]


@pytest.mark.parametrize("name", ORDERED)
def test_its_records_are_those_of_our_own(name: str) -> None:
    found: list[Any] = []
    expected: list[Any] = []
    for made, one in ((found, from_langchain(COMPOSITIONS[name](theirs))), (expected, COMPOSITIONS[name](ours))):
        written = b"".join(asyncio.run(aread(one.astream_records(INPUT, format="ndjson"))))
        made += numbered(dump_messages([json.loads(line) for line in written.splitlines()]))
    assert found == expected
    assert found


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_its_types_schemas_and_names_are_those_of_our_own(name: str) -> None:
    made, expected = from_langchain(COMPOSITIONS[name](theirs)), COMPOSITIONS[name](ours)
    assert_same_face(made, expected)
    assert type(made.get_graph()) is Graph
    chains = [(ours.RunnablePassthrough() | one).get_graph() for one in (made, expected)]
    assert len(chains[0].nodes) == len(chains[1].nodes)


@pytest.mark.parametrize("with_parser", [False, True])
def test_it_takes_messages_of_either_library(with_parser: bool) -> None:
    model = from_langchain(theirs.FakeListChatModel(responses=["hi"]))
    chain = model | ours.StrOutputParser() if with_parser else model
    expected = "hi" if with_parser else AIMessage
    for messages in ([HumanMessage("a")], [ours.ChatPromptTemplate.from_template("a").invoke({})], "a"):
        output = chain.invoke(messages[0] if not isinstance(messages[0], HumanMessage) else messages)
        assert output == expected or type(output) is expected


def test_retries_fallbacks_and_bindings_of_ours_wrap_it() -> None:
    calls: list[int] = []

    def fail(value: Any) -> Any:
        calls.append(value)
        raise ValueError(value)

    step = from_langchain(theirs.RunnableLambda(fail))
    with pytest.raises(ValueError, match="1"):
        step.with_retry(stop_after_attempt=2, wait_exponential_jitter=False).invoke(1)
    assert calls == [1, 1]
    assert step.with_fallbacks([from_langchain(theirs.RunnableLambda(lambda value: value + 1))]).invoke(1) == 2
    assert step.batch([1, 2], return_exceptions=True)[0].args == (1,)


def test_records_of_a_chain_with_a_step_that_is_not_converted_are_the_same() -> None:
    prompt, expected = ours.ChatPromptTemplate.from_template("{text}"), ours.FakeListChatModel(responses=["hi"])
    found = [
        numbered(dump_messages([json.loads(line) for line in records_of(prompt | model).splitlines()]))
        for model in (theirs.FakeListChatModel(responses=["hi"]), expected)
    ]
    assert found[0] == found[1]


def records_of(chain: Any) -> bytes:
    return b"".join(asyncio.run(aread(chain.astream_records(INPUT, format="ndjson"))))
