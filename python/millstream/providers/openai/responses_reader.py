"""``ResponsesReader``: the events of the Responses API as message chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ...messages.ai import AIMessageChunk, text_chunk
from ...messages.content import block_type
from ...messages.tool_calls import ToolCallChunk, tool_call_chunk
from ...outputs.chat_generation import ChatGeneration, ChatGenerationChunk, ChatResult
from ..message_reader import MessageReader
from ..usage_metadata import create_responses_usage
from .responses_items import KEPT_ITEMS, annotation_to_block, as_text, item_block
from .responses_result import build_message, find_parsed, response_metadata
from .responses_v0 import to_v0

__all__ = ("ResponsesReader",)

_Block = dict[str, Any]
_Event = Mapping[str, Any]


class ResponsesReader(MessageReader):
    """Reads the events of one stream, or one whole response.

    Each block of the content has an ``index``, by which chunks are merged: it grows with each output item, and
    with each part of a message. ``version`` is the model's ``output_version``; ``schema`` is the response format of
    the request, for ``additional_kwargs["parsed"]``. :attr:`metadata` is added to the first chunk's.
    """

    __slots__ = (
        *(
            "_arguments",
            "_begun",
            "_has_reasoning",
            "_has_refused",
            "_index",
            "_output_index",
            "_part_index",
            "_places",
            "_schema",
            "_version",
        ),
        "metadata",
    )

    def __init__(self, *, version: str | None, schema: Any = None) -> None:
        super().__init__()
        self.metadata: Mapping[str, Any] | None = None
        self._version = version
        self._schema = schema
        self._index = self._output_index = self._part_index = -1
        # The first `output_index` of each item: events at the end of an item may have a later one.
        self._places: dict[str, int] = {}
        # The part of a message that began last: the indexes of the item and of the part.
        self._begun: tuple[int, Any] = (0, 0)
        self._has_reasoning = self._has_refused = False
        # By the output index of each function call, whether its arguments have begun.
        self._arguments: dict[int, bool] = {}

    def text(self, text: str) -> AIMessageChunk:
        """Return a chunk with a block of text."""
        if self._begun != (self._output_index, self._part_index):
            self._advance(*self._begun)
        chunk = text_chunk("", self.id, self._start_metadata() if self.metadata else {"model_provider": "openai"})
        chunk.content = [{"type": "text", "text": text, "index": self._index}]
        return chunk

    def read(self, payload: Any, text: str | None) -> ChatGenerationChunk | None:
        """Return the chunk of an event; ``None`` for those without content, and for unknown ones."""
        if not isinstance(payload, dict):
            return None
        if payload.get("object") == "response":
            # The server does not stream.
            payload = {"type": "response.completed", "response": payload}
        chunk = self._read_event(payload, text or "")
        if chunk is None:
            return None
        if self._version == "v0":
            chunk = to_v0(chunk, has_reasoning=self._has_reasoning)
            self._has_reasoning = self._has_reasoning or "reasoning" in (chunk._additional_kwargs or {})
        chunk.id = chunk.id or self.id
        return ChatGenerationChunk(chunk)

    def _read_event(self, event: dict[str, Any], text: str) -> AIMessageChunk | None:
        """Return the chunk of an event with ``text``, in whole characters."""
        type_name = str(event.get("type"))
        item = event.get("item")
        item_id = as_text(item.get("id") if isinstance(item, dict) else event.get("item_id"))
        if item_id is not None and isinstance(output_index := event.get("output_index"), int):
            self._places.setdefault(item_id, output_index)
        if type_name in _TEXT_EVENTS:
            # A text that repeats the deltas is not in `text`, nor is half of a character.
            return _TEXT_EVENTS[type_name](self, {**event, "text": text}, item_id)
        chunk = _EVENTS[type_name](self, event, item_id) if type_name in _EVENTS else None
        if text and not (chunk is not None and chunk.content):
            # A server that sends no deltas.
            chunk = chunk or self._chunk()
            chunk.content = [{"type": "text", "text": text, "index": self._advance(*self._begun)}]
        return chunk

    def whole(self, body: Any) -> ChatResult:
        """Return the result of a response."""
        message = build_message(body, schema=self._schema, metadata=self.metadata, version=self._version)
        return ChatResult([ChatGeneration(message)])

    # The chunks.

    def _start_metadata(self) -> dict[str, Any]:
        metadata, self.metadata = self.metadata, None
        return {**(metadata or {}), "model_provider": "openai"}

    def _chunk(self, *blocks: _Block) -> AIMessageChunk:
        chunk = text_chunk("", None, self._start_metadata())
        chunk.content = list(blocks)
        return chunk

    def _call_chunk(self, piece: ToolCallChunk, *blocks: _Block) -> AIMessageChunk:
        chunk = self._chunk(*blocks)
        chunk._tool_call_chunks = [piece]
        return chunk

    def _place(self, item_id: str | None, event: _Event) -> int:
        """Return the output index of an event's item."""
        index = event.get("output_index")
        return self._places.get(item_id or "", index if isinstance(index, int) else 0)

    def _advance(self, output_index: int, part_index: Any = None) -> int:
        """Return the index of a block: the next one, if the item or the part of the message has changed."""
        if output_index != self._output_index or (part_index is not None and part_index != self._part_index):
            self._index += 1
        if part_index is not None:
            self._part_index = part_index
        self._output_index = output_index
        return self._index

    # The events.

    def _read_created(self, event: _Event, item_id: str | None) -> AIMessageChunk:
        response = event.get("response")
        chunk = self._chunk()
        chunk.id = as_text(response.get("id")) if isinstance(response, dict) else None
        chunk.response_metadata["id"] = chunk.id
        return chunk

    def _read_end(self, event: _Event, item_id: str | None) -> AIMessageChunk:
        """Return the last chunk: the usage and the metadata of the response."""
        found = event.get("response")
        response: Mapping[str, Any] = found if isinstance(found, dict) else {}
        has_content = self._index >= 0 or self._has_refused
        chunk = self._chunk() if has_content else self._whole_chunk(response)
        metadata = response_metadata(response)
        metadata.pop("id", None)
        chunk.response_metadata = metadata
        if isinstance(usage := response.get("usage"), dict) and usage:
            chunk.usage_metadata = create_responses_usage(usage, as_text(response.get("service_tier")))
        if parsed := find_parsed(response, self._schema):
            chunk.additional_kwargs["parsed"] = parsed
        chunk.chunk_position = "last"
        return chunk

    def _whole_chunk(self, response: Mapping[str, Any]) -> AIMessageChunk:
        """Return all of a response as one chunk, where no event before had any of it."""
        message = build_message(response, version=None)
        blocks = [{**block, "index": index} for index, block in enumerate(message.content) if isinstance(block, dict)]
        chunk = self._chunk(*blocks)
        chunk.id = message.id if blocks else None
        places = {as_text(block.get("call_id")): index for index, block in enumerate(blocks)}
        chunk._tool_call_chunks = [
            tool_call_chunk(name=name, args=args, id=id, index=places.get(id))
            for name, args, id in (
                *((call["name"], json.dumps(call["args"]), call["id"]) for call in message.tool_calls),
                *((call["name"], call["args"], call["id"]) for call in message.invalid_tool_calls),
            )
        ] or None
        return chunk

    def _read_item_added(self, event: _Event, item_id: str | None) -> AIMessageChunk | None:
        item = event.get("item")
        if not isinstance(item, dict):
            return None
        type_name = block_type(item)
        if type_name == "message":
            return self._begin_message(event, item)
        if type_name == "function_call":
            return self._begin_call(self._advance(self._place(item_id, event)), item)
        if type_name != "reasoning":
            return None
        index = self._advance(self._place(item_id, event))
        self._part_index = 0
        # What is encrypted comes with the end of the item, and would be merged with itself.
        block = item_block({key: value for key, value in item.items() if key != "encrypted_content"})
        return self._chunk({**block, "index": index})

    def _begin_message(self, event: _Event, item: Mapping[str, Any]) -> AIMessageChunk:
        item_id = as_text(item.get("id"))
        self._begun = self._place(item_id, event), 0
        if self._version != "v0" and item.get("phase"):
            index = self._advance(*self._begun)
            return self._chunk({"type": "text", "text": "", "phase": item["phase"], "index": index})
        chunk = self._chunk()
        if self._version == "v0":
            chunk.id = item_id
        return chunk

    def _begin_call(self, index: int, item: Mapping[str, Any]) -> AIMessageChunk:
        name, arguments, call_id = (as_text(item.get(key)) for key in ("name", "arguments", "call_id"))
        block: _Block = {"type": "function_call", "name": name, "arguments": arguments, "call_id": call_id}
        block |= {"id": item.get("id"), "index": index}
        block |= {key: item[key] for key in ("namespace", "async") if item.get(key) is not None}
        self._arguments[self._output_index] = bool(arguments)
        return self._call_chunk(tool_call_chunk(name=name, args=arguments, id=call_id, index=index), block)

    def _read_item_done(self, event: _Event, item_id: str | None) -> AIMessageChunk | None:
        item = event.get("item")
        if not isinstance(item, dict):
            return None
        type_name = block_type(item)
        if type_name in KEPT_ITEMS:
            return self._chunk({**item_block(item), "index": self._advance(self._place(item_id, event))})
        if type_name == "function_call":
            return self._end_call(event, item, item_id)
        if type_name == "custom_tool_call":
            index = self._advance(self._place(item_id, event))
            args = json.dumps({"__arg1": item.get("input")})
            name, call_id = as_text(item.get("name")), as_text(item.get("call_id"))
            piece = tool_call_chunk(name=name, args=args, id=call_id, index=index)
            return self._call_chunk(piece, {**item_block(item), "index": index})
        if type_name == "reasoning" and (encrypted := item.get("encrypted_content")):
            block = {"type": "reasoning", "id": item_id, "summary": [], "encrypted_content": encrypted}
            return self._chunk({**block, "index": self._advance(self._place(item_id, event))})
        return None

    def _end_call(self, event: _Event, item: Mapping[str, Any], item_id: str | None) -> AIMessageChunk | None:
        """Return the chunk of a call that was not handed out before, or of its arguments that were not."""
        place = self._place(item_id, event)
        if place not in self._arguments:
            return self._begin_call(self._advance(place), item)
        return self._read_arguments_done({**item, "output_index": place}, None)

    def _read_part_added(self, event: _Event, item_id: str | None) -> None:
        self._begun = self._place(item_id, event), event.get("content_index")

    def _read_partial_image(self, event: _Event, item_id: str | None) -> AIMessageChunk:
        """Return an empty chunk, as LangChain does: a message has no place for an image that is not complete."""
        return self._chunk()

    def _text_index(self, event: _Event, item_id: str | None) -> int:
        return self._advance(self._place(item_id, event), event.get("content_index"))

    def _read_text(self, event: _Event, item_id: str | None) -> AIMessageChunk:
        return self._chunk({"type": "text", "text": event["text"], "index": self._text_index(event, item_id)})

    def _read_annotation(self, event: _Event, item_id: str | None) -> AIMessageChunk:
        annotation = annotation_to_block(event.get("annotation"))
        index = self._text_index(event, item_id)
        return self._chunk({"type": "text", "annotations": [annotation], "index": index})

    def _read_text_done(self, event: _Event, item_id: str | None) -> AIMessageChunk:
        index = self._text_index(event, item_id)
        return self._chunk({"type": "text", "text": event["text"], "id": event.get("item_id"), "index": index})

    def _read_refusal(self, event: _Event, item_id: str | None) -> AIMessageChunk:
        self._has_refused = True
        return self._chunk({"type": "refusal", "refusal": event.get("refusal")})

    def _read_arguments(self, event: _Event, item_id: str | None) -> AIMessageChunk:
        return self._add_arguments(self._advance(self._place(item_id, event)), as_text(event.get("delta")))

    def _read_arguments_done(self, event: _Event, item_id: str | None) -> AIMessageChunk | None:
        """Return the chunk of arguments for which the server sent no deltas."""
        arguments, place = as_text(event.get("arguments")), self._place(item_id, event)
        if not arguments or self._arguments.get(place, True):
            return None
        return self._add_arguments(self._advance(place), arguments)

    def _add_arguments(self, index: int, delta: str | None) -> AIMessageChunk:
        self._arguments[self._output_index] = True
        piece = tool_call_chunk(args=delta, index=index)
        return self._call_chunk(piece, {"type": "function_call", "arguments": delta, "index": index})

    def _read_summary_part(self, event: _Event, item_id: str | None) -> AIMessageChunk:
        index = self._advance(self._place(item_id, event))
        return self._chunk({**_summary(event, ""), "index": index, "type": "reasoning", "id": event.get("item_id")})

    def _read_summary(self, event: _Event, item_id: str | None) -> AIMessageChunk:
        index = self._advance(self._place(item_id, event))
        return self._chunk({**_summary(event, event.get("delta")), "index": index, "type": "reasoning"})


