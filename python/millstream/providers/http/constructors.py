"""The types of arguments that the constructors of all providers' models have, as type checkers see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol, TypedDict

__all__ = ("ChatModelArguments", "Key", "ModelArguments", "Secret", "Timeout")


class Secret(Protocol):
    """A text that shows itself only when asked: Millstream's ``SecretStr``, LangChain's, pydantic's."""

    def get_secret_value(self) -> str:
        """Return the text itself."""


class TimeoutParts(Protocol):
    """What httpx's ``Timeout`` has."""

    @property
    def connect(self) -> Any:
        """The seconds to wait for a connection."""

    @property
    def read(self) -> Any:
        """The seconds to wait for each read."""

    @property
    def write(self) -> Any:
        """The seconds to wait for each write."""

    @property
    def pool(self) -> Any:
        """The seconds to wait for a place in the pool."""


Key = str | Secret | Callable[[], str] | Callable[[], Awaitable[str]] | None
Timeout = float | tuple[float | None, ...] | TimeoutParts | None


class ModelArguments(TypedDict, total=False):
    """The fields of every model, and those of the transport of its requests."""

    name: str | None
    cache: Any
    verbose: bool
    callbacks: Any
    tags: list[str] | None
    metadata: dict[str, Any] | None
    custom_get_token_ids: Callable[[str], list[int]] | None
    stream_timing: bool
    model_kwargs: dict[str, Any]
    total_timeout: float | None
    stream_chunk_timeout: float | None
    max_response_size: int
    default_headers: Mapping[str, str] | None
    default_query: Mapping[str, object] | None
    http_client: Any
    http_async_client: Any
    transport: str
    extra_body: Mapping[str, Any] | None


class ChatModelArguments(ModelArguments, total=False):
    """The fields of every chat model."""

    rate_limiter: Any
    disable_streaming: bool | Literal["tool_calling"]
    output_version: str | None
    profile: Any
