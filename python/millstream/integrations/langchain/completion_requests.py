"""The requests of a LangChain completion model that this package sends; langchain-openai sends the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openai.types import Completion

from ...errors import MillstreamError
from .._sdk_calls import capture_options, has_obstacle
from .._sdk_errors import to_sdk_error
from .model_requests import ModelRequest

__all__ = ("AsyncCompletions", "CompletionRequest", "Completions")


class CompletionRequest(ModelRequest):
    """A request of the SDK's ``resource``: its exceptions are the SDK's, with this package's as their causes."""

    __slots__ = ()

    _cast_to = Completion

    def __init__(self, resource: Any, params: Mapping[str, Any]) -> None:
        super().__init__(resource._client, capture_options(resource, params))

    def to_host_error(self, error: MillstreamError, chunks_received: int = 0) -> Exception:
        """Return the SDK's exception for ``error``."""
        failure = to_sdk_error(error, self)
        failure.__cause__ = error
        return failure


class Completions:
    """Stands for the SDK's resource ``client.completions`` in LangChain's code that calls its ``create``."""

    __slots__ = ("_resource",)

    def __init__(self, resource: Any) -> None:
        self._resource = resource

    def create(self, **params: Any) -> Any:
        """Return the whole answer, an object of the SDK."""
        if has_obstacle(self._resource):
            return self._resource.create(**params)
        return CompletionRequest(self._resource, params).read_response()


class AsyncCompletions(Completions):
    """:class:`Completions` for async code."""

    __slots__ = ()

    async def create(self, **params: Any) -> Any:
        """Return the whole answer, an object of the SDK."""
        if has_obstacle(self._resource):
            return await self._resource.create(**params)
        return await CompletionRequest(self._resource, params).aread_response()
