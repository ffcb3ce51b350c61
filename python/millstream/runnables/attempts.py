"""Attempts: a call that is made anew, or of another Runnable, while it fails; a stream, until its first chunk."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable
from functools import partial
from typing import Any, Protocol, TypedDict

from ..streaming.inputs import AsyncInputIterator, close_iterator
from ..streaming.replay import AsyncReplay, Replay

__all__ = ("Attempts", "ExponentialJitterParams", "acall_attempts", "aiter_attempts", "call_attempts", "iter_attempts")

_END: Any = object()


class Attempts(Protocol):
    """The attempts of one call: it says after each failure whether there is another one."""

    def judge(self, error: BaseException) -> tuple[BaseException | None, float]:
        """Return the exception to raise after an attempt failed with ``error``.

        ``None`` is for another attempt, after so many seconds.
        """

    def release(self) -> None:
        """Drop the exceptions of earlier attempts, whose frames refer to this object."""


class ExponentialJitterParams(TypedDict, total=False):
    """How long to wait before another attempt: ``initial * exp_base ** n`` seconds and a random part.

    ``n`` is 0 before the second attempt, and grows by 1. Up to ``jitter`` seconds are added, and ``max`` is the
    limit of the whole. The defaults are 1 for ``initial``, 2 for ``exp_base``, 1 for ``jitter``, no limit.
    """

    initial: float
    max: float
    exp_base: float
    jitter: float


class Failing(Protocol):
    """The input of all attempts."""

    has_failed: bool


def call_attempts(attempts: Attempts, call: Callable[[], Any], input: Failing | None = None) -> Any:
    """Return what the first ``call()`` returns that does not fail; once ``input`` has failed, there is no other."""
    import time

    failure: BaseException | None = None
    try:
        while True:
            try:
                return call()
            except BaseException as error:
                failure, seconds = _judge(attempts, error, input)
            # Raised out here, the exception of an earlier attempt keeps the context it has.
            if failure is not None:
                raise failure
            if seconds:
                time.sleep(seconds)
    finally:
        attempts.release()
        # A traceback keeps this frame, which would keep the exception.
        del failure, attempts, call, input


async def acall_attempts(attempts: Attempts, call: Callable[[], Awaitable[Any]], input: Failing | None = None) -> Any:
    """Return what the first ``await call()`` returns that does not fail; see :func:`call_attempts`."""
    import asyncio

    failure: BaseException | None = None
    try:
        while True:
            try:
                return await call()
            except BaseException as error:
                failure, seconds = _judge(attempts, error, input)
            if failure is not None:
                raise failure
            if seconds:
                await asyncio.sleep(seconds)
    finally:
        attempts.release()
        del failure, attempts, call, input


def _judge(attempts: Attempts, error: BaseException, input: Failing | None) -> tuple[BaseException | None, float]:
    return attempts.judge(error) if input is None or not input.has_failed else (error, 0.0)


def iter_attempts(
    attempts: Attempts, begin: Callable[[], Iterable[Any]], replay: Replay | None = None
) -> Generator[Any, None, None]:
    """Yield the outputs of the first attempt that has one, or that ends; ``begin`` returns those of the next attempt.

    From its first output on, a failure of the attempt is raised. ``replay`` is the input that the attempts read.
    """
    try:
        outputs, first = call_attempts(attempts, partial(_read_first, begin), replay)
        del begin
        if replay is not None:
            replay.settle()
        try:
            if first is not _END:
                yield first
                del first
                yield from outputs
        finally:
            close_iterator(outputs)
    finally:
        if replay is not None:
            replay.close()


async def aiter_attempts(
    attempts: Attempts, begin: Callable[[], AsyncIterable[Any]], replay: AsyncReplay | None = None
) -> AsyncGenerator[Any, None]:
    """Yield the outputs of the first attempt that has one, or that ends; see :func:`iter_attempts`."""
    import asyncio

    try:
        outputs, first = await acall_attempts(attempts, partial(_aread_first, begin), replay)
        del begin
        if replay is not None:
            replay.settle()
        try:
            while first is not _END:
                try:
                    yield first
                except asyncio.CancelledError as error:
                    outputs.thrown = error
                first = await anext(outputs, _END)
        finally:
            await outputs.aclose()
    finally:
        if replay is not None:
            await replay.aclose()


def _read_first(begin: Callable[[], Iterable[Any]]) -> tuple[Any, Any]:
    """Return the outputs of an attempt and the first one of them; close them if that fails."""
    outputs = iter(begin())
    try:
        return outputs, next(outputs, _END)
    except BaseException:
        close_iterator(outputs)
        raise


async def _aread_first(begin: Callable[[], AsyncIterable[Any]]) -> tuple[Any, Any]:
    outputs = AsyncInputIterator(begin())
    try:
        return outputs, await anext(outputs, _END)
    except BaseException:
        await outputs.aclose()
        raise
