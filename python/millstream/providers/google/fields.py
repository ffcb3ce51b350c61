"""``GoogleFields``: the fields of ``ChatGoogleGenerativeAI``, and how requests are addressed and authenticated."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from ..._fields import SecretStr, field
from ...errors import MillstreamError, UnsupportedError
from ..chat_model import HTTPChatModel
from ..http.endpoint import as_float, from_env
from .generation import GENERATION, TOP_LEVEL, dump
from .models import is_gemini_3_or_later

__all__ = ("GoogleFields",)

_DEFAULT_URL = "https://generativelanguage.googleapis.com"
_RANGES = {
    **{"temperature": (0.0, 2.0), "top_p": (0.0, 1.0)},
    **{"frequency_penalty": (-2.0, 2.0), "presence_penalty": (-2.0, 2.0)},
}
# LangChain's names of transports, which were Google's: requests go over HTTP whatever they say.
_TRANSPORTS = frozenset({"rest", "grpc", "grpc_asyncio"})
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")
_BODY = ("contents", "systemInstruction", "safetySettings", "tools", "toolConfig", "cachedContent", "generationConfig")
_CALL = (
    *("tools", "functions", "safety_settings", "tool_config", "tool_choice", "generation_config", "cached_content"),
    *("max_retries", "strict", "response_format", "http_options", "automatic_function_calling"),
    *("thinking_budget", "thinking_level", "reasoning_effort", "include_thoughts"),
)


class GoogleFields(HTTPChatModel):
    """The fields of a model of the Gemini API, named as in ``langchain_google_genai``."""

    _provider_name = "Gemini"
    _endpoint_params = _BODY
    # The other names in the body are not arguments, which are named as in Python.
    _input_params = frozenset(_BODY) - {"tools"}
    _call_arguments = frozenset({*GENERATION, *TOP_LEVEL, *_CALL})
    _key_names = frozenset({"api_key", "google_api_key"})

    google_api_key: Any = field(
        default_factory=from_env("GOOGLE_API_KEY", "GEMINI_API_KEY"), alias="api_key", repr=False
    )
    credentials: Any = field(default=None, repr=False)
    vertexai: bool | None = None
    project: str | None = None
    location: str | None = field(default_factory=from_env("GOOGLE_CLOUD_LOCATION"))
    base_url: str | dict[str, Any] | None = field(default=None, alias="client_options")
    additional_headers: dict[str, str] | None = field(default=None, repr=False)
    client_args: dict[str, Any] | None = field(default=None, repr=False)
    api_version: str | None = None
    model: str = field()
    temperature: float | None = 0.7
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_output_tokens: int | None = field(default=None, alias="max_tokens")
    n: int = field(default=1, alias="candidate_count")
    max_retries: int = field(default=6, alias="retries")
    timeout: Any = field(default=None, alias="request_timeout")
    response_modalities: list[Any] | None = None
    media_resolution: Any = None
    image_config: dict[str, Any] | None = None
    thinking_budget: int | None = None
    include_thoughts: bool | None = None
    safety_settings: dict[Any, Any] | None = None
    seed: int | None = None
    labels: dict[str, str] | None = None
    client: Any = field(default=None, repr=False)
    default_metadata: Any = field(default=None, alias="default_metadata_input", repr=False)
    streaming: bool | None = None  # type: ignore[assignment]
    convert_system_message_to_human: bool = False
    stop: list[str] | None = field(default=None, alias="stop_sequences")
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    reasoning_effort: str | None = field(default=None, alias="thinking_level")
    thinking_config: Any = None
    cached_content: str | None = None

    def _set_fields(self, values: dict[str, Any]) -> None:
        """Leave out the temperature for Gemini 3, unless the user sets it, as LangChain does."""
        if "temperature" not in values and is_gemini_3_or_later(values.get("model")):
            values = {**values, "temperature": None}
        if values.get("transport") in _TRANSPORTS:
            values = {**values, "transport": "auto"}
        super()._set_fields(values)

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        if self.client is not None:
            raise TypeError("client is the one of Google's SDK: pass http_client and http_async_client")
        self._refuse_vertex()
        for name, (least, most) in _RANGES.items():
            value = as_float(getattr(self, name))
            setattr(self, name, value)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} must be in the range [{least}, {most}]")
        if self.top_k is not None and self.top_k <= 0:
            raise ValueError("top_k must be positive")
        if self.n < 1:
            raise ValueError("n must be at least 1")
        self._check_model_name()
        if self.thinking_config is not None:
            self.thinking_config = dict(dump(self.thinking_config))
        self.base_url = self._read_base_url()
        self.default_metadata = tuple((self.additional_headers or {}).items())
        if unknown := sorted((self.client_args or {}).keys() - {"proxy"}):
            raise UnsupportedError(
                f"client_args: {', '.join(unknown)}: pass a client of httpx2 or httpx as http_client=… and"
                " http_async_client=…"
            )
        if isinstance(self.google_api_key, str):
            self.google_api_key = SecretStr(self.google_api_key.strip())
        super().__post_init__()

    def _refuse_vertex(self) -> None:
        """Raise for arguments and environment variables that select Vertex AI."""
        wish = os.environ.get("GOOGLE_GENAI_USE_VERTEXAI", "").lower()
        if self.vertexai is not None:
            is_chosen, why = self.vertexai, "vertexai=True"
        elif wish in (*_TRUE, *_FALSE):
            is_chosen, why = wish in _TRUE, "the environment variable GOOGLE_GENAI_USE_VERTEXAI"
        elif self.credentials is not None:
            is_chosen, why = True, "credentials=…"
        else:
            is_chosen, why = self.project is not None, "project=…"
        if is_chosen:
            raise UnsupportedError(
                f"{why} selects Vertex AI, which is not supported: pass api_key=… of the Gemini API and vertexai=False,"
                " or stream a model of Vertex AI with millstream.from_langchain(ChatGoogleGenerativeAI(…)) of"
                " langchain-google-genai"
            )

    def _check_model_name(self) -> None:
        if not self.model or any(sign in self.model for sign in ("..", "?", "&")):
            raise ValueError(f"the name of a model must not be empty or contain '..', '?' or '&': {self.model!r}")

    def _read_base_url(self) -> str | None:
        url = self.base_url
        if isinstance(url, Mapping):
            if url.keys() != {"api_endpoint"}:
                raise ValueError(f"base_url as a dict must have the key api_endpoint alone, not {sorted(url)}")
            url = url["api_endpoint"]
        return str(url) if url else None

    # Where requests go.

    @property
    def _base_url(self) -> str:
        url = self.base_url or os.environ.get("GOOGLE_GEMINI_BASE_URL") or _DEFAULT_URL
        return url if isinstance(url, str) else _DEFAULT_URL

    def _request_url(self, path: str, params: Mapping[str, Any]) -> str:
        base, mark, query = self._base_url.partition("?")
        version = self.api_version
        if version is None:
            version = os.environ.get("GOOGLE_GENAI_API_VERSION") or "v1"
            version = "v1beta" if version == "beta" else version
        segment = f"/{version}" if version else ""
        mark = "&" if mark and "?" in path else mark
        return f"{base.rstrip('/')}{segment}{path}{mark}{query}"

    @property
    def _model_path(self) -> str:
        return self.model if self.model.startswith(("models/", "tunedModels/")) else f"models/{self.model}"

    @property
    def _proxy_url(self) -> str | None:
        proxy = (self.client_args or {}).get("proxy")
        return str(proxy) if proxy else None

    @property
    def _default_timeout(self) -> Any:
        return self.timeout

    @property
    def _max_resends(self) -> int:
        # As in Google's SDK, the number counts the first try.
        return max(self.max_retries - 1, 0)

    def _own_headers(self) -> Mapping[str, str]:
        headers = dict(self.additional_headers or {})
        if isinstance(self.timeout, int | float) and not {"x-server-timeout"} & {name.lower() for name in headers}:
            return {"X-Server-Timeout": str(math.ceil(self.timeout)), **headers}
        return headers

    def _key_headers(self, key: str) -> dict[str, str]:
        return {"x-goog-api-key": key}

    def _find_key(self) -> Any:
        return self.google_api_key

    def _check_key(self) -> None:
        names = {name.lower() for name in (*(self.additional_headers or ()), *(self.default_headers or ()))}
        if self.google_api_key is None and names.isdisjoint(("x-goog-api-key", "authorization")):
            raise MillstreamError(
                "no API key: pass api_key=…, or set the environment variable GOOGLE_API_KEY or GEMINI_API_KEY"
                ' (if the server requires none, pass any text: api_key="none")'
            )

    # How the model describes itself.

    @property
    def thinking_level(self) -> str | None:
        """How much the model thinks: Gemini's name for ``reasoning_effort``."""
        return self.reasoning_effort

    @property
    def _llm_type(self) -> str:
        return "chat-google-generative-ai"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        names = (
            *("model", "temperature", "frequency_penalty", "presence_penalty", "top_p", "top_k", "max_output_tokens"),
            *("n", "safety_settings", "response_modalities", "media_resolution", "thinking_budget"),
            *("include_thoughts", "thinking_level", "thinking_config", "image_config"),
        )
        return {name: getattr(self, name) for name in names}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        name = kwargs.get("model") or self.model
        params: dict[str, Any] = {
            "ls_provider": "google_genai",
            "ls_model_name": name.removeprefix("models/"),
            "ls_model_type": "chat",
            "ls_temperature": kwargs.get("temperature", self.temperature),
        }
        if limit := kwargs.get("max_output_tokens", self.max_output_tokens):
            params["ls_max_tokens"] = limit
        if stop_texts := stop or kwargs.get("stop"):
            params["ls_stop"] = stop_texts
        return params
