"""The requests of a LangChain completion model that this package sends; langchain-openai sends the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openai.types import Completion

from ...errors import MillstreamError
from ...transport import AsyncResponse, Response
from .._openai_calls import capture_options, find_obstacle
from .._openai_client import ClientRequest, WholeResponse
from .._openai_errors import build_response, to_sdk_error

__all__ = ("AsyncCompletions", "CompletionRequest", "Completions")


class CompletionRequest(ClientRequest):
    """A request of the SDK's ``resource``: its exceptions are the SDK's, with this package's as their causes."""

    __slots__ = ()

    def __init__(self, resource: Any, params: Mapping[str, Any]) -> None:
        super().__init__(resource._client, capture_options(resource, params))

    @property
    def n(self) -> int:
        """The number of choices that the request is for."""
        body = self._options.json_data
        n = {**(body if isinstance(body, Mapping) else {}), **(self._options.extra_json or {})}.get("n")
        return n if type(n) is int and n > 0 else 1

    def open(self) -> Response:
        """Send the request, with retries, and return the response, whose status is a success."""
        try:
            return super().open()
        except MillstreamError as error:
            raise to_sdk_error(error, self) from error

    async def aopen(self) -> AsyncResponse:
        """:meth:`open` for async code."""
        try:
            return await super().aopen()
        except MillstreamError as error:
            raise to_sdk_error(error, self) from error

    def read_completion(self) -> Any:
        """Send the request, with retries, and return what the SDK makes of the whole response."""
        try:
            whole = self.read()
        except MillstreamError as error:
            raise to_sdk_error(error, self) from error
        return self._client._process_response(**self._describe(whole))

    async def aread_completion(self) -> Any:
        """:meth:`read_completion` for async code."""
        try:
            whole = await self.aread()
        except MillstreamError as error:
            raise to_sdk_error(error, self) from error
        return await self._client._process_response(**self._describe(whole))

    def _describe(self, whole: WholeResponse) -> dict[str, Any]:
        """Return the arguments with which the SDK's client processes the response ``whole``."""
        return {
            "cast_to": Completion,
            "options": self._options,
            "response": build_response(whole, self.sent),
            "stream": False,
            "stream_cls": None,
            "retries_taken": self.retries,
        }


class Completions:
    """Stands for the SDK's resource ``client.completions`` in LangChain's code that calls its ``create``."""

    __slots__ = ("_resource",)

    def __init__(self, resource: Any) -> None:
        self._resource = resource

    def create(self, **params: Any) -> Any:
        """Return the whole answer, an object of the SDK."""
        if find_obstacle(self._resource) is not None:
            return self._resource.create(**params)
        return CompletionRequest(self._resource, params).read_completion()


class AsyncCompletions(Completions):
    """:class:`Completions` for async code."""

    __slots__ = ()

    async def create(self, **params: Any) -> Any:
        """Return the whole answer, an object of the SDK."""
        if find_obstacle(self._resource) is not None:
            return await self._resource.create(**params)
        return await CompletionRequest(self._resource, params).aread_completion()
