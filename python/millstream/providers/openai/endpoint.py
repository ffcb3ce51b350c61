"""``OpenAIEndpoint``: a server with OpenAI's protocol, and its key, URL, headers, clients and retries."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self

from ..._fields import Field, Fields, SecretStr, field
from ...errors import MillstreamError
from ...transport import AsyncTransport, Request, Transport
from ...transport.choice import async_transport, check_transport, sync_transport
from ...transport.headers import check_header, check_headers, check_text
from ...transport.idle import aclose_idle, close_idle
from ...transport.timeouts import read_timeouts
from ..http.build import add_query, encode_body, environment_headers, put_headers, user_agent
from ..http.request import PendingRequest
from .arguments import KEYS, check_value, list_constructor_params, make_argument_error

__all__ = ("OpenAIEndpoint", "as_float", "from_env")

_DEFAULT_URL = "https://api.openai.com/v1"
# Attributes of the SDK's client, which has the same name as our completions model.
_SDK_NAMES = frozenset(
    {"audio", "batches", "beta", "chat", "completions", "embeddings", "files", "fine_tuning", "images", "models"}
    | {"moderations", "realtime", "responses", "uploads", "vector_stores", "with_options", "with_raw_response"}
)


def from_env(*names: str) -> Callable[[], str | None]:
    """Return a function that returns the first of the environment variables ``names`` that is set."""
    return lambda: next((os.environ[name] for name in names if os.environ.get(name)), None)


def as_float(value: object) -> Any:
    """Return an integer as a float; any other value unchanged."""
    return float(value) if type(value) is int else value


class _SDKAttribute:
    """An attribute of the OpenAI SDK's client. A ``__getattr__`` would make every attribute of a model slower."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, model: object, owner: type) -> NoReturn:
        """Raise :class:`AttributeError`, with the call to write instead."""
        cls = owner.__name__
        raise AttributeError(
            f"{cls!r} object has no attribute {self._name!r}: it is a model like LangChain's, not the client of the"
            f" OpenAI SDK; write {cls}(...).invoke(...) or ChatOpenAI(...).invoke(messages)"
        )


