"""LangChain's chunks of text, made without validation of a sample that LangChain made.

Nearly all payloads of a stream are a piece of text. Building its chunk from a template takes half a microsecond, and
the fields, ``__pydantic_fields_set__`` and all else equal those of LangChain's constructors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from ..._pydantic_object import set_extra, set_fields, set_fields_set, set_private

__all__ = ("generation_maker", "merge_metadata", "message_maker")

# The fields of a message of plain text that have a mutable value: each chunk needs its own.
_MUTABLE = {"additional_kwargs", "response_metadata", "tool_calls", "invalid_tool_calls", "tool_call_chunks"}


def generation_maker(sample: ChatGenerationChunk) -> Callable[..., ChatGenerationChunk]:
    """Return the function that makes chunks of a text which have all else of ``sample``.

    Its second argument is the message's content, if that is not the text itself.
    """
    message: Any = sample.message
    make_message = _message_maker(message, vars(message), message.__pydantic_fields_set__)
    values, fields_set = dict(vars(sample)), sample.__pydantic_fields_set__
    new = object.__new__

    def make(text: str, content: Any = None) -> ChatGenerationChunk:
        chunk = new(ChatGenerationChunk)
        made = values.copy()
        made["text"] = text
        made["message"] = make_message(text if content is None else content)
        set_fields(chunk, made)
        set_fields_set(chunk, fields_set.copy())
        set_extra(chunk, None)
        set_private(chunk, None)
        return chunk

    return make


def message_maker(message: Any, id: str) -> Callable[[Any], AIMessageChunk]:
    """Return the function that makes messages of a content, with the id ``id``, which have all else of ``message``."""
    values = {**vars(message), "id": id}
    return _message_maker(message, values, message.__pydantic_fields_set__ | {"id", "response_metadata"})


def merge_metadata(chunk: ChatGenerationChunk) -> dict[str, Any]:
    """Return the metadata of a chunk's message, after those of the generation, as LangChain merges them."""
    return {**(chunk.generation_info or {}), **chunk.message.response_metadata}


def _message_maker(sample: Any, values: dict[str, Any], fields_set: set[str]) -> Callable[[Any], AIMessageChunk]:
    """Return the function that makes messages of a content, with the fields of ``sample`` and of ``values``."""
    mutable = {name for name, value in values.items() if isinstance(value, list | dict) and name != "content"}
    if mutable != _MUTABLE or sample.__pydantic_extra__ != {} or sample.__pydantic_private__ is not None:
        # A newer version of LangChain has other fields.
        return lambda content: sample.model_copy(update={**values, "content": content}, deep=True)
    new, metadata = object.__new__, sample.response_metadata

    def make(content: Any) -> AIMessageChunk:
        message = new(AIMessageChunk)
        made = values.copy()
        made["content"] = content
        made["additional_kwargs"] = {}
        made["response_metadata"] = metadata.copy()
        made["tool_calls"] = []
        made["invalid_tool_calls"] = []
        made["tool_call_chunks"] = []
        set_fields(message, made)
        set_fields_set(message, fields_set.copy())
        set_extra(message, {})
        set_private(message, None)
        return message

    return make
