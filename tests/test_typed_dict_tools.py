"""Typed dicts as tools: required keys, defaults and descriptions, at the top level and nested."""

from __future__ import annotations

import typing
import warnings
from typing import Annotated, Any, NotRequired, Optional, Required, TypedDict

import pytest
import typing_extensions

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.utils.function_calling import convert_to_openai_tool as their_tool
    from pydantic import Field

from millstream.function_calling import convert_to_openai_tool

# The annotations of this module are strings, so the classes do not know their qualifiers.


class Size(TypedDict):
    """A size.

    Args:
        width: From the docstring.
    """

    length: Annotated[str, "metres"]
    width: Annotated[int, ..., "the width"]
    height: Annotated[int, 5, "the height"]
    depth: Annotated[int, None, "the depth"]
    colour: str


class Box(TypedDict):
    """A box."""

    size: Size
    sizes: list[Size]
    by_name: dict[str, Size]
    maybe: Optional[Size]  # noqa: UP045
    unit: Annotated[str, "metres"]
    names: list[Annotated[str, "a name"]]


class Marked(TypedDict):
    """M."""

    a: int
    b: NotRequired[int]
    c: NotRequired[Annotated[str, ..., "the c"]]
    d: Annotated[NotRequired[int], ..., "the d"]


class Partial(TypedDict, total=False):
    """P."""

    a: Required[int]
    b: int
    c: Annotated[int, ..., "the c"]
    d: Annotated[int, 3, "the d"]


class Derived(Partial):
    """D."""

    e: str


class Locked(typing_extensions.TypedDict):
    """L."""

    a: typing_extensions.ReadOnly[int]
    b: NotRequired[typing_extensions.ReadOnly[str]]
    c: Annotated[typing_extensions.ReadOnly[int], ..., "the c"]


def function(tool: Any) -> dict[str, Any]:
    described: dict[str, Any] = convert_to_openai_tool(tool)["function"]
    return described


@pytest.mark.parametrize("typed_dict", [Size, Box])
def test_defaults_and_descriptions_are_as_in_langchain_at_every_level(typed_dict: Any) -> None:
    described = function(typed_dict)
    assert described == their_tool(typed_dict)["function"]
    if typed_dict is Box:
        assert described["parameters"]["properties"]["sizes"]["items"] == {
            "description": "A size.",
            **function(Size)["parameters"],
        }


@pytest.mark.parametrize(
    ("typed_dict", "required"),
    [(Marked, ["a"]), (Partial, ["a"]), (Derived, ["a", "e"]), (Locked, ["a", "c"]), (Size, ["width", "colour"])],
)
def test_keys_are_required_as_their_class_says(typed_dict: Any, required: list[str]) -> None:
    parameters = function(typed_dict)["parameters"]
    assert parameters["required"] == required
    make: Any = typing.TypedDict
    outer = make("outer", {"inner": typed_dict, "more": NotRequired[list[typed_dict]]})
    outside = function(outer)["parameters"]
    assert outside["required"] == ["inner"]
    assert outside["properties"]["inner"]["required"] == required
    assert outside["properties"]["inner"]["properties"] == parameters["properties"]
    assert outside["properties"]["more"]["items"] == outside["properties"]["inner"]


def test_qualifiers_do_not_hide_descriptions_and_defaults() -> None:
    assert function(Marked)["parameters"]["properties"] == {
        "a": {"type": "integer"},
        "b": {"type": "integer"},
        "c": {"type": "string", "description": "the c"},
        "d": {"type": "integer", "description": "the d"},
    }
    assert function(Partial)["parameters"]["properties"]["d"] == {
        "type": "integer",
        "default": 3,
        "description": "the d",
    }
    assert function(Locked)["parameters"]["properties"]["b"] == {"type": "string"}


class Fielded(TypedDict):
    """F."""

    a: Annotated[int, Field(description="the a")]
    b: Annotated[int, 3, Field(description="the b")]
    c: list[Annotated[str, Field(description="an item")]]


def test_fields_of_pydantic_describe_keys() -> None:
    described = function(Fielded)["parameters"]
    assert described["properties"] == {
        "a": {"type": "integer", "description": "the a"},
        "b": {"type": "integer", "description": "the b", "default": 3},
        "c": {"type": "array", "items": {"type": "string", "description": "an item"}},
    }
    assert described["required"] == ["a", "c"]


class Here(typing_extensions.TypedDict):
    """Here."""

    x: Annotated[int, "metres"]
    y: NotRequired[int]


def test_typed_dicts_as_arguments_of_functions_are_as_in_langchain() -> None:
    def go(where: Here, how: Annotated[str, "how fast"]) -> None:
        """Go."""

    go.__annotations__ = {"where": Here, "how": Annotated[str, "how fast"]}
    assert function(go) == their_tool(go)["function"]
