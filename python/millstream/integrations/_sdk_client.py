"""``ClientRequest``: a request of a client of the OpenAI or the Anthropic SDK, sent by our transport.

The SDK's client builds each request: its URL, headers, authentication, deployment and body. The transport of
this package sends it, and retries it as the SDK does. See ``_sdk_calls`` for the calls that become requests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from typing import Any, NamedTuple, TypeVar

from .._back_off import find_shared_back_off, pause
from .._values import FRAME_SIZE
from ..errors import APIConnectionError, APIError, EventTooLargeError, StreamError
from ..providers.http.errors import aread_error_body, make_status_error, read_error_body
from ..providers.http.retry import Tries
from ..transport import AsyncResponse, Request, Response
from ..transport.choice import async_transport, sync_transport
from ..transport.headers import check_headers
from ..transport.request_lines import alog_requests, log_requests
from ..transport.running import sleep
from ..transport.timeouts import Timeouts
from ._sdk_calls import find_sdk, uses_native

__all__ = ("MAX_RESPONSE_SIZE", "ClientRequest", "WholeResponse")

T = TypeVar("T")

MAX_RESPONSE_SIZE = 64 << 20
"""The limit of a response that is read whole, in bytes after decompression."""

# Both transports decode these codings; a user may have httpx ask for others.
_CODINGS = "gzip, deflate"
_OTHER_CODINGS = ("br", "zstd")


class WholeResponse(NamedTuple):
    """A response that has been read to its end, after decompression."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class ClientRequest:
    """A deferred request of a client of an SDK: the source of a stream, or read whole.

    ``client`` is the SDK's client, sync or async, and ``options`` are the SDK's options of the request, as
    ``capture_options`` returns them. ``idle`` is the longest wait between two reads of a stream's body, in
    seconds; the client's read timeout applies too. With ``is_native=False`` the client's own HTTP client sends
    the request in any case. The request is built anew for each try, with the key or token of that moment, and with the
    SDK's header that counts the retries. Redirects are followed by the client's own HTTP client.

    ``sent`` is the last request, of the SDK's HTTP library, ``failed`` the last response with an error status,
    and ``retries`` the number of retries so far: exceptions and responses of the SDK have them. All methods
    raise this package's exceptions (see ``_sdk_errors``), and what the SDK raises while it builds a request.
    """

    __slots__ = ("_client", "_is_native", "_options", "_tries", "failed", "idle", "retries", "sent")

    def __init__(self, client: Any, options: Any, *, idle: float | None = None, is_native: bool = True) -> None:
        self._client = client
        self._options = options
        self._is_native = is_native
        self._tries = Tries(options.get_max_retries(client.max_retries), None)
        self.idle = idle
        self.retries = 0
        self.sent: Any = None
        self.failed: WholeResponse | None = None

    @property
    def client(self) -> Any:
        """The SDK's client."""
        return self._client

    def open(self) -> Response:
        """Send the request, with retries, and return the response, whose status is a success."""
        return self._send(_keep_open)

    async def aopen(self) -> AsyncResponse:
        """:meth:`open` for async code."""
        return await self._asend(_akeep_open)

    def read(self) -> WholeResponse:
        """Send the request, with retries, which include those of reading it, and return the whole response."""
        return self._send(_read_whole)

    async def aread(self) -> WholeResponse:
        """:meth:`read` for async code."""
        return await self._asend(_aread_whole)

    def reopen(self, error: StreamError) -> Response | None:
        """Send the request again after a wait, after the connection broke; ``None`` if no try is left."""
        if (delay := self._wait(error)) is None:
            return None
        pause(delay)
        return self.open()

    async def areopen(self, error: StreamError) -> AsyncResponse | None:
        """:meth:`reopen` for async code."""
        if (delay := self._wait(error)) is None:
            return None
        await sleep(delay)
        return await self.aopen()

    def _send(self, take: Callable[[Response], T]) -> T:
        """Send the request, with retries, and return what ``take`` returns for the response."""
        client = self._client
        transport = sync_transport(self._find_user_client())
        while True:
            sent = self._build(client._prepare_options(self._copy_options()))
            client._prepare_request(sent)
            try:
                request = self._convert(sent)
                while delay := self._hold(request):
                    pause(delay)
                response = log_requests(transport, self.retries + 1).open(request)
                if 200 <= response.status < 300:
                    return take(response)
                failed = _read_failed(response)
                if self._is_redirected(failed):
                    transport = sync_transport(client._client)
                    continue
                raise self._status_error(failed)
            except APIError as error:
                if (wait := self._wait(error)) is None:
                    raise
            pause(wait)

    async def _asend(self, take: Callable[[AsyncResponse], Awaitable[T]]) -> T:
        """:meth:`_send` for async code."""
        client = self._client
        transport = async_transport(self._find_user_client())
        if getattr(client, "_platform", "") is None:
            await _find_platform(client)
        while True:
            sent = self._build(await client._prepare_options(self._copy_options()))
            await client._prepare_request(sent)
            try:
                request = self._convert(sent)
                while delay := self._hold(request):
                    await sleep(delay)
                response = await alog_requests(transport, self.retries + 1).aopen(request)
                if 200 <= response.status < 300:
                    return await take(response)
                failed = await _aread_failed(response)
                if self._is_redirected(failed):
                    transport = async_transport(client._client)
                    continue
                raise self._status_error(failed)
            except APIError as error:
                if (wait := self._wait(error)) is None:
                    raise
            await sleep(wait)

    def _find_user_client(self) -> Any:
        """Return the HTTP client that sends the request; ``None`` if our own connections do."""
        http_client = self._client._client
        return None if self._is_native and uses_native(http_client) else http_client

    def _copy_options(self) -> Any:
        """Return a copy of the options, which the client's ``_prepare_options`` changes."""
        options = copy(self._options)
        if self._client._idempotency_header and options.idempotency_key is None:
            self._options.idempotency_key = options.idempotency_key = self._client._idempotency_key()
        return options

    def _build(self, options: Any) -> Any:
        """Return the request of the SDK's HTTP library."""
        self.sent = self._client._build_request(options, retries_taken=self.retries)
        return self.sent

    def _convert(self, sent: Any) -> Request:
        """Return the SDK's request ``sent`` as one of our transports."""
        if any(name in sent.headers.get("accept-encoding", "") for name in _OTHER_CODINGS):
            sent.headers["accept-encoding"] = _CODINGS
        timeouts, headers = sent.extensions.get("timeout") or {}, dict(sent.headers)
        _check_headers(headers)
        return Request(
            sent.method,
            str(sent.url),
            headers,
            sent.content,
            Timeouts(*(timeouts.get(name) for name in Timeouts._fields)),
            self.idle,
            resend=self._options.get_max_retries(self._client.max_retries) > 0,
            follow_redirects=self._follows_redirects(),
            built=sent,
        )

    def _follows_redirects(self) -> bool:
        follows = self._options.follow_redirects
        return bool(self._client._client.follow_redirects if follows is None else follows)

    def _is_redirected(self, failed: WholeResponse) -> bool:
        """Return whether the response is a redirect to be followed; a client that follows them returns none."""
        return 300 <= failed.status < 400 and "location" in failed.headers and self._follows_redirects()

    def _status_error(self, failed: WholeResponse) -> APIError:
        """Return the exception for an error status; keep the response for the exception of the SDK."""
        self.failed = failed
        return make_status_error(failed.status, failed.headers, failed.content)

    def _hold(self, request: Request) -> float:
        """Return the seconds to wait for the refusal of another request of the same batch; 0 to send ``request``."""
        if (shared := find_shared_back_off()) is None:
            return 0.0
        body = self._options.json_data
        return self._tries.hold(shared, request, body.get("model") if isinstance(body, Mapping) else None)

    def _wait(self, error: Exception) -> float | None:
        """Return the seconds to wait after ``error``; ``None`` if no try is left."""
        delay = self._tries.wait(error)
        self.retries += delay is not None
        return delay


