"""The arguments of the models' constructors, as type checkers see them.

Only type checkers import this module: at run time a class's fields are its constructor's arguments, and
``inspect.signature`` shows them. A test compares the two, name by name and type by type.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Literal

from ..http.constructors import ChatModelArguments, Key, ModelArguments, Secret, Timeout

__all__ = ("AzureChatArguments", "ChatArguments", "CompletionArguments")


class OpenAIArguments(ModelArguments, total=False):
    """The arguments of all models, but the name of the model."""

    client: None
    async_client: None
    openai_api_key: Key
    api_key: Key
    openai_api_base: str | None
    base_url: str | None
    openai_organization: str | None
    organization: str | None
    openai_proxy: str | None
    request_timeout: Timeout
    timeout: Timeout
    max_retries: int | None
    tiktoken_model_name: str | None
    streaming: bool
    # Parameters of the endpoints that have no field: they go to the body, with a warning.
    stream_options: Mapping[str, Any] | None
    user: str | None


class CompletionArguments(OpenAIArguments, total=False):
    """The arguments of :class:`~millstream.OpenAI`."""

    model_name: str
    model: str
    temperature: float
    max_tokens: int
    top_p: float
    frequency_penalty: float
    presence_penalty: float
    n: int
    best_of: int
    batch_size: int
    logit_bias: dict[str, float] | None
    seed: int | None
    logprobs: int | None
    allowed_special: Literal["all"] | Collection[str]
    disallowed_special: Literal["all"] | Collection[str]
    stream_usage: bool
    echo: bool | None
    stop: list[str] | str | None
    suffix: str | None


class AnyChatArguments(OpenAIArguments, ChatModelArguments, total=False):
    """The arguments of all chat models, but the name of the model."""

    temperature: float | None
    stream_usage: bool | None
    presence_penalty: float | None
    frequency_penalty: float | None
    seed: int | None
    logprobs: bool | None
    top_logprobs: int | None
    logit_bias: dict[int, int] | None
    n: int | None
    top_p: float | None
    max_tokens: int | None
    max_completion_tokens: int | None
    reasoning_effort: str | None
    reasoning: dict[str, Any] | None
    verbosity: str | None
    http_socket_options: Any
    stop: list[str] | str | None
    stop_sequences: list[str] | str | None
    include_response_headers: bool
    disabled_params: dict[str, Any] | None
    context_management: list[dict[str, Any]] | None
    include: list[str] | None
    prompt_cache_options: dict[str, Any] | None
    service_tier: str | None
    store: bool | None
    truncation: str | None
    use_previous_response_id: bool
    use_responses_api: bool | None
    # Parameters of the endpoint that have no field.
    audio: Mapping[str, Any] | None
    function_call: str | Mapping[str, Any]
    functions: Collection[Mapping[str, Any]]
    modalities: list[str] | None
    moderation: Any
    parallel_tool_calls: bool
    prediction: Mapping[str, Any] | None
    prompt_cache_key: str
    prompt_cache_retention: str | None
    response_format: Any
    safety_identifier: str
    tool_choice: str | Mapping[str, Any]
    tools: Collection[Any]
    web_search_options: Mapping[str, Any]
    # Those of the Responses API.
    access_programs: Mapping[str, Any]
    background: bool | None
    background_options: Mapping[str, Any]
    conversation: str | Mapping[str, Any] | None
    image: Mapping[str, Any]
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    previous_response_id: str | None
    text: Mapping[str, Any]


class ChatArguments(AnyChatArguments, total=False):
    """The arguments of :class:`~millstream.ChatOpenAI`."""

    model_name: str
    model: str


class AzureChatArguments(AnyChatArguments, total=False):
    """The arguments of :class:`~millstream.AzureChatOpenAI`."""

    model_name: str | None
    model: str | None
    azure_endpoint: str | None
    deployment_name: str | None
    azure_deployment: str | None
    openai_api_version: str | None
    api_version: str | None
    azure_ad_token: str | Secret | None
    azure_ad_token_provider: Callable[[], str] | None
    azure_ad_async_token_provider: Callable[[], Awaitable[str]] | None
    model_version: str
    openai_api_type: str | None
    validate_base_url: bool
