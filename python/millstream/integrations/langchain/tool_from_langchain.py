"""``LangChainTool``: a tool of LangChain's as Millstream's."""

from __future__ import annotations

from typing import Any

from ...callbacks.handlers_to_langchain import callbacks_to_langchain, config_to_langchain
from ...callbacks.values_from_langchain import from_langchain
from ...callbacks.values_to_langchain import to_langchain
from ...runnables.config import RunnableConfig
from ...tools import BaseTool

__all__ = ("LangChainTool",)

_FIELDS = (
    *("name", "description", "args_schema", "return_direct", "verbose", "tags", "metadata", "handle_tool_error"),
    *("handle_validation_error", "response_format", "extras"),
)


class LangChainTool(BaseTool):
    """A tool of LangChain's as Millstream's; :func:`~millstream.integrations.langchain.from_langchain` makes it.

    LangChain's tool validates the arguments, runs, and notifies the handlers; its message is Millstream's.
    """

    runnable: Any = None

    def __init__(self, runnable: Any) -> None:
        fields = {name: getattr(runnable, name) for name in _FIELDS}
        given = {name: value for name, value in fields.items() if value is not None}
        super().__init__(**{"runnable": runnable, **given})

    @property
    def tool_call_schema(self) -> Any:
        """The schema of the arguments that a model passes."""
        return self.runnable.tool_call_schema

    def get_input_schema(self, config: RunnableConfig | None = None) -> Any:
        """Return the pydantic class that the arguments are validated by."""
        return self.runnable.get_input_schema(config)

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        return self.runnable._run(*args, **kwargs)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Call LangChain's tool."""
        return from_langchain(self.runnable.invoke(to_langchain(input), config_to_langchain(config), **kwargs))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Call LangChain's tool."""
        return from_langchain(await self.runnable.ainvoke(to_langchain(input), config_to_langchain(config), **kwargs))

    def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        """Call LangChain's tool; :meth:`invoke` takes the arguments from a configuration."""
        return from_langchain(self.runnable.run(to_langchain(tool_input), *args, **_take_callbacks(kwargs)))

    async def arun(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        """Call LangChain's tool; :meth:`ainvoke` takes the arguments from a configuration."""
        return from_langchain(await self.runnable.arun(to_langchain(tool_input), *args, **_take_callbacks(kwargs)))


def _take_callbacks(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {**kwargs, "callbacks": callbacks_to_langchain(kwargs.get("callbacks"))}
