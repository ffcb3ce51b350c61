"""Messages and generations of ours as LangChain's: pydantic objects, which are not validated again.

Nearly all chunks of a stream have a text and nothing else. They are built without pydantic, with equal fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._pydantic_object import make_object
from ..messages.ai import AIMessageChunk
from ..messages.base import BaseMessage
from ..outputs.generation import Generation

__all__ = ("generation_converter", "message_converter")


def message_converter(cls: type, their_class: Any) -> Callable[[Any], Any]:
    """Return the function that makes an object of ``their_class`` of each message of ``cls``, a class of ours."""
    if cls is AIMessageChunk:
        return _chunk_converter(their_class)
    return lambda message: _convert(their_class, message)


def _convert(their_class: Any, message: BaseMessage) -> Any:
    fields = dict(message)
    made = their_class.model_construct(**fields)
    # As if its constructor was called with these fields alone.
    made.__pydantic_fields_set__ = {name for name, value in fields.items() if name == "content" or _is_given(value)}
    made.__pydantic_fields_set__.discard("type")
    return made


def _is_given(value: object) -> bool:
    return value is not None and value != [] and value != {}


def _chunk_converter(their_class: Any) -> Callable[[AIMessageChunk], Any]:
    # The order of the fields, in which they are shown, and their defaults.
    defaults = dict(vars(their_class(content="")))
    if list(defaults) != _NAMES:
        return lambda chunk: _convert(their_class, chunk)
    copy, given = defaults.copy, {"content", "response_metadata", "id"}

    def convert(chunk: AIMessageChunk) -> Any:
        if not _has_text_alone(chunk):
            return _convert(their_class, chunk)
        fields = copy()
        fields["content"] = chunk.content
        fields["id"] = chunk.id
        fields["additional_kwargs"] = {}
        fields["response_metadata"] = chunk._response_metadata or {}
        fields["tool_calls"] = []
        fields["invalid_tool_calls"] = []
        fields["tool_call_chunks"] = []
        return make_object(their_class, fields, given.copy(), {})

    return convert


def generation_converter(their_class: Any, convert: Callable[[Any], Any]) -> Callable[[Generation], Any]:
    """Return the function that makes an object of ``their_class`` of each generation; ``convert`` does its message."""
    names = list(their_class.model_fields)

    def convert_text(generation: Generation) -> Any:
        info = generation.generation_info
        fields = {"text": generation.text, "generation_info": info, "type": generation.type}
        return make_object(their_class, fields, {"text"} if info is None else {"text", "generation_info"}, None)

    def convert_chat(generation: Any) -> Any:
        info = generation.generation_info
        fields = {"text": generation.text, "generation_info": info, "type": generation.type}
        fields["message"] = convert(generation.message)
        return make_object(
            their_class, fields, {"text", "message"} if info is None else {"text", "message", "generation_info"}, None
        )

    if names == ["text", "generation_info", "type"]:
        return convert_text
    if names == ["text", "generation_info", "type", "message"]:
        return convert_chat
    return lambda generation: their_class.model_construct(
        **{name: convert(getattr(generation, name)) for name in names if hasattr(generation, name)}
    )


_NAMES = [
    *("content", "additional_kwargs", "response_metadata", "type", "name", "id"),
    *("tool_calls", "invalid_tool_calls", "usage_metadata", "tool_call_chunks", "chunk_position"),
]


def _has_text_alone(chunk: AIMessageChunk) -> bool:
    return not (
        chunk.id is None
        or chunk.chunk_position
        or chunk.usage_metadata
        or chunk._tool_call_chunks
        or chunk._tool_calls
        or chunk._invalid_tool_calls
        or chunk._additional_kwargs
        or chunk.name
        or chunk.content.__class__ is not str
        or chunk.__dict__
    )
