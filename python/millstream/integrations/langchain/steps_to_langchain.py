"""``MillstreamTool`` and ``MillstreamRetriever``: tools and retrievers of Millstream's as LangChain's."""

from __future__ import annotations

from typing import Any

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from pydantic import model_validator

from ...callbacks.handlers_to_langchain import callbacks_to_langchain
from ...callbacks.values_from_langchain import from_langchain
from ...callbacks.values_to_langchain import to_langchain
from .configs import take_config
from .runnable_to_langchain import Named

__all__ = ("MillstreamRetriever", "MillstreamTool")

_TOOL_FIELDS = (
    *("name", "description", "return_direct", "verbose", "tags", "metadata", "handle_tool_error"),
    *("handle_validation_error", "response_format", "extras"),
)


class MillstreamTool(Named, BaseTool):
    """A tool of Millstream's as LangChain's; :func:`~millstream.integrations.langchain.to_langchain` makes it.

    Millstream's tool validates the arguments, runs, and notifies the handlers; its message is LangChain's.
    """

    runnable: Any

    @model_validator(mode="before")
    @classmethod
    def _take_fields(cls, values: Any) -> Any:
        """Read the fields that are not passed from Millstream's tool."""
        tool = values["runnable"]
        fields = {name: getattr(tool, name) for name in _TOOL_FIELDS}
        schema = tool.args_schema
        fields["args_schema"] = tool.get_input_schema() if schema is None else schema
        fields["callbacks"] = callbacks_to_langchain(tool.callbacks)
        return {**{name: value for name, value in fields.items() if value is not None}, **values}

    @property
    def args(self) -> dict[str, Any]:
        """The JSON schema of each argument."""
        args: dict[str, Any] = self.runnable.args
        return args

    @property
    def tool_call_schema(self) -> Any:
        """The schema of the arguments that a model passes."""
        return self.runnable.tool_call_schema

    @property
    def _injected_args_keys(self) -> frozenset[str]:
        keys: frozenset[str] = self.runnable._injected_args_keys
        return keys

    def get_input_schema(self, config: RunnableConfig | None = None) -> Any:
        """Return the pydantic class that the arguments are validated by."""
        return self.runnable.get_input_schema(config)

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        return self.runnable._run(*args, **kwargs)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Call Millstream's tool."""
        return to_langchain(self.runnable.invoke(from_langchain(input), take_config(config), **kwargs))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Call Millstream's tool."""
        return to_langchain(await self.runnable.ainvoke(from_langchain(input), take_config(config), **kwargs))

    def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        """Call Millstream's tool; :meth:`invoke` takes the arguments from a configuration."""
        return to_langchain(self.runnable.run(from_langchain(tool_input), *args, **kwargs))

    async def arun(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        """Call Millstream's tool; :meth:`ainvoke` takes the arguments from a configuration."""
        return to_langchain(await self.runnable.arun(from_langchain(tool_input), *args, **kwargs))


class MillstreamRetriever(Named, BaseRetriever):
    """A retriever of Millstream's as LangChain's; ``to_langchain`` makes it."""

    runnable: Any

    @model_validator(mode="before")
    @classmethod
    def _take_fields(cls, values: Any) -> Any:
        """Take the tags and the metadata of Millstream's retriever."""
        retriever = values["runnable"]
        return {"tags": retriever.tags, "metadata": retriever.metadata, **values}

    def _get_relevant_documents(self, query: str, **kwargs: Any) -> list[Document]:
        raise NotImplementedError("Millstream's retriever is invoked as a whole")

    def invoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> list[Document]:
        """Return the documents for a query."""
        found: list[Document] = to_langchain(self.runnable.invoke(input, take_config(config), **kwargs))
        return found

    async def ainvoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> list[Document]:
        """Return the documents for a query."""
        found: list[Document] = to_langchain(await self.runnable.ainvoke(input, take_config(config), **kwargs))
        return found
