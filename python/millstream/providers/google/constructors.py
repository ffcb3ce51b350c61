"""The arguments of ``ChatGoogleGenerativeAI``, as type checkers see them; at run time they are its fields."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..http.constructors import ChatModelArguments, Key, Timeout

__all__ = ("GoogleChatArguments",)


class GoogleChatArguments(ChatModelArguments, total=False):
    """The arguments of ``ChatGoogleGenerativeAI``."""

    # The server, and how requests go there.
    google_api_key: Key
    api_key: Key
    credentials: None
    vertexai: bool | None
    project: str | None
    location: str | None
    base_url: str | dict[str, Any] | None
    client_options: str | dict[str, Any] | None
    api_version: str | None
    additional_headers: dict[str, str] | None
    client_args: dict[str, Any] | None
    client: None
    default_metadata: Any
    default_metadata_input: Any
    max_retries: int
    retries: int
    timeout: Timeout
    request_timeout: Timeout
    # The model, and how it answers.
    model: str
    streaming: bool | None
    temperature: float | None
    frequency_penalty: float | None
    presence_penalty: float | None
    top_p: float | None
    top_k: int | None
    max_output_tokens: int | None
    max_tokens: int | None
    n: int
    candidate_count: int
    seed: int | None
    stop: list[str] | None
    stop_sequences: list[str] | None
    response_modalities: list[Any] | None
    response_mime_type: str | None
    response_schema: dict[str, Any] | None
    media_resolution: Any
    image_config: dict[str, Any] | None
    thinking_budget: int | None
    include_thoughts: bool | None
    reasoning_effort: str | None
    thinking_level: str | None
    thinking_config: Any
    safety_settings: dict[Any, Any] | None
    labels: dict[str, str] | None
    cached_content: str | None
    convert_system_message_to_human: bool
    # A parameter of the endpoint that has no field.
    tools: Collection[Any]
