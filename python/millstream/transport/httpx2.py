"""The transport over httpx2, or over a user's client of httpx2 or httpx."""

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from os import getpid
from time import monotonic
from typing import Any

from ..errors import StreamDecodeError
from . import Request
from .clients import async_client, drop_dead_connections, install_deadlines, sync_client
from .deadlines import HEAD_DEADLINE, AsyncNetwork, LimitedStream, Network
from .headers import check_headers
from .httpx2_errors import as_library_error, build_error, describe_timeout, translate_error, with_limit
from .httpx2_requests import build_request, find_core_stream, has_trailing_data
from .native.content_coding import ContentDecoder, content_decoder
from .native.origins import read_request_url, read_url
from .native.tls import add_remedy
from .proxies import environment_proxies
from .watchdog import shut_down, watch

__all__ = ("HTTPX2AsyncResponse", "HTTPX2Response", "HTTPX2Transport")

# How long to wait for the end of a body after the stream in it has ended.
_DRAIN_SECONDS = 0.1
# A wait may end this much before its deadline.
_TICK = 0.001
_HEAD = "receive_response_headers."


class HTTPX2Transport:
    """Sends requests with httpx2, sync and async.

    ``client`` and ``async_client`` are clients of httpx2 or httpx to use, with their own pools,
    proxies, TLS and timeouts. Without them, all models share clients, which use ``proxy`` or the
    proxies of the environment.
    """

    def __init__(self, client: Any = None, async_client: Any = None, proxy: str | None = None) -> None:
        self._client = client
        self._async_client = async_client
        self._proxy = proxy
        install_deadlines(client, Network)
        install_deadlines(async_client, AsyncNetwork)

    def open(self, request: Request) -> "HTTPX2Response":
        """Send ``request`` and return once the response's head has arrived, whatever its status."""
        if self._client is None or request.built is None:
            request = _prepare(request)
        client = sync_client(request.url, self._proxy) if self._client is None else self._client
        end_by = _end_of(request)

        def trace(event: str, info: Mapping[str, Any]) -> None:
            # A proxy's response to CONNECT has a head, too.
            if _HEAD in event:
                waits = event.endswith(".started")
                HEAD_DEADLINE.end_by = min(end_by, monotonic() + _head_seconds(sent)) if waits else end_by

        sent = build_request(client, request, trace, is_shared=self._client is None)
        try:
            HEAD_DEADLINE.end_by = end_by
            response = client.send(sent, stream=True, follow_redirects=request.follow_redirects)
        except Exception as error:
            if (failure := self._connect_error(error, request, sent, self._client is None)) is error:
                raise
            raise failure from failure.__cause__
        finally:
            HEAD_DEADLINE.end_by = inf
        return HTTPX2Response(response, request, sent)

    async def aopen(self, request: Request) -> "HTTPX2AsyncResponse":
        """Send ``request`` and return once the response's head has arrived, whatever its status."""
        import anyio

        if self._async_client is None or request.built is None:
            request = _prepare(request)
        if self._async_client is None:
            client = await async_client(request.url, self._proxy)
        else:
            client = drop_dead_connections(self._async_client)
        deadline = anyio.current_time() + _end_of(request) - monotonic()

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            if _HEAD in event:
                waits = event.endswith(".started")
                scope.deadline = min(deadline, anyio.current_time() + _head_seconds(sent)) if waits else deadline

        sent = build_request(client, request, trace, is_shared=self._async_client is None)
        response = None
        try:
            with anyio.CancelScope(deadline=deadline) as scope:
                response = await client.send(sent, stream=True, follow_redirects=request.follow_redirects)
            if response is None:
                raise TimeoutError("the head did not come in time")
        except Exception as error:
            if (failure := self._connect_error(error, request, sent, self._async_client is None)) is error:
                raise
            raise failure from failure.__cause__
        return HTTPX2AsyncResponse(response, request, sent)

    def _connect_error(self, error: Exception, request: Request, sent: Any, is_shared: bool) -> Exception:
        """Return the exception to raise for ``error``, raised before there was a response."""
        translated = translate_error(error)
        if translated is None:
            return error
        goal = str(read_url(request.url).origin)
        if is_shared and (self._proxy or environment_proxies()):
            goal += ", or to the proxy on the way"
        if type(error).__name__ == "ConnectError":
            translated = translated[0], f"no connection to {goal}: {add_remedy(translated[1])}"
        exceeded_total = request.total if monotonic() + _TICK >= _end_of(request) else None
        late = describe_timeout(error, sent.extensions.get("timeout") or {}, goal)
        return build_error("the request failed before the response began", translated, late, exceeded_total, error)

    def close(self) -> None:
        """Do nothing: the clients are shared, or closed by their owner."""

    async def aclose(self) -> None:
        """Do nothing: the clients are shared, or closed by their owner."""


