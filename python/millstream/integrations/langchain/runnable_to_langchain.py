"""``MillstreamRunnable``: any Runnable of Millstream's as one of LangChain's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig, RunnableSerializable
from langchain_core.runnables.graph import Graph
from langchain_core.runnables.utils import ConfigurableFieldSpec
from pydantic import ConfigDict

from ...callbacks.values_from_langchain import from_langchain
from ...callbacks.values_to_langchain import to_langchain
from ...runnables.foreign import aconvert_items, convert_items
from .configs import take_config, take_configs
from .graphs import graph_to_langchain, specs_to_langchain
from .schemas import schema_to_langchain, type_to_langchain
from .unobserved import AsyncDeferredStream, DeferredStream

__all__ = ("MillstreamRunnable", "Named")


class Named:
    """What LangChain's Runnables around one of Millstream's have in common: its name, and its attributes."""

    runnable: Any

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return the name of Millstream's Runnable, unless this one has a name of its own."""
        found: str = self.runnable.get_name(suffix, name=name or self.__dict__.get("name"))
        return found

    def __getattr__(self, name: str) -> Any:
        """Return the attribute ``name`` of Millstream's Runnable."""
        try:
            return super().__getattr__(name)  # type: ignore[misc]
        except AttributeError:
            if name.startswith("_") or "runnable" not in self.__dict__:
                raise
        return getattr(self.runnable, name)


class MillstreamRunnable(Named, RunnableSerializable[Any, Any]):
    """A Runnable of Millstream's as LangChain's; :func:`~millstream.integrations.langchain.to_langchain` makes it.

    It receives LangChain's messages, documents and prompt values, and its outputs and chunks are such. Inside, they
    are Millstream's. Its runs are those of Millstream's Runnable, which notify the handlers of the call.
    """

    runnable: Any

    model_config = ConfigDict(arbitrary_types_allowed=True)

    def __init__(self, runnable: Any, **fields: Any) -> None:
        super().__init__(**{"runnable": runnable, **fields})

    # What it takes and returns.

    @property
    def InputType(self) -> Any:
        """The type of the input, with LangChain's classes."""
        return type_to_langchain(self.runnable.InputType)

    @property
    def OutputType(self) -> Any:
        """The type of the output, with LangChain's classes."""
        return type_to_langchain(self.runnable.OutputType)

    def get_input_schema(self, config: RunnableConfig | None = None) -> Any:
        """Return the pydantic model of the input."""
        return schema_to_langchain(self.runnable.get_input_schema(config))

    def get_output_schema(self, config: RunnableConfig | None = None) -> Any:
        """Return the pydantic model of the output."""
        return schema_to_langchain(self.runnable.get_output_schema(config))

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields."""
        return specs_to_langchain(self.runnable.config_specs)

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        """Return the graph."""
        return graph_to_langchain(self.runnable.get_graph(config))

    # Calls.

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Invoke Millstream's Runnable."""
        return to_langchain(self.runnable.invoke(from_langchain(input), take_config(config), **kwargs))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Invoke Millstream's Runnable."""
        return to_langchain(await self.runnable.ainvoke(from_langchain(input), take_config(config), **kwargs))

    def batch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with Millstream's Runnable."""
        values, configs = list(map(from_langchain, inputs)), take_configs(config)
        outputs = self.runnable.batch(values, configs, return_exceptions=return_exceptions, **kwargs)
        return list(map(to_langchain, outputs))

    async def abatch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with Millstream's Runnable."""
        values, configs = list(map(from_langchain, inputs)), take_configs(config)
        outputs = await self.runnable.abatch(values, configs, return_exceptions=return_exceptions, **kwargs)
        return list(map(to_langchain, outputs))

    def batch_as_completed(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> Iterator[tuple[int, Any]]:
        """Batch with Millstream's Runnable, in the order in which the outputs come."""
        values, configs = list(map(from_langchain, inputs)), take_configs(config)
        outputs = self.runnable.batch_as_completed(values, configs, return_exceptions=return_exceptions, **kwargs)
        return convert_items(outputs, to_langchain)

    def abatch_as_completed(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> AsyncIterator[tuple[int, Any]]:
        """Batch with Millstream's Runnable, in the order in which the outputs come."""
        values, configs = list(map(from_langchain, inputs)), take_configs(config)
        outputs = self.runnable.abatch_as_completed(values, configs, return_exceptions=return_exceptions, **kwargs)
        return aconvert_items(outputs, to_langchain)

    # Streams, which begin with their first step. Texts need no conversion: a chain that ends with a parser of texts
    # is handed out as it is.

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:
        """Stream from Millstream's Runnable."""
        return DeferredStream(
            lambda: self._convert(self.runnable.stream(from_langchain(input), take_config(config), **kwargs))
        )

    def transform(self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:
        """Transform with Millstream's Runnable."""
        items = convert_items(input, from_langchain)
        return DeferredStream(lambda: self._convert(self.runnable.transform(items, take_config(config), **kwargs)))

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        """Stream from Millstream's Runnable."""
        return AsyncDeferredStream(
            lambda: self._aconvert(self.runnable.astream(from_langchain(input), take_config(config), **kwargs))
        )

    def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Transform with Millstream's Runnable."""
        items = aconvert_items(input, from_langchain)
        return AsyncDeferredStream(
            lambda: self._aconvert(self.runnable.atransform(items, take_config(config), **kwargs))
        )

    def _convert(self, outputs: Any) -> Any:
        return iter(outputs) if self.runnable.OutputType is str else convert_items(iter(outputs), to_langchain)

    def _aconvert(self, outputs: Any) -> Any:
        return aiter(outputs) if self.runnable.OutputType is str else aconvert_items(aiter(outputs), to_langchain)

    # Events: Millstream's dicts are LangChain's, but for the values in them.

    def astream_events(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Stream the events of Millstream's Runnable; version 3 is LangChain's own, for models and graphs."""
        if kwargs.get("version", "v2") not in ("v1", "v2"):
            return super().astream_events(input, config, **kwargs)
        events = self.runnable.astream_events(from_langchain(input), take_config(config), **kwargs)
        return aconvert_items(aiter(events), _convert_event)


def _convert_event(event: dict[str, Any]) -> dict[str, Any]:
    """Convert the values in an event in place; names, tags and metadata are plain data."""
    data = event["data"]
    is_dict = type(data) is dict
    event["data"] = {key: to_langchain(value) for key, value in data.items()} if is_dict else to_langchain(data)
    return event
