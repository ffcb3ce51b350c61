"""``to_langchain``: a composition of Millstream's is, for LangChain, what its own composition would be."""

from typing import Any

import pytest
from langchain_core.runnables import Runnable as TheirRunnable

from both_libraries import COMPOSITIONS, INPUT, WAYS, assert_same_face, calls_of, ours, theirs
from chains import events_of
from langchain_peer import allow_v1, dump_messages
from marks import versions
from millstream.integrations.langchain import from_langchain, to_langchain


def plain(value: Any) -> Any:
    """Return a value with its class's module, so that values of the two libraries differ."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return (type(value), dump_messages(value)) if hasattr(value, "model_dump") else value


IN_NO_ORDER = {"assign": "LangChain runs the steps beside the input in a thread or a task"}
UNLIKE = {("retrying", way): "LangChain does not retry there" for way in ("batch as completed", "abatch as completed")}
ORDERED = [name for name in COMPOSITIONS if name not in IN_NO_ORDER]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", COMPOSITIONS)
def test_it_is_called_as_langchains_own(name: str, way: str) -> None:
    expected = calls_of(way, COMPOSITIONS[name](theirs))
    made = to_langchain(COMPOSITIONS[name](ours))
    assert isinstance(made, TheirRunnable)
    found = calls_of(way, made)
    assert plain(found[0]) == plain(expected[0])
    assert (name, way) in UNLIKE or found[1] == expected[1]


@versions
@pytest.mark.parametrize("name", ORDERED)
def test_its_events_are_those_of_langchains_own(name: str, version: str) -> None:
    config: Any = {"tags": ["t"], "metadata": {"k": 1}}
    with allow_v1():
        expected = events_of(COMPOSITIONS[name](theirs).astream_events(INPUT, config, version=version))
        found = events_of(to_langchain(COMPOSITIONS[name](ours)).astream_events(INPUT, config, version=version))
    assert found == expected
    assert found[0]
    assert not found[1]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [name for name in ORDERED if name != "tool"])
def test_it_is_a_step_of_langchains_chains(name: str, way: str) -> None:
    def chain(step: Any) -> Any:
        return theirs.RunnablePassthrough() | step | theirs.RunnableLambda(lambda value: value)

    expected = calls_of(way, chain(COMPOSITIONS[name](theirs).with_config(run_name="step")))
    found = calls_of(way, chain(to_langchain(COMPOSITIONS[name](ours)).with_config(run_name="step")))
    assert plain(found[0]) == plain(expected[0])
    assert found[1] == expected[1]


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_a_conversion_back_returns_the_same_object(name: str) -> None:
    own, other = COMPOSITIONS[name](ours), COMPOSITIONS[name](theirs)
    assert from_langchain(to_langchain(own)) is own
    assert to_langchain(from_langchain(other)) is other
    assert to_langchain(other) is other
    assert from_langchain(own) is own


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_its_types_schemas_and_names_are_those_of_langchains_own(name: str) -> None:
    made, expected = to_langchain(COMPOSITIONS[name](ours)), COMPOSITIONS[name](theirs)
    assert_same_face(made, expected)
    assert made.get_graph().draw_ascii() == expected.get_graph().draw_ascii()
