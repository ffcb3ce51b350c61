"""``HTTPEndpoint``: a provider's server over HTTP, and its key, URL, headers, clients and retries."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, ClassVar, Self

from ..._fields import Field, Fields, SecretStr, field
from ...transport import AsyncTransport, Request, Transport
from ...transport.choice import async_transport, check_transport, sync_transport
from ...transport.headers import check_header, check_headers, check_text
from ...transport.idle import aclose_idle, close_idle
from ...transport.timeouts import read_timeouts
from .arguments import check_value, list_constructor_params, make_argument_error
from .build import add_query, encode_body, put_headers, user_agent
from .request import PendingRequest

__all__ = ("HTTPEndpoint", "as_float", "from_env")


def from_env(*names: str) -> Callable[[], str | None]:
    """Return a function that returns the first of the environment variables ``names`` that is set."""
    return lambda: next((os.environ[name] for name in names if os.environ.get(name)), None)


def as_float(value: object) -> Any:
    """Return an integer as a float; any other value unchanged."""
    return float(value) if type(value) is int else value


class HTTPEndpoint(Fields):
    """The base class of models that a provider's server runs: the address and the transport of requests.

    A subclass says where requests go, by :attr:`_base_url` and :meth:`_request_url`, and how they are
    authenticated, by :meth:`_find_key`, :meth:`_key_headers` and ``_key_names``, the arguments that hold a key.

    Parameters of the endpoint (``_endpoint_params``) without a field are sent in the request's body, with a
    warning; any other argument raises :class:`TypeError`. ``extra_body`` is sent too, whatever its names.
    ``transport`` is described in :mod:`millstream.transport`. ``total_timeout`` is the deadline of one whole
    answer, in seconds, including all tries and the waits between them; ``max_response_size`` the limit of a
    response without streaming, in bytes after decompression.
    """

    # How messages name the provider.
    _provider_name: ClassVar[str] = "the provider"
    # The parameters of the endpoint, in the order in which bodies have them.
    _endpoint_params: ClassVar[tuple[str, ...]] = ()
    # Those of them that are set from the input of a call, and the arguments of a call beside them.
    _input_params: ClassVar[frozenset[str]] = frozenset({"messages"})
    _call_arguments: ClassVar[frozenset[str]] = frozenset()
    # The arguments that hold a key.
    _key_names: ClassVar[frozenset[str]] = frozenset({"api_key"})

    model_kwargs: dict[str, Any] = field(default_factory=dict)
    total_timeout: float | None = None
    max_response_size: int = 16 * 1024 * 1024
    max_retries: int | None = 2
    default_headers: Mapping[str, str] | None = field(default=None, repr=False)
    default_query: Mapping[str, object] | None = field(default=None, repr=False)
    http_client: Any = None
    http_async_client: Any = None
    transport: str = "auto"
    extra_body: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        super().__post_init__()
        check_transport(self.transport, self.http_client, self.http_async_client)
        self._check_key()
        if (error := self._find_header_error()) is not None:
            raise error

    # What a provider decides.

    @property
    def _base_url(self) -> str:
        """The address of the server, without the path of a request."""
        raise NotImplementedError

    @property
    def _proxy_url(self) -> str | None:
        """The address of the proxy, if requests go through one."""
        return None

    @property
    def _default_timeout(self) -> Any:
        """The timeout of a request whose call has none: seconds, or a timeout of httpx."""
        return None

    def _request_url(self, path: str, params: Mapping[str, Any]) -> str:
        """Return the URL of a request with ``params``."""
        base, mark, query = self._base_url.partition("?")
        return f"{base.rstrip('/')}{path}{mark}{query}"

    def _own_headers(self) -> Mapping[str, str]:
        """Return the headers of every request that the provider adds."""
        return {}

    def _key_headers(self, key: str) -> dict[str, str]:
        """Return the headers that authenticate the request."""
        return {"authorization": f"Bearer {key}"}

    def _find_key(self) -> Any:
        """Return the key: a ``SecretStr``, or a callable that returns it; ``None`` without one."""
        return None

    def _check_key(self) -> None:
        """Raise :class:`~millstream.errors.MillstreamError` if a key is needed, and missing."""

    # Arguments.

    def _check_value(self, argument: str, spec: Field, value: object) -> Any:
        """Return the checked value of a field; a text that is a number is converted, a key becomes a ``SecretStr``."""
        is_key = spec.name in self._key_names or argument in self._key_names
        value = check_value(type(self).__name__, argument, spec.annotation, value, is_key=is_key)
        return SecretStr(value) if isinstance(value, str) and is_key else value

    def _take_unknown(self, unknown: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        """Move the endpoint's parameters that have no field into ``model_kwargs``, with a warning.

        Raises :class:`TypeError` for an argument that is not a parameter of the endpoint either.
        """
        extra = dict(values.get("model_kwargs") or {})
        known = list_constructor_params(self)
        for name, value in unknown.items():
            if name in extra:
                raise ValueError(f"Found {name} supplied twice.")
            if name not in known:
                raise make_argument_error(self, name)
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

    @classmethod
    def _list_arguments(cls) -> Iterator[tuple[str, Any, Any]]:
        yield from super()._list_arguments()
        for name in list_constructor_params(cls):
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

    # Requests.

    def _find_header_error(self) -> Exception | None:
        """Return the error of the keys and headers that are the same for every request, if there is one.

        It is returned without its traceback, since a key is a variable in those frames.
        """
        try:
            for name, key in self._iter_fixed_keys():
                check_text(name, key)
            check_headers(self._own_headers())
            headers: Mapping[str, Any] = self.default_headers or {}
            for name, value in headers.items():
                check_header(name, "" if value is None else value)
        except (TypeError, ValueError) as error:
            return error.with_traceback(None)
        return None

    def _iter_fixed_keys(self) -> Iterator[tuple[str, str]]:
        """Yield the names and texts of the keys that are the same for every request."""
        read = getattr(self._find_key(), "get_secret_value", None)
        if read is not None:
            yield "api_key", read()

    def _request_headers(self, key: str | None, more: Mapping[str, str | None] | None) -> dict[str, str]:
        """Return the headers of a request, overridden by ``more``; those that can have changed are checked again."""
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": user_agent(),
        }
        if key is not None:
            check_text("api_key", key)
            headers.update(self._key_headers(key))
        headers.update(self._own_headers())
        for overriding in (self.default_headers, more):
            if overriding:
                put_headers(headers, overriding)
        return headers

    @property
    def _max_resends(self) -> int:
        return 2 if self.max_retries is None else self.max_retries

    def _build_request(self, pending: PendingRequest, key: str | None, end_by: float | None) -> Request:
        params = pending.params
        if (timeout := params.get("timeout")) is None:
            timeout = self._default_timeout
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
        return sync_transport(self.http_client, proxy=self._proxy_url, transport=self.transport)

    def _async_transport(self) -> AsyncTransport:
        return async_transport(
            self.http_async_client, self.http_client, proxy=self._proxy_url, transport=self.transport
        )
