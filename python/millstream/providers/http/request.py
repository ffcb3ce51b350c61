"""``PendingRequest``: a POST request that is built when it is sent, with its retries."""

from __future__ import annotations

import inspect
from typing import Any, Protocol

from ..._back_off import find_shared_back_off, pause
from ...errors import APIError
from ...streaming.drive import adrive, drive
from ...streaming.protocols import Processor
from ...transport import AsyncResponse, AsyncTransport, Request, Response, Transport
from ...transport.request_lines import alog_requests, log_requests
from ...transport.running import sleep
from ...transport.trace_headers import traced
from .errors import araise_status_error, find_url_mistake, raise_status_error
from .retry import Tries

__all__ = ("PendingRequest",)


class Endpoint(Protocol):
    """A provider's server and the key for it, as a pending request sees them."""

    @property
    def _max_resends(self) -> int: ...

    def _find_key(self) -> Any: ...

    def _sync_transport(self) -> Transport: ...

    def _async_transport(self) -> AsyncTransport: ...

    def _build_request(self, pending: PendingRequest, key: str | None, end_by: float | None) -> Request: ...


class PendingRequest:
    """A deferred POST request: the source of a stream, or read whole by :meth:`read` and :meth:`aread`.

    The endpoint builds the request when it is sent, with the key of that moment: a ``SecretStr``, or a
    callable (sync or async) that returns the key. ``idle`` is the timeout of each read, in seconds.

    Two places send again and share the number of retries: :meth:`open`, after connection errors and error
    statuses, and :meth:`reopen`, for a stream whose connection broke before its first delta. The deadline of
    the first try, from ``total_timeout``, also applies to all later tries and to the waits between them.
    """

    __slots__ = ("_end_by", "_endpoint", "_tries", "idle", "params", "path")

    def __init__(self, endpoint: Endpoint, path: str, params: dict[str, Any], idle: float | None) -> None:
        self.path = path
        self.params = params
        self.idle = idle
        self._endpoint = endpoint
        self._end_by: float | None = None
        self._tries: Tries | None = None

    @property
    def n(self) -> int | None:
        """The number of choices that the body requests for its one prompt; ``None`` if it is not known."""
        extra = self.params.get("extra_body") or {}
        if "prompt" in extra:
            return None
        n = extra.get("n", self.params.get("n"))
        if n is None:
            return 1
        return n if type(n) is int and n > 0 else None

    @property
    def _attempt(self) -> int:
        """The number of this try."""
        return 1 if self._tries is None else self._tries.tried + 1

    def open(self) -> Response:
        """Send the request, with retries, and return the response, whose status is a success.

        Raises :class:`~millstream.errors.APIConnectionError` or :class:`~millstream.errors.APIStatusError` if no
        try is left.
        """
        transport, request = self._endpoint._sync_transport(), self._build(_read_key(self._endpoint._find_key()))
        while True:
            while delay := self._hold(request):
                pause(delay)
            try:
                response = log_requests(transport, self._attempt).open(traced(request))
                if 200 <= response.status < 300:
                    return response
                raise_status_error(response, find_url_mistake(response.status, request.url, self.path))
            except APIError as error:
                if (wait := self._wait(error)) is None:
                    raise
            pause(wait)

    async def aopen(self) -> AsyncResponse:
        """:meth:`open` for async code."""
        request, transport = (
            self._build(await _aread_key(self._endpoint._find_key())),
            self._endpoint._async_transport(),
        )
        while True:
            while delay := self._hold(request):
                await sleep(delay)
            try:
                response = await alog_requests(transport, self._attempt).aopen(traced(request))
                if 200 <= response.status < 300:
                    return response
                await araise_status_error(response, find_url_mistake(response.status, request.url, self.path))
            except APIError as error:
                if (wait := self._wait(error)) is None:
                    raise
            await sleep(wait)

    def reopen(self, error: Exception) -> Response | None:
        """Send the request again after a wait, after the connection broke; ``None`` if no try is left."""
        if (delay := self._wait(error)) is None:
            return None
        pause(delay)
        return self.open()

    async def areopen(self, error: Exception) -> AsyncResponse | None:
        """:meth:`reopen` for async code."""
        if (delay := self._wait(error)) is None:
            return None
        await sleep(delay)
        return await self.aopen()

    def _wait(self, error: Exception) -> float | None:
        """Return the seconds to wait after ``error``; ``None`` if no try is left. All sends share the tries."""
        return self._find_tries().wait(error)

    def _hold(self, request: Request) -> float:
        """Return the seconds to wait for the refusal of another request of the same batch; 0 to send ``request``."""
        shared = find_shared_back_off()
        return 0.0 if shared is None else self._find_tries().hold(shared, request, self.params.get("model"))

    def _find_tries(self) -> Tries:
        if self._tries is None:
            self._tries = Tries(self._max_resends, self._end_by)
        return self._tries

    @property
    def _max_resends(self) -> int:
        return self._endpoint._max_resends

    def _build(self, key: Any) -> Request:
        """Return the request.

        An error of the key or the headers must not show the key, not even to a tool that prints the local
        variables of a traceback. It is therefore raised anew from this frame, after ``key`` has been deleted
        and without the frames below it, in which the key is a variable.
        """
        try:
            request = self._endpoint._build_request(self, key, self._end_by)
            # The deadline of all tries is computed for the first one.
            self._end_by = request.end_by
            return request
        except Exception as error:
            failure = error.with_traceback(None)
        finally:
            del key
        try:
            raise failure
        finally:
            del failure

    def read(self, processor: Processor[Any]) -> None:
        """Send the request and read the response into ``processor``, which has no outputs."""
        for _ in drive(self, processor):
            pass

    async def aread(self, processor: Processor[Any]) -> None:
        """:meth:`read` for async code."""
        async for _ in adrive(self, processor):
            pass


def _read_key(key: object) -> Any:
    read = getattr(key, "get_secret_value", key)
    value = read() if callable(read) else key
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise TypeError("api_key is an async function, which only the async methods can call")
    return value


async def _aread_key(key: object) -> Any:
    read = getattr(key, "for_async", None) or getattr(key, "get_secret_value", key)
    value = read() if callable(read) else key
    return await value if inspect.isawaitable(value) else value
