"""Both ways: ``to_langchain`` and ``from_langchain`` make a Runnable, or a value, of one library one of the other's.

::

    from millstream.integrations.langchain import from_langchain, to_langchain

    agent = create_agent(to_langchain(millstream.ChatOpenAI(model="gpt-4o-mini")), tools=[...])
    chain = millstream_prompt | from_langchain(their_retriever) | millstream_model
"""

from __future__ import annotations

from typing import Any, overload

from langchain_core.language_models import BaseChatModel as TheirChatModel
from langchain_core.runnables import Runnable as TheirRunnable
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.tools import BaseTool as TheirTool

from ...callbacks.values_from_langchain import from_langchain as value_from_langchain
from ...callbacks.values_to_langchain import to_langchain as value_to_langchain
from ...events import EventFilter
from ...language_models import BaseChatModel, BaseLLM
from ...retrievers import BaseRetriever
from ...runnables.binding import RunnableBinding
from ...runnables.foreign import ForeignRunnable, is_foreign
from ...runnables.graph import Graph
from ...runnables.runnable import Runnable
from ...tools import BaseTool
from .graphs import graph_from_langchain
from .models_to_langchain import MillstreamBinding, MillstreamChatModel, MillstreamLLM
from .runnable_to_langchain import MillstreamRunnable, Named
from .schemas import schema_from_langchain, type_from_langchain
from .steps_to_langchain import MillstreamRetriever, MillstreamTool
from .tool_from_langchain import LangChainTool

__all__ = (
    "LangChainRunnable",
    "LangChainTool",
    "MillstreamBinding",
    "MillstreamChatModel",
    "MillstreamLLM",
    "MillstreamRetriever",
    "MillstreamRunnable",
    "MillstreamTool",
    "from_langchain",
    "to_langchain",
)

_KINDS: tuple[tuple[Any, Any], ...] = (
    (BaseChatModel, MillstreamChatModel),
    (BaseLLM, MillstreamLLM),
    (BaseTool, MillstreamTool),
    (BaseRetriever, MillstreamRetriever),
)
"""The classes of Millstream's with a counterpart of their own; any other Runnable is a :class:`MillstreamRunnable`."""

# From here on, ``theirs | ours`` works for any two Runnables: LangChain asks for instances of its class.
_register: Any = TheirRunnable.register
_register(Runnable)


@overload
def to_langchain(value: BaseChatModel) -> MillstreamChatModel: ...
@overload
def to_langchain(value: BaseLLM) -> MillstreamLLM: ...
@overload
def to_langchain(value: BaseTool) -> TheirTool: ...
@overload
def to_langchain(value: BaseRetriever) -> MillstreamRetriever: ...
@overload
def to_langchain(value: Runnable[Any, Any]) -> TheirRunnable[Any, Any]: ...
@overload
def to_langchain(value: Any) -> Any: ...
def to_langchain(value: Any) -> Any:
    """Return a Runnable of Millstream's as LangChain's; a value, such as a message or a document, as well.

    A chat model becomes a ``BaseChatModel``, a completion model a ``BaseLLM``, a tool a ``BaseTool``, a retriever a
    ``BaseRetriever``, and anything else a ``RunnableSerializable``. In lists, tuples and dicts each item is converted.
    Values of LangChain's, and of neither library, are returned as they are. ``to_langchain(from_langchain(x)) is x``.
    """
    if isinstance(value, ForeignRunnable | LangChainTool):
        return value.runnable
    if _binds_model(value):
        return MillstreamBinding(
            runnable=value, bound=to_langchain(value.bound), kwargs=dict(value.kwargs), config=value.config
        )
    if isinstance(value, Runnable):
        made = next((made for kind, made in _KINDS if isinstance(value, kind)), MillstreamRunnable)
        return made(runnable=value)
    return _each(to_langchain, value) if type(value) in (list, tuple, dict) else value_to_langchain(value)