def _summary(event: _Event, text: Any) -> _Block:
    return {"summary": [{"index": event.get("summary_index"), "type": "summary_text", "text": text}]}


_TEXT_EVENTS: dict[str, Callable[[ResponsesReader, _Event, Any], AIMessageChunk]] = {
    "response.output_text.delta": ResponsesReader._read_text,
    "response.output_text.done": ResponsesReader._read_text_done,
}
_EVENTS: dict[str, Callable[[ResponsesReader, _Event, Any], AIMessageChunk | None]] = {
    "response.created": ResponsesReader._read_created,
    "response.output_item.added": ResponsesReader._read_item_added,
    "response.output_item.done": ResponsesReader._read_item_done,
    "response.content_part.added": ResponsesReader._read_part_added,
    "response.output_text.annotation.added": ResponsesReader._read_annotation,
    "response.refusal.done": ResponsesReader._read_refusal,
    "response.function_call_arguments.delta": ResponsesReader._read_arguments,
    "response.function_call_arguments.done": ResponsesReader._read_arguments_done,
    "response.reasoning_summary_part.added": ResponsesReader._read_summary_part,
    "response.reasoning_summary_text.delta": ResponsesReader._read_summary,
    "response.image_generation_call.partial_image": ResponsesReader._read_partial_image,
    "response.completed": ResponsesReader._read_end,
    "response.incomplete": ResponsesReader._read_end,
}
