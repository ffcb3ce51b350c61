"""``AnthropicFields``: the fields of ``ChatAnthropic``, and where its requests go."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ..._fields import field
from ...errors import MillstreamError
from ..chat_model import HTTPChatModel
from ..http.endpoint import as_float, from_env
from .arguments import CALL_ARGUMENTS, PARAMS

if TYPE_CHECKING:
    from ...language_models.model_profile import ModelProfile
    from .constructors import Effort

__all__ = ("AnthropicFields",)

_DEFAULT_URL = "https://api.anthropic.com"
_VERSION = "2026-10-21"
# The limit of models that are not known.
_MAX_TOKENS = 4096
_EFFORTS = ("max", "xhigh", "high", "medium", "low")
_MILLION = "context-1m-2025-08-07"


def _custom_headers() -> dict[str, str]:
    """Return the version of the API, and the headers of the environment variable ANTHROPIC_CUSTOM_HEADERS."""
    headers = {"anthropic-version": _VERSION}
    for line in os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    return headers


class AnthropicFields(HTTPChatModel):
    """The fields of models of Anthropic, named as in ``langchain_anthropic``.

    Fields that LangChain does not have are those of :class:`~millstream.providers.http.endpoint.HTTPEndpoint`, and
    ``stream_chunk_timeout``: how many seconds a stream may go on without content. It is ten minutes, since nothing
    but keep-alives arrives while a tool of the provider's runs.
    """

    _provider_name = "Anthropic"
    _endpoint_params = PARAMS
    _input_params = frozenset({"messages"})
    _call_arguments = CALL_ARGUMENTS
    _key_names = frozenset({"api_key", "anthropic_api_key"})
    _stream_format = "anthropic.messages"

    model: str = field(alias="model_name")
    max_tokens: int | None = field(default=None, alias="max_tokens_to_sample")
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    default_request_timeout: Any = field(default=None, alias="timeout")
    stop_sequences: list[str] | None = field(default=None, alias="stop")
    anthropic_api_url: str | None = field(
        default_factory=from_env("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL"), alias="base_url"
    )
    anthropic_api_key: Any = field(default_factory=from_env("ANTHROPIC_API_KEY"), alias="api_key", repr=False)
    anthropic_proxy: str | None = field(default_factory=from_env("ANTHROPIC_PROXY"))
    betas: list[str] | None = None
    streaming: bool = False
    stream_usage: bool = True
    thinking: dict[str, Any] | None = None
    output_config: dict[str, Any] | None = None
    reasoning_effort: Effort | None = field(default=None, alias="effort")
    mcp_servers: list[dict[str, Any]] | None = None
    context_management: dict[str, Any] | None = None
    container: Any = None
    reuse_last_container: bool | None = None
    inference_geo: str | None = None
    user_profile_id: str | None = None
    stream_chunk_timeout: float | None = 600.0
    _environment_headers: dict[str, str] = field(default_factory=_custom_headers)

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        if self.anthropic_proxy and (self.http_client is not None or self.http_async_client is not None):
            raise ValueError("anthropic_proxy contradicts http_client and http_async_client: leave one out")
        if not all(isinstance(text, str) for text in self.stop_sequences or ()):
            raise TypeError(f"{type(self).__name__}(): stop_sequences must be a list of str")
        if self.reasoning_effort not in (None, *_EFFORTS):
            known = ", ".join(_EFFORTS)
            raise ValueError(f"{type(self).__name__}(): effort must be {known} or None, not {self.reasoning_effort!r}")
        if isinstance(self.anthropic_api_key, str):
            self.anthropic_api_key = self._check_value(
                "api_key", self.__millstream_fields__["anthropic_api_key"], self.anthropic_api_key
            )
        for name in ("temperature", "top_p"):
            setattr(self, name, as_float(getattr(self, name)))
        super().__post_init__()

    def _set_fields(self, values: dict[str, Any]) -> None:
        """Set ``max_tokens``, which the API requires, to the limit of the model."""
        if values.get("max_tokens") is None and isinstance(name := values.get("model"), str):
            from .profiles import find_profile

            values = {**values, "max_tokens": find_profile(name).get("max_output_tokens", _MAX_TOKENS)}
        super()._set_fields(values)

    def _resolve_model_profile(self) -> ModelProfile | None:
        from .profiles import find_profile

        profile = find_profile(self.model)
        if profile and self.betas and _MILLION in self.betas:
            profile["max_input_tokens"] = 1_000_000
        return cast("ModelProfile", profile) if profile else None

    @property
    def effort(self) -> Effort | None:
        """The effort of the model, which is also called ``reasoning_effort``."""
        return self.reasoning_effort

    # The endpoint.

    @property
    def _base_url(self) -> str:
        return self.anthropic_api_url or _DEFAULT_URL

    @property
    def _proxy_url(self) -> str | None:
        return self.anthropic_proxy

    @property
    def _default_timeout(self) -> Any:
        return self.default_request_timeout

    def _own_headers(self) -> Mapping[str, str]:
        return self._environment_headers

    def _find_key(self) -> Any:
        return self.anthropic_api_key

    def _check_key(self) -> None:
        names = {name.lower() for name in (*(self.default_headers or ()), *self._environment_headers)}
        if self.anthropic_api_key is None and not names & {"authorization", "x-api-key"}:
            raise MillstreamError(
                "no API key: pass api_key=…, or set the environment variable ANTHROPIC_API_KEY"
                ' (if the server requires none, pass any text: api_key="none")'
            )

    # What runs report.

    @property
    def _llm_type(self) -> str:
        return "anthropic-chat"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        config = {**(self.output_config or {}), **({"effort": self.reasoning_effort} if self.reasoning_effort else {})}
        names = ("model", "max_tokens", "temperature", "top_k", "top_p", "model_kwargs", "streaming", "max_retries")
        params = {name: getattr(self, name) for name in (*names, "default_request_timeout", "thinking")}
        return {**params, "output_config": config or self.output_config}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        params = self._get_invocation_params(stop=stop, **kwargs)
        ls_params: dict[str, Any] = {
            "ls_provider": "anthropic",
            "ls_model_name": params.get("model", self.model),
            "ls_model_type": "chat",
            "ls_temperature": params.get("temperature", self.temperature),
        }
        if limit := params.get("max_tokens", self.max_tokens):
            ls_params["ls_max_tokens"] = limit
        if stop_texts := stop or params.get("stop"):
            ls_params["ls_stop"] = stop_texts
        return ls_params
