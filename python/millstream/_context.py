"""Where code runs: what runs inherit from the context, coroutines in another one, calls in a thread for a loop.

LangChain has context variables of its own. Where its module is loaded, they are read and set beside ours, so that
runs of both libraries are children of each other.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar

from ._environment import env_var_is_set
from ._late import late

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Executor

__all__ = (
    "Enterable",
    "InContext",
    "ParentConfig",
    "ambient_handler",
    "ambient_handlers",
    "caller_loop",
    "drop_ambient_handler",
    "has_global_handlers",
    "is_debugging",
    "is_global",
    "no_listeners",
    "register_configure_hook",
    "run_in_executor",
    "running_loop",
    "settings",
    "var_child_runnable_config",
)

T = TypeVar("T")
P = ParamSpec("P")

Config = Mapping[str, Any]

_config: ContextVar[Config | None] = ContextVar("child_runnable_config", default=None)
_handlers: ContextVar[tuple[Any, ...]] = ContextVar("ambient_handlers", default=())
# The global handlers that are not called in the current context, since it is their own.
_dropped: ContextVar[tuple[Any, ...]] = ContextVar("dropped_handlers", default=())
_hooks: list[tuple[ContextVar[Any], bool, type[Any] | None, str | None]] = []


class ParentConfig:
    """A context variable: the configuration that child runs inherit, ours or LangChain's, of the innermost run.

    It is set while users' code runs, and never across a yield of ours.
    """

    __slots__ = ()

    def get(self) -> Config | None:
        """Return the configuration; ``None`` outside of runs."""
        if (
            "langchain_core" in sys.modules
            and (theirs := _their_config()) is not None
            and (config := theirs.get()) is not None
        ):
            return config.ours if type(config) is _ConfigForLangChain else config
        return _config.get()

    def set(self, config: Config | None) -> _Tokens:
        """Set the configuration; return the tokens for :meth:`reset`. Handlers that trace enter the run."""
        theirs = _their_config()
        entered = _enter_run(config)
        return _config.set(config), None if theirs is None else theirs.set(_config_for_langchain(config)), entered

    def reset(self, tokens: _Tokens) -> None:
        """Set the configuration that was there before."""
        ours, theirs, entered = tokens
        _config.reset(ours)
        if theirs is not None:
            theirs.var.reset(theirs)
        for handler, token in entered:
            handler._leave_run(token)


var_child_runnable_config = ParentConfig()

_Tokens = tuple[Token[Config | None], Token[Config | None] | None, Sequence[tuple[Any, Any]]]


def _enter_run(config: Config | None) -> Sequence[tuple[Any, Any]]:
    """Have the handlers that trace make a run theirs in this context; return those that did, with their tokens."""
    callbacks: Any = None if config is None else config.get("callbacks")
    entered = []
    for handler in getattr(callbacks, "handlers", ()):
        enter = getattr(handler, "_enter_run", None)
        if enter is not None and (token := enter(callbacks.parent_run_id)) is not None:
            entered.append((handler, token))
    return entered


class _ConfigForLangChain(dict[str, Any]):
    """The configuration ``ours`` as LangChain's runs inherit it: its callbacks are a manager of LangChain's class."""

    __slots__ = ("ours",)

    def __init__(self, ours: Config, callbacks: object) -> None:
        super().__init__(ours, callbacks=callbacks)
        self.ours = ours


def _config_for_langchain(config: Config | None) -> Config | None:
    if config is None or (callbacks := config.get("callbacks")) is None:
        return config
    return _ConfigForLangChain(config, late("callbacks_to_langchain")(callbacks))


def _their_config() -> ContextVar[Config | None] | None:
    module = sys.modules.get("langchain_core.runnables.config")
    # While the module is imported, it may be incomplete.
    return None if module is None else getattr(module, "var_child_runnable_config", None)


def ambient_handlers(present: Sequence[Any] = ()) -> Sequence[tuple[Any, bool]]:
    """Return the handlers of all runs in the current context, and whether child runs inherit each of them.

    They are the global ones, those of the context, those of hooks, and those that LangChain's context managers set,
    such as ``collect_runs``. A hook with a class has no handler if one of its class is ``present``.
    """
    found = [(handler, True) for handler in (*_global_handlers(), *_handlers.get())]
    for variable, inherits, make, switch in _hooks:
        if make is not None and any(isinstance(one, make) for one in present):
            continue
        if (handler := variable.get()) is not None:
            found.append((handler, inherits))
        elif make is not None and switch is not None and env_var_is_set(switch):
            found.append((make(), inherits))
    module: Any = sys.modules.get("langchain_core.tracers.context")
    if module is None:
        return found
    if (tracer := _value(getattr(module, "tracing_v2_callback_var", None))) is not None:
        found.append((tracer, True))
    for variable, inherits, *_ in getattr(module, "_configure_hooks", ()):
        if (handler := variable.get()) is not None:
            found.append((handler, inherits))
    return found


def _global_handlers() -> Sequence[Any]:
    """Return the handlers of all runs of the process, except those in whose own context this is."""
    if (process := settings()) is None or not (handlers := process.get_handlers()):
        return ()
    dropped = _dropped.get()
    return [one for one in handlers if not any(one is other for other in dropped)] if dropped else handlers


def is_global(handler: object) -> bool:
    """Return whether a handler is one of all runs of the process."""
    return any(handler is one for one in _global_handlers())


def has_global_handlers() -> bool:
    """Return whether the process has handlers of all runs."""
    return (process := settings()) is not None and bool(process.get_handlers())


def register_configure_hook(
    context_var: ContextVar[Any],
    inheritable: bool,
    handle_class: type[Any] | None = None,
    env_var: str | None = None,
) -> None:
    """Have the handler in ``context_var`` called for every run that starts where the variable has one.

    Child runs inherit it if ``inheritable``. A new ``handle_class()`` is called where the environment variable
    ``env_var`` is set and the context variable has no handler. Raises :class:`ValueError` for an ``env_var`` without
    ``handle_class``.
    """
    if env_var is not None and handle_class is None:
        raise ValueError("If env_var is set, handle_class must also be set to a non-None value.")
    _hooks.append((context_var, inheritable, handle_class, env_var))


def no_listeners(config: Config | None) -> bool:
    """Return True if no handler can be listening. Conservative and cheap: being inside another run counts as one."""
    if (config and config.get("callbacks")) or _config.get() is not None or _handlers.get() or _hooks:
        return False
    if (process := settings()) is not None and (process.get_debug() or process.get_handlers()):
        return False
    return "langchain_core" not in sys.modules or (var_child_runnable_config.get() is None and not ambient_handlers())


def settings() -> Any:
    """Return the module of the process's settings; ``None`` if the program has not imported it to set one."""
    return sys.modules.get("millstream.globals")


