"""The requests of LangChain's ``ChatGoogleGenerativeAI`` that this package sends; Google's SDK sends the others."""

from __future__ import annotations

import json
from typing import Any

import google.genai
import langchain_google_genai
from google.genai import _api_client, _common, errors, models, types
from langchain_google_genai import chat_models as theirs

from ...errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    MillstreamError,
    ProviderError,
    StreamDecodeError,
    StreamStalledError,
)
from ...providers.google.body import CollectedBody
from ...providers.http.request import PendingRequest
from ...transport import AsyncTransport, Request, Transport
from ...transport.choice import async_transport, sync_transport
from ...transport.timeouts import Timeouts
from .._bodies.base import raise_as
from .._sdk_calls import report_left
from .classified_errors import classify
from .limited_requests import LimitedRequest

__all__ = ("GoogleRequest", "build_request", "to_response")

_SIZE = 64 << 20


class _Server:
    """The server of a client of Google's SDK, as a pending request sees it: requests are built by the SDK."""

    def __init__(self, client: Any, path: str, body: dict[str, Any], options: Any) -> None:
        self._client = client
        self._path = path
        self._body = body
        self._options = options

    @property
    def _max_resends(self) -> int:
        retries = getattr(self._options, "retry_options", None)
        return max((getattr(retries, "attempts", None) or 1) - 1, 0)

    def _find_key(self) -> None:
        """Return no key: the SDK has it."""

    def _sync_transport(self) -> Transport:
        return sync_transport()

    def _async_transport(self) -> AsyncTransport:
        return async_transport()

    def _build_request(self, pending: PendingRequest, key: str | None, end_by: float | None) -> Request:
        sent = self._client._build_request("post", self._path, dict(self._body), self._options)
        headers = {**sent.headers, "accept-encoding": "identity"}
        body = json.dumps(sent.data).encode()
        timeouts = Timeouts(*(sent.timeout,) * 4)
        return Request("POST", sent.url, headers, body, timeouts, end_by=end_by, resend=self._max_resends > 0)


class GoogleRequest(LimitedRequest, PendingRequest):
    """A request of ``ChatGoogleGenerativeAI``: its exceptions are langchain-google-genai's.

    ``limiter`` is a rate limiter of LangChain's, whose token is acquired before the first try.
    """

    __slots__ = ("_called", "limiter")

    def __init__(self, client: Any, path: str, body: dict[str, Any], options: Any, called: dict[str, Any]) -> None:
        super().__init__(_Server(client, path, body, options), path, {}, None)
        # The arguments of the SDK's method, which an exception names.
        self._called = called
        self.limiter: Any = None

    def to_host_error(self, error: MillstreamError, chunks_received: int = 0) -> Exception:
        """Return langchain-google-genai's exception for ``error``, or the SDK's, whose cause is ``error``."""
        failure = _to_sdk_error(error)
        failure.__cause__ = error
        try:
            return classify(
                failure,
                (errors.ClientError, lambda error: theirs._handle_client_error(error, self._called)),
                (errors.ServerError, theirs._handle_server_error),
            )
        finally:
            del failure

    def read_response(self) -> Any:
        """Send the request, with retries, and return the SDK's object for the whole response."""
        body = CollectedBody("the response", _SIZE)
        try:
            self.read(body)
        except MillstreamError as error:
            raise_as(self.to_host_error(error))
        return _parse(bytes(body.data))

    async def aread_response(self) -> Any:
        """:meth:`read_response` for async code."""
        body = CollectedBody("the response", _SIZE)
        try:
            await self.aread(body)
        except MillstreamError as error:
            raise_as(self.to_host_error(error))
        return _parse(bytes(body.data))


def _parse(data: bytes) -> Any:
    try:
        value = json.loads(data)
    except ValueError as error:
        text = data.decode(errors="replace")
        raise errors.UnknownApiResponseError(f"Failed to parse response as JSON. Raw response: {text}") from error
    return to_response(value)


def to_response(value: Any) -> Any:
    """Return the SDK's object for a payload."""
    response = models._GenerateContentResponse_from_mldev(value, None, None)
    return types.GenerateContentResponse._from_response(response=response, kwargs={"config": {}})


def _to_sdk_error(error: MillstreamError) -> Exception:
    if isinstance(error, APIStatusError):
        body = error.body if isinstance(error.body, dict | list) else {"message": error.body}
        return _make_status_error(error.status_code, body)
    if isinstance(error, ProviderError):
        code = error.error.get("code")
        return _make_status_error(code if isinstance(code, int) else 500, {"error": dict(error.error)})
    if isinstance(error, StreamDecodeError):
        return errors.UnknownApiResponseError(str(error))
    library: Any = vars(_api_client)["httpx"]
    if isinstance(error, APITimeoutError | StreamStalledError):
        failure: Exception = library.ReadTimeout(str(error))
    elif isinstance(error, APIConnectionError):
        failure = library.ConnectError(str(error))
    else:
        failure = library.RemoteProtocolError(str(error))
    return failure


def _make_status_error(status: int, body: Any) -> Exception:
    try:
        errors.APIError.raise_error(status, body, None)
    except errors.APIError as error:
        return error.with_traceback(None)
    raise AssertionError


def _find_obstacle(model: Any) -> str | None:
    """Return why Google's SDK has to send the requests of ``model``; ``None`` if this package can."""
    if type(model)._prepare_request is not langchain_google_genai.ChatGoogleGenerativeAI._prepare_request:
        return "its requests are made by a method of its own class"
    if model._use_vertexai:
        return "it uses Vertex AI"
    if type(model.client) is not google.genai.Client:
        return "its client is not the SDK's own"
    api = model.client._api_client
    if type(api) is not _api_client.BaseApiClient or model.client_args is not None:
        return "its client has HTTP settings of its own"
    options = api._http_options
    if any(getattr(options, name, None) for name in ("httpx_client", "httpx_async_client", "aiohttp_client")):
        return "its client has an HTTP client of its own"
    return None


def build_request(
    model: Any, messages: Any, stop: list[str] | None, kwargs: dict[str, Any], *, stream: bool
) -> GoogleRequest | None:
    """Return the request with the parameters of langchain-google-genai's; ``None`` if that has to send it."""
    if (reason := _find_obstacle(model)) is not None:
        return report_left(reason, to="langchain-google-genai")
    if kwargs.get("automatic_continuation"):
        return report_left("it continues answers", to="langchain-google-genai")
    kwargs = {**kwargs}
    cached = kwargs.pop("cached_content", None) or model.cached_content
    called = model._prepare_request(messages, stop=stop, cached_content=cached, **kwargs)
    api = model.client._api_client
    parameters = types._GenerateContentParameters(**called)
    body: Any = models._GenerateContentParameters_to_mldev(api, parameters, None, parameters)
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    path = f"{body['_url']['model']}:{method}"
    body.pop("config", None)
    body = _common.encode_unserializable_types(_common.convert_to_dict(body))
    options = None if parameters.config is None else getattr(parameters.config, "http_options", None)
    return GoogleRequest(api, path, body, options, called)
