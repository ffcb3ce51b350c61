"""Sends the messages of one response: from its task, or step by step from a callback of the loop.

**Steps by hand.** uvicorn's ``send`` is a coroutine that never waits unless the client is slow. A callback of the
connection to the model can run it with one ``coroutine.send(None)``: no future, no step of a task and no step of a
generator for each token. That is safe for a coroutine that did not suspend before, so the first messages are sent by
the task, through a *probe*. A step has the request's context variables, and the request's task is the current task.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from contextvars import Context, copy_context
from functools import partial
from types import CoroutineType, coroutine
from typing import Any

__all__ = ("Send", "SendError", "Sender")

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


class SendError(Exception):
    """``send`` raised ``error``, in whatever task or callback."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Sender:
    """``send`` of one response, and how it behaves.

    ``count`` is the number of messages so far, and ``is_sending`` whether one is under way: the shared timer looks
    at both. ``is_direct`` is whether :meth:`post` may be called; the probes of the first messages decide.
    """

    __slots__ = (
        "_context",
        "_is_probing",
        "_loop",
        "_pending",
        "_ping",
        "_send",
        "_task",
        "count",
        "is_direct",
        "is_sending",
    )

    def __init__(self, send: Send, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        self._send = send
        self._loop = loop
        self._task = task
        self._context = _context_of(task)
        self._pending: Any = None
        self._ping: asyncio.Task[None] | None = None
        self.count = 0
        self.is_sending = False
        self.is_direct = False
        self._is_probing = True

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Send the head."""
        await self._deliver({"type": "http.response.start", "status": status, "headers": headers})

    async def send(self, body: bytes) -> None:
        """Send a part of the body; raises :class:`SendError`."""
        message: Message = {"type": "http.response.body", "body": body, "more_body": True}
        if self._is_probing or self._ping is not None:
            await self._deliver(message)
            if self._is_probing:
                self._is_probing, self.is_direct = False, True
                # With the variables that the first messages have set.
                self._context = _context_of(self._task)
            return
        # What :meth:`_deliver` does, without a step more.
        self.count += 1
        self.is_sending = True
        try:
            await self._send(message)
        except Exception as error:
            raise SendError(error) from error
        self.is_sending = False

    async def end(self, body: bytes = b"") -> None:
        """Send the last part of the body."""
        await self._deliver({"type": "http.response.body", "body": body, "more_body": False})

    async def _deliver(self, message: Message) -> None:
        self.count += 1
        self.is_sending = True
        if self._ping is not None:
            await self._wait_ping()
        try:
            if self._is_probing:
                await self._probe(self._send(message))
            else:
                await self._send(message)
        except Exception as error:
            raise SendError(error) from error
        self.is_sending = False

    def _probe(self, sending: Any) -> Awaitable[None]:
        """Return ``sending``, with a note of whether it suspends."""
        if type(sending) is not CoroutineType:
            self._is_probing = False
            return sending  # type: ignore[no-any-return]
        return self._run_probed(sending)

    @coroutine
    def _run_probed(self, sending: CoroutineType[Any, Any, None]) -> Generator[Any, Any, None]:
        try:
            awaited = sending.send(None)
        except StopIteration:
            return
        self._is_probing = False
        yield from _resume(sending, awaited)

    def _start_part(self, body: bytes) -> Awaitable[None] | None:
        """Begin to send a part of the body; return what is to be awaited, if anything is."""
        sending: Any = self._send({"type": "http.response.body", "body": body, "more_body": True})
        if not self.is_direct:
            return sending  # type: ignore[no-any-return]
        try:
            awaited = sending.send(None)
        except StopIteration:
            return None
        except Exception as error:
            raise SendError(error) from error
        return _resume(sending, awaited)

    # From a callback.

    @property
    def post(self) -> Callable[[bytes], bool]:
        """Sends a part of the body from a callback; returns ``False`` if the task has to call :meth:`finish`."""
        # What a token needs is bound to one function.
        enter, leave, loop, task, send = _enter_task, _leave_task, self._loop, self._task, self._send
        run: Any = self._context.run

        def step(body: bytes) -> bool:
            self.count += 1
            enter(loop, task)
            try:
                sending: Any = send({"type": "http.response.body", "body": body, "more_body": True})
                awaited = sending.send(None)
            except StopIteration:
                return True
            except Exception as error:
                raise self.wrap_error(error) from error
            finally:
                leave(loop, task)
            self.suspend(sending, awaited)
            return False

        return partial(run, step)

    @property
    def client(self) -> tuple[Any, ...] | None:
        """What the core's relay needs to do what :attr:`post` does."""
        return self._context.run, _enter_task, _leave_task, self._loop, self._task, self._send, self

    def suspend(self, sending: Any, awaited: Any) -> None:
        """Let the task finish ``sending``, which waits for ``awaited``."""
        self._pending = _resume(sending, awaited)
        self.is_sending = True

    def wrap_error(self, error: Exception) -> SendError:
        """Return what is raised for an exception of ``send``."""
        failure = SendError(error)
        failure.__cause__ = error
        return failure

    @property
    def is_pending(self) -> bool:
        """Whether a message that :meth:`post` began has not been sent yet."""
        return self._pending is not None

    @coroutine
    def finish(self) -> Generator[Any, Any, None]:
        """Wait until the message that :meth:`post` began is sent; raises :class:`SendError`."""
        pending, self._pending = self._pending, None
        assert pending is not None
        try:
            yield from pending
        except Exception as error:
            raise SendError(error) from error
        self.is_sending = False

    # Keep-alive.

    def ping(self, body: bytes, on_error: Callable[[Exception], None]) -> bool:
        """Send ``body`` while the task waits for the model; return ``False`` if another message is under way."""
        if self._ping is not None or self.is_sending:
            return False
        self._ping = self._loop.create_task(self._send_ping(body, on_error), context=self._context.copy())
        return True

    async def _send_ping(self, body: bytes, on_error: Callable[[Exception], None]) -> None:
        try:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
        except Exception as error:
            on_error(SendError(error))
        finally:
            self._ping = None

    async def _wait_ping(self) -> None:
        while self._ping is not None:
            await asyncio.wait([self._ping])

    async def close(self) -> None:
        """Leave no task and no coroutine behind."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.close()
        if self._ping is not None:
            self._ping.cancel()
            await self._wait_ping()


def _context_of(task: asyncio.Task[Any]) -> Context:
    """Return the context of the current task; a copy before Python 3.12, where a task does not say what it is."""
    context: Context = getattr(task, "get_context", copy_context)()
    return context


@coroutine
def _resume(sending: Any, awaited: Any) -> Generator[Any, Any, None]:
    """Run a coroutine to its end that has been run up to ``awaited``."""
    step, value = sending.send, None
    try:
        while True:
            try:
                value, step = (yield awaited), sending.send
            except GeneratorExit:
                raise
            except BaseException as error:
                step, value = sending.throw, error
            try:
                awaited = step(value)
            except StopIteration:
                return
    finally:
        sending.close()
        # A traceback keeps this frame, which would keep the error.
        del step, value, awaited
