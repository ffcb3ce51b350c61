"""Runnables and retrievers as tools, tools as text, and tools of both libraries beside each other."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import langchain_core.documents
import langchain_core.prompts
import langchain_core.retrievers
import langchain_core.runnables
import langchain_core.tools
import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

import millstream.documents
import millstream.prompts
import millstream.retrievers
import millstream.runnables
import millstream.tools
from millstream import ChatOpenAI
from millstream.function_calling import convert_to_openai_tool
from millstream.runnables import RunnableLambda
from millstream.tools import Tool, convert_runnable_to_tool, tool
from tool_outcomes import outcome


class Library:
    """The parts of a library that the cases use."""

    def __init__(self, package: Any) -> None:
        self.tools = package.tools
        self.runnables = package.runnables
        self.documents = package.documents
        self.prompts = package.prompts
        self.retrievers = package.retrievers


# LangChain's `as_tool` warns that it may change.
pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")

OURS, THEIRS = Library(millstream), Library(langchain_core)


class Args(TypedDict):
    a: int
    b: list[int]


class Described(BaseModel):
    """Multiply."""

    a: int
    b: list[int]


def by_types(arguments: Args) -> str:
    return str(arguments["a"] * max(arguments["b"]))


def untyped(arguments: dict[str, Any]) -> str:
    return str(arguments["a"] * max(arguments["b"]))


def described(library: Library) -> Any:
    return library.runnables.RunnableLambda(untyped).with_types(input_type=Described)


def of_text(text: str) -> str:
    return text + "!"


async def aof_text(text: str) -> str:
    return text + "?"


CALL = {"type": "tool_call", "args": {"a": 2, "b": [1, 3]}, "id": "c"}
CASES: list[tuple[Callable[[Library], Any], Any]] = [
    (lambda lib: lib.runnables.RunnableLambda(by_types).as_tool(), {"a": 2, "b": [1, 3]}),
    (lambda lib: lib.runnables.RunnableLambda(by_types).as_tool(name="n", description="d"), {"a": 2, "b": [1, "3"]}),
    (lambda lib: lib.runnables.RunnableLambda(untyped).as_tool(Described), {"a": 2, "b": [1, 3]}),
    (lambda lib: lib.runnables.RunnableLambda(untyped).as_tool(arg_types={"a": int, "b": list[int]}), {"a": "x"}),
    (lambda lib: lib.runnables.RunnableLambda(untyped).as_tool(), {"a": 2}),
    (lambda lib: lib.runnables.RunnableLambda(of_text).as_tool(), "hello"),
    (lambda lib: (lib.runnables.RunnableLambda(of_text) | of_text).as_tool(), "hello"),
    (lambda lib: lib.runnables.RunnableLambda(of_text, aof_text).as_tool(), "hello"),
    (lambda lib: lib.tools.tool("multiply", lib.runnables.RunnableLambda(by_types)), {"a": 2, "b": [1, 3]}),
    (lambda lib: lib.tools.tool("multiply", described(lib), description="Multiply."), {"a": 2, "b": [1, 3]}),
    (
        lambda lib: lib.tools.tool(description="d")(described(lib)),
        {"type": "tool_call", "args": {"a": 2, "b": [1, 3]}, "id": "c"},
    ),
    (lambda lib: lib.tools.tool("text", lib.runnables.RunnableLambda(of_text)), "hello"),
]


@pytest.mark.parametrize(("make", "input"), CASES)
def test_a_runnable_is_a_tool_as_in_langchain(make: Callable[[Library], Any], input: Any) -> None:
    def describe(library: Library) -> Any:
        made = make(library)
        return made.name, made.description, made.args, type(made).__name__

    assert outcome(lambda: describe(OURS)) == outcome(lambda: describe(THEIRS))
    expected = outcome(lambda: make(THEIRS).invoke(input))
    assert outcome(lambda: make(OURS).invoke(input)) == expected
    expected = outcome(lambda: asyncio.run(make(THEIRS).ainvoke(input)))
    assert outcome(lambda: asyncio.run(make(OURS).ainvoke(input))) == expected


def test_a_runnable_of_langchain_is_a_tool() -> None:
    theirs = described(THEIRS)
    for made in (convert_runnable_to_tool(theirs), tool("untyped", theirs), tool()(theirs)):
        assert made.name == "untyped"
        assert made.invoke({"a": 2, "b": [1, 3]}) == "6"
        assert asyncio.run(made.ainvoke({"a": 2, "b": [1, 3]})) == "6"


def retriever(library: Library) -> Any:
    class Two(library.retrievers.BaseRetriever):  # type: ignore[misc, name-defined]
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
            document = library.documents.Document
            return [document(page_content=query, metadata={"page": 1}), document("b", metadata={"page": 2})]

    return Two()


@pytest.mark.parametrize("format", ["content", "content_and_artifact"])
@pytest.mark.parametrize("input", ["a", {"query": "a"}, {"type": "tool_call", "args": {"query": "a"}, "id": "call"}])
def test_a_retriever_is_a_tool_as_in_langchain(format: str, input: Any) -> None:
    def make(library: Library) -> Any:
        prompt = library.prompts.PromptTemplate.from_template("{page}: {page_content}")
        options = {"document_prompt": prompt, "document_separator": " | ", "response_format": format}
        return library.tools.create_retriever_tool(retriever(library), "find", "Find documents.", **options)

    expected = outcome(lambda: make(THEIRS).invoke(input))
    assert outcome(lambda: make(OURS).invoke(input)) == expected
    assert outcome(lambda: asyncio.run(make(OURS).ainvoke(input))) == expected
    assert make(OURS).args == make(THEIRS).args


def test_documents_are_joined_by_a_blank_line() -> None:
    found = millstream.tools.create_retriever_tool(retriever(OURS), "find", "Find documents.")
    assert found.invoke("a") == "a\n\nb"
    assert found.args_schema is millstream.tools.RetrieverInput


def test_tools_are_rendered_as_in_langchain() -> None:
    def make(library: Library) -> list[Any]:
        def add(a: int, b: int = 3) -> int:
            """Add two numbers."""
            return a + b

        class Own(library.tools.BaseTool):  # type: ignore[misc, name-defined]
            name: str = "own"
            description: str = "My own."

            def _run(self, a: int) -> int:
                return a

        return [library.tools.tool(add), Own(), library.tools.Tool("shout", of_text, "Shout.")]

    for name in ("render_text_description", "render_text_description_and_args"):
        assert getattr(OURS.tools, name)(make(OURS)) == getattr(THEIRS.tools, name)(make(THEIRS))


@pytest.mark.parametrize("strict", [None, True])
def test_tools_of_both_libraries_are_bound_to_a_model(strict: bool | None) -> None:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    theirs: Any = langchain_core.tools
    made = [tool(add), theirs.tool(add), add, Tool("shout", of_text, "Shout."), theirs.Tool("shout", of_text, "Shout.")]
    model = ChatOpenAI(model="m", api_key="k")
    bound: Any = model.bind_tools(made, strict=strict)
    tools = bound.kwargs["tools"]
    assert tools[0] == tools[1] == tools[2]
    assert tools[3] == tools[4]
    from langchain_core.utils.function_calling import convert_to_openai_tool as convert

    assert tools == [convert(one, strict=strict) for one in (made[1], made[1], made[1], made[4], made[4])]


def test_a_custom_tool_takes_a_text() -> None:
    metadata = {"type": "custom_tool", "format": {"type": "grammar"}}
    made = [library.tools.Tool("code", of_text, "Run code.", metadata=metadata) for library in (OURS, THEIRS)]
    described = {"type": "custom", "name": "code", "description": "Run code.", "format": {"type": "grammar"}}
    assert [convert_to_openai_tool(one) for one in made] == [described, described]


def test_a_tool_is_a_step_of_a_chain() -> None:
    chain = RunnableLambda(lambda text: {"text": text}) | tool(of_text, description="Shout.") | of_text
    assert chain.invoke("a") == "a!!"
    assert asyncio.run(chain.ainvoke("a")) == "a!!"
    assert list(chain.stream("a")) == ["a!!"]
    assert chain.batch(["a", "b"]) == ["a!!", "b!!"]


def test_a_tool_without_a_schema_does_not_import_pydantic() -> None:
    code = """
import sys
from millstream.tools import BaseTool, Tool, ToolException, tool

class Own(BaseTool):
    name: str = "own"
    description: str = "My own."

    def _run(self, a):
        return a

Own().invoke({"type": "tool_call", "name": "own", "args": {"a": 1}, "id": "call"})
Tool("shout", str.upper, "Shout.").invoke("a")
tool(infer_schema=False)(Own().invoke)
print("pydantic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
