"""A transport that responds from memory, for tests and benchmarks of everything above the network."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from ..transport import Request

__all__ = ("MemoryResponse", "MemoryTransport")


class MemoryTransport:
    """Responds to every request with ``reads``, one after the other; an exception among them is raised.

    For sync and async code. ``requests`` holds the requests, ``opened`` and ``closed`` count the responses.
    Pass it to a model as ``http_client``.
    """

    def __init__(
        self, reads: Sequence[bytes | Exception], status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.reads = list(reads)
        self.status = status
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}
        self.requests: list[Request] = []
        self.opened = 0
        self.closed = 0
        # A list is cheaper to step through; only exceptions need a generator.
        self.raises = any(isinstance(read, Exception) for read in self.reads)

    def open(self, request: Request) -> "MemoryResponse":
        """Return the response."""
        self.requests.append(request)
        self.opened += 1
        return MemoryResponse(self)

    async def aopen(self, request: Request) -> "MemoryResponse":
        """Return the response."""
        return self.open(request)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


class MemoryResponse:
    """One response from memory, for sync and async code alike; each reader continues where the last one stopped."""

    def __init__(self, transport: MemoryTransport) -> None:
        self.status = transport.status
        self.headers: Mapping[str, str] = transport.headers
        self.drained = False
        self._transport = transport
        self._open = True
        self._reads: Iterator[bytes] = _raising(transport.reads) if transport.raises else iter(transport.reads)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[bytes]:
        """Return the reads."""
        return self._reads

    async def read(self) -> Sequence[bytes]:
        """Return the remaining reads: all at once, or one by one if there is an exception among them."""
        return [*islice(self._reads, 1 if self._transport.raises else None)]

    def drain(self) -> None:
        """Record the call."""
        self.drained = True

    async def adrain(self) -> None:
        """Record the call."""
        self.drained = True

    def close(self) -> None:
        """Count the closing, once."""
        if self._open:
            self._open = False
            self._transport.closed += 1

    async def aclose(self) -> None:
        """Count the closing, once."""
        self.close()


def _raising(reads: Sequence[bytes | Exception]) -> Iterator[bytes]:
    for place in range(len(reads)):
        # No local holds the exception, whose traceback will hold this frame.
        if isinstance(reads[place], Exception):
            raise reads[place]  # type: ignore[misc]
        yield reads[place]  # type: ignore[misc]
