"""``RunnableBinding``: a Runnable with arguments or a configuration for every call."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence, Sized
from functools import wraps
from typing import TYPE_CHECKING, Any, Self

from .._fields import field
from .._late import late
from .._signatures import signature_parameters
from ..streaming.stream import AsyncStream, Stream
from .config import RunnableConfig, merge_configs, split_run_id
from .foreign import as_runnable
from .introspection import Introspectable
from .runnable import Input, Output, Runnable
from .serializable import RunnableSerializable
from .types_of import TypesOfAnother

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..wires.record_stream import RecordStream, SyncRecordStream
    from .listeners import Listener
    from .origin import Origin

__all__ = ("RunnableBinding", "RunnableBindingBase")

# What models have to bind more.
_BINDING = ("bind_tools", "with_structured_output")

ConfigFactory = Callable[[RunnableConfig], RunnableConfig]
"""Returns more of a call's configuration, from the configuration so far."""


class RunnableBindingBase(TypesOfAnother[Input, Output], RunnableSerializable[Input, Output]):
    """The base of Runnables that pass every call on to another one, with arguments and a configuration.

    ``kwargs`` are arguments of every call, and those of the call itself win. ``config`` is merged under the
    configuration of the call, and each of ``config_factories`` returns more of it for each call.
    ``custom_input_type`` and ``custom_output_type`` replace the types of ``bound``.
    """

    bound: Runnable[Input, Output]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    config: RunnableConfig = field(default_factory=dict)
    config_factories: list[ConfigFactory] = field(default_factory=list)
    custom_input_type: Any = None
    custom_output_type: Any = None

    def __init__(
        self,
        *,
        bound: Runnable[Input, Output],
        kwargs: Mapping[str, Any] | None = None,
        config: RunnableConfig | None = None,
        config_factories: list[ConfigFactory] | None = None,
        custom_input_type: Any = None,
        custom_output_type: Any = None,
        **fields: Any,
    ) -> None:
        values: dict[str, Any] = {
            "bound": as_runnable(bound) or bound,
            "kwargs": dict(kwargs or {}),
            "config": config or {},
            "config_factories": config_factories or [],
            "custom_input_type": custom_input_type,
            "custom_output_type": custom_output_type,
        }
        super().__init__(**values, **fields)

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return the bound Runnable's name."""
        return self.bound.get_name(suffix, name=name)

    def _described_by(self, config: RunnableConfig | None) -> tuple[Any, RunnableConfig | None]:
        # The node of a binding has metadata in LangChain's graphs, if only an empty dict.
        return self.bound, {"metadata": {}, **self._merge_configs(config)}

    @property
    def InputType(self) -> Any:
        """The type of the bound Runnable's input, or the one that replaces it."""
        return super().InputType if self.custom_input_type is None else self.custom_input_type

    @property
    def OutputType(self) -> Any:
        """The type of the bound Runnable's output, or the one that replaces it."""
        return super().OutputType if self.custom_output_type is None else self.custom_output_type

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the bound Runnable's input, or of the type that replaces it."""
        by_type = self.custom_input_type is not None
        return Introspectable.get_input_schema(self, config) if by_type else super().get_input_schema(config)

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the bound Runnable's output, or of the type that replaces it."""
        by_type = self.custom_output_type is not None
        return Introspectable.get_output_schema(self, config) if by_type else super().get_output_schema(config)

    def _merge_configs(self, *configs: RunnableConfig | None) -> RunnableConfig:
        """Return the configuration of one call of the bound Runnable."""
        if not self.config and not self.config_factories and len(configs) == 1:
            return configs[0] or {}
        config = merge_configs(self.config, *configs)
        return merge_configs(config, *(make(config) for make in self.config_factories))

    def _merge_each(self, inputs: Sequence[Input], config: Any) -> Any:
        """Return the configurations of a batch, one per input; a ``run_id`` given once is for the first."""
        if config is not None and not isinstance(config, Mapping):
            return [self._merge_configs(one) for one in config]
        if not isinstance(inputs, Sized):
            return config
        return [self._merge_configs(one) for one in split_run_id(config, len(inputs))]

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the bound Runnable."""
        return self.bound.invoke(input, self._merge_configs(config), **{**self.kwargs, **kwargs})

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the bound Runnable."""
        return await self.bound.ainvoke(input, self._merge_configs(config), **{**self.kwargs, **kwargs})

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream from the bound Runnable."""
        return self.bound.stream(input, self._merge_configs(config), **{**self.kwargs, **kwargs})

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream from the bound Runnable."""
        return self.bound.astream(input, self._merge_configs(config), **{**self.kwargs, **kwargs})

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Transform with the bound Runnable."""
        return self.bound.transform(input, self._merge_configs(config), **{**self.kwargs, **kwargs})

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """Transform with the bound Runnable."""
        return self.bound.atransform(input, self._merge_configs(config), **{**self.kwargs, **kwargs})

    def _stream_inline(self, input: Input, config: RunnableConfig, kwargs: dict[str, Any]) -> Iterable[Output]:
        return self.bound._stream_inline(input, self._merge_configs(config), {**self.kwargs, **kwargs})

    def _astream_inline(self, input: Input, config: RunnableConfig, kwargs: dict[str, Any]) -> AsyncIterable[Output]:
        return self.bound._astream_inline(input, self._merge_configs(config), {**self.kwargs, **kwargs})

    def _atransform_inline(
        self, items: AsyncIterator[Input], config: RunnableConfig, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        return self.bound._atransform_inline(items, self._merge_configs(config), {**self.kwargs, **kwargs})

    def astream_events(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Stream the events of the bound Runnable."""
        return self.bound.astream_events(input, self._merge_configs(config), **{**self.kwargs, **kwargs})

    def stream_events(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Stream the events of the bound Runnable."""
        return self.bound.stream_events(input, self._merge_configs(config), **{**self.kwargs, **kwargs})

    def astream_records(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> RecordStream:
        """Stream the records of the bound Runnable."""
        return self.bound.astream_records(input, self._merge_configs(config), **{**self.kwargs, **kwargs})

    def stream_records(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> SyncRecordStream:
        """Stream, for sync code, the records of the bound Runnable."""
        return self.bound.stream_records(input, self._merge_configs(config), **{**self.kwargs, **kwargs})

    def batch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with the bound Runnable."""
        configs = self._merge_each(inputs, config)
        return self.bound.batch(inputs, configs, return_exceptions=return_exceptions, **{**self.kwargs, **kwargs})

    async def abatch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with the bound Runnable."""
        configs = self._merge_each(inputs, config)
        return await self.bound.abatch(
            inputs, configs, return_exceptions=return_exceptions, **{**self.kwargs, **kwargs}
        )

    def batch_as_completed(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> Iterator[tuple[int, Any]]:
        """Batch with the bound Runnable, in the order in which the outputs come."""
        configs = self._merge_each(inputs, config)
        return self.bound.batch_as_completed(
            inputs, configs, return_exceptions=return_exceptions, **{**self.kwargs, **kwargs}
        )

    def abatch_as_completed(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> AsyncIterator[tuple[int, Any]]:
        """Batch with the bound Runnable, in the order in which the outputs come."""
        configs = self._merge_each(inputs, config)
        return self.bound.abatch_as_completed(
            inputs, configs, return_exceptions=return_exceptions, **{**self.kwargs, **kwargs}
        )


class RunnableBinding(RunnableBindingBase[Input, Output]):
    """A Runnable with arguments or a configuration for every call; made by ``bind`` and ``with_config``.

    Attributes it does not define are looked up on the bound Runnable; a method that takes a ``config``
    receives the bound one under its own.
    """

    def _with(self, **fields: Any) -> Self:
        """Return a copy with some fields replaced."""
        return type(self)(**{name: fields.get(name, getattr(self, name)) for name in _FIELDS})

    def bind(self, **kwargs: Any) -> RunnableBinding[Input, Output]:
        """Return the bound Runnable with these arguments too."""
        return self._with(kwargs={**self.kwargs, **kwargs})

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> RunnableBinding[Input, Output]:
        """Return the bound Runnable with this configuration too; its values replace those under the same keys."""
        return self._with(config={**self.config, **(config or {}), **kwargs})

    def with_listeners(
        self,
        *,
        on_start: Listener | None = None,
        on_end: Listener | None = None,
        on_error: Listener | None = None,
    ) -> RunnableBinding[Input, Output]:
        """Return the bound Runnable with listeners of its runs; see :meth:`Runnable.with_listeners`."""
        from .listeners import listener_config

        factory = listener_config(on_start, on_end, on_error, is_async=False)
        return self._with(config_factories=[factory, *self.config_factories])

    def with_alisteners(
        self,
        *,
        on_start: Listener | None = None,
        on_end: Listener | None = None,
        on_error: Listener | None = None,
    ) -> RunnableBinding[Input, Output]:
        """Return the bound Runnable with async listeners of its runs; see :meth:`Runnable.with_alisteners`."""
        from .listeners import listener_config

        factory = listener_config(on_start, on_end, on_error, is_async=True)
        return self._with(config_factories=[factory, *self.config_factories])

    def with_types(self, input_type: Any = None, output_type: Any = None) -> RunnableBinding[Any, Any]:
        """Return the bound Runnable with other types of input or output, for schemas."""
        return self._with(
            custom_input_type=self.custom_input_type if input_type is None else input_type,
            custom_output_type=self.custom_output_type if output_type is None else output_type,
        )

    def with_retry(self, **kwargs: Any) -> RunnableBinding[Input, Output]:
        """Return the bound Runnable with retries, bound to the same arguments; see :meth:`Runnable.with_retry`."""
        return self._with(bound=self.bound.with_retry(**kwargs))

    def _as_bound(self) -> tuple[Any, Mapping[str, Any], RunnableConfig] | None:
        """Return the bound Runnable, the arguments and the configuration; ``None`` if a listener is bound."""
        return None if self.config_factories else (self.bound, self.kwargs, self.config)

    def _as_origin(self) -> Origin | None:
        """Return the bound Runnable as the origin of a fused chain, if it is one and no listener is bound."""
        if type(self) is not RunnableBinding or self.config_factories:
            return None
        if (origin := self.bound._as_origin()) is None:
            return None
        from .fusion.origins import BoundOrigin

        return BoundOrigin(self, origin)

    def __getattr__(self, name: str) -> Any:
        """Return the attribute ``name`` of the bound Runnable."""
        if name == "bound" or name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.bound, name)
        if name in _BINDING:
            return self._kept_by(found)
        return self._merge_bound_config(found) if callable(found) else found

    def _merge_bound_config(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``method``; if it takes a ``config``, with the bound one merged under that of a call."""
        try:
            parameters = signature_parameters(method)
        except (TypeError, ValueError):
            return method
        if "config" not in parameters:
            return method
        is_named = parameters["config"].kind is inspect.Parameter.KEYWORD_ONLY
        place = None if is_named else list(parameters).index("config")

        @wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            if place is None or len(args) <= place:
                kwargs["config"] = merge_configs(self.config, kwargs.get("config"))
                return method(*args, **kwargs)
            return method(*args[:place], merge_configs(self.config, args[place]), *args[place + 1 :], **kwargs)

        return call

    def _kept_by(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``method``, which binds more to the bound Runnable, with the bindings of this one in its result."""

        @wraps(method)
        def bind(*args: object, **kwargs: Any) -> Any:
            return self._rebound(method(*args, **kwargs))

        return bind

    def _rebound(self, made: object) -> Any:
        """Return ``made`` with the bindings of this Runnable added to its first step; those of ``made`` win."""
        sequence = late("RunnableSequence")
        if isinstance(made, sequence):
            first, *others = made.steps
            return sequence(self._rebound(first), *others, name=made.name)
        if isinstance(made, RunnableBinding):
            return self._with(
                bound=made.bound,
                kwargs={**self.kwargs, **made.kwargs},
                config=merge_configs(self.config, made.config),
                config_factories=[*made.config_factories, *self.config_factories],
            )
        # A copy of the model takes the same arguments; what a user's method makes of it need not.
        return self._with(bound=made, kwargs=self.kwargs if hasattr(made, "bind_tools") else {})

    def __repr__(self) -> str:
        """Show the bound Runnable, and the names of what is bound to it."""
        return f"RunnableBinding({self.bound!r}, kwargs={sorted(self.kwargs)})"


_FIELDS = ("bound", "kwargs", "config", "config_factories", "custom_input_type", "custom_output_type")
