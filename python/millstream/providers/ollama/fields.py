"""``OllamaFields``: the fields of Ollama's chat models, and the address, headers and timeouts that they determine."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from ..._fields import SecretStr, field
from ...transport import AsyncTransport, Transport
from ..http.endpoint import HTTPEndpoint, as_float
from .address import Address, read_address
from .client import NO_OPTIONS, ClientOptions, OptionTransport, read_client_options
from .request import ENDPOINT_PARAMS

__all__ = ("OllamaFields",)

_FLOATS = ("mirostat_eta", "mirostat_tau", "repeat_penalty", "temperature", "tfs_z", "top_p")


def _read_key() -> SecretStr | None:
    key = os.environ.get("OLLAMA_API_KEY")
    return SecretStr(key) if key else None


class OllamaFields(HTTPEndpoint):
    """The fields of Ollama's chat models, named as in ``langchain_ollama``."""

    _provider_name = "Ollama"
    _endpoint_params = ENDPOINT_PARAMS
    _call_arguments = frozenset({"reasoning", "response_format", "strict"})
    _key_names = frozenset()

    model: str
    reasoning: bool | str | None = None
    validate_model_on_init: bool = False
    mirostat: int | None = None
    mirostat_eta: float | None = None
    mirostat_tau: float | None = None
    num_ctx: int | None = None
    num_gpu: int | None = None
    num_thread: int | None = None
    num_predict: int | None = None
    repeat_last_n: int | None = None
    repeat_penalty: float | None = None
    temperature: float | None = None
    seed: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stop: list[str] | None = None
    tfs_z: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    format: str | dict[str, Any] | None = None
    keep_alive: int | str | None = None
    base_url: str | None = None
    client_kwargs: dict[str, Any] | None = field(default_factory=dict, repr=False)
    async_client_kwargs: dict[str, Any] | None = field(default_factory=dict, repr=False)
    sync_client_kwargs: dict[str, Any] | None = field(default_factory=dict, repr=False)
    # A model has to be loaded, and a long prompt to be read, before the first token.
    stream_chunk_timeout: float | None = 600.0
    _environment_key: SecretStr | None = field(default_factory=_read_key)

    def __post_init__(self) -> None:
        """Check the fields against each other, and read the address and the options of requests."""
        for name in _FLOATS:
            setattr(self, name, as_float(getattr(self, name)))
        self._check_logprobs()
        # Without `base_url`, the environment is read once, here.
        self._server_address: Address = read_address(self.base_url or os.environ.get("OLLAMA_HOST"))
        self._client_options: ClientOptions = read_client_options("client_kwargs", self.client_kwargs)
        self._sync_options = read_client_options("sync_client_kwargs", self.sync_client_kwargs)
        self._async_options = read_client_options("async_client_kwargs", self.async_client_kwargs)
        super().__post_init__()

    def _check_logprobs(self) -> None:
        if self.top_logprobs is None:
            return
        if self.top_logprobs < 1:
            raise ValueError("`top_logprobs` must be a positive integer.")
        if self.logprobs is False:
            raise ValueError(
                "`top_logprobs` is set but `logprobs` is explicitly `False`. Either set `logprobs=True` to use"
                " `top_logprobs`, or remove `top_logprobs`."
            )
        if self.logprobs is None:
            self.logprobs = True
            warnings.warn(
                "`top_logprobs` is set but `logprobs` was not explicitly enabled. Setting `logprobs=True`"
                " automatically.",
                stacklevel=5,
            )

    @property
    def _base_url(self) -> str:
        return self._server_address.url

    @property
    def _proxy_url(self) -> str | None:
        return self._client_options.proxy

    @property
    def _default_timeout(self) -> Any:
        return self._client_options.timeouts

    def _own_headers(self) -> Mapping[str, str]:
        headers = dict(self._client_options.headers)
        if self._server_address.authorization is not None:
            headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            headers["authorization"] = self._server_address.authorization
        return headers

    def _find_key(self) -> Any:
        """Return the key in ``OLLAMA_API_KEY``, unless the user of the address or a header authenticates requests."""
        return None if "authorization" in map(str.lower, self._own_headers()) else self._environment_key

    def _sync_transport(self) -> Transport:
        transport = super()._sync_transport()
        return transport if self._sync_options == NO_OPTIONS else OptionTransport(transport, self._sync_options)

    def _async_transport(self) -> AsyncTransport:
        transport = super()._async_transport()
        return transport if self._async_options == NO_OPTIONS else OptionTransport(transport, self._async_options)

    @classmethod
    def _by_name(cls) -> str:
        return f"write {cls.__name__}(model=...)"
