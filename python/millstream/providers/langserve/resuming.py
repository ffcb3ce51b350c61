"""``ResumableRequest``: the source of a stream that is continued where its connection broke, if the server can.

A server that keeps its streams gives each event an id and names the place of the stream in the header ``Location``.
A ``GET`` of that place with ``Last-Event-ID`` returns the events after it. It generates nothing anew, so it is sent
whatever the request before it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...errors import APIConnectionError, APIError, StreamError, StreamTruncatedError
from ...transport.native.origins import same_origin
from ...transport.running import sleep
from ..http.request import PendingRequest
from ..http.retry import Tries
from .endpoint import LangServeEndpoint
from .responses import EventStream

__all__ = ("ResumableRequest",)


class ResumableRequest:
    """A pending request whose body is continued, at most ``max_resumes`` times without an event in between."""

    def __init__(
        self, request: PendingRequest, endpoint: LangServeEndpoint, processor: EventStream, max_resumes: int
    ) -> None:
        self._request = request
        self._parts = endpoint, processor, max_resumes

    def open(self) -> _Body:
        """Send the request."""
        return _Body(self._request.open(), *self._parts)

    async def aopen(self) -> _AsyncBody:
        """Send the request."""
        return _AsyncBody(await self._request.aopen(), *self._parts)

    def reopen(self, error: StreamError) -> _Body | None:
        """Send the request again, if no event has arrived; see :class:`PendingRequest`."""
        again = self._request.reopen(error)
        return None if again is None else _Body(again, *self._parts)

    async def areopen(self, error: StreamError) -> _AsyncBody | None:
        """:meth:`reopen` for async code."""
        again = await self._request.areopen(error)
        return None if again is None else _AsyncBody(again, *self._parts)


class _Continued:
    """The base of both kinds of body: whether and where the stream is continued."""

    def __init__(self, response: Any, endpoint: LangServeEndpoint, processor: EventStream, max_resumes: int) -> None:
        self._response = response
        self._endpoint = endpoint
        self._processor = processor
        self._max = max_resumes
        self._place = _place_of(endpoint.url, response.headers)
        self._last_event_id = ""
        self._tries = Tries(max_resumes, None)

    def _delay(self, error: Exception) -> float | None:
        """Return the seconds to wait before the stream is continued; ``None`` if it cannot be."""
        last_event_id = self._processor.last_event_id
        # Before the first event, the rest is the whole.
        if self._place is None or (self._processor.seen and not last_event_id):
            return None
        if last_event_id != self._last_event_id:
            self._last_event_id, self._tries = last_event_id, Tries(self._max, None)
        return self._tries.wait(error)

    def _rest(self) -> PendingRequest:
        assert self._place is not None
        return self._endpoint.get_rest(self._place, self._last_event_id)

    def _continue(self, response: Any) -> None:
        """Read on from ``response``; without content, the server has sent all that there is."""
        self._response = response
        self._processor.restart()
        if response.status == 204:
            self._processor.done.append(True)


class _Body(_Continued):
    """The body of a stream for sync code."""

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the data of the responses."""
        while True:
            failure: Exception | None = None
            try:
                yield from self._response
            except (APIConnectionError, StreamError) as error:
                failure = error
            try:
                if self._processor.done:
                    return
                if not self._resume(failure or _truncated_error()):
                    if failure is not None:
                        raise failure
                    return
            finally:
                # A traceback keeps this frame.
                del failure

    def _resume(self, failure: Exception) -> bool:
        """Open the rest of the stream after ``failure``; return whether there is one."""
        error = failure
        try:
            while (delay := self._delay(error)) is not None:
                self._response.close()
                time.sleep(delay)
                try:
                    self._continue(self._rest().open())
                    return True
                except APIError as another:
                    error = another
            return False
        finally:
            del error, failure

    def drain(self) -> None:
        """Read the body's end."""
        self._response.drain()

    def close(self) -> None:
        """Close the connection, or return it."""
        self._response.close()


class _AsyncBody(_Continued):
    """The body of a stream for async code."""

    async def read(self) -> Sequence[bytes]:
        """Wait for data, and return all that has arrived; empty at the end."""
        while True:
            failure: Exception | None = None
            try:
                raws: Sequence[bytes] = await self._response.read()
                if raws or self._processor.done:
                    return raws
            except (APIConnectionError, StreamError) as error:
                failure = error
            try:
                if not await self._resume(failure or _truncated_error()):
                    if failure is not None:
                        raise failure
                    return ()
                if self._processor.done:
                    return ()
            finally:
                # A traceback keeps this frame.
                del failure

    async def _resume(self, failure: Exception) -> bool:
        """Open the rest of the stream after ``failure``; return whether there is one."""
        error = failure
        try:
            while (delay := self._delay(error)) is not None:
                await self._response.aclose()
                await sleep(delay)
                try:
                    self._continue(await self._rest().aopen())
                    return True
                except APIError as another:
                    error = another
            return False
        finally:
            del error, failure

    async def adrain(self) -> None:
        """Read the body's end."""
        await self._response.adrain()

    async def aclose(self) -> None:
        """Close the connection, or return it."""
        await self._response.aclose()


def _truncated_error() -> StreamTruncatedError:
    return StreamTruncatedError("the stream ended before its end event")


def _place_of(url: str, headers: Mapping[str, str]) -> str | None:
    """Return the URL of the stream, if it is on the server itself: a key is not sent to another one."""
    location = headers.get("location")
    return None if location is None else same_origin(url, location)
