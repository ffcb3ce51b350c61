"""Settings of the whole process: the cache of models' answers, verbose and debug output."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .caches import BaseCache

__all__ = ("get_debug", "get_llm_cache", "get_verbose", "set_debug", "set_llm_cache", "set_verbose")

_verbose = False
_debug = False
_llm_cache: BaseCache | None = None


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
