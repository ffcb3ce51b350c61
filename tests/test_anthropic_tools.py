"""Tools and structured output of ``ChatAnthropic``, beside langchain-anthropic's."""

import warnings
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_anthropic.chat_models as theirs_module
    from langchain_core.tools import tool as their_tool
    from pydantic import BaseModel, Field, RootModel

from anthropic_peer import both_models, read_warnings
from millstream.providers.anthropic import convert_to_anthropic_tool
from millstream.providers.anthropic.output_schemas import build_output_format, transform_schema
from millstream.tools import tool


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Point(BaseModel):
    """A point."""

    x: int = Field(ge=0, description="across")
    y: float | None = None
    colour: Colour = Colour.RED
    names: list[str] = Field(default_factory=list, min_length=2)


class Line(BaseModel):
    """A line between two points."""

    start: Point
    end: Point
    kind: Literal["solid", "dashed"] = "solid"


class Pair(TypedDict):
    """A pair."""

    left: Annotated[str, ..., "the left one"]
    right: int


def add(a: int, b: int = 2) -> int:
    """Add two numbers.

    Args:
        a: the first
        b: the second
    """
    return a + b


PLAIN = {"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {}}, "strict": True}
OPENAI = {"type": "function", "function": {"name": "g", "description": "d", "parameters": {"type": "object"}}}
SCHEMA = {"title": "S", "description": "d", "type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
UNION = {"name": "u", "description": "d", "input_schema": {"anyOf": [{"type": "object"}]}}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
TOOLS: list[Any] = [add, Point, Pair, PLAIN, OPENAI, SCHEMA]
ASK = "p"


def outcome(call: Callable[[], Any]) -> Any:
    """Return what ``call`` returns, or its exception, and the warnings without what only ours say."""
    with read_warnings() as warned:
        try:
            result = call()
        except (ValueError, TypeError) as error:
            result = type(error).__name__
    return result, sorted(warned)


def both_bound(tools: list[Any], given: dict[str, Any], **arguments: Any) -> list[Any]:
    """Return the arguments that ``bind_tools`` of both models binds, and the warnings."""
    return [
        outcome(lambda model=model: model.bind_tools(tools, **given).kwargs)  # type: ignore[misc]
        for model in both_models(**arguments)
    ]


@pytest.mark.parametrize("strict", [None, False, True])
@pytest.mark.parametrize("place", range(len(TOOLS)))
def test_a_tool_is_described_as_in_langchain(place: int, strict: bool | None) -> None:
    mine = outcome(lambda: convert_to_anthropic_tool(TOOLS[place], strict=strict))
    theirs = outcome(lambda: theirs_module.convert_to_anthropic_tool(TOOLS[place], strict=strict))
    assert mine == theirs


def test_the_extras_of_a_tool_are_sent() -> None:
    for extras in (
        {"cache_control": {"type": "ephemeral"}, "defer_loading": True, "other": 1, "input_examples": [{"a": 1}]},
        {"provider_tool_definition": SEARCH},
    ):
        mine, theirs = tool(add), their_tool(add)
        theirs.extras = dict(extras)
        mine.extras = dict(extras)
        assert convert_to_anthropic_tool(mine) == theirs_module.convert_to_anthropic_tool(theirs)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"tool_choice": "add"},
        {"tool_choice": "any"},
        {"tool_choice": "auto"},
        {"tool_choice": {"type": "tool", "name": "f"}},
        {"tool_choice": 5},
        {"parallel_tool_calls": False},
        {"parallel_tool_calls": True, "tool_choice": "any"},
        {"strict": True, "cache_control": {"type": "ephemeral"}},
    ],
)
@pytest.mark.parametrize("thinking", [None, {"type": "enabled", "budget_tokens": 1024}, {"type": "disabled"}])
@pytest.mark.parametrize("tools", [[add, SEARCH], [add, UNION], [UNION]])
def test_bound_tools_are_langchains(tools: list[Any], thinking: Any, given: dict[str, Any]) -> None:
    mine, theirs = both_bound(tools, given, thinking=thinking)
    assert mine == theirs


@pytest.mark.parametrize("choice", ["u", "any", {"type": "tool", "name": "u"}])
@pytest.mark.parametrize("thinking", [None, {"type": "adaptive"}])
def test_a_tool_that_was_dropped_cannot_be_forced(choice: Any, thinking: Any) -> None:
    mine, theirs = both_bound([add, UNION], {"tool_choice": choice}, thinking=thinking)
    assert mine == theirs


def test_tools_that_are_no_list_raise() -> None:
    mine, _ = both_models()
    with pytest.raises(TypeError, match=r"tools must be a list, not add alone: write bind_tools\(\[…\]\)"):
        mine.bind_tools(add)


SCHEMAS: list[Any] = [
    SCHEMA,
    Point.model_json_schema(),
    Line.model_json_schema(),
    RootModel[list[Point]].model_json_schema(),
    {"type": "string", "format": "date"},
    {"type": "string", "format": "phone", "pattern": "x"},
    {"type": "string", "format": None},
    {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
    {"type": "array", "minItems": 2},
    {"type": "array", "minItems": None},
    {"type": "object", "properties": {"a": {"type": "null"}}, "required": ("a",), "additionalProperties": True},
    {"enum": ["a", 1, None], "type": "string"},
    {"enum": [], "type": "string"},
    {"enum": [{"a": 1}], "type": "object"},
    {"const": 3},
    {"const": [1], "type": "array"},
    {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d", "default": None},
    {"oneOf": [{"type": "string"}], "title": "t"},
    {"allOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": {"type": "boolean"}}},
    {"$ref": "#/$defs/A", "$defs": {"A": {"type": "boolean"}}, "description": "dropped"},
    {"type": "object", "anyOf": [{"type": "string"}], "properties": {"a": {"type": "integer"}}},
    {"properties": {}},
]


@pytest.mark.parametrize("place", range(len(SCHEMAS)))
def test_a_schema_is_transformed_as_the_sdk_does(place: int) -> None:
    from anthropic import transform_schema as theirs

    assert outcome(lambda: transform_schema(SCHEMAS[place])) == outcome(lambda: theirs(SCHEMAS[place]))


@pytest.mark.parametrize("schema", [Point, Line, Pair, SCHEMA, add])
def test_the_format_of_an_answer_is_langchains(schema: Any) -> None:
    mine = outcome(lambda: build_output_format(schema))
    assert mine == outcome(lambda: theirs_module._convert_to_anthropic_output_config_format(schema))
    assert isinstance(mine[0], dict)


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-5-5"])
@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode", "x"])
@pytest.mark.parametrize("schema", [Point, Pair, SCHEMA, PLAIN])
@pytest.mark.parametrize("thinking", [None, {"type": "adaptive"}])
def test_structured_output_binds_what_langchain_binds(schema: Any, method: str, model: str, thinking: Any) -> None:
    mine, theirs = (
        outcome(lambda one=one: one.with_structured_output(schema, method=method).first.kwargs)  # type: ignore[misc]
        for one in both_models(model=model, thinking=thinking)
    )
    assert mine == theirs