def is_debugging() -> bool:
    """Return whether ``set_debug`` has asked for a print of all runs."""
    return (module := settings()) is not None and module.get_debug()


@contextmanager
def ambient_handler(handler: T) -> Generator[T, None, None]:
    """Call ``handler`` for all runs of the current context in the block, whose value it is."""
    token = _handlers.set((*_handlers.get(), handler))
    try:
        yield handler
    finally:
        _handlers.reset(token)


def drop_ambient_handler(handler: object) -> None:
    """Remove a handler from those of all runs in the current context."""
    if handlers := _handlers.get():
        _handlers.set(tuple(one for one in handlers if one is not handler))
    if is_global(handler):
        _dropped.set((*_dropped.get(), handler))
    module: Any = sys.modules.get("langchain_core.tracers.context")
    hooks = (*_hooks, *getattr(module, "_configure_hooks", ()))
    for variable in (*(hook[0] for hook in hooks), getattr(module, "tracing_v2_callback_var", None)):
        if _value(variable) is handler:
            variable.set(None)


def _value(variable: ContextVar[Any] | None) -> Any:
    return None if variable is None else variable.get()


caller_loop = threading.local()
"""``caller_loop.loop`` is the event loop that waits for this thread, while the thread runs users' sync code for it."""


class Enterable(Protocol):
    """A ``contextvars.Context``, or what enters one."""

    def run(self, function: Callable[..., T], /, *args: Any) -> T:
        """Call ``function`` in the context."""


class InContext(Generic[T]):
    """An awaitable that runs each step of a coroutine in ``context``, in the task that awaits it.

    A task of its own would do the same, but a cancellation would reach it a turn of the loop later. What
    the loop is asked to call back later takes the context along in which it was asked.
    """

    __slots__ = ("_context", "_coroutine")

    def __init__(self, context: Enterable, coroutine: Coroutine[Any, Any, T]) -> None:
        self._context = context
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        coroutine, run = self._coroutine, self._context.run
        step: Callable[[Any], Any] = coroutine.send
        value: Any = None
        awaited: Any = None
        try:
            while True:
                try:
                    awaited = run(step, value)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                try:
                    value = yield awaited
                    step = coroutine.send
                except BaseException as error:
                    step, value = coroutine.throw, error
        finally:
            coroutine.close()
            # A traceback keeps this frame, which would keep the error, or the future that has it.
            del step, value, awaited


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running loop of asyncio; raises :class:`RuntimeError` elsewhere, as under trio."""
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "this step needs a running asyncio event loop: under trio, models and chains of Millstream's own steps "
            "run, but no functions, generators, branches or batches of other steps"
        ) from None


async def run_in_executor(
    executor_or_config: Executor | Mapping[str, Any] | None,
    func: Callable[P, T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run ``func`` in an executor, in a copy of the current context; a configuration stands for the loop's default one.

    Raises :class:`RuntimeError` where ``func`` raises :class:`StopIteration`, which a future cannot carry.
    """
    context = contextvars.copy_context()
    loop = running_loop()

    def call() -> T:
        # ``func`` may call async handlers: they run in the loop that waits for this thread.
        caller_loop.loop = loop
        try:
            return context.run(func, *args, **kwargs)
        except StopIteration as error:
            raise RuntimeError("StopIteration was raised") from error
        finally:
            caller_loop.loop = None

    executor = None if isinstance(executor_or_config, Mapping) else executor_or_config
    future = loop.run_in_executor(executor, call)
    try:
        return await future
    finally:
        # A traceback keeps this frame, which would keep the future, and the future the exception.
        del future
