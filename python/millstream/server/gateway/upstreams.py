"""A gateway's upstreams: how their requests are built, and whether they are worth asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from ...errors import APIConnectionError, APIStatusError, MillstreamError, ProviderError, StreamError
from ...providers.http.build import put_headers, user_agent
from ...transport import AsyncTransport, Request, Transport
from ...transport.choice import async_transport, sync_transport
from ...transport.timeouts import Timeouts
from ...wires.public_error import PublicError, describe_error
from ..openai_api.errors import RequestError
from .circuit import Circuit

if TYPE_CHECKING:
    from ...providers.http.request import PendingRequest
    from .config import GatewayConfig, UpstreamConfig

__all__ = ("Candidate", "Upstream", "UpstreamError", "is_failure", "may_fail_over")

CONNECT_SECONDS = 5.0
_REFUSED = PublicError(502, "upstream_error", "the model's server refused the gateway")


class Upstream:
    """One upstream: the endpoint of its requests (see :class:`~millstream.providers.http.request.PendingRequest`)."""

    # Requests are sent again by the source, which may ask another upstream instead.
    _max_resends = 0

    def __init__(self, config: UpstreamConfig, gateway: GatewayConfig) -> None:
        self.config = config
        self.circuit = Circuit(gateway.circuit_failures, gateway.circuit_seconds)
        self._timeouts = Timeouts(CONNECT_SECONDS, config.timeout, config.timeout, config.timeout)

    @property
    def name(self) -> str:
        """The upstream's name in logs and metrics."""
        return self.config.name

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
        url = f"{self.config.url}{pending.path}"
        return Request("POST", url, headers, pending.params["body"], self._timeouts, pending.idle, end_by=end_by)

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

    def make_body(self, body: Mapping[str, Any]) -> bytes:
        """Return the body of the request to the upstream: the client's, with the model's name there.

        A stream asks for its usage in any case, where the upstream knows how: answers are accounted for.
        """
        own = {**body, "model": self.model}
        config = self.upstream.config
        if body.get("stream") and config.has_usage:
            options = body.get("stream_options")
            own["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
            if config.has_continuous_usage:
                own["stream_options"]["continuous_usage_stats"] = True
        try:
            return orjson.dumps(own)
        except TypeError:
            raise RequestError("The body of the request is nested too deeply.", code="invalid_json") from None


class UpstreamError(MillstreamError):
    """An upstream failed: which one, and how, without its words, which may have texts and keys in them."""

    def __init__(self, upstream: Upstream, error: BaseException) -> None:
        status = getattr(error, "status_code", None)
        kind = type(error).__name__
        super().__init__(f"the upstream {upstream.name} failed: {kind}{'' if status is None else f' ({status})'}")
        # A client cannot do anything about the gateway's own credentials.
        self.public_error = _REFUSED if status in (401, 403) else describe_error(error)


def may_fail_over(error: BaseException) -> bool:
    """Return whether another upstream may succeed: this one was not reached, is overloaded, or failed."""
    if isinstance(error, APIStatusError):
        status = error.status_code
        return status in (401, 403, 404, 408, 409, 429) or not 400 <= status < 500
    return isinstance(error, APIConnectionError | StreamError) and not _is_of_request(error)


def is_failure(error: BaseException) -> bool:
    """Return whether an error says that the upstream itself is not well: it counts for its circuit."""
    if isinstance(error, APIStatusError):
        return error.status_code >= 500
    return isinstance(error, APIConnectionError | StreamError) and not _is_of_request(error)


def _is_of_request(error: BaseException) -> bool:
    """Return whether an error in a stream says that the request is wrong."""
    if not isinstance(error, ProviderError):
        return False
    code = error.error.get("code")
    is_status = type(code) is int and code in (400, 413, 422)
    return is_status or error.error.get("type") in ("invalid_request_error", "BadRequestError")
