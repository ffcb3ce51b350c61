"""A call of the Responses API: its request, and the processors of its streams and of its whole answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ...outputs import LLMResult
from ...outputs.chat_generation import ChatResult
from ...streaming.protocols import ChunkProcessor
from ..http.request import PendingRequest
from ..payload_stream import PayloadGenerations, PayloadMessages
from ..whole_payloads import WholePayloads
from .arguments import RESPONSES_PATH
from .responses_input import build_input, split_at_response
from .responses_params import to_responses_params
from .responses_reader import ResponsesReader

if TYPE_CHECKING:
    from ...messages.base import BaseMessage
    from ..http.request import Endpoint

    class ResponsesModel(Endpoint, Protocol):
        """The interface of a chat model that a call of the Responses API uses."""

        model_kwargs: dict[str, Any]
        output_version: str | None
        use_previous_response_id: bool
        include_response_headers: bool
        max_response_size: int


__all__ = ("ResponsesRequest", "build_responses_payload")

_FORMAT = "openai.responses"


def build_responses_payload(
    model: ResponsesModel, messages: Sequence[BaseMessage], params: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters in the body of a request, from those of chat completions."""
    sent = dict(params)
    if model.use_previous_response_id:
        messages, previous_id = split_at_response(messages)
        if previous_id is not None:
            sent["previous_response_id"] = previous_id
    sent = to_responses_params(sent, kept=model.model_kwargs)
    return {**sent, "input": build_input(messages, store=sent.get("store"))}


class ResponsesRequest(PendingRequest):
    """A pending request to the Responses API; ``schema`` is the response format that the call asked for."""

    __slots__ = ("_model", "_schema")

    def __init__(self, model: ResponsesModel, params: dict[str, Any], idle: float | None, *, schema: Any) -> None:
        super().__init__(model, RESPONSES_PATH, params, idle)
        self._model = model
        self._schema = schema

    def create_reader(self) -> ResponsesReader:
        """Return what reads the response."""
        return ResponsesReader(version=self._model.output_version, schema=self._schema)

    def read_generations(self) -> ChunkProcessor[LLMResult]:
        """Return the processor of a stream of generation chunks."""
        cls = _WithHeaders if self._model.include_response_headers else PayloadGenerations
        return cls(_FORMAT, self.idle, self.create_reader, n=1)

    def read_messages(self, id: str, *, collect_result: bool) -> ChunkProcessor[LLMResult]:
        """Return the processor of a stream of messages, whose id is ``id``."""
        return PayloadMessages(_FORMAT, self.idle, self.create_reader, n=1, id=id, collect_result=collect_result)

    def read_whole(self) -> WholePayloads:
        """Return the processor of a response that does not stream."""
        return WholePayloads(_FORMAT, n=1, size=self._model.max_response_size)

    def create_result(self, body: WholePayloads) -> ChatResult:
        """Return the result of a response that has been read."""
        reader = self.create_reader()
        if self._model.include_response_headers:
            reader.metadata = {"headers": dict(body.headers)}
        return body.create_result(reader)


class _WithHeaders(PayloadGenerations):
    """Generation chunks, the first of which has the response's headers."""

    __slots__ = ()

    def opened(self, body: Any) -> None:
        """Keep the headers."""
        super().opened(body)
        reader: Any = self._reader
        reader.metadata = {"headers": dict(body.headers)}
