"""``Runnable``: what can be invoked, batched, streamed and composed; only ``invoke`` must be written."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Concatenate, Protocol, Self, TypeAlias, TypeVar, cast, overload

from .._late import late
from .config import RunnableConfig
from .introspection import Introspectable
from .invocable import Input, Output

__all__ = ("Input", "Output", "Runnable")

Other = TypeVar("Other")

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .attempts import ExponentialJitterParams
    from .listeners import Listener

    # A lambda's parameter is typed by the first form; the second is for functions that take more.
    Function: TypeAlias = Callable[[Any], Other] | Callable[Concatenate[Any, ...], Other]

    GeneratorFunction: TypeAlias = (
        Callable[[Iterator[Any]], Iterator[Other]] | Callable[[AsyncIterator[Any]], AsyncIterator[Other]]
    )

    class ForeignStep(Protocol):
        """A Runnable of LangChain's."""

        def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any: ...


class Runnable(Introspectable[Input, Output]):
    """What can be invoked, batched, streamed and composed; only :meth:`invoke` must be written."""

    if not TYPE_CHECKING:  # so that a type checker reads the constructors

        def __new__(cls, *args: Any, **kwargs: Any) -> Self:
            """Return a new Runnable, which LangChain's chains take as a step if LangChain is loaded."""
            kind = getattr(sys.modules.get("langchain_core.runnables.base"), "Runnable", None)
            if kind is not None:
                _register_with(kind)
            return super().__new__(cls)

    def bind(self, **kwargs: Any) -> Runnable[Input, Output]:
        """Return this Runnable with ``kwargs`` in every call; those of a call win."""
        return cast("Runnable[Input, Output]", late("RunnableBinding")(bound=self, kwargs=kwargs))

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> Runnable[Input, Output]:
        """Return this Runnable with a configuration in every call; that of a call is merged over it."""
        made = late("RunnableBinding")(bound=self, config={**(config or {}), **kwargs})
        return cast("Runnable[Input, Output]", made)

    def with_listeners(
        self,
        *,
        on_start: Listener | None = None,
        on_end: Listener | None = None,
        on_error: Listener | None = None,
    ) -> Runnable[Input, Output]:
        """Return this Runnable with functions to be called at the start, the end and the error of each of its runs.

        Each receives a :class:`~millstream.runnables.listeners.Run`, and the configuration of the call if it
        has a parameter ``config``. Child runs do not call it.
        """
        made = late("RunnableBinding")(bound=self).with_listeners(on_start=on_start, on_end=on_end, on_error=on_error)
        return cast("Runnable[Input, Output]", made)

    def with_alisteners(
        self,
        *,
        on_start: Listener | None = None,
        on_end: Listener | None = None,
        on_error: Listener | None = None,
    ) -> Runnable[Input, Output]:
        """Return this Runnable with coroutine functions as listeners; see :meth:`with_listeners`."""
        made = late("RunnableBinding")(bound=self).with_alisteners(on_start=on_start, on_end=on_end, on_error=on_error)
        return cast("Runnable[Input, Output]", made)

    def with_types(self, *, input_type: Any = None, output_type: Any = None) -> Runnable[Input, Output]:
        """Return this Runnable with other types of input or output, for its schemas."""
        made = late("RunnableBinding")(bound=self).with_types(input_type, output_type)
        return cast("Runnable[Input, Output]", made)

    def pick(self, keys: str | list[str]) -> Runnable[Input, Any]:
        """Return this Runnable, and then what :class:`~millstream.runnables.RunnablePick` picks from its output."""
        return cast("Runnable[Input, Any]", self | late("RunnablePick")(keys))

    def assign(self, **kwargs: Any) -> Runnable[Input, dict[str, Any]]:
        """Return this Runnable with keys added to its output, a dict: what Runnables, functions or dicts make of it."""
        return cast("Runnable[Input, dict[str, Any]]", self | late("RunnableAssign")(late("RunnableParallel")(kwargs)))

    def map(self) -> Runnable[Sequence[Input], list[Output]]:
        """Return a Runnable that calls this one for each element of a list, as ``batch`` does."""
        return cast("Runnable[Sequence[Input], list[Output]]", late("RunnableEach")(bound=self))

    def as_tool(
        self,
        args_schema: type[BaseModel] | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        arg_types: dict[str, type] | None = None,
    ) -> Any:
        """Return this Runnable as a :class:`~millstream.tools.BaseTool`.

        Its arguments are described by ``args_schema``, by ``arg_types``, or by the Runnable's own input type.
        """
        convert = late("convert_runnable_to_tool")
        return convert(self, args_schema, name=name, description=description, arg_types=arg_types)

    def with_retry(
        self,
        *,
        retry_if_exception_type: tuple[type[BaseException], ...] | Callable[[BaseException], bool] = (Exception,),
        wait_exponential_jitter: bool = True,
        exponential_jitter_params: ExponentialJitterParams | None = None,
        stop_after_attempt: int = 3,
    ) -> Runnable[Input, Output]:
        """Return this Runnable with up to ``stop_after_attempt`` attempts; a stream is retried until its first chunk.

        ``retry_if_exception_type`` are the types of exceptions after which there is another attempt, or a function
        that returns whether there is. ``wait_exponential_jitter`` waits between attempts, longer each time; see
        :class:`~millstream.runnables.retry.ExponentialJitterParams`.
        """
        made = late("RunnableRetry")(
            bound=self,
            retry_exception_types=retry_if_exception_type,
            wait_exponential_jitter=wait_exponential_jitter,
            exponential_jitter_params=exponential_jitter_params,
            max_attempt_number=stop_after_attempt,
        )
        return cast("Runnable[Input, Output]", made)

    def with_fallbacks(
        self,
        fallbacks: Sequence[Runnable[Any, Any] | Function[Any] | Mapping[str, Any]],
        *,
        exceptions_to_handle: tuple[type[BaseException], ...] = (Exception,),
        exception_key: str | None = None,
    ) -> Runnable[Input, Output]:
        """Return this Runnable with others to be called one after the other while they fail.

        A stream falls back until its first chunk. Exceptions that are not in ``exceptions_to_handle`` are raised at
        once. With ``exception_key`` the input must be a dict, and each fallback receives the last exception in it.
        """
        made: Runnable[Input, Output] = late("RunnableWithFallbacks")(
            runnable=self,
            fallbacks=fallbacks,
            exceptions_to_handle=exceptions_to_handle,
            exception_key=exception_key,
        )
        return made

    @overload
    def __or__(
        self, other: Runnable[Any, Other] | Function[Runnable[Any, Other] | Awaitable[Other]]
    ) -> Runnable[Input, Other]: ...
    @overload
    def __or__(self, other: Mapping[str, Any]) -> Runnable[Input, dict[str, Any]]: ...
    @overload
    def __or__(self, other: GeneratorFunction[Other]) -> Runnable[Input, Other]: ...
    @overload
    def __or__(self, other: Function[Other]) -> Runnable[Input, Other]: ...
    @overload
    def __or__(self, other: ForeignStep) -> Runnable[Input, Any]: ...
    def __or__(self, other: Any) -> Runnable[Input, Any]:
        """Return the sequence of this Runnable and ``other``: a Runnable, a function, or a dict of them."""
        return self.pipe(other, name=self._name_beside(other))

    @overload
    def __ror__(self, other: Mapping[str, Any]) -> Runnable[Any, Output]: ...
    @overload
    def __ror__(
        self, other: Runnable[Other, Any] | Callable[Concatenate[Other, ...], Any]
    ) -> Runnable[Other, Output]: ...
    def __ror__(self, other: object) -> Runnable[Any, Output]:
        """Return the sequence of ``other``, a function or a dict of steps, and this Runnable."""
        name = self._name_beside(other)
        return cast("Runnable[Any, Output]", late("RunnableSequence")(other, self, name=name))

    def _name_beside(self, other: object) -> str | None:
        """Return the name of the sequence that ``|`` makes of this Runnable and ``other``."""
        return None

    @overload
    def pipe(
        self,
        other: Runnable[Any, Other] | Function[Runnable[Any, Other] | Awaitable[Other]],
        /,
        *,
        name: str | None = None,
    ) -> Runnable[Input, Other]: ...
    @overload
    def pipe(self, other: Mapping[str, Any], /, *, name: str | None = None) -> Runnable[Input, dict[str, Any]]: ...
    @overload
    def pipe(self, other: GeneratorFunction[Other], /, *, name: str | None = None) -> Runnable[Input, Other]: ...
    @overload
    def pipe(self, other: Function[Other], /, *, name: str | None = None) -> Runnable[Input, Other]: ...
    @overload
    def pipe(
        self, *others: Runnable[Any, Any] | Function[Any] | Mapping[str, Any], name: str | None = None
    ) -> Runnable[Input, Any]: ...
    def pipe(self, *others: Any, name: str | None = None) -> Runnable[Input, Any]:
        """Return the sequence of this Runnable and ``others``, under ``name``."""
        return cast("Runnable[Input, Any]", late("RunnableSequence")(self, *others, name=name))


@cache
def _register_with(kind: Any) -> None:
    """Register our class with LangChain's, an abstract base class: ``theirs | ours`` asks for an instance of that."""
    kind.register(Runnable)
