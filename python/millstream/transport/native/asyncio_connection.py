"""A connection of an event loop, as ``asyncio.BufferedProtocol``.

A read costs one callback and, if a task waits for it, one future. Nothing here runs in a task of its own.

**One timer, armed lazily.** Every read has a new deadline, and most reads come long before it, so a timer for
each read would be nearly all of its cost. A connection therefore has one timer. ``wait_for_change`` only stores
the deadline, and arms the timer if none runs or the running one is too late. When the timer fires, it compares
the time with the deadline stored last: if that has moved on, the timer is armed again for it.

**Back pressure.** Data that no task waits for stays in ``reads``. Beyond ``UNREAD_SIZE`` the transport is paused,
so that the kernel's buffers fill up and TCP stops the server; :meth:`Connection.take` resumes it. A sink that waits for
its client pauses it at once, up to the next wait. Between two exchanges, such data ends the connection instead.

**Sinks.** A task that relays what it reads may set a *sink*, a function that is called with data in the loop's
callback. The task waits for the rest: the end, an error, a deadline. A ``Relay`` does the same in the core: it is the
transport's protocol in the connection's place, until :meth:`Connection.wake`.

**States.** *active*: an exchange uses the connection. *idle*: it is in the pool. *parked*: it is in the pool
too, but the last chunk of its body has not arrived yet (see ``_park``). *closed*.
"""

from __future__ import annotations

import asyncio
from math import inf
from os import getpid
from typing import TYPE_CHECKING, cast

from ..watchdog import shut_down
from .pool import PARKED_SECONDS
from .unread import has_unread_input

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from .connection_owner import ConnectionOwner
    from .exchange import HTTPConnection
    from .origins import Origin
    from .relay import Relay

__all__ = ("Connection",)

# The socket is paused when more than this is unread; a stream buffers at most this much and two of READ_SIZE.
UNREAD_SIZE = 65_536

# After this time, a loop has read what its sockets had before.
_TURN_SECONDS = 0.01

_ACTIVE, _IDLE, _PARKED, _CLOSED = range(4)