def _check_headers(headers: Mapping[str, str]) -> None:
    """Raise the exception of a failed connection for a header that cannot be sent, as the SDK does."""
    try:
        check_headers(headers)
    except ValueError as error:
        failure = APIConnectionError(str(error))
        failure.is_final = True
        raise failure from error


def _keep_open(response: Response) -> Response:
    return response


async def _akeep_open(response: AsyncResponse) -> AsyncResponse:
    return response


def _read_whole(response: Response) -> WholeResponse:
    content = bytearray()
    try:
        for data in response:
            _append(content, data)
        response.drain()
    finally:
        response.close()
    return WholeResponse(response.status, response.headers, bytes(content))


async def _aread_whole(response: AsyncResponse) -> WholeResponse:
    content = bytearray()
    try:
        while reads := await response.read():
            for data in reads:
                _append(content, data)
        await response.adrain()
    finally:
        await response.aclose()
    return WholeResponse(response.status, response.headers, bytes(content))


def _append(content: bytearray, data: bytes) -> None:
    content += data
    if len(content) > MAX_RESPONSE_SIZE:
        message = f"the response is larger than {MAX_RESPONSE_SIZE} bytes"
        raise EventTooLargeError(message, offset=0, frame=bytes(content[:FRAME_SIZE]))


def _read_failed(response: Response) -> WholeResponse:
    """Return an error's response with its body, up to a limit; close it."""
    try:
        return WholeResponse(response.status, response.headers, read_error_body(response))
    finally:
        response.close()


async def _aread_failed(response: AsyncResponse) -> WholeResponse:
    """:func:`_read_failed` for async code."""
    try:
        return WholeResponse(response.status, response.headers, await aread_error_body(response))
    finally:
        await response.aclose()


async def _find_platform(client: Any) -> None:
    """Look up the platform for the SDK's headers in a thread, as its async client does before its first request."""
    import anyio.to_thread

    sdk: Any = find_sdk(client)
    client._platform = await anyio.to_thread.run_sync(sdk._base_client.get_platform)
