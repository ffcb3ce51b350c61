"""Arguments that the runtime passes to tools: not part of the model's schema, and not shown to handlers."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from langchain_core.tools import InjectedToolArg as TheirMark
from langchain_core.tools.base import _DirectlyInjectedToolArg as TheirBase
from pydantic import BaseModel, Field

from millstream.callbacks import BaseCallbackHandler
from millstream.function_calling import convert_to_openai_function
from millstream.messages import ToolMessage
from millstream.runnables import RunnableConfig
from millstream.tools import BaseTool, InjectedToolArg, InjectedToolCallId, StructuredTool, tool
from millstream.tools.base import _DirectlyInjectedToolArg, _get_runnable_config_param


@dataclass
class Runtime(_DirectlyInjectedToolArg):
    """What the runtime passes."""

    user: str = "me"


class TheirRuntime(TheirBase):
    """What the runtime passes, of a class of LangChain's."""


class Query(BaseModel):
    """A query."""

    query: str = Field(min_length=2)


def call(args: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_call", "name": "it", "args": args, "id": "call"}


def by_mark(query: str, hidden: Annotated[Any, InjectedToolArg]) -> Any:
    """Search."""
    return query, hidden


def by_instance(query: str, hidden: Annotated[Any, InjectedToolArg()]) -> Any:
    """Search."""
    return query, hidden


def by_their_mark(query: str, hidden: Annotated[Any, TheirMark]) -> Any:
    """Search."""
    return query, hidden


def by_type(query: str, hidden: Runtime) -> Any:
    """Search."""
    return query, hidden


def by_their_type(query: str, hidden: TheirRuntime) -> Any:
    """Search."""
    return query, hidden


def by_text(query: str, hidden: "Runtime") -> Any:
    """Search."""
    return query, hidden


FUNCTIONS = [by_mark, by_instance, by_their_mark, by_type, by_their_type, by_text]


@pytest.mark.parametrize("schema", [None, Query, Query.model_json_schema()])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_injected_argument_is_passed_and_not_in_the_schema(function: Any, schema: Any) -> None:
    class Handler(BaseCallbackHandler):
        def on_tool_start(self, serialized: Any, input_str: str, *, inputs: Any = None, **kwargs: Any) -> None:
            shown.append((input_str, inputs))

    shown: list[Any] = []
    made = tool(args_schema=schema)(function)
    hidden = TheirRuntime() if function is by_their_type else Runtime()
    config: RunnableConfig = {"callbacks": [Handler()]}
    assert made.invoke({"query": "abc", "hidden": hidden}, config) == ("abc", hidden)
    assert asyncio.run(made.ainvoke({"query": "abc", "hidden": hidden}, config)) == ("abc", hidden)
    assert shown == [("{'query': 'abc'}", {"query": "abc"})] * 2
    assert list(made.args) == ["query"]
    described: Any = convert_to_openai_function(made)
    assert list(described["parameters"]["properties"]) == ["query"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_as_a_tool_hides_injected_arguments(function: Any) -> None:
    described = convert_to_openai_function(function)
    assert list(described["parameters"]["properties"]) == ["query"]


def test_the_id_of_the_call_is_injected() -> None:
    @tool
    def answer(query: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> ToolMessage:
        """Answer."""
        return ToolMessage(query, tool_call_id=tool_call_id)

    @tool(args_schema=Query)
    def answer_too(query: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> ToolMessage:
        """Answer."""
        return ToolMessage(query, tool_call_id=tool_call_id)

    for made in (answer, answer_too):
        assert made.invoke(call({"query": "abc"})) == ToolMessage("abc", tool_call_id="call")
        with pytest.raises(ValueError, match=r"^When tool includes an InjectedToolCallId argument, tool must always"):
            made.invoke({"query": "abc"})


def test_an_id_that_the_model_wrote_is_not_used() -> None:
    @tool
    def answer(tool_call_id: Annotated[str, InjectedToolCallId]) -> ToolMessage:
        """Answer."""
        return ToolMessage("x", tool_call_id=tool_call_id)

    args = {"tool_call_id": "invented"}
    assert answer.invoke(call(args)).tool_call_id == "call"
    assert args == {"tool_call_id": "invented"}


def test_arguments_of_a_call_are_not_changed() -> None:
    class Editing(BaseTool):
        name: str = "edit"
        description: str = "Edit."

        def _run(self, run_manager: Any = None, **kwargs: Any) -> Any:
            kwargs["more"] = run_manager
            return sorted(kwargs)

    args = {"a": 1}
    for input in (args, call(args)):
        Editing().invoke(input)
        asyncio.run(Editing().ainvoke(input))
    assert args == {"a": 1}


def test_the_parameter_of_the_configuration_is_found_by_its_type() -> None:
    def search(query: str, settings: RunnableConfig) -> Any:
        return settings

    assert _get_runnable_config_param(search) == "settings"
    made = StructuredTool.from_function(search, description="Search.")
    assert list(made.args) == ["query"]
    output = made.invoke({"query": "x"}, {"configurable": {"user": "me"}})
    assert output["configurable"] == {"user": "me"}
    assert made.run({"query": "x"})["configurable"] == {}


def test_the_configuration_of_langchain_is_found_too() -> None:
    from langchain_core.runnables import RunnableConfig as TheirConfig

    def search(query: str, settings: TheirConfig) -> Any:
        return settings

    made = StructuredTool.from_function(search, description="Search.")
    assert made.invoke({"query": "x"}, {"configurable": {"user": "me"}})["configurable"] == {"user": "me"}


def test_a_type_that_is_defined_after_the_first_call_is_found() -> None:
    namespace: dict[str, Any] = {"Any": Any}
    exec("def search(query: str, settings: 'Later') -> Any:\n    return settings", namespace)
    assert _get_runnable_config_param(namespace["search"]) is None
    namespace["Later"] = RunnableConfig
    assert _get_runnable_config_param(namespace["search"]) == "settings"


def test_an_annotation_that_cannot_be_resolved_does_not_hide_others() -> None:
    @tool(args_schema=Query)
    def search(query: "Undefined", hidden: "Runtime") -> Any:  # type: ignore[name-defined]  # noqa: F821
        """Search."""
        return query, hidden

    assert search.invoke({"query": "abc", "hidden": Runtime()}) == ("abc", Runtime())


def test_a_class_is_called_as_its_constructor_says() -> None:
    class Search:
        hidden: str = "an attribute"

        def __init__(self, query: str, hidden: Runtime) -> None:
            self.found = query, hidden

    made = StructuredTool.from_function(Search, description="Search.", args_schema=Query)
    assert made.invoke({"query": "abc", "hidden": Runtime()}).found == ("abc", Runtime())


def test_a_field_whose_type_is_defined_after_the_first_call_is_injected() -> None:
    namespace: dict[str, Any] = {"BaseModel": BaseModel}
    exec("class Search(BaseModel):\n    query: str\n    hidden: 'Later' = None", namespace)
    schema: Any = namespace["Search"]
    made = StructuredTool(name="search", description="Search.", args_schema=schema, func=lambda **kwargs: kwargs)
    assert made._filter_injected_args({"query": "a", "hidden": 1}) == {"query": "a", "hidden": 1}
    schema.model_rebuild(_types_namespace={"Later": Annotated[Any, InjectedToolArg]})
    assert made._filter_injected_args({"query": "a", "hidden": 1}) == {"query": "a"}
    assert list(made.args) == ["query"]
