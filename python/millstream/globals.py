"""Settings of the whole process: handlers of all runs, the cache of models' answers, verbose and debug output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._late import late
from ._module_lock import ModuleLock

if TYPE_CHECKING:
    from .caches import BaseCache

__all__ = (
    "add_handler",
    "get_debug",
    "get_handlers",
    "get_llm_cache",
    "get_verbose",
    "remove_handler",
    "set_debug",
    "set_llm_cache",
    "set_verbose",
)

_verbose = False
_debug = False
_llm_cache: BaseCache | None = None
_handlers: tuple[Any, ...] = ()
_lock = ModuleLock()


def set_verbose(value: bool) -> None:
    """Set whether models made from now on are verbose, unless their own field says otherwise."""
    global _verbose
    _verbose = value


def get_verbose() -> bool:
    """Return what :func:`set_verbose` has set; by default ``False``."""
    return _verbose


def set_debug(value: bool) -> None:
    """Set whether all runs are printed, with their inputs, outputs and times."""
    global _debug
    _debug = value


def get_debug() -> bool:
    """Return what :func:`set_debug` has set; by default ``False``."""
    return _debug


def set_llm_cache(value: BaseCache | None) -> None:
    """Set the cache of models without a ``cache`` of their own; ``None`` switches it off."""
    global _llm_cache
    _llm_cache = value


def get_llm_cache() -> BaseCache | None:
    """Return what :func:`set_llm_cache` has set; by default ``None``."""
    return _llm_cache


def add_handler(handler: object) -> None:
    """Have ``handler`` called for every run that starts from now on, in every thread and task; once, if added twice.

    A call that the handler is passed to as well calls it once. Raises :class:`TypeError` for an object that is not a
    handler.
    """
    global _handlers
    late("handlers_of")([handler])
    with _lock:
        if handler not in _handlers:
            _handlers = (*_handlers, handler)


def remove_handler(handler: object) -> None:
    """Undo :func:`add_handler`: runs that have started still call the handler. Nothing if it was not added."""
    global _handlers
    with _lock:
        _handlers = tuple(one for one in _handlers if one != handler)


def get_handlers() -> tuple[Any, ...]:
    """Return the handlers of :func:`add_handler`, in the order in which they were added."""
    return _handlers
