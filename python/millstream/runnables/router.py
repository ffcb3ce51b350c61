"""``RouterRunnable``: the Runnable whose key the input names."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from typing import Any, TypedDict

from .._fields import Fields
from .._typed_dicts import with_pydantic_schema
from ..streaming.stream import AsyncStream, Stream
from .coercion import coerce_to_runnable
from .config import RunnableConfig
from .config_specs import ConfigurableFieldSpec
from .runnable import Output, Runnable
from .serializable import RunnableSerializable
from .types_of import specs_of

__all__ = ("RouterInput", "RouterRunnable")


@with_pydantic_schema
class RouterInput(TypedDict):
    """The input of a :class:`RouterRunnable`: the key of a Runnable, and the input for it."""

    key: str
    input: Any


class RouterRunnable(RunnableSerializable[RouterInput, Output]):
    """Calls the Runnable under the input's ``"key"`` with the input's ``"input"``; it has no run of its own.

    Raises :class:`ValueError` for a key without a Runnable.
    """

    runnables: Mapping[str, Runnable[Any, Output]]

    def __init__(self, runnables: Mapping[str, Runnable[Any, Output] | Callable[[Any], Output]]) -> None:
        Fields.__init__(self, runnables={key: coerce_to_runnable(one) for key, one in runnables.items()})

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields of the Runnables."""
        return specs_of(self.runnables.values())

    def _chosen(self, input: RouterInput) -> Runnable[Any, Output]:
        if (chosen := self.runnables.get(input["key"])) is None:
            raise ValueError(f"No runnable associated with key '{input['key']}'")
        return chosen

    def invoke(self, input: RouterInput, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the output of the chosen Runnable."""
        return self._chosen(input).invoke(input["input"], config)

    async def ainvoke(self, input: RouterInput, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the output of the chosen Runnable."""
        return await self._chosen(input).ainvoke(input["input"], config)

    def batch(
        self,
        inputs: Sequence[RouterInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the outputs in the order of the inputs; all keys are checked first."""
        self._check_keys(inputs)
        return super().batch(inputs, config, return_exceptions=return_exceptions, **kwargs)

    async def abatch(
        self,
        inputs: Sequence[RouterInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the outputs in the order of the inputs; all keys are checked first."""
        self._check_keys(inputs)
        return await super().abatch(inputs, config, return_exceptions=return_exceptions, **kwargs)

    def _check_keys(self, inputs: Sequence[RouterInput]) -> None:
        if any(one["key"] not in self.runnables for one in inputs):
            raise ValueError("One or more keys do not have a corresponding runnable")

    def stream(self, input: RouterInput, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream the output of the chosen Runnable."""
        return self._chosen(input).stream(input["input"], config)

    def astream(self, input: RouterInput, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream the output of the chosen Runnable."""
        return self._chosen(input).astream(input["input"], config)

    def _astream_inline(
        self, input: RouterInput, config: RunnableConfig, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        return self._chosen(input)._astream_inline(input["input"], config, {})
