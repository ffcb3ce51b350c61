"""``LangServeEndpoint``: the address of a remote Runnable, and the requests to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..._fields import SecretStr
from ...transport import AsyncTransport, Request, Transport
from ...transport.choice import async_transport, check_transport, sync_transport
from ...transport.headers import check_text
from ...transport.native.origins import read_url
from ...transport.timeouts import Timeouts, read_timeouts
from ..http.build import put_headers, user_agent
from ..http.request import PendingRequest
from .values import write_values

__all__ = ("LangServeEndpoint",)

_LAST_EVENT_ID = "last-event-id"


class LangServeEndpoint:
    """The address of a remote Runnable, with what each request to it has in common.

    Nothing is sent again unless ``max_retries`` says so: a chain may do more than answer.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | SecretStr | Callable[[], Any] | None,
        headers: Mapping[str, str] | None,
        timeout: Any,
        max_retries: int,
        http_client: Any,
        http_async_client: Any,
        transport: str,
    ) -> None:
        read_url(url)
        check_transport(transport, http_client, http_async_client)
        base, mark, query = url.partition("?")
        self._base = base.rstrip("/")
        self._query = mark + query
        self._key: Any = SecretStr(api_key) if isinstance(api_key, str) else api_key
        self._headers = dict(headers or {})
        put_headers({}, self._headers)
        self._timeouts: Timeouts | None = read_timeouts(timeout)
        self._max_retries = max_retries
        self._clients = http_client, http_async_client
        self._transport = transport

    @property
    def url(self) -> str:
        """The URL of the remote Runnable."""
        return self._base + self._query

    def post(self, path: str, body: Mapping[str, Any]) -> PendingRequest:
        """Return the request that posts ``body`` to the route ``path``; it is not sent yet."""
        return PendingRequest(self, path, dict(body), None)

    def get_rest(self, place: str, last_event_id: str) -> PendingRequest:
        """Return the request for the events of a stream after ``last_event_id``; ``place`` is its URL."""
        return PendingRequest(self, place, {_LAST_EVENT_ID: last_event_id}, None)

    # The interface that a pending request uses.

    @property
    def _max_resends(self) -> int:
        return self._max_retries

    def _find_key(self) -> Any:
        return self._key

    def _build_request(self, pending: PendingRequest, key: str | None, end_by: float | None) -> Request:
        headers = {
            "accept": "text/event-stream" if pending.path.startswith("/stream") else "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": user_agent(),
        }
        if key is not None:
            check_text("api_key", key)
            headers["authorization"] = f"Bearer {key}"
        put_headers(headers, self._headers)
        if (last_event_id := pending.params.get(_LAST_EVENT_ID)) is not None:
            del headers["content-type"]
            put_headers(headers, {"accept": "text/event-stream", _LAST_EVENT_ID: last_event_id or None})
            return Request("GET", pending.path, headers, b"", self._timeouts, end_by=end_by)
        url = f"{self._base}{pending.path}{self._query}"
        body = write_values(pending.params)
        return Request("POST", url, headers, body, self._timeouts, end_by=end_by, resend=self._max_retries > 0)

    def _sync_transport(self) -> Transport:
        return sync_transport(self._clients[0], transport=self._transport)

    def _async_transport(self) -> AsyncTransport:
        return async_transport(self._clients[1], self._clients[0], transport=self._transport)
