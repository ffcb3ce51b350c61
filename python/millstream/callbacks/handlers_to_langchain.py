"""Handlers and managers of ours for LangChain's runs: they receive values of our classes there.

LangChain calls its handlers with its own messages, results and documents. So the handlers of a call of ours are
wrapped where the call enters a Runnable of LangChain's, and unwrapped where it comes back.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import wraps
from typing import Any
from uuid import UUID

from ..streaming.inputs import NestedIterator, close_iterator
from .base_manager import BaseCallbackManager
from .values_from_langchain import from_langchain
from .values_to_langchain import manager_to_langchain

__all__ = ("callbacks_to_langchain", "config_to_langchain")

_DEFAULTS: dict[str, Any] = {"raise_error": False, "run_inline": False}


def callbacks_to_langchain(callbacks: Any) -> Any:
    """Return handlers, or a manager of them, for LangChain; its own handlers and managers stay as they are."""
    if isinstance(callbacks, BaseCallbackManager):
        manager = manager_to_langchain(callbacks)
        if manager is callbacks:  # LangChain has not loaded its class
            return callbacks
        manager.handlers = _wrap_all(manager.handlers)
        manager.inheritable_handlers = _wrap_all(manager.inheritable_handlers)
        # LangChain knows the parent alone; our runs inside its own also show the runs before it.
        manager.parent_ids = list(callbacks.parent_ids)
        return manager
    return _wrap_all(callbacks) if isinstance(callbacks, list) else callbacks


def config_to_langchain(config: Any) -> Any:
    """Return the configuration of a call for LangChain: its handlers are those of :func:`callbacks_to_langchain`."""
    callbacks = (config or {}).get("callbacks")
    converted = callbacks_to_langchain(callbacks)
    return config if converted is callbacks else {**config, "callbacks": converted}


def _wrap_all(handlers: Iterable[Any]) -> list[Any]:
    return list(map(_wrap, handlers))


def _wrap(handler: Any) -> Any:
    module = sys.modules.get("langchain_core.callbacks.base")
    if isinstance(handler, ConvertingHandler) or (
        module is not None and isinstance(handler, module.BaseCallbackHandler)
    ):
        return handler
    return (ConvertingTaps if hasattr(handler, "tap_output_iter") else ConvertingHandler)(handler)


class ConvertingHandler:
    """A handler of ours among LangChain's: its methods receive values of our classes.

    Handlers may leave out methods and attributes, which LangChain looks up without a default.
    """

    def __init__(self, handler: Any) -> None:
        self.millstream_handler = handler

    def __eq__(self, other: object) -> bool:
        return bool(self.millstream_handler == getattr(other, "millstream_handler", other))

    def __hash__(self) -> int:
        return hash(self.millstream_handler)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "millstream_handler":
            raise AttributeError(name)
        if name.startswith("ignore_"):
            return getattr(self.millstream_handler, name, False)
        if name in _DEFAULTS:
            return getattr(self.millstream_handler, name, _DEFAULTS[name])
        if not name.startswith("on_"):
            return getattr(self.millstream_handler, name)
        method = getattr(self.millstream_handler, name, None)
        if method is None:
            return _refuse if name == "on_chat_model_start" else _ignore
        return _convert_arguments(method)


class ConvertingTaps(ConvertingHandler):
    """A handler of ours that makes stream events: LangChain passes its iterators of chunks through it."""

    def tap_output_iter(self, run_id: UUID, output: Iterator[Any]) -> Iterator[Any]:
        """Yield the chunks of a run, and send the event of each."""
        handler = self.millstream_handler
        try:
            for chunk in output:
                handler._on_chain_chunk(from_langchain(chunk), run_id=run_id)
                handler.wait_writable()
                yield chunk
        finally:
            close_iterator(output)

    async def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yield the chunks of a run, and send the event of each."""
        handler = self.millstream_handler
        async with NestedIterator(output) as nested:
            async for chunk in nested:
                handler._on_chain_chunk(from_langchain(chunk), run_id=run_id)
                await handler.await_writable()
                yield chunk


def _ignore(*args: object, **kwargs: object) -> None:
    """Do nothing, in place of a method that the handler does not have."""


def _refuse(*args: object, **kwargs: object) -> None:
    """Raise, in place of ``on_chat_model_start``: LangChain then calls ``on_llm_start`` with the messages as text."""
    raise NotImplementedError


def _convert_arguments(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``method`` for arguments of LangChain's classes; it is a coroutine function if ``method`` is one."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        return method(*map(from_langchain, args), **from_langchain(kwargs))

    @wraps(method)
    async def acall(*args: Any, **kwargs: Any) -> Any:
        return await method(*map(from_langchain, args), **from_langchain(kwargs))

    return acall if inspect.iscoroutinefunction(method) else call
