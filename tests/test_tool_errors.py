"""Errors of tools: those that a tool handles, and those that it raises. LangChain is the oracle."""

import asyncio
from collections.abc import Callable
from typing import Any

import langchain_core.tools
import pytest
from pydantic.v1 import BaseModel as FirstModel

import millstream.tools
from millstream.callbacks import BaseCallbackHandler
from millstream.tools import BaseTool, SchemaAnnotationError, StructuredTool, Tool, ToolException, tool
from tool_outcomes import outcome

OURS: Any = millstream.tools
THEIRS: Any = langchain_core.tools
HANDLERS: list[Any] = [
    False,
    None,
    True,
    "",
    "sorry",
    lambda error: f"handled {error.args}",
    lambda error: [{"type": "text", "text": "block"}],
    lambda error: ({"type": "text", "text": "block"},),
    lambda error: [{"text": "no block"}],
    lambda error: {"a": 1},
    5,
]
CALLS: list[Any] = [{"a": 1}, {"type": "tool_call", "name": "it", "args": {"a": 1}, "id": "call"}]


def raising(tools: Any, error: Any, handler: Any) -> Any:
    class Raising(tools.BaseTool):  # type: ignore[misc]
        name: str = "raising"
        description: str = "Raise."

        def _run(self, a: int) -> int:
            raise error

    made = Raising()
    made.handle_tool_error = handler
    return made


@pytest.mark.parametrize("input", CALLS)
@pytest.mark.parametrize("args", [(), ("wrong",), (["a"],)])
@pytest.mark.parametrize("handler", HANDLERS)
def test_a_tool_exception_is_handled_as_langchain_handles_it(handler: Any, args: Any, input: Any) -> None:
    ours = raising(OURS, OURS.ToolException(*args), handler)
    theirs = raising(THEIRS, THEIRS.ToolException(*args), handler)
    expected = outcome(lambda: theirs.invoke(input))
    assert outcome(lambda: ours.invoke(input)) == expected
    assert outcome(lambda: asyncio.run(ours.ainvoke(input))) == expected


@pytest.mark.parametrize("input", CALLS)
@pytest.mark.parametrize("handler", HANDLERS)
def test_an_invalid_argument_is_handled_as_langchain_handles_it(handler: Any, input: Any) -> None:
    def add(a: str) -> str:
        """Add."""
        return a

    if handler == HANDLERS[5]:
        handler = str
    ours, theirs = OURS.StructuredTool.from_function(add), THEIRS.StructuredTool.from_function(add)
    ours.handle_validation_error = theirs.handle_validation_error = handler
    expected = outcome(lambda: theirs.invoke(input))
    assert outcome(lambda: ours.invoke(input)) == expected
    assert outcome(lambda: asyncio.run(ours.ainvoke(input))) == expected


def test_other_exceptions_are_not_handled() -> None:
    one = raising(OURS, ValueError("some"), True)
    with pytest.raises(ValueError, match=r"^some$"):
        one.invoke({"a": 1})


def test_an_exception_of_langchain_is_a_tool_exception_too() -> None:
    assert raising(OURS, THEIRS.ToolException("theirs"), True).invoke({"a": 1}) == "theirs"


def test_an_exception_of_the_error_handler_is_the_error_of_the_run() -> None:
    errors = []

    class Handler(BaseCallbackHandler):
        def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
            errors.append(error)

    def handle(error: ToolException) -> str:
        raise RuntimeError("in the handler")

    with pytest.raises(RuntimeError, match=r"^in the handler$") as failed:
        raising(OURS, ToolException("x"), handle).invoke({"a": 1}, {"callbacks": [Handler()]})
    assert errors == [failed.value]


def test_a_tool_with_an_invalid_schema_is_refused() -> None:
    for tools in (OURS, THEIRS):
        with pytest.raises(TypeError, match=r"^args_schema must be a subclass of pydantic BaseModel or a JSON schema"):
            tools.StructuredTool(name="x", description="y", args_schema=5)


def test_a_schema_annotated_as_an_object_is_refused() -> None:
    from pydantic import BaseModel

    messages = []
    for tools in (OURS, THEIRS):
        with pytest.raises(tools.SchemaAnnotationError) as refused:

            class Wrong(tools.BaseTool):  # type: ignore[misc, name-defined]
                args_schema: BaseModel

        messages.append(str(refused.value))
    assert messages[0].split() == messages[1].split()
    assert issubclass(SchemaAnnotationError, TypeError)


@pytest.mark.parametrize(
    "make",
    [
        lambda tools: tools.tool(lambda a: a, "more", "arguments"),
        lambda tools: tools.tool("name", "runnable", "more"),
        lambda tools: tools.tool(None, lambda: None),
        lambda tools: tools.tool(len, lambda: None),
        lambda tools: tools.tool(5),
        lambda tools: tools.StructuredTool.from_function(),
        lambda tools: tools.Tool.from_function(None, "name", "description"),
        lambda tools: tools.StructuredTool.from_function(lambda a: a),
        lambda tools: tools.tool(infer_schema=False)(lambda a: a),
        lambda tools: tools.StructuredTool.from_function(lambda a: a, args_schema=5),
        lambda tools: tools.Tool("name", None, "description").invoke("a"),
        lambda tools: tools.StructuredTool(name="n", args_schema={}, coroutine=print).invoke({}),
        lambda tools: tools.StructuredTool(name="n", args_schema={}, func=print).invoke("text"),
        lambda tools: tools.Tool("name", print, "description").invoke({"a": 1, "b": 2}),
    ],
)
def test_mistakes_raise_what_langchain_raises(make: Callable[[Any], Any]) -> None:
    ours, theirs = outcome(lambda: make(OURS)), outcome(lambda: make(THEIRS))
    assert ours[0] == theirs[0]
    assert ours[1].split()[:8] == theirs[1].split()[:8]


def test_classes_of_both_versions_of_pydantic_cannot_be_mixed() -> None:
    from pydantic import BaseModel

    class First(FirstModel):
        a: int

    class Second(BaseModel):
        a: int

    def mix(a: First, b: Second) -> None:
        """Mix."""

    with pytest.raises(NotImplementedError, match="contains a mix of Pydantic v1 and v2 annotations"):
        tool(mix)


def test_validation_errors_of_the_first_version_are_handled() -> None:
    class First(FirstModel):
        a: int

    def double(a: int) -> int:
        """Double."""
        return 2 * a

    schema: Any = First
    made = StructuredTool.from_function(double, args_schema=schema, handle_validation_error=True)
    assert made.invoke({"a": "2"}) == 4
    assert made.invoke({"a": "x"}) == "Tool input validation error"


def test_an_error_that_only_looks_like_a_validation_error_is_raised() -> None:
    class Own(Exception):
        pass

    Own.__name__ = "ValidationError"

    class Raising(BaseTool):
        name: str = "raising"
        description: str = "Raise."

        def _run(self) -> None:
            raise Own

    with pytest.raises(Own):
        Raising(handle_validation_error=True).invoke({})


def test_one_text_is_one_argument() -> None:
    shout = Tool("shout", str.upper, "Write in capitals.")
    assert shout.invoke({"any": "a"}) == "A"
    with pytest.raises(ToolException, match=r"^Too many arguments to single-input tool shout"):
        shout.invoke({})
