"""``CollectedBody``: a response that is read whole and is no stream of Gemini's, such as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...errors import APIConnectionError
from ...streaming.protocols import Processor

__all__ = ("CollectedBody",)


class CollectedBody(Processor[Any]):
    """A processor without outputs: ``data`` is the body, of at most ``size`` bytes; ``name`` is for its errors."""

    __slots__ = ("_failure", "_name", "_size", "data")

    def __init__(self, name: str, size: int) -> None:
        self._name, self._size = name, size
        self._failure: Exception | None = None
        self.data = bytearray()

    @property
    def feed(self) -> Callable[[Any], Sequence[Any]]:
        """The function that collects a read."""
        return self._collect

    @property
    def error(self) -> BaseException | None:
        """Why the body is not complete."""
        return self._failure

    def _collect(self, data: bytes) -> Sequence[Any]:
        self.data += data
        return ()

    def on_idle(self) -> bool:
        """Return whether the body is too large."""
        if len(self.data) > self._size:
            self._failure = APIConnectionError(f"{self._name} is larger than {self._size} bytes")
        return self._failure is not None

    def on_disconnect(self, error: Exception) -> None:
        """Keep the error of a connection that broke."""
        self._failure = error
