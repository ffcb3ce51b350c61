"""A gateway's upstreams: how their requests are built, and whether they are worth asking."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from ...errors import APIConnectionError, APIStatusError, StreamError
from ...providers.http.build import put_headers, user_agent
from ...transport import AsyncTransport, Request, Transport
from ...transport.choice import async_transport, sync_transport
from ...transport.timeouts import Timeouts
from .config import GatewayConfig, UpstreamConfig

if TYPE_CHECKING:
    from ...providers.http.request import PendingRequest

__all__ = ("Candidate", "Circuit", "Upstream", "is_failure", "may_fail_over")

_CONNECT_SECONDS = 5.0


class Circuit:
    """Whether an upstream is asked: not for a while after so many failures in a row, then with one request first."""

    __slots__ = ("_failures", "_limit", "_now", "_open_until", "_seconds", "is_probing")

    def __init__(self, limit: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._now = now
        self._failures = 0
        self._open_until = 0.0
        self.is_probing = False

    @property
    def state(self) -> str:
        """``"closed"`` while the upstream is asked, ``"open"`` while it is not, ``"half-open"`` for one request."""
        if self._failures < self._limit:
            return "closed"
        return "open" if self._now() < self._open_until else "half-open"

    def allows(self) -> bool:
        """Return whether the upstream may be asked now; after the wait, one request finds out for all others."""
        state = self.state
        if state == "half-open" and not self.is_probing:
            self.is_probing = True
            return True
        return state == "closed"

    def seconds_left(self) -> float:
        """Return the seconds until the upstream may be asked again."""
        return max(0.0, self._open_until - self._now())

    def succeed(self) -> None:
        """Note an answer that began."""
        self._failures = 0
        self.is_probing = False

    def fail(self) -> None:
        """Note a failure of the upstream."""
        self._failures += 1
        self.is_probing = False
        if self._failures >= self._limit:
            self._open_until = self._now() + self._seconds

    def release(self) -> None:
        """Note that a request ended without an answer and without a failure of the upstream."""
        self.is_probing = False


class Upstream:
    """One upstream: the endpoint of its requests (see :class:`~millstream.providers.http.request.PendingRequest`)."""

    def __init__(self, config: UpstreamConfig, gateway: GatewayConfig) -> None:
        self.config = config
        self.circuit = Circuit(gateway.circuit_failures, gateway.circuit_seconds)
        self._timeouts = Timeouts(_CONNECT_SECONDS, config.timeout, config.timeout, config.timeout)

    @property
    def name(self) -> str:
        """The upstream's name in logs and metrics."""
        return self.config.name

    @property
    def _max_resends(self) -> int:
        return self.config.retries

    def _find_key(self) -> Any:
        return self.config.key

    def _build_request(self, pending: PendingRequest, key: str | None, end_by: float | None) -> Request:
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": user_agent(),
        }
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        if self.config.headers:
            put_headers(headers, self.config.headers)
        body = orjson.dumps(pending.params["extra_body"])
        url = f"{self.config.url}{pending.path}"
        return Request("POST", url, headers, body, self._timeouts, pending.idle, end_by=end_by)

    def _sync_transport(self) -> Transport:
        return sync_transport(None)

    def _async_transport(self) -> AsyncTransport:
        return async_transport(None)


class Candidate:
    """An upstream that may answer a request, and the model that it is asked for."""

    __slots__ = ("model", "upstream")

    def __init__(self, upstream: Upstream, model: str) -> None:
        self.upstream = upstream
        self.model = model

    def make_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of the request to the upstream: the client's, with the model's name there.

        A stream asks for its usage in any case, where the upstream knows how: answers are accounted for.
        """
        own = {**body, "model": self.model}
        if body.get("stream") and self.upstream.config.has_usage:
            options = body.get("stream_options")
            own["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
        return own


def may_fail_over(error: BaseException) -> bool:
    """Return whether another upstream may succeed: this one was not reached, is overloaded, or failed."""
    if isinstance(error, APIStatusError):
        return error.status_code in (401, 403, 404, 408, 409, 429) or error.status_code >= 500
    return isinstance(error, APIConnectionError | StreamError)


def is_failure(error: BaseException) -> bool:
    """Return whether an error says that the upstream itself is not well: it counts for its circuit."""
    if isinstance(error, APIStatusError):
        return error.status_code >= 500
    return isinstance(error, APIConnectionError | StreamError)
