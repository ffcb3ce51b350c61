"""One call of ``feed`` or ``close`` at a time, and the failure that ends them: what classes with input share."""

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

from ..errors import StreamError
from .value import Sealed

__all__ = ("Turns", "closes", "feeds")

_Self = TypeVar("_Self", bound="Turns")
_Given = ParamSpec("_Given")
_Out = TypeVar("_Out")


class Turns(Sealed):
    """The base of the classes with ``feed`` and ``close``.

    Other threads wait until a call is over. The same thread (a callback of the collector, a profiler, a
    signal handler) gets an exception. Properties answer at any time.
    """

    __slots__ = ("_failures", "_interrupted", "_running", "_turn")

    def __init__(self) -> None:
        # Reentrant, so that the same thread gets as far as the exception.
        self._turn = RLock()
        self._running = False
        # Whether an exception came in between reading data and handing out what it held.
        self._interrupted = False
        # The exception for what stopped the reading, once it was asked for. Two threads may make one each:
        # the first counts.
        self._failures: list[StreamError] = []

    def _make_failure(self) -> StreamError | None:
        """Return a new exception for what stopped the reading, if anything has."""
        raise NotImplementedError

    def _find_failure(self) -> Any:
        """Return the exception for what stopped the reading, made when it is asked for first.

        What stopped it is kept as plain values, so an exception that is raised here loses nothing.
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


def feeds(method: Callable[Concatenate[_Self, _Given], _Out]) -> Callable[Concatenate[_Self, _Given], _Out]:
    """Make calls of ``method``, which takes data, wait for each other."""

    @wraps(method)
    def call(self: _Self, *args: _Given.args, **kwargs: _Given.kwargs) -> _Out:
        turn = self._turn
        turn.acquire()
        try:
            if self._running:
                raise RuntimeError("feed() is running")
            self._running = True
            try:
                return method(self, *args, **kwargs)
            except (ValueError, TypeError):
                # The argument is wrong, or there is a failure: nothing was read.
                raise
            except BaseException:
                self._interrupted = True
                raise
            finally:
                self._running = False
        finally:
            turn.release()

    # What the type says of the method's own first argument, that it has no name, is not so.
    return call  # type: ignore[return-value]


# A method that ends the input waits as those do.
closes = feeds
