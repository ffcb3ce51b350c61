"""Random functions as tools: schemas, results and errors are LangChain's."""

import asyncio
from typing import Annotated, Any, Literal

import langchain_core.tools
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import millstream.tools
from tool_outcomes import outcome, schemas_of

OURS: Any = millstream.tools
THEIRS: Any = langchain_core.tools


class Item(BaseModel):
    size: int
    tags: list[str] = []


TYPES: list[Any] = [
    int,
    float,
    str,
    bool,
    Any,
    list[int],
    dict[str, float],
    tuple[int, str],
    int | None,
    Literal["a", 1],
    Item,
    list[Item] | None,
    Annotated[int, Field(ge=0, description="not negative")],
    Annotated[str, "described"],
]
VALUES = st.one_of(
    st.integers(-5, 5),
    st.floats(-2, 2),
    st.sampled_from(
        ["", "a", "1", "true", None, True, [], [1], ["x"], [1, "x"], {"size": "3"}, [{"size": 1}], {"k": 2}]
    ),
)
NAMES = ("a", "b", "c")


@st.composite
def functions(draw: st.DrawFn) -> Any:
    """Return a function that returns its arguments."""
    names = NAMES[: draw(st.integers(0, 3))]
    optional = draw(st.integers(0, len(names)))
    required = names[: len(names) - optional]
    parameters = [*required, *(f"{name}=None" for name in names[len(required) :])]
    if draw(st.booleans()) and parameters:
        parameters.insert(0, "*")
    namespace: dict[str, Any] = {}
    exec(f"def made({', '.join(parameters)}):\n    'Return the arguments.'\n    return locals()", namespace)
    function = namespace["made"]
    function.__annotations__ = {name: draw(st.sampled_from(TYPES)) for name in names if draw(st.booleans())}
    return function


@given(functions(), st.dictionaries(st.sampled_from((*NAMES, "d")), VALUES), st.booleans(), st.booleans())
def test_random_functions_are_tools_as_in_langchain(
    function: Any, arguments: dict[str, Any], is_call: bool, handles: bool
) -> None:
    made = [tools.tool(function) for tools in (OURS, THEIRS)]
    for one in made:
        one.handle_validation_error = handles
    ours, theirs = made
    assert schemas_of(ours) == schemas_of(theirs)
    input = {"type": "tool_call", "name": "made", "args": arguments, "id": "call"} if is_call else arguments
    expected = outcome(lambda: theirs.invoke(input))
    assert outcome(lambda: ours.invoke(input)) == expected
    assert outcome(lambda: asyncio.run(ours.ainvoke(input))) == expected


@given(functions())
def test_random_functions_are_described_to_models_as_in_langchain(function: Any) -> None:
    from langchain_core.utils.function_calling import convert_to_openai_tool as convert

    from millstream.function_calling import convert_to_openai_tool

    expected = convert(THEIRS.tool(function))
    assert convert_to_openai_tool(OURS.tool(function)) == expected
    assert convert_to_openai_tool(function) == expected
