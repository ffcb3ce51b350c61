"""Deadlines for httpx2, whose own timeouts limit single reads of a socket, not their sum.

The clients' network backends are wrapped. The streams of a wrapped backend have a deadline for a whole head,
a chunk's line or a body's trailers, however slowly their bytes arrive.
"""

import threading
from math import inf
from time import monotonic
from typing import Any

__all__ = ("HEAD_DEADLINE", "AsyncNetwork", "LimitedStream", "Network")


class _HeadDeadline(threading.local):
    """The deadline of the response head that this thread waits for."""

    end_by = inf


HEAD_DEADLINE = _HeadDeadline()


class LimitedStream:
    """A network stream of httpx2 whose calls end by ``end_by`` at the latest."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.end_by = inf

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        """Read the next bytes; in async code the result is awaited."""
        return self._stream.read(max_bytes, _time_left(timeout, self.end_by))

    def write(self, buffer: bytes, timeout: float | None = None) -> Any:
        """Send ``buffer``."""
        return self._stream.write(buffer, _time_left(timeout, self.end_by))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Any:
        """Return the stream wrapped in TLS."""
        return LimitedStream(self._stream.start_tls(ssl_context, server_hostname, _time_left(timeout, self.end_by)))

    def get_extra_info(self, info: str) -> Any:
        """Return the stream's own information."""
        return self._stream.get_extra_info(info)


class AsyncLimitedStream(LimitedStream):
    """:class:`LimitedStream` for async code."""

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> "AsyncLimitedStream":
        """Return the stream wrapped in TLS; a cancellation in the handshake closes the socket."""
        import anyio

        try:
            return AsyncLimitedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()
            raise


class Network:
    """A network backend of httpx2 whose streams have deadlines."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> LimitedStream:
        """Return a stream to ``host``."""
        return LimitedStream(self._backend.connect_tcp(host, port, timeout=_time_left(timeout, inf), **options))

    def connect_unix_socket(self, path: str, timeout: float | None = None, **options: Any) -> LimitedStream:
        """Return a stream to ``path``."""
        return LimitedStream(self._backend.connect_unix_socket(path, timeout=_time_left(timeout, inf), **options))

    def sleep(self, seconds: float) -> Any:
        """Wait."""
        return self._backend.sleep(seconds)


class AsyncNetwork(Network):
    """:class:`Network` for async code."""

    async def connect_tcp(  # type: ignore[override]
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> AsyncLimitedStream:
        """Return a stream to ``host``."""
        return AsyncLimitedStream(await self._backend.connect_tcp(host, port, timeout=timeout, **options))

    async def connect_unix_socket(  # type: ignore[override]
        self, path: str, timeout: float | None = None, **options: Any
    ) -> AsyncLimitedStream:
        """Return a stream to ``path``."""
        return AsyncLimitedStream(await self._backend.connect_unix_socket(path, timeout=timeout, **options))


def _time_left(timeout: float | None, end_by: float) -> float | None:
    """Return how long one call may take; raise :class:`TimeoutError` after the deadline."""
    end_by = min(end_by, HEAD_DEADLINE.end_by)
    if end_by == inf:
        return timeout
    left = end_by - monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left if timeout is None else min(timeout, left)
