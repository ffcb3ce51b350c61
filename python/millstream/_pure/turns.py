"""One call of ``feed`` or ``close`` at a time, and the failure that ends them: the base of classes with input."""

import sys
from collections.abc import Callable
from functools import wraps
from time import sleep
from types import CodeType, FrameType
from typing import Any, NoReturn, TypeVar

from ..errors import StreamError
from .value import Sealed

__all__ = ("Turns", "closes", "feeds")

_Self = TypeVar("_Self", bound="Turns")
_Given = TypeVar("_Given")
_Out = TypeVar("_Out")

# How long a thread sleeps before it looks again whether another one's call is over.
_WAIT = 50e-6

# The code of the functions that take a turn.
_GUARDS: set[CodeType] = set()


class Turns(Sealed):
    """The base of the classes with ``feed`` and ``close``.

    Other threads wait until a call is over. The same thread (a callback of the collector, a profiler, a
    signal handler) gets an exception. Properties answer at any time.

    A lock would not do: the second call of one thread would wait for the first one, which waits for the
    second. So the turn is an attribute, and taking it is deleting it: one bytecode, which either succeeds or
    raises, whatever thread or signal handler comes in between. On failure, :meth:`_wait` walks up the stack:
    a guarded call of this object there is re-entry, and raises; otherwise another thread has the turn.

    An exception of Python's own between reading the data and returning the outputs (an interrupt, a
    ``MemoryError``) loses outputs. The object remembers that and refuses to go on, so that no stream with a
    hole looks whole. What stopped the reading is kept as plain values, and the exception is made when it is
    first raised or asked for: an interrupt while it is being made loses nothing.
    """

    __slots__ = ("_failures", "_interrupted", "_turn")

    def __init__(self) -> None:
        # Not there while a call is running. Deleting it is one step: no other thread and no signal handler
        # comes in between, and it takes less time than a lock.
        self._turn = True
        # Whether an exception was raised between reading data and returning its output.
        self._interrupted = False
        # The exception for the error that stopped the reading, made on first access. Two threads may make
        # one each: the first counts.
        self._failures: list[StreamError] = []

    def _wait(self) -> None:
        """Take the turn when the call that has it is over; raise where that is a call of this thread."""
        # Past this method's frame, and that of the call that waits.
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            if frame.f_code in _GUARDS and frame.f_locals["self"] is self:
                raise RuntimeError("feed() is running") from None
            frame = frame.f_back
        while True:
            sleep(_WAIT)
            try:
                del self._turn
            except AttributeError:
                continue
            return

    def _make_failure(self) -> StreamError | None:
        """Return a new exception for the error that stopped the reading, if there is one."""
        raise NotImplementedError

    def _find_failure(self) -> Any:
        """Return the exception for the error that stopped the reading, made on first access.

        The error is kept as plain values, so an exception that is raised here loses nothing.
        """
        failures = self._failures
        if not failures and (failure := self._make_failure()) is not None:
            failures.append(failure)
        return failures[0] if failures else None

    def _check_sound(self) -> None:
        """Raise where nothing more can be read."""
        if (failure := self._find_failure()) is not None:
            raise failure.with_traceback(None)
        if self._interrupted:
            self._raise_interrupted()

    def _raise_interrupted(self) -> NoReturn:
        raise RuntimeError("an exception interrupted feed() or close(): part of the stream is lost")


def feeds(method: Callable[[_Self, _Given], _Out]) -> Callable[[_Self, _Given], _Out]:
    """Make calls of ``method``, which takes one argument, wait for each other."""

    def call(self: _Self, given: _Given) -> _Out:
        try:
            del self._turn
        except AttributeError:
            self._wait()
        try:
            return method(self, given)
        except (ValueError, TypeError):
            # The argument is wrong, or there is a failure: nothing was read.
            raise
        except BaseException:
            self._interrupted = True
            raise
        finally:
            self._turn = True

    # The argument has the name that it has in the method: ``**`` would take as long as all of this.
    own, code = method.__code__.co_varnames[1], call.__code__
    call.__code__ = code.replace(co_varnames=("self", own, *code.co_varnames[2:]))
    _GUARDS.add(call.__code__)
    return wraps(method)(call)


def closes(method: Callable[[_Self], _Out]) -> Callable[[_Self], _Out]:
    """Make calls of ``method``, which takes no argument, wait as those do."""

    def without(self: _Self, _: None) -> _Out:
        return method(self)

    guarded = feeds(without)

    @wraps(method)
    def call(self: _Self) -> _Out:
        return guarded(self, None)

    return call
