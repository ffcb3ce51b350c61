"""Where code runs: what runs inherit from the context, coroutines in another one, calls in a thread for a loop.

LangChain has context variables of its own. Where its module is loaded, they are read and set beside ours, so that
runs of both libraries are children of each other.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar

from ._late import late

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Executor

__all__ = (
    "Enterable",
    "InContext",
    "ParentConfig",
    "add_ambient_handler",
    "ambient_handlers",
    "caller_loop",
    "drop_ambient_handler",
    "is_debugging",
    "no_listeners",
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

    def set(self, config: Config | None) -> tuple[Token[Config | None], Token[Config | None] | None]:
        """Set the configuration; return the tokens for :meth:`reset`."""
        theirs = _their_config()
        return _config.set(config), None if theirs is None else theirs.set(_config_for_langchain(config))

    def reset(self, tokens: tuple[Token[Config | None], Token[Config | None] | None]) -> None:
        """Set the configuration that was there before."""
        ours, theirs = tokens
        _config.reset(ours)
        if theirs is not None:
            theirs.var.reset(theirs)


var_child_runnable_config = ParentConfig()


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


def ambient_handlers() -> Sequence[tuple[Any, bool]]:
    """Return the handlers of all runs in the current context, and whether child runs inherit each of them.

    LangChain's context managers, such as ``collect_runs``, set some of them.
    """
    ours = [(handler, True) for handler in _handlers.get()]
    module: Any = sys.modules.get("langchain_core.tracers.context")
    if module is None:
        return ours
    found = list(ours)
    if (tracer := _value(getattr(module, "tracing_v2_callback_var", None))) is not None:
        found.append((tracer, True))
    for variable, inherits, *_ in getattr(module, "_configure_hooks", ()):
        if (handler := variable.get()) is not None:
            found.append((handler, inherits))
    return found


def no_listeners(config: Config | None) -> bool:
    """Return True if no handler can be listening. Conservative and cheap: being inside another run counts as one."""
    if (config and config.get("callbacks")) or _config.get() is not None or _handlers.get() or is_debugging():
        return False
    return "langchain_core" not in sys.modules or (var_child_runnable_config.get() is None and not ambient_handlers())


def settings() -> Any:
    """Return the module of the process's settings; ``None`` if the program has not imported it to set one."""
    return sys.modules.get("millstream.globals")


def is_debugging() -> bool:
    """Return whether ``set_debug`` has asked for a print of all runs."""
    return (module := settings()) is not None and module.get_debug()


def add_ambient_handler(handler: object) -> Token[tuple[Any, ...]]:
    """Add a handler of all runs in the current context; ``token.var.reset(token)`` removes it."""
    return _handlers.set((*_handlers.get(), handler))


def drop_ambient_handler(handler: object) -> None:
    """Remove a handler from those of all runs in the current context."""
    _handlers.set(tuple(one for one in _handlers.get() if one is not handler))
    module: Any = sys.modules.get("langchain_core.tracers.context")
    hooks = getattr(module, "_configure_hooks", ())
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
