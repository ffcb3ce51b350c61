"""The processors of Anthropic's streams: the chunks of ``_stream``, and the messages of ``stream``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from anthropic._models import construct_type
from anthropic.types import RawContentBlockDeltaEvent, TextDelta
from langchain_anthropic.chat_models import _add_gateway_metadata
from langchain_core.outputs import ChatGenerationChunk

from .anthropic_requests import AnthropicRequest
from .message_outputs import MessageOutputs, keeping_maker
from .payload_outputs import PayloadOutputs, text_feed
from .text_chunks import generation_maker, message_maker

__all__ = ("AnthropicGenerations", "AnthropicMessages")

_EVENT = RawContentBlockDeltaEvent(type="content_block_delta", index=0, delta=TextDelta(type="text_delta", text=""))


class AnthropicGenerations(PayloadOutputs):
    """Outputs a generation chunk for each payload, as langchain-anthropic's ``_stream`` does.

    A payload that is a piece of text in the block that began last becomes a chunk without the SDK's objects. Different
    are: a stream that ends early is an error; the halves of a character that arrive in two payloads are joined.
    """

    __slots__ = ("_block_start", "_first_info", "_indexes", "_make", "_model")

    _request: AnthropicRequest

    def __init__(self, model: Any, request: AnthropicRequest, *, collect_result: bool = False) -> None:
        self._model = model
        # The indexes of the blocks so far, the last of which a text belongs to. The functions that make outputs refer
        # to it, and not to this object, which refers to them.
        self._indexes: list[Any] = []
        sample = model._make_message_chunk_from_anthropic_event(
            _EVENT, stream_usage=request.stream_usage, coerce_content_to_string=True
        )
        make = self._find_maker(sample[0])
        self._make = make if request.is_text else _block_maker(make, self._indexes)
        super().__init__("anthropic.messages", request, None, n=1, collect_result=collect_result)

    def _find_maker(self, sample: Any) -> Callable[[str], Any]:
        """Return the function that makes the output of a piece of text."""
        return generation_maker(ChatGenerationChunk(message=sample, generation_info=None))

    def _start(self) -> None:
        super()._start()
        self._block_start: Any = None
        self._indexes.clear()
        self._first_info: dict[str, Any] | None = {}

    def opened(self, body: Any) -> None:
        """Keep the metadata of LangSmith's gateway for the first chunk."""
        super().opened(body)
        if self._model._uses_gateway:
            self._first_info = {}
            _add_gateway_metadata(self._first_info, self._response(body))

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to chunks."""
        read, convert = self._decoder.feed_payloads, self._outputs
        return (lambda data: convert(read(data))) if self._first_info else text_feed(read, self._make, convert)

    def _make_output(self, payload: Any) -> Any:
        if type(payload) is str:
            return self._add_info(self._make(payload))
        value, text = payload
        if not isinstance(value, dict) or value.get("type") not in _KNOWN:
            return None
        _set_text(value, text or "")
        if value["type"] == "content_block_start" or ("index" in value and value["index"] not in self._indexes):
            self._indexes.append(value.get("index"))
        message, self._block_start = self._model._make_message_chunk_from_anthropic_event(
            construct_type(type_=self._request.event_type, value=value),
            stream_usage=self._request.stream_usage,
            coerce_content_to_string=self._request.is_text,
            block_start_event=self._block_start,
        )
        if message is None:
            return None
        info, self._first_info = self._first_info, None
        self._has_chunks = True
        return self._finish(ChatGenerationChunk(message=message, generation_info=info))

    def _add_info(self, output: Any) -> Any:
        """Add the metadata for the first chunk to it, if there are some."""
        if self._first_info:
            output.generation_info, self._first_info = self._first_info, None
        return output

    def _finish(self, chunk: ChatGenerationChunk) -> Any:
        """Return the output for ``chunk``."""
        return chunk


class AnthropicMessages(MessageOutputs, AnthropicGenerations):
    """Outputs the messages of the chunks, with the id ``id``."""

    __slots__ = ("_has_last", "_id", "_kept", "_texts")

    def __init__(self, model: Any, request: AnthropicRequest, id: str, *, collect_result: bool = False) -> None:
        self._id, self._texts = id, []
        super().__init__(model, request, collect_result=collect_result)
        if collect_result:
            self._make = keeping_maker(self._make, self._texts)

    def _find_maker(self, sample: Any) -> Callable[[str], Any]:
        return message_maker(sample, self._id)

    def _add_info(self, output: Any) -> Any:
        if self._first_info:
            output.response_metadata, self._first_info = {**self._first_info, **output.response_metadata}, None
        return output

    @property
    def _last_content(self) -> Any:
        return "" if self._request.is_text else []


# The events that langchain-anthropic makes chunks of.
_KNOWN = ("message_start", "content_block_start", "content_block_delta", "message_delta")


def _block_maker(make: Callable[[str], Any], indexes: Sequence[Any]) -> Callable[[str], Any]:
    """Return the function that makes the output of a text as a block, from ``make``, which makes that of a text."""

    def make_of_block(text: str) -> Any:
        output = make(text)
        message = vars(output).get("message", output)
        # The constructor would do no more than keep it.
        vars(message)["content"] = [{"text": text, "type": "text", "index": indexes[-1] if indexes else 0}]
        return output

    return make_of_block


def _set_text(value: Mapping[str, Any], text: str) -> None:
    """Replace the text of a payload by ``text``, which is in whole characters."""
    for name in ("delta", "content_block"):
        holder = value.get(name)
        if isinstance(holder, dict) and isinstance(holder.get("text"), str):
            holder["text"] = text
