"""A follower as a source of records: what is generated in this process is sent from the callback that reads it.

A response that knows :class:`~millstream.streaming.relay.Pump` drives a source and a processor. Here the source is the
generation, and a read into a function is a *tap*: the generation calls the function with each block, in the callback of
the upstream's connection. A follower that is behind, or that reads the store, is read step by step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ...streaming.protocols import Recorder, RecordProcessor
from .framing import Block
from .generation import Generation
from .ids import Position

__all__ = ("Following", "FollowingBody", "FollowingSource", "PassingProcessor")


class Consumer(Protocol):
    """What takes records in a callback."""

    def make_take(self) -> Callable[[bytes], bool]:
        """Return the function that takes records, and returns whether to go on."""


class Following(Protocol):
    """A follower, as its source sees it."""

    position: Position | None

    async def start(self) -> object:
        """Begin the stream, if that is not done."""

    def enter(self) -> Generation | None:
        """Count as a follower; return the generation, if it runs here."""

    def leave(self) -> None:
        """Count no longer."""

    def note(self, block: Block) -> None:
        """Take note of a block that was sent."""

    async def read_next(self) -> tuple[bytes, bool]:
        """Wait for records, and return them, and whether they are the last."""


class FollowingSource:
    """Opens a follower."""

    __slots__ = ("_follower",)

    def __init__(self, follower: Following) -> None:
        self._follower = follower

    async def aopen(self) -> FollowingBody:
        """Begin the stream, if that is not done."""
        await self._follower.start()
        return FollowingBody(self._follower)


class FollowingBody:
    """The records of a follower, from its position on."""

    __slots__ = ("_follower", "_generation", "_is_over")

    def __init__(self, follower: Following) -> None:
        self._follower = follower
        self._generation = follower.enter()
        self._is_over = False

    async def read(self) -> Sequence[bytes]:
        """Wait for records, and return all that there are; an empty sequence is the end."""
        while not self._is_over:
            data, self._is_over = await self._follower.read_next()
            if data:
                return (data,)
        return ()

    async def read_into(self, consumer: Consumer) -> Sequence[bytes]:
        """Let ``consumer`` take all records as they are generated, until it does not go on; return nothing then.

        Records that are there already are returned, as :meth:`read` does.
        """
        follower, generation = self._follower, self._generation
        if self._is_over or generation is None or not generation.is_at_end(follower.position):
            return await self.read()
        stopped: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        failure: BaseException | None = None
        take = consumer.make_take()

        def tap(block: Block) -> None:
            nonlocal failure
            follower.note(block)
            is_to_go_on = False
            try:
                is_to_go_on = take(block.data)
            except Exception as error:
                # The task raises it.
                failure = error
            if not is_to_go_on:
                generation.taps.pop(tap, None)
                if not stopped.done():
                    stopped.set_result(True)

        generation.taps[tap] = stopped
        try:
            is_stopped = await stopped
            if failure is not None:
                raise failure
            return () if is_stopped else await self.read()
        finally:
            generation.taps.pop(tap, None)
            failure = None  # a traceback keeps this frame, which would keep the exception

    async def adrain(self) -> None:
        """Do nothing: there is no connection to be reused."""

    async def aclose(self) -> None:
        """Leave the stream."""
        self._follower.leave()


class PassingProcessor(RecordProcessor):
    """Passes a follower's records on; ``greeting`` precedes the first one."""

    __slots__ = ("_error", "_greeting")

    prefix = suffix = b""
    done = ()

    def __init__(self, greeting: bytes) -> None:
        self._greeting = greeting
        self._error: BaseException | None = None

    @property
    def error(self) -> BaseException | None:
        """The error of the stream."""
        return self._error

    @property
    def recorder(self) -> Recorder:
        """The function that returns the records as they are."""
        greeting, self._greeting = self._greeting, b""

        def record(raw: Any, prefix: bytes, suffix: bytes) -> bytes:
            nonlocal greeting
            if greeting:
                raw, greeting = greeting + raw, b""
            return raw  # type: ignore[no-any-return]

        return record

    def joined(self, parts: list[Any]) -> bytes:
        """Return records in parts as one."""
        return b"".join(parts)

    def start(self) -> bytes:
        """Return the greeting, if it is whole."""
        greeting = self._greeting
        if not greeting.endswith(b"\n\n"):
            return b""
        self._greeting = b""
        return greeting

    def opened(self, body: object) -> bytes:
        """Return nothing."""
        return b""

    def on_idle(self) -> bool:
        """Go on."""
        return False

    def on_disconnect(self, error: Exception) -> None:
        """Keep the error of the stream, which is raised at its end."""
        self._error = error

    def early_disconnect(self) -> None:
        """Return nothing: what failed is not begun again."""

    def release(self) -> None:
        """Drop the error."""
        self._error = None
