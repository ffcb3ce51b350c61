"""One response while it runs: its stream, its client, and each way in which it can end.

The request's task reads the stream and sends the records. Whatever else ends the response (the client leaves, does
not read in time, or the server shuts down) cancels the task with a reason, as ``asyncio.timeout`` does: the stream is
closed wherever it is, before its upstream has answered, while that is silent, or while a record is being sent.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING, Any

from ..errors import StreamTruncatedError
from ..streaming.drive import adrive_records
from ..streaming.inputs import aclose_iterator
from ..streaming.relay import Pump
from .disconnects import Receive, watch_disconnect
from .errors import ServerShutdownError, error_response, log_error, logger
from .keep_alive import ticker_of
from .sending import Send, Sender, SendError
from .snapshots import SnapshotSender

if TYPE_CHECKING:
    from .bodies import RecordBody

__all__ = ("Relay", "RelayOptions")


# A check that is later than this found a loop that was blocked, in seconds.
_BLOCKED = 0.05


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """The arguments of a response that its relay needs; ``given_headers`` are those that an error has too."""

    status: int
    raw_headers: list[tuple[bytes, bytes]]
    given_headers: list[tuple[bytes, bytes]]
    waits_for_chunk: bool
    ping_interval: float
    send_timeout: float
    on_error: Callable[[Exception], Any] | None
    farewell: bytes | None
    drops: bool


class _Reason(Enum):
    """Why a response was interrupted."""

    DISCONNECT = auto()
    SEND_TIMEOUT = auto()
    SHUTDOWN = auto()


class Relay:
    """Sends the records of ``body`` to one client."""

    __slots__ = (
        "_body",
        "_cancelling",
        "_checked_at",
        "_checked_count",
        "_cut",
        "_held",
        "_is_ending",
        "_is_opened",
        "_is_over",
        "_is_reporting",
        "_is_started",
        "_options",
        "_reason",
        "_sender",
        "_task",
    )

    def __init__(self, body: RecordBody, options: RelayOptions) -> None:
        self._body = body
        self._options = options
        self._reason: _Reason | Exception | None = None
        self._is_started = self._is_opened = self._is_ending = self._is_over = self._is_reporting = False
        self._cut: Exception | None = None
        # Records to be sent with the next ones.
        self._held = b""
        self._checked_at = 0.0
        self._checked_count = 0

    async def run(self, receive: Receive, send: Send) -> None:
        """Send the response; raise only to cut the connection, or for an error of ``send`` itself."""
        loop = asyncio.get_running_loop()
        task: Any = asyncio.current_task(loop)
        self._task: asyncio.Task[Any] = task
        self._cancelling = task.cancelling()
        self._sender = self._make_sender(send, loop)
        self._checked_at = loop.time()
        ticker = ticker_of(loop)
        ticker.add(self)
        watcher = loop.create_task(watch_disconnect(receive, self._on_disconnect))
        try:
            reason = await self._guard(self._stream())
            if isinstance(reason, Exception):
                reason = await self._guard(self._fail(reason))
            elif reason is _Reason.SHUTDOWN:
                reason = await self._guard(self._say_farewell())
            if reason is _Reason.SEND_TIMEOUT:
                self._is_over = True
                await self._report(TimeoutError("the client did not read the response in time"))
                self._cut = _cut_error()
        finally:
            self._is_over = True
            if self._reason is not None:
                # The stream has caught the cancellation, and ended.
                self._task.uncancel()
            ticker.remove(self)
            watcher.cancel()
            await self._sender.close()
            if not self._is_opened:
                # The client has left before the stream was read: a body may count its readers.
                await aclose_iterator(self._body)
            # The traceback of an error keeps this object, and the body may have the error.
            del self._body
        if self._cut is not None:
            raise self._cut

    def _make_sender(self, send: Send, loop: asyncio.AbstractEventLoop) -> Sender:
        if not self._options.drops:
            return Sender(send, loop, self._task)
        body: Any = self._body

        def snapshot(dropped: int) -> bytes:
            records: bytes = body.write_snapshot(body.text, dropped)
            return records

        sender = SnapshotSender(send, loop, self._task, snapshot, self._on_send_failure)
        body.keep_text(sender.make_snapshot)
        return sender

    # What interrupts the task.

    def shut_down(self) -> None:
        """Say farewell, and end."""
        self._interrupt(_Reason.SHUTDOWN)

    def _on_disconnect(self) -> None:
        self._interrupt(_Reason.DISCONNECT)

    def _on_send_failure(self, error: Exception) -> None:
        is_gone = isinstance(error, SendError) and isinstance(error.error, OSError)
        self._interrupt(_Reason.DISCONNECT if is_gone else error)

    def _interrupt(self, reason: _Reason | Exception) -> None:
        # While the last message is being sent, only a client that does not take it matters.
        is_late = self._is_over or (self._is_ending and reason is not _Reason.SEND_TIMEOUT)
        if not is_late and self._reason is None:
            self._reason = reason
            if not self._is_reporting:
                self._task.cancel()

    async def _guard(self, steps: Coroutine[Any, Any, None]) -> _Reason | Exception | None:
        """Run ``steps``; return why they were interrupted, if they were."""
        try:
            await steps
        except asyncio.CancelledError:
            reason, self._reason = self._reason, None
            if reason is None or self._task.uncancel() > self._cancelling:
                raise
            return reason
        except SendError as failure:
            # An ``OSError`` says that the client is gone.
            if not isinstance(failure.error, OSError):
                raise failure.error from failure.error.__cause__
        return None

    # What the shared timer calls.

    def check(self, now: float, late: float = 0.0) -> float:
        """Send keep-alive bytes or end a send that takes too long; return the time of the next check.

        While the loop was blocked, for ``late`` seconds, a client could not show that it reads: they do not count.
        """
        sender, limit = self._sender, self._find_limit()
        if sender.count != self._checked_count:
            self._checked_count, self._checked_at = sender.count, now
        elif sender.is_sending:
            self._checked_at += late
            if late > _BLOCKED:
                # The client's sign may wait behind this check.
                self._checked_at = max(self._checked_at, now - limit + min(late, limit))
        elif self._held and self._send_aside(self._held):
            self._held = b""
            limit = self._find_limit()
        if now - self._checked_at < limit:
            return self._checked_at + limit
        if sender.is_sending:
            self._interrupt(_Reason.SEND_TIMEOUT)
            return inf
        self._checked_at = now
        if self._body.ping:
            self._send_aside(self._body.ping)
        return now + limit

    def _find_limit(self) -> float:
        """Return how long a send may take, or how long nothing may be sent."""
        return self._options.send_timeout if self._sender.is_sending else self._options.ping_interval

    def _send_aside(self, data: bytes) -> bool:
        """Send ``data`` while the task waits for the stream; return whether that has begun."""
        return self._is_started and not self._is_ending and self._sender.ping(data, self._on_send_failure)

    # The stream.

    async def _stream(self) -> None:
        """Send the head, the records, and the end."""
        if not self._options.waits_for_chunk:
            await self._start()
        try:
            await self._send_records()
        except SendError:
            raise
        except Exception as error:
            await self._fail(error)
        else:
            if not self._is_started:
                await self._start()
            self._is_ending = True
            await self._sender.end(self._held)

    async def _start(self) -> None:
        self._is_started = True
        await self._sender.start(self._options.status, self._options.raw_headers)

    async def _send_records(self) -> None:
        records, pump = self._open()
        send = self._sender.send
        may_hold = True
        try:
            async with records:
                async for record in records:
                    if self._reason is not None:
                        # The stream has caught the cancellation and gone on.
                        raise asyncio.CancelledError
                    if may_hold:
                        if self._holds_back(record, pump):
                            continue
                        if not self._is_started:
                            await self._start()
                        may_hold = pump is not None
                        record, self._held = self._held + record, b""
                    await send(record)
                    if pump is not None:
                        pump.go()
                        # The next step may take as long as the stream.
                        del record
        finally:
            # A traceback keeps this frame, and the frame would keep the processor, which has the exception.
            if pump is not None:
                pump.release()
            del records, pump

    def _holds_back(self, record: bytes, pump: Pump | None) -> bool:
        """Keep a record for the next message, and return whether it was kept.

        A write costs more than anything else. So the records before the upstream's answer are sent with the first
        ones after it, or by the shared timer if that takes longer; the last ones with the end of the body. And as
        long as an error may become a status, nothing is sent before the first chunk.
        """
        if self._is_started:
            if pump is None or (pump.is_attached and not pump.is_ending):
                return False
        else:
            is_preface: Any = getattr(self._body, "is_preface", None)
            if is_preface is None or not is_preface(record):
                return False
        self._held += record
        return True

    def _open(self) -> tuple[_Records, Pump | None]:
        """Return the records, and what sends most of them itself, if the stream is one of ours."""
        body: Any = self._body
        self._is_opened = True
        open_parts = getattr(body, "_open_parts", None)
        if open_parts is None or (parts := open_parts()) is None:
            return _Records(aiter(body), body), None
        source, processor = parts
        pump = Pump(self._sender)
        records = adrive_records(source, processor, pump)
        return _Records(records, records), pump

    # Its end.

    async def _fail(self, error: Exception) -> None:
        """Send ``error`` as a status or as the wire's record; cut the connection where the wire has none."""
        await self._report(error)
        if not self._is_started:
            status, headers, content = error_response(error, self._body.wire)
            self._is_started = True
            raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            own = {name for name, _ in raw}
            raw += [pair for pair in self._options.given_headers if pair[0] not in own]
            await self._sender.start(status, raw)
            self._is_ending = True
            await self._sender.end(content)
            return
        await self._send_last(self._record_of(error))

    async def _say_farewell(self) -> None:
        if self._sender.is_sending:
            # The client does not read.
            self._cut = _cut_error()
            return
        if not self._is_started:
            await self._fail(ServerShutdownError())
            return
        farewell = self._options.farewell
        await self._send_last(self._record_of(ServerShutdownError()) if farewell is None else farewell)

    async def _send_last(self, records: bytes) -> None:
        if records:
            self._is_ending = True
            await self._sender.end(self._held + records)
            return
        if self._held:
            await self._sender.send(self._held)
        self._cut = _cut_error()

    def _record_of(self, error: Exception) -> bytes:
        try:
            if isinstance(self._sender, SnapshotSender):
                self._sender.make_snapshot()
            return self._body.fail(error)
        except Exception:
            logger.exception("the record of an error could not be written")
            return b""

    async def _report(self, error: Exception) -> None:
        """Log ``error``, and call the hook of the app, which nothing but a cancellation from outside interrupts."""
        log_error(error)
        if self._options.on_error is None:
            return
        was_interrupted = self._reason is not None
        self._is_reporting = True
        reason: _Reason | Exception | None = None
        try:
            result = self._options.on_error(error)
            if inspect.isawaitable(result):
                await result
        except Exception:
            logger.exception("on_error raised an exception")
        finally:
            self._is_reporting = False
            if not was_interrupted:
                reason, self._reason = self._reason, None
        if reason is not None:
            self._interrupt(reason)
            await asyncio.sleep(0)


class _Records:
    """Records, and what closes them."""

    __slots__ = ("_closes", "_items")

    def __init__(self, items: AsyncIterator[bytes], closes: Any) -> None:
        self._items = items
        self._closes = closes

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._items

    async def __aenter__(self) -> None:
        """Do nothing."""

    async def __aexit__(self, *error: object) -> None:
        """Close what can be closed."""
        await aclose_iterator(self._closes)


def _cut_error() -> Exception:
    """Return what is raised so that the server closes the connection without the end of the body."""
    return StreamTruncatedError("the connection is cut: the response cannot end as if it were whole")
