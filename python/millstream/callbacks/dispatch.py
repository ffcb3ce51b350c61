"""Calls the callback handlers of one run.

:class:`RunHandlers` holds the handlers of a run. ``dispatch`` calls one event's method on each of them from
sync code, ``adispatch`` from async code. Each handler has a context of its own for the run, and what it
raises is logged. Start reading at :meth:`RunHandlers.dispatch`.
"""

from __future__ import annotations

import contextvars
import inspect
import logging
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from .._context import InContext, drop_ambient_handler, is_global, var_child_runnable_config
from ..streaming.channel import is_cancelled
from .coroutines import run_coroutine

if TYPE_CHECKING:
    from ..messages.base import BaseMessage

__all__ = ("RunHandler", "RunHandlers", "ahandle_event", "handle_event", "is_for_models", "takes_chunks")

Result = TypeVar("Result")

logger = logging.getLogger("millstream")


class RunHandler:
    """One handler of one run.

    All its methods are called in one context, which belongs to this handler and this run: a context
    variable set at the start can be reset at the end, and no other code sees it. Runs that begin inside
    the handler are child runs of this one. The handler itself is not called for them, because each such
    call could begin another run, without end.

    ``notified`` is true once a method was looked up for an event that the handler does not ignore. A handler of
    LangChain's receives messages, results and documents of LangChain's classes (``is_langchain``).
    """

    __slots__ = ("_busy", "_context", "_tap", "handler", "is_langchain", "notified")

    def __init__(self, handler: Any, config: Mapping[str, Any]) -> None:
        self.handler = handler
        module = sys.modules.get("langchain_core.callbacks.base")
        self.is_langchain = module is not None and isinstance(handler, module.BaseCallbackHandler)
        self._context = contextvars.copy_context()
        self._context.run(var_child_runnable_config.set, config)
        self._context.run(drop_ambient_handler, handler)
        self._busy = threading.Lock()
        self._tap: _ChunkTap | None = None
        self.notified = False

    @property
    def inline(self) -> bool:
        """Whether async code may call it on the event loop."""
        return bool(getattr(self.handler, "run_inline", False))

    def method(self, event: str, ignore: str | None) -> Callable[..., Any] | None:
        """Return the method for ``event``; ``None`` if the handler ignores the event or has no such method."""
        if ignore is not None and getattr(self.handler, ignore, False):
            return None
        self.notified = True
        if event == "on_chat_model_start":
            return _chat_start(self.handler)
        method: Callable[..., Any] | None = getattr(self.handler, event, None)
        if method is None and event == "_on_chain_chunk" and hasattr(self.handler, "tap_output_iter"):
            method = self._tap = self._tap or _ChunkTap(self.handler)
        return None if _is_empty(method) else method

    def run(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Call ``function`` in the handler's context, or in a copy if another call is running in it."""
        if not self._busy.acquire(blocking=False):
            return self._context.copy().run(function, *args, **kwargs)
        try:
            return self._context.run(function, *args, **kwargs)
        finally:
            self._busy.release()

    def log_failure(self, event: str, error: Exception) -> bool:
        """Log an exception of the handler; return whether ``raise_error`` asks for it to be raised."""
        method = f"{type(self.handler).__name__}.{event}"
        if isinstance(error, NotImplementedError):
            logger.warning("NotImplementedError in %s callback: %r", method, error)
            return False
        logger.warning("Error in %s callback: %r", method, error)
        return bool(getattr(self.handler, "raise_error", False))


class _ChunkTap:
    """Sends the chunks of one run to a handler of LangChain's, which makes stream events of an iterator of chunks."""

    __slots__ = ("_handler", "_outputs", "_source")

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._source = _LastChunk()
        self._outputs: Iterator[Any] | None = None

    def __call__(self, chunk: object, *, run_id: UUID) -> None:
        self._source.chunk = chunk
        if self._outputs is None:
            self._outputs = self._handler.tap_output_iter(run_id, self._source)
        next(self._outputs, None)


class _LastChunk:
    """An iterator without end: each item is the last chunk that was set."""

    chunk: object = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> object:
        return self.chunk


class RunHandlers:
    """The handlers of one run, in the order in which they are called."""

    __slots__ = ("_handlers",)

    def __init__(self, handlers: Sequence[Any], make_config: Callable[[Any], Mapping[str, Any]]) -> None:
        self._handlers = [RunHandler(handler, make_config(handler)) for handler in handlers]

    def __bool__(self) -> bool:
        return bool(self._handlers)

    def keep_notified(self, run_id: UUID) -> None:
        """Drop the handlers that have not been called yet; those that knew of the run by then forget it."""
        for one in self._handlers:
            if not one.notified and (forget := getattr(one.handler, "_forget_run", None)) is not None:
                forget(run_id)
        self._handlers = [handler for handler in self._handlers if handler.notified]

    def dispatch(self, event: str, ignore: str | None, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Call every handler: sync methods at once, then the coroutines that async methods returned.

        The coroutines run in the ``finally`` block, since a coroutine that nothing awaits would be lost
        when a sync handler raises.
        """
        failures = _Failures(event)
        values = _Values(args, kwargs)
        coroutines: list[tuple[RunHandler, Coroutine[Any, Any, Any]]] = []
        try:
            for handler in self._handlers:
                method = handler.method(event, ignore)
                if method is None:
                    continue
                with failures.catch(handler):
                    args, kwargs = values.for_handler(handler)
                    result = handler.run(method, *args, **kwargs)
                    if inspect.iscoroutine(result):
                        coroutines.append((handler, result))
                    elif (wait_writable := getattr(handler.handler, "wait_writable", None)) is not None:
                        wait_writable()
        finally:
            for handler, coroutine in coroutines:
                with failures.catch(handler):
                    run_coroutine(handler, coroutine)
        failures.raise_first()

    async def adispatch(self, event: str, ignore: str | None, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Call every handler, one after the other; those with ``run_inline`` come first.

        Coroutine functions are awaited. Sync methods are called in the loop's executor, unless the handler
        has ``run_inline``.
        """
        failures = _Failures(event)
        values = _Values(args, kwargs)
        for inline in (True, False):
            for handler in self._handlers:
                if handler.inline is not inline or (method := handler.method(event, ignore)) is None:
                    continue
                with failures.catch(handler):
                    args, kwargs = values.for_handler(handler)
                    await _acall(handler, partial(method, *args, **kwargs), method)
                if (await_writable := getattr(handler.handler, "await_writable", None)) is not None:
                    await await_writable()
        failures.raise_first()


class _Values:
    """The arguments of one dispatch: as they are, and as values of LangChain's classes, once a handler needs them."""

    __slots__ = ("_args", "_converted", "_kwargs")

    def __init__(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._args = args
        self._kwargs = kwargs
        self._converted: tuple[Sequence[Any], Mapping[str, Any]] | None = None

    def for_handler(self, handler: RunHandler) -> tuple[Sequence[Any], Mapping[str, Any]]:
        if not handler.is_langchain:
            return self._args, self._kwargs
        if self._converted is None:
            from .values_to_langchain import to_langchain

            self._converted = list(map(to_langchain, self._args)), to_langchain(dict(self._kwargs))
        return self._converted


def handle_event(
    handlers: Sequence[Any], event_name: str, ignore_condition_name: str | None, *args: object, **kwargs: Any
) -> None:
    """Call the method ``event_name`` of each handler, except of those whose ``ignore_condition_name`` is true."""
    RunHandlers(handlers, _no_config).dispatch(event_name, ignore_condition_name, args, kwargs)


async def ahandle_event(
    handlers: Sequence[Any], event_name: str, ignore_condition_name: str | None, *args: object, **kwargs: Any
) -> None:
    """Do what :func:`handle_event` does, in async code."""
    await RunHandlers(handlers, _no_config).adispatch(event_name, ignore_condition_name, args, kwargs)


async def _ahandle_event_for_handler(
    handler: object, event_name: str, ignore_condition_name: str | None, *args: object, **kwargs: Any
) -> None:
    """Do what :func:`ahandle_event` does, for one handler; LangChain's name."""
    await ahandle_event([handler], event_name, ignore_condition_name, *args, **kwargs)


def _no_config(handler: object) -> Mapping[str, Any]:
    return {}


class _Failures:
    """The exceptions that handlers raise during one dispatch.

    The first exception to be raised (see ``raise_error``) ends the dispatch at once, as does a
    cancellation. The end and the error of a run are different: there, all handlers are called before the
    exception is raised, so that none of them keeps a run open.
    """

    def __init__(self, event: str) -> None:
        self._event = event
        self._waits = event.endswith(("_end", "_error"))
        self._first: BaseException | None = None

    @contextmanager
    def catch(self, handler: RunHandler) -> Iterator[None]:
        """Handle an exception from the block as one of ``handler``."""
        try:
            yield
        except BaseException as error:
            if self._waits and is_cancelled(error):
                self._first = error
                return
            if not isinstance(error, Exception):
                raise
            if handler.log_failure(self._event, error):
                if not self._waits:
                    raise
                self._first = self._first or error

    def raise_first(self) -> None:
        """Raise the exception that was kept until all handlers were called."""
        first, self._first = self._first, None
        if first is not None:
            try:
                raise first
            finally:
                del first


async def _acall(handler: RunHandler, call: Callable[[], Any], method: Callable[..., Any]) -> None:
    import asyncio

    if inspect.iscoroutinefunction(method) or handler.inline or isinstance(method, _ChunkTap):
        result = handler.run(call)
    else:
        result = await asyncio.get_running_loop().run_in_executor(None, handler.run, call)
    if inspect.iscoroutine(result):
        await InContext(handler, result)
    elif isinstance(result, Awaitable):
        await result


def is_for_models(handler: Any) -> bool:
    """Return whether a global handler is not notified of chains, and of models' starts and ends alone."""
    return getattr(handler, "ignore_chain", False) and is_global(handler) and not takes_chunks(handler)


# The classes whose methods a handler inherits if it does not write them: they do nothing.
_EMPTY_CLASSES = frozenset(f"{name}ManagerMixin" for name in ("LLM", "Chain", "Tool", "Retriever", "Callback", "Run"))
_EMPTY_ASYNC = frozenset(("AsyncCallbackHandler.on_llm_new_token", "AsyncCallbackHandler.on_stream_event"))


def takes_chunks(handler: Any) -> bool:
    """Return whether a handler is to be notified of the chunks of a model, rather than of its start and end alone."""
    if getattr(handler, "ignore_llm", False):
        return False
    methods = [getattr(handler, name, None) for name in ("on_llm_new_token", "on_stream_event")]
    return hasattr(handler, "tap_output_iter") or not all(map(_is_empty, methods))


def _is_empty(method: object) -> bool:
    """Return whether calling ``method`` does nothing, which need not wait for a thread: it is a base class's."""
    if method is None:
        return True
    name = getattr(method, "__qualname__", "")
    is_base = name.partition(".")[0] in _EMPTY_CLASSES or name in _EMPTY_ASYNC
    return is_base and method.__module__.partition(".")[0] in ("millstream", "langchain_core")


def _chat_start(handler: object) -> Callable[..., Any]:
    """Return the method to call at a chat model's start.

    It is ``on_chat_model_start``. Where the handler has none, or raises :class:`NotImplementedError` in
    it, ``on_llm_start`` is called instead, with the messages as text.
    """
    method: Any = getattr(handler, "on_chat_model_start", None)

    def call_llm_start(serialized: dict[str, Any], messages: Sequence[Sequence[BaseMessage]], **kwargs: Any) -> Any:
        if getattr(handler, "ignore_llm", False) or not hasattr(handler, "on_llm_start"):
            return None
        from ..messages.conversion import convert_to_messages, get_buffer_string

        prompts = [get_buffer_string(convert_to_messages(one)) for one in messages]
        return handler.on_llm_start(serialized, prompts, **kwargs)

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except NotImplementedError:
            return call_llm_start(*args, **kwargs)

    async def acall(*args: Any, **kwargs: Any) -> None:
        try:
            await method(*args, **kwargs)
        except NotImplementedError:
            if isinstance(result := call_llm_start(*args, **kwargs), Awaitable):
                await result

    if method is None:
        return call_llm_start
    return acall if inspect.iscoroutinefunction(method) else call
