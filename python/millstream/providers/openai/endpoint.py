"""``OpenAIEndpoint``: a server with OpenAI's protocol, and its key, URL and headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from ..._fields import SecretStr, field
from ...errors import MillstreamError
from ...transport.headers import check_text
from ..http.build import environment_headers
from ..http.endpoint import HTTPEndpoint, from_env
from .arguments import CALL_ARGUMENTS, KEYS

__all__ = ("OpenAIEndpoint",)

_DEFAULT_URL = "https://api.openai.com/v1"
# Attributes of the SDK's client, which has the same name as our completions model.
_SDK_NAMES = frozenset(
    {"audio", "batches", "beta", "chat", "completions", "embeddings", "files", "fine_tuning", "images", "models"}
    | {"moderations", "realtime", "responses", "uploads", "vector_stores", "with_options", "with_raw_response"}
)


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


class OpenAIEndpoint(HTTPEndpoint):
    """The base class of models with OpenAI's protocol: the fields that say where requests go, named as in LangChain.

    Fields that LangChain does not have are those of :class:`~millstream.providers.http.endpoint.HTTPEndpoint`.
    """

    _provider_name = "OpenAI"
    _input_params = frozenset({"messages", "prompt"})
    _call_arguments = CALL_ARGUMENTS
    _key_names = KEYS

    client: Any = field(default=None, repr=False)
    async_client: Any = field(default=None, repr=False)
    openai_api_key: Any = field(default_factory=from_env("OPENAI_API_KEY"), alias="api_key", repr=False)
    openai_api_base: str | None = field(
        default_factory=from_env("OPENAI_API_BASE", "OPENAI_BASE_URL"), alias="base_url"
    )
    openai_organization: str | None = field(
        default_factory=from_env("OPENAI_ORG_ID", "OPENAI_ORGANIZATION"), alias="organization"
    )
    openai_proxy: str | None = field(default_factory=from_env("OPENAI_PROXY"))
    request_timeout: Any = field(default=None, alias="timeout")
    tiktoken_model_name: str | None = None
    _environment_headers: dict[str, str] = field(default_factory=environment_headers)

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        if self.client is not None or self.async_client is not None:
            raise TypeError("client and async_client are the OpenAI SDK's: pass http_client and http_async_client")
        if isinstance(self.openai_api_key, str):
            self.openai_api_key = SecretStr(self.openai_api_key)
        super().__post_init__()

    @property
    def _base_url(self) -> str:
        return self.openai_api_base or _DEFAULT_URL

    @property
    def _proxy_url(self) -> str | None:
        return self.openai_proxy

    @property
    def _default_timeout(self) -> Any:
        return self.request_timeout

    def _check_key(self) -> None:
        names = {name.lower() for name in self.default_headers or ()}
        if self.openai_api_key is None and "authorization" not in names:
            raise MillstreamError(
                "no API key: pass api_key=…, or set the environment variable OPENAI_API_KEY"
                ' (if the server requires none, pass any text: api_key="none")'
            )

    def _find_key(self) -> Any:
        return self.openai_api_key

    def _iter_fixed_keys(self) -> Iterator[tuple[str, str]]:
        for name, field_name in (("api_key", "openai_api_key"), ("azure_ad_token", "azure_ad_token")):
            read = getattr(getattr(self, field_name, None), "get_secret_value", None)
            if read is not None:
                yield name, read()

    def _own_headers(self) -> Mapping[str, str]:
        if not self.openai_organization:
            return self._environment_headers
        check_text("organization", self.openai_organization)
        return {"OpenAI-Organization": self.openai_organization, **self._environment_headers}

    def __dir__(self) -> Iterable[str]:
        """Leave out the attributes that exist only for their error message."""
        return (name for name in super().__dir__() if name not in _SDK_NAMES)


for _name in _SDK_NAMES:
    setattr(OpenAIEndpoint, _name, _SDKAttribute(_name))
