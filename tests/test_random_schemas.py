"""Random compositions beside LangChain's: names, schemas, graphs."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from langchain_peer import allow_v1
from schema_shapes import graph_shape, without_descriptions
from trees import build, cases

ASKED: dict[str, Callable[[Any], Any]] = {
    "name": lambda step: step.get_name(),
    "named": lambda step: (step.get_name("Input"), step.get_name(name="other")),
    "input": lambda step: step.get_input_jsonschema(),
    "output": lambda step: step.get_output_jsonschema(),
    "config": lambda step: step.get_config_jsonschema(),
    "mermaid": lambda step: step.get_graph().draw_mermaid(),
    "graph": lambda step: graph_shape(step.get_graph()),
}


def answer(case: Any, place: int, question: str) -> Any:
    try:
        return without_descriptions(ASKED[question](build(case[0], place)))
    except Exception as error:
        return type(error).__name__


@given(case=cases(), question=st.sampled_from([*ASKED]))
def test_descriptions_are_langchains(case: Any, question: str) -> None:
    with allow_v1():
        expected, found = (answer(case, place, question) for place in (0, 1))
    assert found == expected