class OpenAIEndpoint(Fields):
    """The base class of models with OpenAI's protocol: the fields for the address and the transport of requests.

    Parameters of the endpoint without a field are sent in the request's body, with a warning; any other
    argument raises :class:`TypeError`. Fields that LangChain does not have: ``transport`` (see
    :mod:`millstream.transport`); ``total_timeout``, the deadline of one whole answer, in seconds, including
    all tries and the waits between them; ``max_response_size``, the limit of a response without streaming, in
    bytes after decompression.
    """

    # The parameters of the endpoint, in the order of the OpenAI SDK.
    _endpoint_params: ClassVar[tuple[str, ...]] = ()

    client: Any = field(default=None, repr=False)
    async_client: Any = field(default=None, repr=False)
    model_kwargs: dict[str, Any] = field(default_factory=dict)
    openai_api_key: Any = field(default_factory=from_env("OPENAI_API_KEY"), alias="api_key", repr=False)
    openai_api_base: str | None = field(
        default_factory=from_env("OPENAI_API_BASE", "OPENAI_BASE_URL"), alias="base_url"
    )
    openai_organization: str | None = field(
        default_factory=from_env("OPENAI_ORG_ID", "OPENAI_ORGANIZATION"), alias="organization"
    )
    openai_proxy: str | None = field(default_factory=from_env("OPENAI_PROXY"))
    request_timeout: Any = field(default=None, alias="timeout")
    total_timeout: float | None = None
    max_response_size: int = 16 * 1024 * 1024
    max_retries: int | None = 2
    tiktoken_model_name: str | None = None
    default_headers: Mapping[str, str] | None = field(default=None, repr=False)
    default_query: Mapping[str, object] | None = field(default=None, repr=False)
    http_client: Any = None
    http_async_client: Any = None
    transport: str = "auto"
    extra_body: Mapping[str, Any] | None = None
    _environment_headers: dict[str, str] = field(default_factory=environment_headers)

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        super().__post_init__()
        if self.client is not None or self.async_client is not None:
            raise TypeError("client and async_client are the OpenAI SDK's: pass http_client and http_async_client")
        check_transport(self.transport, self.http_client, self.http_async_client)
        if isinstance(self.openai_api_key, str):
            self.openai_api_key = SecretStr(self.openai_api_key)
        self._check_key()
        if (error := self._find_header_error()) is not None:
            raise error

    def _find_header_error(self) -> Exception | None:
        """Return the error of the keys and headers that are the same for every request, if there is one.

        It is returned without its traceback, since a key is a variable in those frames.
        """
        try:
            for name, key in self._iter_fixed_keys():
                check_text(name, key)
            check_text("organization", self.openai_organization or "none")
            check_headers(self._environment_headers)
            headers: Mapping[str, Any] = self.default_headers or {}
            for name, value in headers.items():
                check_header(name, "" if value is None else value)
        except (TypeError, ValueError) as error:
            return error.with_traceback(None)
        return None

    def _iter_fixed_keys(self) -> Iterator[tuple[str, str]]:
        """Yield the names and texts of the keys that are the same for every request."""
        for name, field_name in (("api_key", "openai_api_key"), ("azure_ad_token", "azure_ad_token")):
            read = getattr(getattr(self, field_name, None), "get_secret_value", None)
            if read is not None:
                yield name, read()

    def _check_key(self) -> None:
        names = {name.lower() for name in self.default_headers or ()}
        if self.openai_api_key is None and "authorization" not in names:
            raise MillstreamError(
                "no API key: pass api_key=…, or set the environment variable OPENAI_API_KEY"
                ' (if the server requires none, pass any text: api_key="none")'
            )

    def _check_value(self, argument: str, spec: Field, value: object) -> Any:
        """Return the checked value of a field; a text that is a number is converted, a key becomes a ``SecretStr``."""
        value = check_value(type(self).__name__, argument, spec.annotation, value)
        return SecretStr(value) if isinstance(value, str) and spec.name in KEYS else value

    def _take_unknown(self, unknown: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        """Move the endpoint's parameters that have no field into ``model_kwargs``, with a warning.

        Raises :class:`TypeError` for an argument that is not a parameter of the endpoint either.
        """
        extra = dict(values.get("model_kwargs") or {})
        known = list_constructor_params(self._endpoint_params)
        for name, value in unknown.items():
            if name in extra:
                raise ValueError(f"Found {name} supplied twice.")
            if name not in known:
                raise make_argument_error(type(self).__name__, name, {*known, *self.__millstream_names__})
            warnings.warn(
                f"WARNING! {name} is not default parameter. {name} was transferred to model_kwargs. "
                f"Please confirm that {name} is what you intended.",
                stacklevel=3,
            )
            extra[name] = value
        return {**values, "model_kwargs": extra}

    @classmethod
    def _by_name(cls) -> str:
        return f"write {cls.__name__}(model=..., api_key=...)"

    def __dir__(self) -> Iterable[str]:
        """Leave out the attributes that exist only for their error message."""
        return (name for name in super().__dir__() if name not in _SDK_NAMES)

    # The connections.

    def close(self) -> None:
        """Close the idle connections of sync code to this model's server.

        Running streams are not affected, and the model stays usable: its next request opens a new
        connection. All models of the process share the connections, so other models of the same server also
        open new ones. A client passed as ``http_client`` is not closed: it belongs to its owner.
        """
        close_idle(self._request_url("", {}))

    async def aclose(self) -> None:
        """:meth:`close`, for the connections of the running event loop as well."""
        self.close()
        await aclose_idle(self._request_url("", {}))

    def __enter__(self) -> Self:
        """Return the model; its idle connections are closed at the end of ``with``."""
        return self

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the idle connections."""
        self.close()

    async def __aenter__(self) -> Self:
        """Return the model; its idle connections are closed at the end of ``async with``."""
        return self

    async def __aexit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the idle connections."""
        await self.aclose()

    @classmethod
    def _list_arguments(cls) -> Iterator[tuple[str, Any, Any]]:
        yield from super()._list_arguments()
        for name in list_constructor_params(cls._endpoint_params):
            if name not in cls.__millstream_names__:
                yield name, None, Any

    def _set_fields(self, values: dict[str, Any]) -> None:
        """Move the names of fields out of ``model_kwargs``, with a warning."""
        extra = dict(values.get("model_kwargs") or {})
        names, fields = self.__millstream_names__, self.__millstream_fields__
        misplaced = sorted(extra.keys() & names.keys())
        if duplicates := [name for name in misplaced if names[name] in values]:
            raise ValueError(f"Found {duplicates[0]} supplied twice.")
        if misplaced:
            warnings.warn(
                f"Parameters {set(misplaced)} should be specified explicitly. "
                "Instead they were passed in as part of `model_kwargs` parameter.",
                stacklevel=3,
            )
        moved = {names[name]: self._check_value(name, fields[names[name]], extra.pop(name)) for name in misplaced}
        super()._set_fields({**values, **moved, "model_kwargs": extra})

    def _request_url(self, path: str, params: Mapping[str, Any]) -> str:
        """Return the URL of a request with ``params``."""
        base, mark, query = (self.openai_api_base or _DEFAULT_URL).partition("?")
        return f"{base.rstrip('/')}{path}{mark}{query}"

    def _request_headers(self, key: str | None, more: Mapping[str, str | None] | None) -> dict[str, str]:
        """Return the headers of a request, overridden by ``more``; those that can have changed are checked again."""
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": user_agent(),
        }
        if self.openai_organization:
            check_text("organization", self.openai_organization)
            headers["OpenAI-Organization"] = self.openai_organization
        if key is not None:
            check_text("api_key", key)
            headers.update(self._key_headers(key))
        headers.update(self._environment_headers)
        for overriding in (self.default_headers, more):
            if overriding:
                put_headers(headers, overriding)
        return headers

    def _key_headers(self, key: str) -> dict[str, str]:
        """Return the headers that authenticate the request."""
        return {"authorization": f"Bearer {key}"}

    def _find_key(self) -> Any:
        """Return the key: a ``SecretStr``, or a callable that returns it."""
        return self.openai_api_key

    @property
    def _max_resends(self) -> int:
        return 2 if self.max_retries is None else self.max_retries

    def _build_request(self, pending: PendingRequest, key: str | None, end_by: float | None) -> Request:
        params = pending.params
        if (timeout := params.get("timeout")) is None:
            timeout = self.request_timeout
        url = self._request_url(pending.path, params)
        query = {**(self.default_query or {}), **(params.get("extra_query") or {})}
        return Request(
            "POST",
            add_query(url, query) if query else url,
            self._request_headers(key, params.get("extra_headers")),
            encode_body(params, self._endpoint_params),
            None if timeout is None else read_timeouts(timeout),
            pending.idle,
            self.total_timeout,
            end_by,
            # Without a retry it is sent once, whatever happens.
            self._max_resends > 0,
        )

    def _sync_transport(self) -> Transport:
        return sync_transport(self.http_client, proxy=self.openai_proxy, transport=self.transport)

    def _async_transport(self) -> AsyncTransport:
        return async_transport(
            self.http_async_client, self.http_client, proxy=self.openai_proxy, transport=self.transport
        )


for _name in _SDK_NAMES:
    setattr(OpenAIEndpoint, _name, _SDKAttribute(_name))
