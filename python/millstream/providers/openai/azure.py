"""``AzureChatOpenAI``: chat completions of models on Azure."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from ..._fields import SecretStr, field
from ...errors import MillstreamError
from ...outputs.chat_generation import ChatResult
from ..http.endpoint import from_env
from ..whole_response import WholeResponse
from .arguments import RESPONSES_PATH
from .chat import ChatOpenAI

if TYPE_CHECKING:
    from ...language_models.prompt_text import LanguageModelInput
    from .constructors import AzureChatArguments

__all__ = ("AzureChatOpenAI",)


class AzureChatOpenAI(ChatOpenAI):
    """OpenAI's chat models on Azure.

    The arguments, methods and results are those of ``langchain_openai.AzureChatOpenAI``. ::

        from millstream import AzureChatOpenAI

        model = AzureChatOpenAI(azure_deployment="gpt-4o", api_version="2024-10-21")
        for chunk in model.stream("Write me a 1 verse song about sparkling water."):
            print(chunk.text, end="|", flush=True)

    All arguments are keywords. The address:

    ``azure_endpoint``
        the resource's address, such as ``"https://example.openai.azure.com"``; by default ``AZURE_OPENAI_ENDPOINT`` of
        the environment.
    ``azure_deployment``, ``deployment_name``
        the deployment's name.
    ``api_version``, ``openai_api_version``
        the version of the API; by default ``OPENAI_API_VERSION`` of the environment.
    ``base_url``, ``openai_api_base``
        a whole address in place of the endpoint and the deployment.
    ``validate_base_url``
        by default such an address has to contain ``/openai``; ``False`` accepts any.

    The credentials, one of these:

    ``api_key``, ``openai_api_key``
        a key; by default ``AZURE_OPENAI_API_KEY`` or ``OPENAI_API_KEY`` of the environment.
    ``azure_ad_token``
        a token of Entra; by default ``AZURE_OPENAI_AD_TOKEN`` of the environment.
    ``azure_ad_token_provider``, ``azure_ad_async_token_provider``
        a function that returns a token for each request, and a coroutine function for async code.

    The model in metadata:

    ``model``, ``model_name``, ``model_version``
        name the model of the deployment, for handlers and traces.
    ``openai_api_type``
        is accepted, and changes nothing.

    The other arguments are those of :class:`~millstream.ChatOpenAI`.

    Raises the errors of :class:`~millstream.ChatOpenAI`, and :class:`~millstream.errors.MillstreamError` if the
    endpoint or the API version is missing, or if Azure's content filter withheld an answer.
    """

    if TYPE_CHECKING:

        def __init__(self, **arguments: Unpack[AzureChatArguments]) -> None: ...

    model_name: str | None = field(default=None, alias="model")  # type: ignore[assignment]
    azure_endpoint: str | None = field(default_factory=from_env("AZURE_OPENAI_ENDPOINT"))
    deployment_name: str | None = field(default=None, alias="azure_deployment")
    openai_api_version: str | None = field(default_factory=from_env("OPENAI_API_VERSION"), alias="api_version")
    openai_api_key: Any = field(
        default_factory=from_env("AZURE_OPENAI_API_KEY", "OPENAI_API_KEY"), alias="api_key", repr=False
    )
    openai_api_base: str | None = field(default=None, alias="base_url")
    azure_ad_token: Any = field(default_factory=from_env("AZURE_OPENAI_AD_TOKEN"), repr=False)
    azure_ad_token_provider: Callable[[], str] | None = field(default=None, repr=False)
    azure_ad_async_token_provider: Callable[[], Awaitable[str]] | None = field(default=None, repr=False)
    model_version: str = ""
    openai_api_type: str | None = "azure"
    validate_base_url: bool = True

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        if isinstance(self.azure_ad_token, str):
            self.azure_ad_token = SecretStr(self.azure_ad_token)
        if self.disabled_params is None and self.model_name != "gpt-4o":
            self.disabled_params = {"parallel_tool_calls": None}
        self._check_address()
        super().__post_init__()

    def _check_address(self) -> None:
        if self.openai_api_base and self.validate_base_url:
            if "/openai" not in self.openai_api_base:
                raise ValueError("base_url does not contain /openai: pass an endpoint of Azure as azure_endpoint")
            if self.deployment_name:
                raise ValueError("base_url and azure_deployment contradict each other: pass azure_endpoint instead")
        if not self.openai_api_base and not self.azure_endpoint:
            raise MillstreamError(
                "no endpoint: pass azure_endpoint=…, or set the environment variable AZURE_OPENAI_ENDPOINT"
            )
        if self.openai_api_base and self.azure_endpoint:
            raise ValueError("base_url and azure_endpoint contradict each other: leave one out")
        if not self.openai_api_version:
            raise MillstreamError(
                "no API version: pass api_version=…, or set the environment variable OPENAI_API_VERSION"
            )

    def _check_key(self) -> None:
        tokens = (self.azure_ad_token, self.azure_ad_token_provider, self.azure_ad_async_token_provider)
        if self.openai_api_key is None and all(token is None for token in tokens):
            raise MillstreamError(
                "no API key: pass api_key=…, azure_ad_token=… or azure_ad_token_provider=…, or set the environment"
                " variable AZURE_OPENAI_API_KEY or AZURE_OPENAI_AD_TOKEN"
            )

    def _targets_openai(self) -> bool:
        return super()._targets_openai() and not os.environ.get("OPENAI_API_BASE")

    @property
    def _llm_type(self) -> str:
        return "azure-openai-chat"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"azure_deployment": self.deployment_name, **super()._identifying_params}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        params = {**super()._get_ls_params(stop=stop, **kwargs), "ls_provider": "azure"}
        if "model" not in kwargs and (name := self.model_name or self.deployment_name):
            version = self.model_version.lstrip("-")
            is_versioned = not self.model_name or not version or version in name
            params["ls_model_name"] = name if is_versioned else f"{name}-{version}"
        return params

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        params = super()._get_request_payload(input_, stop=stop, **kwargs)
        if "input" in params and not params.get("model") and self.deployment_name:
            # The Responses API has no deployment in its URL.
            params["model"] = self.deployment_name
        return params

    # Addresses and credentials.

    def _request_url(self, path: str, params: Mapping[str, Any]) -> str:
        url = self._resource_url() if path == RESPONSES_PATH else self._deployment_url(params)
        base, _, query = url.partition("?")
        version = f"api-version={self.openai_api_version}"
        return f"{base.rstrip('/')}{path}?{query}{'&' if query else ''}{version}"

    def _resource_url(self) -> str:
        return self.openai_api_base or f"{(self.azure_endpoint or '').rstrip('/')}/openai"

    def _deployment_url(self, params: Mapping[str, Any]) -> str:
        """Return the base URL: that of the deployment, or else of a deployment named like the model."""
        base = self._resource_url().rstrip("/")
        name = self.deployment_name or (params.get("model") if "/deployments" not in base else None)
        return f"{base}/deployments/{name}" if name and "/deployments/" not in base else base

    @property
    def _has_token(self) -> bool:
        tokens = (self.azure_ad_token, self.azure_ad_token_provider, self.azure_ad_async_token_provider)
        return any(token is not None for token in tokens)

    def _key_headers(self, key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key}"} if self._has_token else {"api-key": key}

    def _find_key(self) -> Any:
        if not self._has_token:
            return self.openai_api_key
        if self.azure_ad_token is not None:
            return self.azure_ad_token
        return TokenProvider(self.azure_ad_token_provider, self.azure_ad_async_token_provider)

    # Results.

    def _create_chat_result(self, response: WholeResponse, *, legacy: bool) -> ChatResult:
        result = super()._create_chat_result(response, legacy=legacy)
        infos = [generation.generation_info or {} for generation in result.generations]
        if any(info.get("finish_reason") == "content_filter" for info in infos):
            raise MillstreamError("Azure has not provided the response due to a content filter being triggered")
        output = result.llm_output or {}
        if model := response.metadata[1]:
            output["model_name"] = f"{model}-{self.model_version}" if self.model_version else model
        body = response.document()
        if "prompt_filter_results" in body:
            output["prompt_filter_results"] = body["prompt_filter_results"]
        choices = body.get("choices")
        filters = [
            choice.get("content_filter_results", {}) if isinstance(choice, Mapping) else {}
            for choice in (choices if isinstance(choices, list) else ())
        ]
        for place, generation in enumerate(result.generations):
            filtered = filters[place] if place < len(filters) else {}
            generation.generation_info = {**infos[place], "content_filter_results": filtered}
        return result


class TokenProvider:
    """The functions that return a token for each request: one for sync code, one for async code."""

    def __init__(self, provider: Callable[[], str] | None, async_provider: Callable[[], Awaitable[str]] | None) -> None:
        self._provider = provider
        self._async_provider = async_provider

    def __call__(self) -> Any:
        """Return a token for sync code."""
        if self._provider is None:
            raise TypeError("azure_ad_async_token_provider is for async methods: pass azure_ad_token_provider too")
        return self._provider()

    def for_async(self) -> Any:
        """Return a token for async code, or an awaitable of one."""
        return self() if self._async_provider is None else self._async_provider()
