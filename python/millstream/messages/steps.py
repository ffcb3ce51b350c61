"""Functions over lists of messages that also make steps of chains."""

from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from .._late import late
from .base import BaseMessage

__all__ = ("MessageTypes", "has_type", "usable_as_step")

MessageTypes = str | type[BaseMessage] | Iterable[str | type[BaseMessage]]
"""Types of messages: names such as ``"human"``, classes, or several of them."""

Options = ParamSpec("Options")
Result = TypeVar("Result", covariant=True)


class _Function(Protocol[Options, Result]):
    """A function of messages, which returns a step of a chain if it is called without messages."""

    @overload
    def __call__(self, messages: None = None, *args: Options.args, **kwargs: Options.kwargs) -> Any: ...
    @overload
    def __call__(self, messages: Any, *args: Options.args, **kwargs: Options.kwargs) -> Result: ...


def usable_as_step(function: Callable[Concatenate[Any, Options], Result]) -> _Function[Options, Result]:
    """Return ``function``, which without messages returns a Runnable that calls it with the same options."""

    @wraps(function)
    def call(messages: Any = None, *args: Any, **options: Any) -> Any:
        if messages is not None:
            return function(messages, *args, **options)
        return late("RunnableLambda")(partial(function, **options), name=function.__name__)

    return call


def has_type(message: BaseMessage, types: MessageTypes) -> bool:
    """Return whether ``message`` has one of the ``types``."""
    if isinstance(types, str | type):
        types = (types,)
    return any(message.type == one if isinstance(one, str) else _is_of(message, one) for one in types)


def _is_of(message: BaseMessage, cls: type) -> bool:
    """Return whether ``message`` is of a class, also if that is LangChain's class of the same name."""
    if isinstance(message, cls):
        return True
    names = [base.__name__ for base in type(message).__mro__]
    return cls.__module__.startswith("langchain_core.") and cls.__name__ in names
