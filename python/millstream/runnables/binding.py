"""``RunnableBinding``: a Runnable with arguments or a configuration for every call."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, cast

from .._late import late
from ..streaming.stream import AsyncStream, Stream
from .config import RunnableConfig, merge_configs
from .runnable import Input, Output, Runnable

__all__ = ("RunnableBinding",)

# What models have to bind more.
_BINDING = ("bind_tools", "with_structured_output")


class RunnableBinding(Runnable[Input, Output]):
    """A Runnable with arguments or a configuration for every call; made by ``bind`` and ``with_config``.

    Attributes it does not define are looked up on the bound Runnable.
    """

    def __init__(
        self, bound: Runnable[Input, Output], kwargs: Mapping[str, Any], config: RunnableConfig | None = None
    ) -> None:
        self.bound = bound
        self.kwargs = dict(kwargs)
        self.config = config

    def get_name(self) -> str:
        """Return the bound Runnable's name."""
        return self.bound.get_name()

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the bound Runnable."""
        return self.bound.invoke(input, self._config(config), **{**self.kwargs, **kwargs})

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the bound Runnable."""
        return await self.bound.ainvoke(input, self._config(config), **{**self.kwargs, **kwargs})

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream from the bound Runnable."""
        return self.bound.stream(input, self._config(config), **{**self.kwargs, **kwargs})

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream from the bound Runnable."""
        return self.bound.astream(input, self._config(config), **{**self.kwargs, **kwargs})

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Transform with the bound Runnable."""
        return self.bound.transform(input, self._config(config), **{**self.kwargs, **kwargs})

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """Transform with the bound Runnable."""
        return self.bound.atransform(input, self._config(config), **{**self.kwargs, **kwargs})

    def _atransform_inline(
        self, items: AsyncIterator[Input], config: RunnableConfig, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        return self.bound._atransform_inline(items, self._config(config) or config, {**self.kwargs, **kwargs})

    def _stream_inline(self, input: Input, config: RunnableConfig, kwargs: dict[str, Any]) -> Iterable[Output]:
        return self.bound._stream_inline(input, self._config(config) or config, {**self.kwargs, **kwargs})

    def _astream_inline(self, input: Input, config: RunnableConfig, kwargs: dict[str, Any]) -> AsyncIterable[Output]:
        return self.bound._astream_inline(input, self._config(config) or config, {**self.kwargs, **kwargs})

    def astream_events(
        self, input: Input, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[dict[str, Any]]:
        """Stream the events of the bound Runnable."""
        return self.bound.astream_events(input, self._config(config), **{**self.kwargs, **kwargs})

    def stream_events(
        self, input: Input, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Stream[dict[str, Any]]:
        """Stream the events of the bound Runnable."""
        return self.bound.stream_events(input, self._config(config), **{**self.kwargs, **kwargs})

    def astream_records(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[bytes]:
        """Stream the records of the bound Runnable."""
        return self.bound.astream_records(input, self._config(config), **{**self.kwargs, **kwargs})

    def batch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with the bound Runnable."""
        configs = self._configs(config)
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
        configs = self._configs(config)
        return await self.bound.abatch(
            inputs, configs, return_exceptions=return_exceptions, **{**self.kwargs, **kwargs}
        )

    def bind(self, **kwargs: Any) -> RunnableBinding[Input, Output]:
        """Return the bound Runnable with these arguments too."""
        return RunnableBinding(self.bound, {**self.kwargs, **kwargs}, self.config)

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> RunnableBinding[Input, Output]:
        """Return the bound Runnable with this configuration too."""
        return RunnableBinding(self.bound, self.kwargs, merge_configs(self.config, config, kwargs))

    def _config(self, config: RunnableConfig | None) -> RunnableConfig | None:
        return config if self.config is None else merge_configs(self.config, config)

    def _configs(self, config: Any) -> Any:
        """Return the configuration of a batch, or the list of those of its calls."""
        if config is None or isinstance(config, Mapping):
            return self._config(cast("RunnableConfig | None", config))
        return [self._config(one) for one in config]

    def __getattr__(self, name: str) -> Any:
        """Return the attribute ``name`` of the bound Runnable."""
        if name == "bound" or name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.bound, name)
        return self._kept_by(found) if name in _BINDING else found

    def _kept_by(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``method``, which binds more to the bound Runnable, with the bindings of this one in its result."""

        @wraps(method)
        def bind(*args: Any, **kwargs: Any) -> Any:
            return self._rebound(method(*args, **kwargs))

        return bind

    def _rebound(self, made: Any) -> Any:
        """Return ``made`` with the bindings of this Runnable added to its first step; those of ``made`` win."""
        sequence = late("RunnableSequence")
        if isinstance(made, sequence):
            first, *others = made.steps
            return sequence(self._rebound(first), *others, name=made.name)
        if isinstance(made, RunnableBinding):
            config = made.config if self.config is None else merge_configs(self.config, made.config)
            return RunnableBinding(made.bound, {**self.kwargs, **made.kwargs}, config)
        # A copy of the model takes the same arguments; what a user's method makes of it need not.
        return RunnableBinding(made, self.kwargs if hasattr(made, "bind_tools") else {}, self.config)

    def __repr__(self) -> str:
        """Show the bound Runnable, and the names of what is bound to it."""
        return f"RunnableBinding({self.bound!r}, kwargs={sorted(self.kwargs)})"
