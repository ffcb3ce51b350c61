"""``ConfigurableModel``: a chat model that the configuration of each call determines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .._fields import field
from ..runnables.config import RunnableConfig, ensure_config
from ..runnables.configurable import DynamicRunnable
from ..runnables.runnable import Runnable
from .model_names import create_chat_model

if TYPE_CHECKING:
    from ..events.schema import EventFilter, StreamEvent
    from ..language_models.prompt_text import LanguageModelInput
    from ..language_models.schemas import Tool
    from ..messages.ai import AIMessage
    from ..streaming.protocols import Processor, Source

__all__ = ("ConfigurableModel",)


class ConfigurableModel(DynamicRunnable[Any, Any]):
    """Makes a chat model in each call and passes the call to it; made by :func:`~millstream.init_chat_model`.

    ``arguments`` are those of :func:`~millstream.init_chat_model`, and ``names`` the ones among them that a call's
    ``configurable`` values replace, under these names behind ``prefix``; ``"any"`` is all. ``bind_tools`` and
    ``with_structured_output`` are called on each model that is made.
    """

    default: Any = None
    arguments: dict[str, Any] = field(default_factory=dict, repr=False)
    names: Any = "any"
    prefix: str = ""
    queued: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = field(default_factory=list, repr=False)

    def _read_arguments(self, config: RunnableConfig) -> dict[str, Any]:
        """Return the arguments of a model that ``config`` has."""
        values = {
            key.removeprefix(self.prefix): value
            for key, value in config.get("configurable", {}).items()
            if key.startswith(self.prefix)
        }
        return values if self.names == "any" else {key: values[key] for key in values if key in self.names}

    def _prepare(self, config: RunnableConfig) -> tuple[Runnable[Any, Any], RunnableConfig]:
        arguments = {**self.arguments, **self._read_arguments(config)}
        if not arguments.get("model"):
            example = {"configurable": {f"{self.prefix}model": "openai:gpt-4o-mini"}}
            raise TypeError(f"no model: pass it to init_chat_model(…), or in the configuration of the call: {example}")
        made: Any = create_chat_model(**arguments)
        for name, args, kwargs in self.queued:
            made = getattr(made, name)(*args, **kwargs)
        return made, config

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> ConfigurableModel:
        """Return this model with a configuration in every call; the model's arguments in it are set at once."""
        full = ensure_config(cast("RunnableConfig", {**(config or {}), **kwargs}))
        chosen = self._read_arguments(full)
        others = {
            key: value
            for key, value in full.get("configurable", {}).items()
            if key.removeprefix(self.prefix) not in chosen
        }
        made = super().with_config(config, **kwargs)
        made.config = cast("RunnableConfig", {**(made.config or {}), "configurable": others})
        made.arguments = {**self.arguments, **chosen}
        return made

    # Calls.

    def batch(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with one model, if there is one configuration; invoke the model of each otherwise."""
        if (shared := _read_shared(config)) is None:
            return super().batch(inputs, config, return_exceptions=return_exceptions, **kwargs)
        model, full = self.prepare(shared)
        return model.batch(inputs, full, return_exceptions=return_exceptions, **kwargs)

    async def abatch(
        self,
        inputs: Sequence[Any],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """:meth:`batch` for async code."""
        if (shared := _read_shared(config)) is None:
            return await super().abatch(inputs, config, return_exceptions=return_exceptions, **kwargs)
        model, full = self.prepare(shared)
        return await model.abatch(inputs, full, return_exceptions=return_exceptions, **kwargs)

    def _event_stream(
        self,
        input: Any,
        config: RunnableConfig | None,
        version: str,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool = False,
    ) -> tuple[Source, Processor[StreamEvent]]:
        model, full = self.prepare(config)
        return model._event_stream(input, full, version, wanted, kwargs, for_async=for_async)

    def _chunk_stream(
        self, input: Any, config: RunnableConfig | None, kwargs: dict[str, Any], *, for_async: bool
    ) -> tuple[Source, Processor[Any]] | None:
        model, full = self.prepare(config)
        return model._chunk_stream(input, full, kwargs, for_async=for_async)

    def _configs_of_default(self, inputs: Sequence[Any], config: object) -> None:
        return None

    def _choices(self) -> Sequence[Any]:
        # Which model it is, and whether it streams by itself, is not known before the call.
        return [None]

    @property
    def InputType(self) -> Any:
        """A text, a prompt value, or messages."""
        from ..messages.conversion import AnyMessage
        from ..prompt_values import ChatPromptValueConcrete, StringPromptValue

        return str | StringPromptValue | ChatPromptValueConcrete | list[AnyMessage]

    @property
    def OutputType(self) -> Any:
        """Any: the output may be structured."""
        return Any

    # Declarations, which wait for the model.

    def bind_tools(self, tools: Sequence[Tool], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model with ``tools`` that every model that is made may call."""
        return self._queue("bind_tools", (tools,), kwargs)

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Runnable[LanguageModelInput, Any]:
        """Return this model with outputs that fit ``schema``."""
        return self._queue("with_structured_output", (schema,), kwargs)

    def _queue(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ConfigurableModel:
        return self._with(queued=[*self.queued, (name, args, kwargs)])

    def __getattr__(self, name: str) -> Any:
        """Return the attribute of the model that the arguments make without a call's configuration."""
        if name.startswith("_") or "arguments" not in vars(self):
            raise AttributeError(name)
        if not self.arguments:
            raise AttributeError(f"{name} is not a BaseChatModel attribute.")
        try:
            return getattr(self.prepare()[0], name)
        except AttributeError:
            raise AttributeError(
                f"{name} is not a BaseChatModel attribute and is not implemented on the default model."
            ) from None


def _read_shared(config: Any) -> RunnableConfig | None:
    """Return the one configuration of a batch; ``None`` if each input has its own."""
    if config is None or isinstance(config, Mapping):
        return cast("RunnableConfig", config or {})
    return config[0] if len(config) == 1 else None
