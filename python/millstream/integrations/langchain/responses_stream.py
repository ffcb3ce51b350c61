"""The processors of streams of the Responses API: the chunks of ``_stream``, and the messages of ``stream``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai.chat_models import base
from langchain_openai.chat_models.base import BaseChatOpenAI, _add_gateway_metadata
from openai._models import construct_type
from openai.types.responses import ResponseError, ResponseStreamEvent

from ...errors import MillstreamError, ProviderError
from ..openai.models import union_builder
from .chunks import response_generation_maker, response_message_maker
from .message_outputs import merge_result
from .payload_outputs import PayloadOutputs
from .text_chunks import merge_metadata

if TYPE_CHECKING:
    from .chat_requests import ResponsesRequest

__all__ = ("ResponseGenerations", "ResponseMessages")

_TEXT = "response.output_text.delta"
# The events after which text of another part begins.
_BEGINNINGS = ("response.output_item.added", "response.content_part.added")


class ResponseGenerations(PayloadOutputs):
    """Outputs a generation chunk for each event, as langchain-openai's ``_stream_responses`` does.

    A stream that ends early is an error, and so is one that stalls in sync code; the halves of a character that
    arrive in two events are joined.
    """

    __slots__ = (
        "_begun",
        "_first_info",
        "_generation_info",
        "_has_reasoning",
        "_indexes",
        "_make",
        "_model",
        "_places",
    )

    _request: ResponsesRequest

    def __init__(self, model: BaseChatOpenAI, request: ResponsesRequest, *, collect_result: bool = False) -> None:
        self._model = model
        self._make: Callable[[str, int], Any] = self._find_maker()
        limit = model.stream_chunk_timeout or None
        super().__init__("openai.responses", request, limit, n=1, collect_result=collect_result)

    def _find_maker(self) -> Callable[[str, int], Any]:
        """Return the function that makes the output of a piece of text, in the block with an index."""
        return response_generation_maker(self._model.output_version)

    def _start(self) -> None:
        super()._start()
        # langchain-openai's: the index of the block, of the output item, and of the part of a message.
        self._indexes = (-1, -1, -1)
        self._places: dict[str, int] = {}
        # The output item and the part that began last: their indexes, and the item's id.
        self._begun: tuple[Any, Any, Any] = (0, 0, None)
        self._has_reasoning = False
        self._first_info: dict[str, Any] = {}
        self._generation_info: dict[str, Any] = {}

    def opened(self, body: Any) -> None:
        """Keep the headers for the first chunk, if they are requested."""
        super().opened(body)
        if self._request.is_raw:
            self._first_info = {"headers": dict(body.headers)} if self._model.include_response_headers else {}
            _add_gateway_metadata(self._generation_info, body)

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to chunks."""
        read, make, convert = self._decoder.feed_payloads, self._make, self._outputs
        if self._collects:
            return lambda data: convert(read(data))

        def feed(data: bytes) -> Sequence[Any]:
            payloads = read(data)
            for payload in payloads:
                if type(payload) is not str:
                    return convert(payloads)
            if not self._is_in_part():
                return convert(payloads)
            index = self._indexes[0]
            return [make(text, index) for text in payloads]

        return feed

    def _is_in_part(self) -> bool:
        """Return whether the last chunk is of the part that began last, in which text without a place is."""
        return self._begun[:2] == self._indexes[1:] and not self._first_info

    def _make_output(self, payload: Any) -> Any:
        if type(payload) is not str:
            return self._convert_payload(*payload)
        if self._is_in_part():
            return self._make(payload, self._indexes[0])
        output_index, part_index, item_id = self._begun
        event = {"type": _TEXT, "delta": payload, "item_id": item_id, "logprobs": [], "sequence_number": 0}
        return self._convert({**event, "output_index": output_index, "content_index": part_index})

    def _convert_payload(self, payload: Any, text: str | None) -> Any:
        """Return the output of an event, whose text, in whole characters, is ``text``."""
        if not isinstance(payload, dict):
            return None
        type_name = payload.get("type")
        if type_name in _BEGINNINGS:
            item = payload.get("item")
            item_id = item.get("id") if isinstance(item, dict) else payload.get("item_id")
            place = self._places.get(str(item_id), payload.get("output_index"))
            self._begun = place, payload.get("content_index", 0), item_id
        if type_name == _TEXT:
            payload = {**payload, "delta": text or ""}
        if payload.get("object") == "response":
            # The server does not stream.
            return self._finish(self._request.convert_whole(payload))
        return self._convert(payload)

    def _convert(self, payload: dict[str, Any]) -> Any:
        """Return the output of ``payload``, by langchain-openai's converter."""
        *indexes, chunk = base._convert_responses_chunk_to_generation_chunk(
            _build_event(payload),
            *self._indexes,
            schema=self._request.schema,
            metadata=self._first_info,
            has_reasoning=self._has_reasoning,
            output_version=self._model.output_version,
            item_output_indices=self._places,
        )
        self._indexes = (indexes[0], indexes[1], indexes[2])
        return None if chunk is None else self._finish(chunk)

    def _finish(self, chunk: ChatGenerationChunk) -> Any:
        """Return the output for ``chunk``."""
        if self._generation_info:
            chunk.generation_info = {**self._generation_info, **(chunk.generation_info or {})}
        self._first_info, self._generation_info = {}, {}
        self._has_chunks = True
        self._has_reasoning = self._has_reasoning or "reasoning" in chunk.message.additional_kwargs
        return chunk

    def _to_host_error(self, error: MillstreamError) -> Exception:
        """Return langchain-openai's exception: a ``ValueError`` for a response that failed."""
        if not isinstance(error, ProviderError):
            return super()._to_host_error(error)
        described = self._decoder.error or {}
        if self._decoder.finish_reason == "failed":
            has_code = "code" in described
            text = str(ResponseError.construct(**described)) if has_code else described.get("message")
        elif "type" not in described:
            code, message = described.get("code"), described.get("message")
            text = f"{code}: {message}" if code else message
        else:
            return super()._to_host_error(error)
        failure = ValueError(text)
        failure.__cause__ = error
        return failure


