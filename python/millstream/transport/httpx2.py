"""The transport over httpx2, or over any client of httpx2 or httpx that is given."""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import APIConnectionError, APITimeoutError, MillstreamError, StreamDecodeError
from . import Request
from .clients import async_client, sync_client
from .headers import check_headers
from .timeouts import DEFAULT_TIMEOUTS
from .watchdog import watch

__all__ = ("HTTPX2AsyncResponse", "HTTPX2Response", "HTTPX2Transport")

# How long the end of a body is waited for, once the stream itself has ended.
_DRAIN_SECONDS = 0.1


class HTTPX2Transport:
    """Sends requests with httpx2, sync and async.

    ``client`` and ``async_client`` are clients of httpx2 or httpx to use, with their own pools,
    proxies, TLS and timeouts; without them, those that all models share, by way of ``proxy`` or of
    what the environment names.
    """

    def __init__(self, client: Any = None, async_client: Any = None, proxy: str | None = None) -> None:
        self._client = client
        self._async_client = async_client
        self._proxy = proxy

    def open(self, request: Request) -> "HTTPX2Response":
        """Send ``request`` and return once the response's head has arrived, whatever its status."""
        began = time.monotonic()
        client = sync_client(request.url, self._proxy) if self._client is None else self._client
        try:
            response = client.send(self._request(client, request, self._client), stream=True, follow_redirects=False)
        except Exception as error:
            if (told := _explained(error)) is None:
                raise
            raise told[0](f"the request failed before the response began: {told[1]}") from error
        return HTTPX2Response(response, request, began)

    async def aopen(self, request: Request) -> "HTTPX2AsyncResponse":
        """Send ``request`` and return once the response's head has arrived, whatever its status."""
        began = time.monotonic()
        client = await async_client(request.url, self._proxy) if self._async_client is None else self._async_client
        try:
            response = await client.send(
                self._request(client, request, self._async_client), stream=True, follow_redirects=False
            )
        except Exception as error:
            if (told := _explained(error)) is None:
                raise
            raise told[0](f"the request failed before the response began: {told[1]}") from error
        return HTTPX2AsyncResponse(response, request, began)

    def close(self) -> None:
        """Leave the clients open: they are shared, or their owner's to close."""

    async def aclose(self) -> None:
        """Leave the clients open: they are shared, or their owner's to close."""

    @staticmethod
    def _request(client: Any, request: Request, given: Any) -> Any:
        check_headers(request.headers)
        options = {}
        if request.timeouts is not None or given is None:
            options["timeout"] = tuple(request.timeouts or DEFAULT_TIMEOUTS)
        return client.build_request(
            request.method, request.url, headers=request.headers, content=request.body, **options
        )


class _Response:
    """What the sync and the async response share; the request was begun at ``began``, on the monotonic clock."""

    def __init__(self, response: Any, request: Request, began: float) -> None:
        self._response = response
        self._total = request.total
        self._end_by = math.inf if request.total is None else began + request.total
        self._ended = False
        # Case and order do not matter to a model; equal names are joined, as HTTP allows.
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self.status: int = response.status_code
        limits = [limit for limit in (request.idle, request.total) if limit is not None]
        if limits:
            _limit_reads(response, min(limits))

    def _in_time(self, data: bytes) -> bytes:
        """Return ``data``, if the time for the whole response is not over."""
        if time.monotonic() > self._end_by:
            raise TimeoutError(f"the response did not end within {self._total:g} s")
        return data

    @property
    def _raw(self) -> bool:
        """Whether the body can be read as it comes.

        Not so if the server compressed it, though it was asked not to, or if a client of the user's
        (a mock, a cache) has it already.
        """
        return self.headers.get("content-encoding", "identity") == "identity" and not self._response.is_stream_consumed


class HTTPX2Response(_Response):
    """A response over a sync client."""

    def __init__(self, response: Any, request: Request, began: float) -> None:
        super().__init__(response, request, began)
        self._reads: Iterator[bytes] = response.iter_raw() if self._raw else response.iter_bytes()

    def __iter__(self) -> Iterator[bytes]:
        """Read the body."""
        try:
            for data in self._reads:
                yield self._in_time(data)
            self._ended = True
        except Exception as error:
            self._ended = True
            if (told := _explained(error)) is None:
                raise
            raise told[0](f"the connection broke while the response was read: {told[1]}") from error

    def drain(self) -> None:
        """Read the body to its end, for 100 ms at most, so that the connection can serve again; never raises."""
        stream = self._response.extensions.get("network_stream")
        # Closing a stream of HTTP/2 closes no connection: there is nothing to save.
        if self._ended or stream is None or self._response.extensions.get("http_version") == b"HTTP/2":
            return
        # A read of httpx2 cannot be given a shorter limit once the body has begun, nor be interrupted
        # but by shutting down the socket under it. What goes wrong here matters to nobody any more.
        with contextlib.suppress(Exception), watch(stream.get_extra_info("socket")):
            deadline = time.monotonic() + _DRAIN_SECONDS
            for _ in self._reads:
                if time.monotonic() > deadline:
                    break

    def close(self) -> None:
        """Let the response go: back to the pool where the body had ended, else the connection is closed, at once."""
        with contextlib.suppress(Exception):
            self._response.close()


class HTTPX2AsyncResponse(_Response):
    """A response over an async client."""

    def __init__(self, response: Any, request: Request, began: float) -> None:
        super().__init__(response, request, began)
        self._reads: Any = response.aiter_raw() if self._raw else response.aiter_bytes()

    async def read(self) -> Sequence[bytes]:
        """Return the next read of the body; nothing at its end."""
        try:
            data = self._in_time(await self._reads.__anext__())
        except StopAsyncIteration:
            self._ended = True
            return ()
        except Exception as error:
            self._ended = True
            if (told := _explained(error)) is None:
                raise
            raise told[0](f"the connection broke while the response was read: {told[1]}") from error
        return (data,)

    async def adrain(self) -> None:
        """Read the body to its end, for 100 ms at most; never raises (cancellation apart)."""
        if self._ended:
            return
        import anyio

        with contextlib.suppress(Exception), anyio.move_on_after(_DRAIN_SECONDS):
            async for _ in self._reads:
                pass

    async def aclose(self) -> None:
        """Let the response go, at once."""
        try:
            # From the outside in: httpx2's own generators are left in order, none to the collector.
            with contextlib.suppress(Exception):
                await self._reads.aclose()
        finally:
            with contextlib.suppress(Exception):
                await self._response.aclose()


def _limit_reads(response: Any, idle: float) -> None:
    """Wait for each read of the body ``idle`` seconds at most, however long the head may have taken."""
    # The transport reads the limit when the body's first read begins, from this very dict.
    timeouts = response.request.extensions.get("timeout")
    if isinstance(timeouts, dict):
        read = timeouts.get("read")
        timeouts["read"] = idle if read is None else min(read, idle)


def _explained(error: Exception) -> tuple[type[MillstreamError], str] | None:
    """Return which of our exceptions stands for one of httpx2's or httpx's, and what it says; ``None`` for others.

    Their classes are known by name, for either library may be absent.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    reason = str(error) or type(error).__name__
    if "TimeoutException" in kinds or isinstance(error, TimeoutError):
        return APITimeoutError, f"timed out ({error if type(error) is TimeoutError else type(error).__name__})"
    if "DecodingError" in kinds:
        return StreamDecodeError, f"its body cannot be decompressed ({reason})"
    if kinds & {"HTTPError", "StreamError", "InvalidURL"} or isinstance(error, OSError):
        return APIConnectionError, reason
    return None
