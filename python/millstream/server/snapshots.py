"""``SnapshotSender``: the upstream is read on while the client does not read, and records are dropped.

What the client did not take is kept up to a limit. Beyond it, all of that is dropped, and what follows: the client
is sent one record of the whole text as soon as it reads on, with the number of records that it replaces.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from .sending import Send, Sender, SendError

__all__ = ("SnapshotSender",)

# What is kept for a client that does not read, in bytes.
_BACKLOG_SIZE = 65_536


class SnapshotSender(Sender):
    """A sender that never waits for its client, but at the end of the stream.

    ``snapshot`` returns the record of the text so far for a number of dropped records. ``on_failure`` is called if it
    raises, or ``send`` does: as :class:`SendError` then.
    """

    __slots__ = ("_backlog", "_backlog_size", "_dropped", "_on_failure", "_snapshot", "_writer")

    def __init__(
        self,
        send: Send,
        loop: asyncio.AbstractEventLoop,
        task: asyncio.Task[Any],
        snapshot: Callable[[int], bytes],
        on_failure: Callable[[Exception], None],
    ) -> None:
        super().__init__(send, loop, task)
        self._snapshot = snapshot
        self._on_failure = on_failure
        self._backlog: list[bytes] = []
        self._backlog_size = self._dropped = 0
        # Sends while the task reads on.
        self._writer: asyncio.Task[None] | None = None

    async def send(self, body: bytes) -> None:
        """Send a part of the body, or keep it while another one is being sent."""
        if self._is_probing:
            await super().send(body)
        elif self._writer is not None:
            self._keep(body)
        else:
            self.count += 1
            sending = self._start_part(body)
            if sending is not None:
                self._write(sending)

    async def end(self, body: bytes = b"") -> None:
        """Wait for what was kept, and send the last part of the body."""
        while self._writer is not None:
            await asyncio.wait([self._writer])
        await super().end(body)

    @property
    def post(self) -> Callable[[bytes], bool]:
        """Sends a part of the body from a callback, or keeps it; the task never has to finish that."""
        post = super().post

        def offer(body: bytes) -> bool:
            if self._writer is not None:
                self._keep(body)
            elif not post(body):
                self._write(self.finish())
            return True

        return offer

    @property
    def client(self) -> None:
        """The core's relay keeps nothing."""

    def _keep(self, body: bytes) -> None:
        self._backlog.append(body)
        self._backlog_size += len(body)
        if self._dropped or self._backlog_size > _BACKLOG_SIZE:
            self._dropped += len(self._backlog)
            self._backlog.clear()
            self._backlog_size = 0

    def make_snapshot(self) -> None:
        """Keep one record in place of those that were dropped.

        That is done when the client reads on, or before the stream's end is written: there is none afterwards.
        """
        dropped, self._dropped = self._dropped, 0
        if dropped:
            self._backlog = [self._snapshot(dropped)]

    def _write(self, sending: Awaitable[None]) -> None:
        self.is_sending = True
        self._writer = self._loop.create_task(self._write_backlog(sending), context=self._context.copy())

    async def _write_backlog(self, sending: Awaitable[None]) -> None:
        """Finish ``sending``, then send what was kept meanwhile, or a snapshot."""
        try:
            await self._finish_part(sending)
            while self._backlog or self._dropped:
                # A snapshot has all text up to this line, so nothing is sent twice.
                self.make_snapshot()
                body = b"".join(self._backlog)
                self._backlog.clear()
                self._backlog_size = 0
                self.count += 1
                await self._finish_part(self._send({"type": "http.response.body", "body": body, "more_body": True}))
        except Exception as error:
            self._on_failure(error)
        finally:
            self._writer = None
            self.is_sending = False

    async def _finish_part(self, sending: Awaitable[None]) -> None:
        try:
            await sending
        except SendError:
            raise
        except Exception as error:
            raise SendError(error) from error

    async def close(self) -> None:
        """Leave no task behind."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait([self._writer])
        # They lead to the response, which has this sender.
        del self._snapshot, self._on_failure
        await super().close()
