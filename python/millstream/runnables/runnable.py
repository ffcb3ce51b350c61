"""``Runnable``: what can be invoked, batched, streamed and composed; only ``invoke`` must be written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Concatenate, TypeAlias, TypeVar, cast, overload

from .._late import late
from .config import RunnableConfig, merge_configs
from .invocable import Input, Output
from .streamable import Streamable

__all__ = ("Input", "Output", "Runnable")

Other = TypeVar("Other")

if TYPE_CHECKING:
    # A lambda's parameter is typed by the first form; the second is for functions that take more.
    Function: TypeAlias = Callable[[Any], Other] | Callable[Concatenate[Any, ...], Other]


class Runnable(Streamable[Input, Output]):
    """What can be invoked, batched, streamed and composed; only :meth:`invoke` must be written."""

    def bind(self, **kwargs: Any) -> Runnable[Input, Output]:
        """Return this Runnable with ``kwargs`` in every call; those of a call win."""
        return cast("Runnable[Input, Output]", late("RunnableBinding")(self, kwargs))

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> Runnable[Input, Output]:
        """Return this Runnable with a configuration in every call; that of a call is merged over it."""
        return cast("Runnable[Input, Output]", late("RunnableBinding")(self, {}, merge_configs(config, kwargs)))

    @overload
    def __or__(
        self, other: Runnable[Any, Other] | Function[Runnable[Any, Other] | Awaitable[Other]]
    ) -> Runnable[Input, Other]: ...
    @overload
    def __or__(self, other: Function[Other]) -> Runnable[Input, Other]: ...
    def __or__(self, other: Any) -> Runnable[Input, Any]:
        """Return the sequence of this Runnable and ``other``: a Runnable, or a function."""
        return self.pipe(other)

    def __ror__(self, other: Runnable[Other, Any] | Callable[Concatenate[Other, ...], Any]) -> Runnable[Other, Output]:
        """Return the sequence of ``other``, a function, and this Runnable."""
        return cast("Runnable[Other, Output]", late("RunnableSequence")(other, self))

    @overload
    def pipe(
        self,
        other: Runnable[Any, Other] | Function[Runnable[Any, Other] | Awaitable[Other]],
        /,
        *,
        name: str | None = None,
    ) -> Runnable[Input, Other]: ...
    @overload
    def pipe(self, other: Function[Other], /, *, name: str | None = None) -> Runnable[Input, Other]: ...
    @overload
    def pipe(self, *others: Runnable[Any, Any] | Function[Any], name: str | None = None) -> Runnable[Input, Any]: ...
    def pipe(self, *others: Any, name: str | None = None) -> Runnable[Input, Any]:
        """Return the sequence of this Runnable and ``others``, under ``name``."""
        return cast("Runnable[Input, Any]", late("RunnableSequence")(self, *others, name=name))