class _Response:
    """The shared part of the sync and the async response."""

    def __init__(self, response: Any, request: Request, sent: Any) -> None:
        self._response = response
        self._ended = False
        self._pid = getpid()
        # Models ignore case and order; values of equal names are joined, as HTTP allows.
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self.status: int = response.status_code
        self._end_by, self._limit = _end_of(request), request.total or inf
        head = _head_seconds(sent)
        if self.status >= 300 and monotonic() + head < self._end_by:
            # The whole body of an error has as much time as one read.
            self._end_by, self._limit = monotonic() + head, head
        self._idle = head if request.idle is None else min(head, request.idle)
        _limit_reads(response, min(self._idle, self._limit))
        stream = response.extensions.get("network_stream")
        self._stream = stream if isinstance(stream, LimitedStream) else None
        # A user's client (a mock, a cache) may have read and decompressed the body already.
        self._is_read = response.is_stream_consumed
        self._content: ContentDecoder | None = None
        if not self._is_read and "content-encoding" in self.headers:
            self._content = content_decoder(self.headers["content-encoding"])
        # Whether each item of the body is a read, as it is: no time is kept here, and nothing is decompressed.
        self._is_plain = self._content is None and self._stream is None and self._end_by == inf

    def _begin_read(self, seconds: float) -> None:
        """Set the deadline of the next item of the body, which may take several reads of the socket."""
        if self._stream is not None:
            self._stream.end_by = min(monotonic() + seconds, self._end_by)

    def _check_time(self) -> None:
        """Raise if the total time is over, although data keeps arriving."""
        if self._end_by < inf and monotonic() >= self._end_by:
            raise TimeoutError("the time is over")

    def _read_error(self, error: Exception) -> Exception:
        """Return the exception to raise for ``error``, raised while the body was read."""
        self._ended = True
        translated = translate_error(error)
        if isinstance(error, StreamDecodeError):
            error.__cause__ = as_library_error(self._response, error)
        if translated is None:
            return error
        late = with_limit("nothing arrived", self._idle)
        stage = "the connection broke while the response was read"
        return build_error(stage, translated, late, self._exceeded_total(), error, self._response)

    def _exceeded_total(self) -> float | None:
        """Return the total time in seconds if it is over."""
        return self._limit if monotonic() + _TICK >= self._end_by else None

    def _release(self) -> None:
        """Close the connection at once, unless it can be reused."""
        if self._stream is not None:
            self._stream.end_by = inf
        # Bytes after the body would be read as the next response. Shut down, not only closed: a child process
        # may have a copy of the socket.
        if (not self._ended or has_trailing_data(self._response)) and (sock := self._socket()) is not None:
            shut_down(sock)

    def _socket(self) -> Any:
        """Return the socket if only this response and this process use it, as with HTTP/1.1."""
        stream = self._response.extensions.get("network_stream")
        version = self._response.extensions.get("http_version")
        if stream is None or version == b"HTTP/2" or self._response.is_closed or getpid() != self._pid:
            return None
        with contextlib.suppress(Exception):
            return stream.get_extra_info("socket")


