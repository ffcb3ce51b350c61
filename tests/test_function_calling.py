"""Functions, classes, typed dicts and schemas as OpenAI's tools, compared with LangChain's and the SDK's."""

import enum
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from typing import NotRequired

    from langchain_core.utils.function_calling import convert_to_json_schema as their_json_schema
    from langchain_core.utils.function_calling import convert_to_openai_tool as their_tool
    from openai.lib._parsing._completions import type_to_response_format_param
    from pydantic import BaseModel, Field
    from typing_extensions import TypedDict as TheirTypedDict

from millstream.function_calling import (
    convert_to_json_schema,
    convert_to_openai_function,
    convert_to_openai_tool,
    convert_to_response_format,
)


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


class Inner(BaseModel):
    """An inner thing."""

    x: int = Field(description="The x.")
    next: "Inner | None" = None


class Outer(BaseModel):
    """An outer one."""

    title: str
    inner: Inner = Field(description="One of them.")
    many: list[Inner] = []
    color: Color = Color.RED


class Described(TypedDict):
    """A typed dict.

    Args:
        a: The a.
    """

    a: int
    b: Annotated[str, ..., "The b."]
    c: Annotated[int | None, None, "The c."]
    d: Annotated[int, 3, "The d."]
    e: list[str]
    f: dict[str, int]
    g: Literal["x", "y"]
    h: float | None
    i: int | str
    j: Annotated[list[Literal["q"]], ..., "j"]


class Point(TheirTypedDict):
    x: int
    y: NotRequired[int]


@dataclass
class Plain:
    a: int
    b: str = "x"


def documented(
    a: int, b: str = "x", c: list[int] | None = None, *, d: Literal["u", "v"] = "u", e: Annotated[float, "The e."] = 1.5
) -> str:
    """Do a thing.

    More on it.

    Args:
        a: The a
          goes on: here.
        b (str): The b.

    Returns:
        Something else: not an argument.
    """
    return ""


def of_many_types(  # type: ignore[no-untyped-def]
    x,  # noqa: ANN001
    y: Any,
    p: Point,
    q: Inner,
    when: datetime,
    c: Color,
    t: tuple[int, str],
    s: set[int],
    dd: dict,  # type: ignore[type-arg]
    ll: list,  # type: ignore[type-arg]
    dc: Plain,
    lit: Literal["one"],
    nested: dict[str, list[int]],
) -> None:
    """Take everything."""


def bare() -> None: ...


class Owner:
    def method(self, a: int, run_manager: Any = None) -> int:
        """Belong to a class."""
        return a


TOOLS: list[Any] = [
    documented,
    of_many_types,
    bare,
    Owner.method,
    Owner().method,
    Inner,
    Outer,
    Described,
    {"name": "n", "description": "d", "parameters": {"type": "object", "properties": {"a": {"type": "object"}}}},
    {"title": "n", "description": "d", "type": "object", "properties": {"a": {"anyOf": [{"type": "null"}]}}},
    {"name": "n", "input_schema": {"type": "object", "properties": {}}, "description": "d"},
    {"toolSpec": {"name": "n", "inputSchema": {"json": {"type": "object"}}, "description": "d"}},
    {"type": "function", "function": {"name": "q"}},
    {"type": "web_search_preview_2025_03_11"},
    {"type": "object", "properties": {}},
    {"anything": 1},
    5,
]


def outcome_of(call: Any, *args: Any, **options: Any) -> Any:
    try:
        return call(*args, **options)
    except (ValueError, KeyError) as error:
        return type(error)


@pytest.mark.parametrize("strict", [None, True, False])
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: getattr(tool, "__name__", str(tool))[:40])
def test_tools_are_described_as_in_langchain(tool: Any, strict: bool | None) -> None:
    assert outcome_of(convert_to_openai_tool, tool, strict=strict) == outcome_of(their_tool, tool, strict=strict)
    assert outcome_of(convert_to_json_schema, tool) == outcome_of(their_json_schema, tool)


def test_tools_of_langchain_are_accepted() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_core.tools import tool
    made = tool(documented)
    assert convert_to_openai_tool(made) == their_tool(made)


@pytest.mark.parametrize("model", [Inner, Outer])
def test_a_class_is_sent_as_by_the_sdk(model: Any) -> None:
    assert convert_to_response_format(model) == type_to_response_format_param(model)


def test_contradicting_strictness_is_an_error() -> None:
    with pytest.raises(ValueError, match="different from"):
        convert_to_openai_function({"name": "n", "strict": True, "parameters": {}}, strict=False)
