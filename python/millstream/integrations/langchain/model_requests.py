"""``ModelRequest``: a request of a LangChain model that this package sends; its exceptions are the model's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import MillstreamError
from .._bodies.base import raise_as
from .._sdk_client import ClientRequest, WholeResponse
from .._sdk_errors import build_response
from .limited_requests import LimitedRequest

__all__ = ("ModelRequest",)


class ModelRequest(LimitedRequest, ClientRequest):
    """A request for a model; a subclass says which class of the SDK the response is, and which exceptions it raises.

    ``limiter`` is a rate limiter of LangChain's, whose token is acquired before the first try of a stream.
    """

    __slots__ = ("limiter",)

    _cast_to: Any
    """The class of the SDK for the whole response."""

    def __init__(self, client: Any, options: Any, *, idle: float | None = None, is_native: bool = True) -> None:
        super().__init__(client, options, idle=idle, is_native=is_native)
        self.limiter: Any = None

    @property
    def n(self) -> int:
        """The number of choices that the request is for."""
        body = self._options.json_data
        n = {**(body if isinstance(body, Mapping) else {}), **(self._options.extra_json or {})}.get("n")
        return n if type(n) is int and n > 0 else 1

    def read_response(self) -> Any:
        """Send the request, with retries, and return what the SDK's client makes of the whole response."""
        try:
            whole = self.read()
        except MillstreamError as error:
            raise_as(self.to_host_error(error))
        return self._client._process_response(**self._describe(whole))

    async def aread_response(self) -> Any:
        """:meth:`read_response` for async code."""
        try:
            whole = await self.aread()
        except MillstreamError as error:
            raise_as(self.to_host_error(error))
        return await self._client._process_response(**self._describe(whole))

    def _describe(self, whole: WholeResponse) -> dict[str, Any]:
        """Return the arguments with which the SDK's client processes the response ``whole``."""
        return {
            "cast_to": self._cast_to,
            "options": self._options,
            "response": build_response(whole, self.sent),
            "stream": False,
            "stream_cls": None,
            "retries_taken": self.retries,
        }
