"""The types and schemas of Runnables are those of LangChain's."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from operator import itemgetter
from typing import Any

import langchain_core.runnables as theirs
import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

import millstream.runnables as ours
from millstream.runnables.config import RunnableConfig
from millstream.runnables.function_source import get_function_first_arg_dict_keys, get_function_nonlocals
from millstream.runnables.schemas import field_types, model_of_fields, model_of_type

Library = Any


class Question(BaseModel):
    """What is asked."""

    text: str
    limit: int = 3


class Row(TypedDict):
    """A row."""

    a: int


def typed(x: int) -> str:
    return str(x)


async def asked(x: Question) -> Row:
    return {"a": len(x.text)}


def reads_keys(x: Any) -> Any:
    return [x["a"], x.get("b"), x.get("c", 0), x["a"]["no"], str(x["no"])]


def returns_none(x: Any) -> None:
    del x


def yields(x: Question) -> Iterator[str]:
    yield x.text


async def yields_later(x: str) -> AsyncIterator[list[int]]:
    yield [len(x)]


FUNCTIONS: list[Callable[..., Any]] = [
    *(typed, asked, reads_keys, returns_none, yields, yields_later),
    *(itemgetter("a"), itemgetter("a", "b"), itemgetter(0), len, print),
    lambda x: x["foo"] + x["bar"],
    lambda x: x,
]


def described(runnable: Any) -> dict[str, Any]:
    return {
        "input": runnable.get_input_jsonschema(),
        "output": runnable.get_output_jsonschema(),
        "config": runnable.get_config_jsonschema(include=list(RunnableConfig.__annotations__)),
        "names": (runnable.get_name(), runnable.get_name("Input"), runnable.get_name("x", name="other")),
        "specs": runnable.config_specs,
        "types": (runnable.InputType, runnable.OutputType),
    }


functions = pytest.mark.parametrize("place", range(len(FUNCTIONS)))


@functions
def test_a_function_is_described_by_its_annotations_and_by_the_keys_it_reads(place: int) -> None:
    function = FUNCTIONS[place]
    assert described(ours.RunnableLambda(function)) == described(theirs.RunnableLambda(function))
    assert repr(ours.RunnableLambda(function)) == repr(theirs.RunnableLambda(function))


@functions
def test_a_sequence_takes_what_its_first_step_takes_and_returns_what_its_last_step_returns(place: int) -> None:
    def build(library: Library, first: Any) -> Any:
        return library.RunnableLambda(first) | typed | library.RunnableLambda(FUNCTIONS[place])

    for first in FUNCTIONS[:3]:
        assert described(build(ours, first)) == described(build(theirs, first)), first


@pytest.mark.parametrize("name", ["step", "Step", None])
def test_a_binding_is_described_by_what_it_binds(name: str | None) -> None:
    def build(library: Library) -> Any:
        return library.RunnableLambda(typed, name=name).bind(a=1).with_config(tags=["x"])

    assert described(build(ours)) == described(build(theirs))


def test_a_class_of_ones_own_is_described_by_its_generic_arguments() -> None:
    def build(library: Library) -> Any:
        class Step(library.Runnable[int, str]):  # type: ignore[misc]
            def invoke(self, input: int, config: Any = None, **kwargs: Any) -> str:
                return str(input)

        class Special(Step):
            name = "special"

        return Step(), Special()

    for one, other in zip(build(ours), build(theirs), strict=True):
        assert described(one) == described(other)


def test_a_pydantic_class_describes_itself() -> None:
    assert ours.RunnableLambda(asked).input_schema is Question
    assert ours.RunnableLambda(typed).input_schema is ours.RunnableLambda(typed).input_schema


def test_a_field_may_have_a_name_that_pydantic_uses_itself() -> None:
    model = model_of_fields("M", {"copy": (int, ...), "_x": (str, "a"), "b": (int, 1), "c": (bool, True)})
    assert model.model_json_schema()["properties"] == {
        "copy": {"title": "Copy", "type": "integer"},
        "_x": {"default": "a", "title": "X", "type": "string"},
        "b": {"default": 1, "title": "B", "type": "integer"},
        "c": {"default": True, "title": "C", "type": "boolean"},
    }


def test_equal_defaults_of_two_types_are_kept_apart() -> None:
    for default in (1, True, 1.0):
        model = model_of_fields("M", {"a": (Any, default)})
        assert model.model_json_schema()["properties"]["a"]["default"] is default


def test_types_without_a_hash_are_described_too() -> None:
    assert model_of_fields("M", {"a": (list[int], [1])}).model_json_schema()["properties"]["a"]["default"] == [1]
    assert model_of_type("M", list[int], None, default=[]).model_json_schema()["default"] == []


def test_the_fields_of_a_class_that_is_no_model_are_an_error() -> None:
    assert set(field_types(Question)) == {"text", "limit"}
    with pytest.raises(TypeError, match="Expected a Pydantic model"):
        field_types(int)


def test_a_function_depends_on_the_runnables_that_it_uses() -> None:
    inner = ours.RunnableLambda(typed)
    others = {"inner": inner}

    def function(x: Any) -> Any:
        return inner.invoke(x) if x else others["inner"]

    assert ours.RunnableLambda(function).deps == [inner]
    assert others in get_function_nonlocals(function)
    assert inner.invoke in get_function_nonlocals(function)
    assert get_function_nonlocals(len) == []


def test_a_function_without_a_source_reads_no_keys() -> None:
    assert get_function_first_arg_dict_keys(len) is None
    assert get_function_first_arg_dict_keys(eval("lambda x: x['a']")) is None


def test_pydantic_is_imported_when_a_schema_is_asked_for() -> None:
    code = """
import sys
from millstream.runnables import RunnableLambda
chain = RunnableLambda(lambda x: x) | RunnableLambda(lambda x: x)
assert chain.invoke(1) == 1 and chain.config_specs == [] and "pydantic" not in sys.modules
chain.get_input_jsonschema()
assert "pydantic" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_callable_without_a_hash_is_described_too() -> None:
    class Step:
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            return self is other

        def __call__(self, x: int) -> str:
            return str(x)

    step = ours.RunnableLambda(Step())
    assert step.deps == []
    assert (step.InputType, step.OutputType) == (int, str)
    assert [node.name for node in step.get_graph().nodes.values()][1] == "Lambda"
