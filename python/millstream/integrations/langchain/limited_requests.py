"""``LimitedRequest``: a request of a LangChain model, which waits for the model's rate limiter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import MillstreamError
from ...transport import AsyncResponse, Response
from .._bodies.base import raise_as

if TYPE_CHECKING:

    class _Base:
        def open(self) -> Response: ...
        async def aopen(self) -> AsyncResponse: ...

else:
    _Base = object

__all__ = ("LimitedRequest",)


class LimitedRequest(_Base):
    """Opens the request of the next base class, whose errors become the model's exceptions.

    ``limiter`` is a rate limiter of LangChain's, whose token is acquired before the first try.
    """

    __slots__ = ()

    limiter: Any

    def to_host_error(self, error: MillstreamError, chunks_received: int = 0) -> Exception:
        """Return the exception that the model raises in place of ``error``, with its cause set."""
        raise NotImplementedError

    def open(self) -> Response:
        """Send the request, with retries, and return the response, whose status is a success."""
        if (limiter := self._take_limiter()) is not None:
            limiter.acquire(blocking=True)
        try:
            return super().open()
        except MillstreamError as error:
            raise_as(self.to_host_error(error))

    async def aopen(self) -> AsyncResponse:
        """:meth:`open` for async code."""
        if (limiter := self._take_limiter()) is not None:
            await limiter.aacquire(blocking=True)
        try:
            return await super().aopen()
        except MillstreamError as error:
            raise_as(self.to_host_error(error))

    def _take_limiter(self) -> Any:
        limiter, self.limiter = self.limiter, None
        return limiter
