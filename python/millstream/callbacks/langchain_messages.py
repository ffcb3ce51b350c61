"""Messages of ours as LangChain's: pydantic objects, which are not validated again.

Nearly all chunks of a stream have a text and nothing else. They are built without pydantic, with equal fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..messages.ai import AIMessageChunk
from ..messages.base import BaseMessage

__all__ = ("message_converter",)

_new = object.__new__
_set = object.__setattr__


def message_converter(their_class: Any) -> Callable[[Any], Any]:
    """Return the function that makes an object of ``their_class`` of each message of ours."""
    if their_class.__name__ == AIMessageChunk.__name__:
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
    # The order of the fields, in which they are shown.
    names = list(vars(their_class(content="")))
    is_known = names == [
        *("content", "additional_kwargs", "response_metadata", "type", "name", "id"),
        *("tool_calls", "invalid_tool_calls", "usage_metadata", "tool_call_chunks", "chunk_position"),
    ]

    def convert(chunk: AIMessageChunk) -> Any:
        if not is_known or not _has_text_alone(chunk):
            return _convert(their_class, chunk)
        made = _new(their_class)
        fields = {
            "content": chunk.content,
            "additional_kwargs": {},
            "response_metadata": chunk._response_metadata or {},
            "type": "AIMessageChunk",
            "name": None,
            "id": chunk.id,
            "tool_calls": [],
            "invalid_tool_calls": [],
            "usage_metadata": None,
            "tool_call_chunks": [],
            "chunk_position": None,
        }
        _set(made, "__dict__", fields)
        _set(made, "__pydantic_fields_set__", {"content", "response_metadata", "id"})
        _set(made, "__pydantic_extra__", {})
        _set(made, "__pydantic_private__", None)
        return made

    return convert


def _has_text_alone(chunk: AIMessageChunk) -> bool:
    return (
        type(chunk.content) is str
        and chunk.id is not None
        and not chunk._tool_call_chunks
        and not chunk._tool_calls
        and not chunk._invalid_tool_calls
        and chunk.usage_metadata is None
        and chunk.chunk_position is None
        and chunk.name is None
        and not chunk._additional_kwargs
        and type(chunk) is AIMessageChunk
        and not chunk.__dict__
    )