class ResponseMessages(ResponseGenerations):
    """Outputs the messages of the chunks, with the id ``id``, and an empty last one if the last is not marked so.

    Raises :class:`ValueError`, as LangChain does, for a stream without chunks.
    """

    __slots__ = ("_has_last", "_id", "_kept", "_texts")

    _needs_chunks = True

    def __init__(
        self, model: BaseChatOpenAI, request: ResponsesRequest, id: str, *, collect_result: bool = False
    ) -> None:
        self._id = id
        super().__init__(model, request, collect_result=collect_result)

    def _start(self) -> None:
        super()._start()
        self._has_last = False
        # For the result: the chunks, and the texts that have arrived since the last one of them.
        self._kept: list[ChatGenerationChunk] = []
        self._texts: list[str] = []

    def _find_maker(self) -> Callable[[str, int], Any]:
        return response_message_maker(self._model.output_version, self._id)

    def _make_output(self, payload: Any) -> Any:
        if not self._collects:
            return super()._make_output(payload)
        index = self._indexes[0]
        kept = len(self._kept)
        output = super()._make_output(payload)
        if type(payload) is str and len(self._kept) == kept:
            self._texts.append(payload)
        elif self._texts:
            # The texts before the new chunk are one chunk, of the block that they belong to.
            text, self._texts = "".join(self._texts), []
            self._kept.insert(kept, ChatGenerationChunk(message=self._make(text, index)))
        return output

    def _finish(self, chunk: ChatGenerationChunk) -> Any:
        chunk = super()._finish(chunk)
        message: Any = chunk.message
        if message.id is None:
            message.id = self._id
        message.response_metadata = merge_metadata(chunk)
        self._has_last = message.chunk_position == "last"
        if self._collects:
            self._kept.append(chunk)
        return message

    def result(self) -> Any:
        """Return LangChain's result of the run: the merged chunks."""
        texts = [ChatGenerationChunk(message=self._make("".join(self._texts), self._indexes[0]))] if self._texts else []
        return merge_result([*self._kept, *texts])

    def close(self) -> Sequence[Any]:
        """Return the messages that were held back, and the last one."""
        outputs = super().close()
        if self.error is not None or self._has_last:
            return outputs
        return [*outputs, AIMessageChunk(content=[], chunk_position="last", id=self._id)]


def _build_event(payload: dict[str, Any]) -> Any:
    """Return the SDK's object of an event."""
    build = union_builder(ResponseStreamEvent)
    event: Any = ResponseStreamEvent
    return construct_type(value=payload, type_=event) if build is None else build(payload)
