"""What type checkers infer for users' tools: every line here is right."""

from typing import Annotated, Any, assert_type

from langchain_core.tools import tool as their_tool
from pydantic import BaseModel, Field

from millstream import ChatOpenAI
from millstream.callbacks import AsyncCallbackManagerForToolRun, CallbackManagerForToolRun
from millstream.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from millstream.retrievers import BaseRetriever
from millstream.runnables import Runnable, RunnableConfig, RunnableLambda
from millstream.tools import (
    BaseTool,
    BaseToolkit,
    InjectedToolArg,
    InjectedToolCallId,
    StructuredTool,
    Tool,
    ToolException,
    convert_runnable_to_tool,
    create_retriever_tool,
    render_text_description,
    tool,
)
from millstream.utils.function_calling import convert_to_openai_tool, tool_example_to_messages


class Numbers(BaseModel):
    a: int = Field(description="The first.")
    b: int = 3


@tool
def search(query: str, limit: int = 3) -> str:
    """Search the web."""
    return query * limit


@tool("search", return_direct=True, parse_docstring=True, extras={"cache": True})
def named(query: str) -> str:
    """Search the web."""
    return query


@tool(args_schema=Numbers, response_format="content_and_artifact")
async def add(a: int, b: int) -> tuple[str, int]:
    return str(a + b), a + b


@tool(infer_schema=False, description="Shout.")
def shout(text: str) -> str:
    return text.upper()


@tool
def configured(
    query: str,
    user: Annotated[str, InjectedToolArg],
    tool_call_id: Annotated[str, InjectedToolCallId],
    config: RunnableConfig,
) -> ToolMessage:
    """Search for a user."""
    return ToolMessage(query, tool_call_id=tool_call_id)


@their_tool
def theirs(query: str) -> str:
    """Search the web."""
    return query


class Multiply(BaseTool):
    name: str = "multiply"
    description: str = "Multiply two numbers."
    args_schema: type[BaseModel] = Numbers
    factor: int = 1

    def _run(self, a: int, b: int, run_manager: CallbackManagerForToolRun | None = None) -> int:
        if a < 0:
            raise ToolException("a is negative")
        return a * b * self.factor

    async def _arun(self, a: int, b: int, run_manager: AsyncCallbackManagerForToolRun | None = None) -> int:
        return a * b * self.factor


class Calculator(BaseToolkit):
    factor: int = 1

    def get_tools(self) -> list[BaseTool]:
        return [Multiply(factor=self.factor)]


def explain(error: ToolException) -> str:
    return str(error)


assert_type(search, BaseTool)
assert_type(named, BaseTool)
assert_type(add, BaseTool)
assert_type(shout, BaseTool)
assert_type(configured, BaseTool)
assert_type(search.name, str)
assert_type(search.args, dict[str, Any])
assert_type(Multiply(factor=3, handle_tool_error=explain, tags=["math"]).factor, int)
assert_type(Calculator(factor=2).get_tools(), list[BaseTool])

search.invoke("cats")
search.invoke({"query": "cats"})
search.invoke(AIMessage("").tool_calls[0])
search.invoke(ToolCall(name="search", args={"query": "cats"}, id="1", type="tool_call"))
search.run({"query": "cats"}, tags=["t"])

upper = RunnableLambda(str.upper)
assert_type(tool("upper", upper), BaseTool)
assert_type(convert_runnable_to_tool(upper, name="upper"), BaseTool)
assert_type(StructuredTool.from_function(explain, handle_tool_error=True), StructuredTool)
assert_type(StructuredTool.from_function(coroutine=add.ainvoke, name="add"), StructuredTool)
assert_type(Tool("upper", str.upper, "Write in capitals."), Tool)
assert_type(Tool.from_function(str.upper, "upper", "Write in capitals."), Tool)
assert_type(render_text_description([search, Multiply()]), str)


def find(retriever: BaseRetriever) -> StructuredTool:
    return create_retriever_tool(retriever, "find", "Find documents.")


model = ChatOpenAI(model="m", api_key="k").bind_tools([search, theirs, Multiply(), Numbers, explain])
chain: Runnable[Any, Any] = upper | search
assert_type(convert_to_openai_tool(search), dict[str, Any])
assert_type(tool_example_to_messages("x", [Numbers(a=1)]), list[BaseMessage])