class Connection(asyncio.BufferedProtocol):
    """One connection. ``reads`` holds the data that has arrived and was not taken yet.

    ``is_lost`` is set when nothing more will arrive, and ``error`` is the reason, if there is one.
    ``is_paused`` keeps the transport from being paused or resumed twice. ``is_writing`` is set while a large
    request is being sent, when the write timeout applies instead of the read timeout. ``is_reused`` permits
    sending a request again, on a new connection, after a loss (see ``Exchange.may_send_again``).
    """

    __slots__ = (
        "_framing",
        "_is_relayed",
        "_loop",
        "_pid",
        "_pool",
        "_state",
        "_timer",
        "_timer_at",
        "_transport",
        "_unread",
        "_waiter",
        "deadline",
        "error",
        "idle_since",
        "is_lost",
        "is_paused",
        "is_reused",
        "is_writing",
        "origin",
        "parked_since",
        "reads",
        "sink",
        "socket",
        "view",
    )

    def __init__(self, pool: ConnectionOwner, origin: Origin) -> None:
        self._pool = pool
        self._loop = pool.loop
        self.view = pool.view
        self._state = _ACTIVE
        self._transport: asyncio.Transport | None = None
        self._framing: HTTPConnection | None = None
        self._waiter: asyncio.Future[bool] | None = None
        self.sink: Callable[[bytes], None] | None = None
        self._is_relayed = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = self.deadline = inf
        self._pid = getpid()
        # The loop's transport owns this socket.
        self.socket: socket.socket | None = None
        self._unread = 0
        self.reads: list[bytes] = []
        self.origin = origin
        self.idle_since = self.parked_since = 0.0
        self.is_lost = self.is_paused = self.is_reused = self.is_writing = False
        self.error: Exception | None = None

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast("asyncio.Transport", transport)
        if self._state == _CLOSED:
            # ``abort`` was called before the connection was made.
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the buffer that all connections of the loop share; ``buffer_updated`` copies the data out at once."""
        return self.view

    def buffer_updated(self, nbytes: int) -> None:
        """Hand the data to the sink, or keep it and wake the task that waits for it."""
        data = bytes(self.view[:nbytes])
        if self.sink is not None:
            return self.sink(data)
        self.reads.append(data)
        waiter = self._waiter
        if waiter is None:
            self._on_unawaited_read(nbytes)
        else:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(False)

    def eof_received(self) -> None:
        """Mark the connection as lost: the peer sends no more, and the loop closes the transport."""
        self._on_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Mark the connection as lost."""
        self._on_lost(error)
        self._transport = None
        self._stop_timer()

    def pause_writing(self) -> None:
        """Mark the request as being sent: it is larger than the buffers."""
        self.is_writing = True

    def resume_writing(self) -> None:
        """Mark the request as sent: the rest fits into the buffers."""
        self.is_writing = False
        self.wake()

    # What exchanges call.

    def send(self, data: bytes) -> None:
        """Send a request."""
        if self._transport is not None and not self.is_lost:
            self._transport.write(data)

    def wait_for_change(self, deadline: float) -> asyncio.Future[bool]:
        """Return a future that is set at the next change: to ``False`` by data or the end, to ``True`` by the deadline.

        ``deadline`` is on the loop's clock; see the module for how it is timed. Until then :attr:`sink`, if it is
        set, is called with data, and moves :attr:`deadline` on; it ends the wait by :meth:`wake`.
        """
        self.deadline = deadline
        if deadline < self._timer_at:
            self._start_timer(deadline)
        if self.is_paused:
            self._resume()
        waiter: asyncio.Future[bool] = asyncio.Future(loop=self._loop)
        self._waiter = waiter
        return waiter

    def begin_relay(self, relay: Relay) -> None:
        """Let ``relay`` read in this protocol's place, up to the next :meth:`end_sink`."""
        if self._transport is not None:
            self._is_relayed = True
            self._transport.set_protocol(relay)

    def end_sink(self) -> None:
        """Take no more notice of a sink, or of a relay."""
        self.sink = None
        if self._is_relayed:
            self._is_relayed = False
            if self._transport is not None:
                self._transport.set_protocol(self)

    def take(self) -> bytes:
        """Return all data that has arrived, joined, and resume a paused transport."""
        reads = self.reads
        self.reads = []
        self._unread = 0
        if self.is_paused:
            self._resume()
        return reads[0] if len(reads) == 1 else b"".join(reads)

    def release(self, framing: HTTPConnection, *, is_drained: bool) -> None:
        """End an exchange: keep the connection if the body has ended, else close it.

        With ``is_drained`` only the end of the body is missing: the connection is parked until it arrives.
        """
        self._waiter = None
        self.end_sink()
        if is_drained and self.reads:
            framing.feed(self.take())
        if self.is_lost or self._state != _ACTIVE or self._loop.is_closed():
            self.abort()
        elif framing.reusable and not self.reads:
            self._rest()
        elif is_drained and not framing.ended and framing.failure is None:
            self.parked_since = self._pool.now()
            self._park(framing)
        else:
            self.abort()

    async def settle(self, deadline: float) -> bool:
        """Wait for the end of a body; return whether the connection can be used. If not, it is parked or closed."""
        framing, self._framing = self._framing, None
        assert framing is not None
        self._state = _ACTIVE
        try:
            while not framing.ended and framing.failure is None and not self.is_lost:
                if await self.wait_for_change(deadline) and not self.has_news():
                    break
                if self.reads:
                    framing.feed(self.take())
        except BaseException:
            self.abort()
            raise
        if framing.reusable and self.is_sound():
            return True
        if framing.ended or framing.failure is not None or self.has_news():
            self.abort()
        else:
            self._park(framing)
        return False

    def has_news(self) -> bool:
        """Return whether the loop has reported data that was not taken yet, or the end of the connection."""
        return self.is_lost or bool(self.reads) or self._transport is None

    def is_sound(self) -> bool:
        """Return whether the next exchange may begin: nothing has arrived since the last one, and no end either."""
        try:
            return not (self.has_news() or has_unread_input(self.socket))
        except OSError:
            return False

    def abort(self) -> None:
        """Close the connection: nothing more is sent or read, and no callback is left."""
        if self._state == _CLOSED:
            return
        if self._state != _ACTIVE:
            self._pool.remove(self)
        self._state = _CLOSED
        self.is_lost = True
        self._stop_timer()
        self._pool.connections.discard(self)
        transport, self._transport = self._transport, None
        sock, self.socket = self.socket, None
        # After a fork, the loop and its sockets belong to the parent.
        if self._pool.is_inherited:
            return
        # Shut down, not only closed: the server notices it even if a child process has a copy of the socket.
        if sock is not None and getpid() == self._pid:
            shut_down(sock)
        if self._loop.is_closed():
            # A closed loop runs no callbacks, so its transport would leave the socket to the garbage collector.
            if sock is not None:
                sock.close()
            return
        self.wake()
        if transport is not None:
            transport.abort()

    def use(self) -> None:
        """Begin the next exchange on an idle connection."""
        self._state = _ACTIVE
        self.is_reused = True

    def _rest(self) -> None:
        if self.is_paused:
            self._resume()
        self._unread = 0
        # A server may answer before it has read the whole request: the rest must not precede the next one.
        if self._transport is None or self._transport.get_write_buffer_size():
            return self.abort()
        self._state = _IDLE
        self._pool.rest(self)

    def _park(self, framing: HTTPConnection) -> None:
        """Wait for the end of a body, outside of any task.

        The stream in a body ends (``[DONE]``) before the body does: the last chunk, of size zero, often comes
        in a packet of its own. Waiting for it would delay the consumer; closing the connection would cost the
        next request a handshake. So the connection is parked: the loop feeds what arrives to the framing, and
        moves the connection to the idle ones when the body ends. It is closed after ``PARKED_SECONDS``. A request
        that finds no idle connection waits ``SETTLING_SECONDS`` for a parked one, then opens a new one.
        """
        self._state = _PARKED
        self._framing = framing
        if self.is_paused:
            self._resume()
        self.deadline = self.parked_since + PARKED_SECONDS
        if self.deadline < self._timer_at:
            self._start_timer(self.deadline)
        self._pool.park(self)

    def _on_unawaited_read(self, nbytes: int) -> None:
        """Handle data that no task waits for: the rest of a body, the end of a parked body, or a server's mistake."""
        if self._state == _ACTIVE:
            self._unread += nbytes
            if self._unread > UNREAD_SIZE:
                self.pause()
        elif self._state == _PARKED and self._framing is not None:
            framing = self._framing
            framing.feed(self.take())
            if framing.reusable and self._pool.unpark(self):
                self._framing = None
                self._rest()
            elif framing.ended or framing.failure is not None:
                self.abort()
        else:
            self.abort()

    def pause(self) -> None:
        """Pause the transport until the next wait."""
        if not self.is_paused and self._transport is not None and not self.is_lost:
            self.is_paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        self.is_paused = False
        if self._transport is not None and not self.is_lost:
            self._transport.resume_reading()

    def _on_lost(self, error: Exception | None) -> None:
        if self._state == _ACTIVE:
            self.error = self.error or error
            self.is_lost = True
            self.wake()
        else:
            self.abort()

    def wake(self) -> None:
        """Wake the task that waits for a change."""
        waiter, self._waiter = self._waiter, None
        self.end_sink()
        if waiter is not None and not waiter.done():
            waiter.set_result(False)

    def _start_timer(self, deadline: float) -> None:
        self._stop_timer()
        self._timer_at = deadline
        # The timer may outlive the exchange, and must not keep the user's context alive.
        self._timer = self._loop.call_at(deadline, self._on_timer, context=self._pool.context)

    def _stop_timer(self) -> None:
        self._timer_at = inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        """Act on a deadline that has passed; if it has moved on since, arm the timer again."""
        self._timer, self._timer_at = None, inf
        waiter = self._waiter
        if waiter is None and self._state != _PARKED:
            # The next ``wait_for_change`` arms the timer.
            return
        # Timers may fire early by a tick of the clock, uvloop's by a millisecond.
        if self._pool.now() + 0.001 < self.deadline:
            if self.deadline < inf:
                self._start_timer(self.deadline)
        elif waiter is None:
            self.abort()
        elif not self._is_late():
            self._waiter = None
            self.end_sink()
            if not waiter.done():
                waiter.set_result(True)

    def _is_late(self) -> bool:
        """Return whether something has arrived that a blocked loop has not read yet: the wait goes on, or has ended.

        uvloop calls timers after the callbacks of sockets that were ready before; any loop may wait for the GIL there.
        """
        try:
            if not has_unread_input(self.socket):
                return False
        except OSError as error:
            self._on_lost(error)
        else:
            self._start_timer(self._pool.now() + _TURN_SECONDS)
        return True
