"""Functions of any signature as tools: their schemas are LangChain's, with pydantic in their annotations or without."""

import dataclasses
import enum
import subprocess
import sys
from typing import Annotated, Any, Literal

import pytest
from langchain_core.utils.function_calling import convert_to_openai_function as convert_theirs
from langchain_core.utils.function_calling import tool_example_to_messages as their_messages
from pydantic import BaseModel, ConfigDict, Field
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.v1 import BaseModel as FirstModel
from typing_extensions import TypedDict

from millstream.function_calling import convert_to_openai_function
from millstream.utils.function_calling import tool_example_to_messages


class Keys(TypedDict):
    a: int
    b_c: str


@dataclasses.dataclass
class Point:
    x: int
    title: str = "x"


class Color(enum.Enum):
    RED = "r"
    GREEN = "g"


class Inner(BaseModel):
    x: int
    title: str


class Outer(BaseModel):
    """An object."""

    inner: Inner | None
    many: list[Inner]


class First(FirstModel):
    x: int


def of_typed_dicts(a: Keys, b: Keys | None, c: list[Keys], d: dict[str, Keys | int]) -> None:
    """Take typed dicts."""


def of_dataclasses(a: Point, b: Point | None, c: tuple[int, Point]) -> None:
    """Take objects of data classes."""


def of_enums(a: Color, b: Color | None, c: Color = Color.RED) -> None:
    """Take members of enumerations."""


def of_models(a: Outer, title: str, b: Outer | Inner, c: tuple[int, Inner], d: list[Inner] | None = None) -> None:
    """Take objects of pydantic classes."""


def of_fields(
    a: Annotated[int, Field(gt=3, description="More than three.")], b: Annotated[str, Field(max_length=5)] = "x"
) -> None:
    """Take constrained values."""


def of_field_defaults(a: int = Field(description="A number."), b: str = Field("x", max_length=5)) -> None:
    """Take what fields describe."""


def of_described(a: Annotated[int, "A number."], b: Annotated[Inner | None, "An object."] = None) -> None:
    """Take described values."""


def of_literals(a: Literal["x", 1], b: Literal["y"], c: "int | None" = None) -> None:
    """Take some values."""


def of_docstring(a: Inner, b: int = 3) -> None:
    """Take described values.

    Args:
        a: An object.
        b: A number.
    """


def of_first_version(a: First) -> None:
    """Take an object of a class of the first version."""


def with_own_argument(a: int, _cache: Any = None) -> None:
    """Take an argument of its own."""


class Methods:
    def method(self, a: Inner) -> None:
        """Take an object."""


FUNCTIONS = [
    of_typed_dicts,
    of_dataclasses,
    of_enums,
    of_models,
    of_fields,
    of_field_defaults,
    of_described,
    of_literals,
    of_docstring,
    of_first_version,
    with_own_argument,
    Methods.method,
    Methods().method,
]


@pytest.mark.parametrize("strict", [None, True])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_schema_of_a_function_is_langchains(function: Any, strict: bool | None) -> None:
    assert convert_to_openai_function(function, strict=strict) == convert_theirs(function, strict=strict)


@pytest.mark.parametrize("kind", [int, Inner])
def test_a_docstring_that_describes_an_unknown_argument_is_refused(kind: Any) -> None:
    def wrong(a: Any) -> None:
        """Take a value.

        Args:
            b: Another one.
        """

    wrong.__annotations__["a"] = kind
    for convert in (convert_to_openai_function, convert_theirs):
        with pytest.raises(ValueError, match=r"^Arg b in docstring not found in function signature\.$"):
            convert(wrong)


def test_the_error_for_a_type_without_a_schema_names_the_class() -> None:
    class Custom:
        pass

    class Wrong(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        custom: Custom

    with pytest.raises(PydanticInvalidForJsonSchema, match=r"^Failed to generate JSON schema for 'Wrong'") as failed:
        convert_to_openai_function(Wrong)
    with pytest.raises(PydanticInvalidForJsonSchema) as expected:
        convert_theirs(Wrong)
    assert str(failed.value).split() == str(expected.value).split()


def test_a_function_without_pydantic_in_its_annotations_does_not_import_it() -> None:
    code = """
import enum, sys
from millstream.function_calling import convert_to_openai_function

class Color(enum.Enum):
    RED = "r"

def paint(color: Color, size: int | None = None) -> None:
    "Paint."

convert_to_openai_function(paint)
print("pydantic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
@pytest.mark.parametrize(
    "arguments", [{}, {"tool_outputs": ["a", "b"]}, {"ai_response": "done"}, {"tool_outputs": ["a"]}]
)
def test_an_example_of_tool_calls_is_langchains(arguments: dict[str, Any]) -> None:
    def messages(convert: Any) -> Any:
        try:
            made = convert("hello", [Inner(x=1, title="t"), Inner(x=2, title="u")], **arguments)
        except ValueError as error:
            return str(error)
        calls = [call["function"] for call in made[1].additional_kwargs["tool_calls"]]
        ids = [call["id"] for call in made[1].tool_calls]
        assert ids == [one.tool_call_id for one in made if one.type == "tool"]
        return [(one.type, one.content) for one in made], calls

    assert messages(tool_example_to_messages) == messages(their_messages)
