"""A transport that answers from memory: for tests and benchmarks that are about what comes after the network."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from ..transport import Request

__all__ = ("MemoryResponse", "MemoryTransport")


class MemoryTransport:
    """Answers every request with ``reads``, one after the other, an exception among them being raised.

    Serves sync and async code; ``requests`` holds what was sent, ``opened`` and ``closed`` count the
    responses. Give it to a model as ``http_client``.
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
        # Stepping a list costs nothing; only what must raise needs a generator.
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
    """One response from memory, for sync and async code alike; the reads go on where they were left."""

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
        """Return the reads that are left: all at once, but for those before an exception, which come one by one."""
        return [*islice(self._reads, 1 if self._transport.raises else None)]

    def drain(self) -> None:
        """Take note."""
        self.drained = True

    async def adrain(self) -> None:
        """Take note."""
        self.drained = True

    def close(self) -> None:
        """Count, once."""
        if self._open:
            self._open = False
            self._transport.closed += 1

    async def aclose(self) -> None:
        """Count, once."""
        self.close()


def _raising(reads: Sequence[bytes | Exception]) -> Iterator[bytes]:
    for place in range(len(reads)):
        # No local holds the exception, whose traceback will hold this frame.
        if isinstance(reads[place], Exception):
            raise reads[place]  # type: ignore[misc]
        yield reads[place]  # type: ignore[misc]
