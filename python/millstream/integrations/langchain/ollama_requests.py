"""The requests of LangChain's ``ChatOllama`` that this package sends; langchain-ollama sends the others.

Ollama's SDK makes the body, and its HTTP client the request; our transport sends it. Nothing is sent twice, as there.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import ollama

from ...errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    MillstreamError,
    ProviderError,
    StreamStalledError,
    StreamTruncatedError,
)
from ...providers.http.errors import araise_status_error, raise_status_error
from ...transport import AsyncResponse, Request, Response
from ...transport.choice import async_transport, sync_transport
from ...transport.request_lines import alog_requests, log_requests
from ...transport.timeouts import Timeouts
from .._bodies.base import raise_as
from .._sdk_calls import is_unchanged, report_left

__all__ = ("OllamaRequest", "build_request")

_CODINGS = "gzip, deflate"
# Arguments of the HTTP clients that our transport applies as they do. With others, the client sends the request.
_APPLIED = frozenset({"headers", "timeout", "follow_redirects"})


class OllamaRequest:
    """A deferred request of ``ChatOllama``: the source of a stream. Its exceptions are those of Ollama's SDK.

    ``reasoning`` says whether the model's thinking is kept. ``limiter`` is a rate limiter of LangChain's, whose
    token is acquired before the request is sent.
    """

    __slots__ = ("_body", "_http", "_is_native", "limiter", "reasoning", "sent")

    idle: float | None = None

    def __init__(self, http_client: Any, body: dict[str, Any], *, reasoning: Any, is_native: bool) -> None:
        self._http = http_client
        self._body = body
        self._is_native = is_native and is_unchanged(http_client)
        self.reasoning = reasoning
        self.limiter: Any = None
        self.sent: Any = None

    def open(self) -> Response:
        """Send the request and return the response, whose status is a success."""
        if self.limiter is not None:
            self.limiter.acquire(blocking=True)
        try:
            response = log_requests(sync_transport(self._find_user_client())).open(self._build())
            if not 200 <= response.status < 300:
                raise_status_error(response)
            return response
        except MillstreamError as error:
            raise_as(self.to_host_error(error))

    async def aopen(self) -> AsyncResponse:
        """:meth:`open` for async code."""
        if self.limiter is not None:
            await self.limiter.aacquire(blocking=True)
        try:
            response = await alog_requests(async_transport(self._find_user_client())).aopen(self._build())
            if not 200 <= response.status < 300:
                await araise_status_error(response)
            return response
        except MillstreamError as error:
            raise_as(self.to_host_error(error))

    def reopen(self, error: Exception) -> None:
        """Return ``None``: nothing is sent again."""

    async def areopen(self, error: Exception) -> None:
        """Return ``None``: nothing is sent again."""

    def _find_user_client(self) -> Any:
        return None if self._is_native else self._http

    def _build(self) -> Request:
        sent = self.sent = self._http.build_request("POST", "/api/chat", json=self._body)
        # Both transports decode these.
        sent.headers["accept-encoding"] = _CODINGS
        timeouts = sent.extensions.get("timeout") or {}
        return Request(
            sent.method,
            str(sent.url),
            dict(sent.headers),
            sent.content,
            Timeouts(*(timeouts.get(name) for name in Timeouts._fields)),
            follow_redirects=bool(self._http.follow_redirects),
            built=sent,
        )

    def to_host_error(self, error: MillstreamError, chunks_received: int = 0) -> Exception:
        """Return the exception that Ollama's SDK, or its HTTP library, raises in place of ``error``, its cause.

        A stream that ends early just ends there; here it is an :class:`httpx.RemoteProtocolError`.
        """
        failure = _convert(error, self.sent)
        failure.__cause__ = error
        try:
            return failure
        finally:
            del failure


def _convert(error: MillstreamError, sent: Any) -> Exception:
    if isinstance(error, APIStatusError):
        text = error.body if isinstance(error.body, str) else json.dumps(error.body)
        return ollama.ResponseError(text, error.status_code)
    if isinstance(error, APITimeoutError | StreamStalledError):
        return httpx.ReadTimeout(str(error), request=sent)
    if isinstance(error, APIConnectionError):
        return httpx.ConnectError(str(error), request=sent)
    if isinstance(error, StreamTruncatedError):
        return httpx.RemoteProtocolError(str(error), request=sent)
    message = error.error.get("message") if isinstance(error, ProviderError) else None
    return ollama.ResponseError(str(message or error))


class _Recorder:
    """In place of a client of the SDK: returns the body that a request would have."""

    def _request(self, cls: Any, *args: Any, json: Any, stream: bool) -> Any:
        return json


_PACKAGE = "langchain-ollama"
_ORIGINALS = ("_create_chat_stream", "_acreate_chat_stream", "_iterate_over_stream", "_aiterate_over_stream")


def build_request(
    model: Any, messages: Any, stop: list[str] | None, kwargs: dict[str, Any], *, is_async: bool
) -> OllamaRequest | None:
    """Return the request with the parameters of langchain-ollama's; ``None`` if that has to send it."""
    if not all(_is_original(type(model), name) for name in _ORIGINALS):
        return report_left("its requests or chunks are made by a method of its own class", to=_PACKAGE)
    client, kind = (model._async_client, ollama.AsyncClient) if is_async else (model._client, ollama.Client)
    if type(client) is not kind or not vars(client).keys().isdisjoint(("chat", "_request")):
        return report_left("its client is not the Ollama SDK's own", to=_PACKAGE)
    if not (_is_original(kind, "chat") and _is_original(kind, "_request")):
        return report_left("a method of its client is not the Ollama SDK's own", to=_PACKAGE)
    params = model._chat_params(messages, stop, **kwargs)
    body: Any = ollama.Client.chat(_Recorder(), **params)  # type: ignore[call-overload]
    own = model.async_client_kwargs if is_async else model.sync_client_kwargs
    arguments = {**(model.client_kwargs or {}), **(own or {})}
    reasoning = kwargs.get("reasoning", model.reasoning)
    return OllamaRequest(client._client, body, reasoning=reasoning, is_native=_APPLIED.issuperset(arguments))


def _is_original(kind: Any, name: str) -> bool:
    """Return whether the method is langchain-ollama's, the SDK's or this package's own, and was not patched."""
    function = next(vars(base)[name] for base in kind.__mro__ if name in vars(base))
    home = str(getattr(function, "__globals__", {}).get("__name__")).partition(".")[0]
    return home in ("langchain_ollama", "ollama", __name__.partition(".")[0])