@overload
def from_langchain(value: MillstreamChatModel) -> BaseChatModel: ...  # type: ignore[overload-overlap]
@overload
def from_langchain(value: MillstreamLLM) -> BaseLLM: ...
@overload
def from_langchain(value: TheirTool) -> BaseTool: ...
@overload
def from_langchain(value: TheirChatModel) -> LangChainRunnable: ...
@overload
def from_langchain(value: TheirRunnable[Any, Any]) -> Runnable[Any, Any]: ...
@overload
def from_langchain(value: Any) -> Any: ...
def from_langchain(value: Any) -> Any:
    """Return a Runnable of LangChain's as Millstream's; a value, such as a message or a document, as well.

    Its inputs may be values of either library, its outputs and chunks are Millstream's. In lists, tuples and dicts
    each item is converted. Values of Millstream's, and of neither library, are returned as they are.
    ``from_langchain(to_langchain(x)) is x``.
    """
    if isinstance(value, Named | MillstreamBinding) and value.runnable is not None:
        return value.runnable
    if is_foreign(value):
        return LangChainTool(value) if isinstance(value, TheirTool) else LangChainRunnable(value)
    return _each(from_langchain, value) if type(value) in (list, tuple, dict) else value_from_langchain(value)


def _binds_model(value: Any) -> bool:
    """Return whether a value is a model of Millstream's with arguments, and nothing that LangChain would not take."""
    if type(value) is not RunnableBinding or value.config_factories or value.config.get("callbacks"):
        return False
    return isinstance(value.bound, BaseChatModel | BaseLLM) and not (
        value.custom_input_type or value.custom_output_type
    )


def _each(convert: Any, value: Any) -> Any:
    """Return a list, a tuple or a dict with each item converted; itself if no item changes."""
    if type(value) is dict:
        changed = {key: convert(item) for key, item in value.items()}
        return changed if any(changed[key] is not item for key, item in value.items()) else value
    items = [convert(item) for item in value]
    return type(value)(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value


class LangChainRunnable(ForeignRunnable):
    """A Runnable of LangChain's as Millstream's; :func:`from_langchain` makes it.

    Its runs are LangChain's, children of the run around them. Handlers of Millstream's receive values of its own
    classes from them, as callers do.
    """

    @property
    def InputType(self) -> Any:
        """The type of the input, with Millstream's classes; LangChain's are taken as well."""
        return type_from_langchain(self.runnable.InputType)

    @property
    def OutputType(self) -> Any:
        """The type of the output, with Millstream's classes."""
        return type_from_langchain(self.runnable.OutputType)

    def get_input_schema(self, config: Any = None) -> Any:
        """Return the pydantic model of the input."""
        return schema_from_langchain(self.runnable.get_input_schema(config))

    def get_output_schema(self, config: Any = None) -> Any:
        """Return the pydantic model of the output."""
        return schema_from_langchain(self.runnable.get_output_schema(config))

    def get_graph(self, config: Any = None) -> Graph:
        """Return the graph."""
        return graph_from_langchain(self.runnable.get_graph(config))

    def _to_output(self, output: Any) -> Any:
        return value_from_langchain(output)

    def _event_stream(
        self, input: Any, config: Any, version: str, wanted: EventFilter, kwargs: dict[str, Any], **options: Any
    ) -> Any:
        binding = self.runnable
        if not isinstance(binding, RunnableBindingBase):
            return super()._event_stream(input, config, version, wanted, kwargs, **options)
        # Its events are those of the Runnable that it binds, in version 1 with the configuration of the binding.
        merged, bound = binding._merge_configs(config), LangChainRunnable(binding.bound)
        return bound._event_stream(input, merged, version, wanted, {**binding.kwargs, **kwargs}, **options)

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Return a model of LangChain's with tools, of either library, that it may call."""
        return from_langchain(self.runnable.bind_tools(to_langchain(tools), **kwargs))

    def with_structured_output(self, schema: Any = None, **kwargs: Any) -> Any:
        """Return a model of LangChain's whose output fits ``schema``."""
        return from_langchain(self.runnable.with_structured_output(schema, **kwargs))
