"""LangChain's standard unit tests of models and tools, over converted ones."""

from typing import Any

from langchain_tests.unit_tests import ChatModelUnitTests, ToolsUnitTests

from langchain_peer import KEY
from millstream import ChatOpenAI
from millstream.integrations.langchain import to_langchain
from millstream.tools import tool


def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


class TestConvertedChatModel(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> Any:
        return type(to_langchain(ChatOpenAI(model="gpt-4o", api_key=KEY)))

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"runnable": ChatOpenAI(model="gpt-4o", api_key=KEY)}


class TestConvertedTool(ToolsUnitTests):
    @property
    def tool_constructor(self) -> Any:
        return to_langchain(tool(multiply))

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"a": 2, "b": 3}