class HTTPX2Response(_Response):
    """A response over a sync client."""

    def __init__(self, response: Any, request: Request, sent: Any) -> None:
        super().__init__(response, request, sent)
        # Not iter_raw, which returns the connection to its pool after the last item, before ``close`` can check it.
        self._reads: Iterator[bytes] = response.iter_bytes() if self._is_read else iter(response.stream)

    def __iter__(self) -> Iterator[bytes]:
        """Read the body."""
        content = self._content
        try:
            if self._is_plain and not self._ended:
                yield from self._reads
                self._ended = True
            while not self._ended:
                self._check_time()
                if content is not None and (piece := content.take()) is not None:
                    yield piece
                    continue
                self._begin_read(self._idle)
                data = next(self._reads, None)
                if data is None:
                    self._ended = True
                    if content is not None:
                        content.close()
                elif content is None:
                    yield data
                else:
                    # An empty item is yielded too: the consumer may have to check its own deadline.
                    content.feed(data)
                    yield content.take() or b""
        except Exception as error:
            if (failure := self._read_error(error)) is error:
                raise
            raise failure from failure.__cause__

    def drain(self) -> None:
        """Read the body to its end, for 100 ms at most, so that the connection can be reused; never raises."""
        if self._ended or (sock := self._socket()) is None:
            return
        # Errors are ignored: the stream has already ended. A connection without our deadlines, opened by a
        # user's client, is shut down to interrupt its read.
        with contextlib.suppress(Exception), contextlib.nullcontext() if self._stream else watch(sock):
            end_by = monotonic() + _DRAIN_SECONDS
            self._end_by = min(end_by, self._end_by)
            self._begin_read(_DRAIN_SECONDS)
            for _ in self._reads:
                if monotonic() > end_by:
                    return
            self._ended = True

    def close(self) -> None:
        """Let the response go: back to the pool where the body had ended, else the connection is closed, at once."""
        self._release()
        with contextlib.suppress(Exception):
            self._response.close()


class HTTPX2AsyncResponse(_Response):
    """A response over an async client."""

    def __init__(self, response: Any, request: Request, sent: Any) -> None:
        super().__init__(response, request, sent)
        # Not the response's own stream: closing that generator leaves the one inside it to the garbage collector.
        self._reads: AsyncIterator[bytes] = (
            response.aiter_bytes() if self._is_read else aiter(find_core_stream(response))
        )

    async def read(self) -> Sequence[bytes]:
        """Return the next read of the body; empty at its end."""
        content = self._content
        try:
            while not self._ended:
                if not self._is_plain:
                    self._check_time()
                    if content is not None and (piece := content.take()) is not None:
                        return (piece,)
                    self._begin_read(self._idle)
                data = await anext(self._reads, None)
                if data is None:
                    self._ended = True
                    if content is not None:
                        content.close()
                elif content is None:
                    return (data,)
                else:
                    content.feed(data)
                    return (content.take() or b"",)
        except Exception as error:
            if (failure := self._read_error(error)) is error:
                raise
            raise failure from failure.__cause__
        return ()

    async def adrain(self) -> None:
        """Read the body to its end, for 100 ms at most; raises only cancellation."""
        if self._ended:
            return
        import anyio

        with contextlib.suppress(Exception), anyio.move_on_after(_DRAIN_SECONDS):
            async for _ in self._reads:
                pass
            self._ended = True

    async def aclose(self) -> None:
        """Let the response go, at once."""
        self._release()
        try:
            # From the outside in, so that httpx2's generators are closed here and not by the garbage collector.
            with contextlib.suppress(Exception):
                await self._reads.aclose()  # type: ignore[attr-defined]
        finally:
            with contextlib.suppress(Exception):
                await self._response.aclose()


def _prepare(request: Request) -> Request:
    """Return ``request`` as it is sent: the user in the URL becomes a header, which is not logged."""
    check_headers(request.headers)
    target = read_request_url(request.url)
    headers = request.headers
    if target.authorization is not None:
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        headers["authorization"] = target.authorization
    url = f"{'https' if target.origin.tls else 'http'}://{target.host}{target.request_target}"
    return replace(request, url=url, headers=headers)


def _end_of(request: Request) -> float:
    return inf if request.end_by is None else request.end_by


def _head_seconds(sent: Any) -> float:
    """Return the time limit for the head: the read timeout."""
    seconds = (sent.extensions.get("timeout") or {}).get("read")
    return inf if seconds is None else seconds


def _limit_reads(response: Any, seconds: float) -> None:
    """Set the read timeout of the body, which may differ from that of the head."""
    # httpcore looks up the timeout in this dict when the first read of the body begins.
    timeouts = response.request.extensions.get("timeout")
    if isinstance(timeouts, dict) and seconds < inf:
        timeouts["read"] = seconds
