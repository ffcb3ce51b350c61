"""Tools: made of functions and classes, called with arguments or with a tool call; LangChain's are the oracle."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import langchain_core.tools
import pytest
from pydantic import BaseModel, Field

import millstream.messages
import millstream.runnables
import millstream.tools
from tool_outcomes import outcome, schemas_of

OURS: Any = millstream.tools
THEIRS: Any = langchain_core.tools


class Numbers(BaseModel):
    """Two numbers."""

    a: int = Field(description="The first.")
    b: int = Field(default=3, description="The second.")


def make_inferred(tools: Any) -> Any:
    @tools.tool  # type: ignore[untyped-decorator]
    def add(a: int, b: int = 3) -> int:
        """Add two numbers.

        Args:
            a: The first.
            b: The second.
        """
        return a + b

    return add


def make_described(tools: Any) -> Any:
    @tools.tool("sum", parse_docstring=True, return_direct=True, extras={"cache": True})  # type: ignore[untyped-decorator]
    def add(a: int, b: int = 3) -> int:
        """Add two numbers.

        Args:
            a: The first.
            b: The second.
        """
        return a + b

    return add


def make_annotated(tools: Any) -> Any:
    @tools.tool(description="Adds.")  # type: ignore[untyped-decorator]
    def add(a: Annotated[int, Field(gt=0, description="The first.")], b: Annotated[int, "The second."] = 3) -> int:
        return a + b

    return add


def make_of_schema(tools: Any) -> Any:
    @tools.tool(args_schema=Numbers)  # type: ignore[untyped-decorator]
    def add(a: int, b: int) -> int:
        return a + b

    return add


def make_of_json_schema(tools: Any) -> Any:
    @tools.tool(args_schema=Numbers.model_json_schema())  # type: ignore[untyped-decorator]
    def add(a: int, b: int = 3) -> int:
        return a + b

    return add


def make_async(tools: Any) -> Any:
    @tools.tool  # type: ignore[untyped-decorator]
    async def add(a: int, b: int = 3) -> int:
        """Add two numbers."""
        return a + b

    return add


def make_subclass(tools: Any) -> Any:
    class Add(tools.BaseTool):  # type: ignore[misc]
        name: str = "add"
        description: str = "Add two numbers."
        args_schema: type[BaseModel] = Numbers

        def _run(self, a: int, b: int) -> int:
            return a + b

    return Add()


def make_subclass_without_schema(tools: Any) -> Any:
    class Add(tools.BaseTool):  # type: ignore[misc]
        name: str = "add"
        description: str = "Add two numbers."

        def _run(self, a: int, b: int = 3) -> int:
            """Add."""
            return a + b

    return Add()


def make_simple(tools: Any) -> Any:
    return tools.Tool("shout", str.upper, "Write in capitals.")


def make_plain(tools: Any) -> Any:
    @tools.tool(infer_schema=False)  # type: ignore[untyped-decorator]
    def shout(text: str) -> str:
        """Write in capitals."""
        return text.upper()

    return shout


MAKERS = [
    make_inferred,
    make_described,
    make_annotated,
    make_of_schema,
    make_of_json_schema,
    make_async,
    make_subclass,
    make_subclass_without_schema,
    make_simple,
    make_plain,
]
INPUTS: list[Any] = [
    {"a": 1, "b": 2},
    {"a": "1"},
    {"a": -1},
    {"b": 2},
    {"a": 1, "more": 2},
    {},
    "5",
    {"type": "tool_call", "name": "add", "args": {"a": 1}, "id": "call"},
    {"type": "tool_call", "name": "add", "args": {"a": "x"}, "id": "call"},
    {"type": "tool_call", "name": "shout", "args": {"tool_input": "a"}, "id": ""},
]


@pytest.mark.parametrize("make", MAKERS)
def test_schemas_are_those_of_langchain(make: Callable[[Any], Any]) -> None:
    assert schemas_of(make(OURS)) == schemas_of(make(THEIRS))


@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("make", MAKERS)
def test_calls_return_what_langchain_returns(make: Callable[[Any], Any], input: Any) -> None:
    ours, theirs = make(OURS), make(THEIRS)
    assert outcome(lambda: ours.invoke(input)) == outcome(lambda: theirs.invoke(input))


@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("make", MAKERS)
def test_async_calls_return_what_langchain_returns(make: Callable[[Any], Any], input: Any) -> None:
    ours, theirs = make(OURS), make(THEIRS)
    assert outcome(lambda: asyncio.run(ours.ainvoke(input))) == outcome(lambda: asyncio.run(theirs.ainvoke(input)))


def private(a: int, _cache: Any = None) -> Any:
    """Take an argument that is the function's own."""
    return a, _cache


def variable(a: int, *args: int, b: int = 2, **kwargs: str) -> Any:
    """Take any arguments."""
    return a, args, b, kwargs


def unannotated(a, callbacks=None, run_manager=None, config=None):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Take what the runtime passes."""
    return a, callbacks is None, run_manager, config


class Methods:
    """Methods as tools."""

    def method(self, a: int) -> int:
        """Return the number."""
        return a

    @classmethod
    def class_method(cls, a: int) -> int:
        """Return the number."""
        return a

    def __call__(self, a: int) -> int:
        """Return the number."""
        return a


FUNCTIONS: list[Any] = [private, variable, unannotated, Methods().method, Methods.class_method]


@pytest.mark.parametrize("input", [{"a": "1"}, {"a": 1, "b": 3}, {"a": 1, "kwargs": {"c": "d"}}, {"a": 1, "_cache": 2}])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_of_any_signature_are_tools_as_in_langchain(function: Any, input: Any) -> None:
    ours, theirs = OURS.tool(function), THEIRS.tool(function)
    assert schemas_of(ours) == schemas_of(theirs)
    assert outcome(lambda: ours.invoke(input)) == outcome(lambda: theirs.invoke(input))


def test_an_object_with_a_call_method_is_a_tool() -> None:
    made = OURS.StructuredTool.from_function(Methods(), name="call", description="Call.")
    assert made.args == {"a": {"title": "A", "type": "integer"}}
    assert made.invoke({"a": "1"}) == 1


def test_a_parameter_may_be_named_as_variable_ones_usually_are() -> None:
    def collect(args: list[str], kwargs: int = 3) -> Any:
        """Collect."""
        return args, kwargs

    made = OURS.tool(collect)
    assert list(made.args) == ["args", "kwargs"]
    assert made.invoke({"args": ["a"], "kwargs": "4"}) == (["a"], 4)
