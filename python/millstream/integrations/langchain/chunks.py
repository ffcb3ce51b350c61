"""LangChain's chunks, made of the payloads of a stream.

Nearly all payloads are a piece of text. Their chunks are built from a template, without validation: that
takes half a microsecond, and the fields, ``__pydantic_fields_set__`` and all else equal those of LangChain's
constructors. Every other payload goes through langchain-openai's own converter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai.chat_models.base import BaseChatOpenAI, _convert_responses_chunk_to_generation_chunk
from openai.types.responses import ResponseTextDeltaEvent

from ..._pydantic_object import set_extra, set_fields, set_fields_set, set_private

__all__ = (
    "chat_generation_maker",
    "chat_message_maker",
    "generation_maker",
    "merge_metadata",
    "message_maker",
    "response_generation_maker",
    "response_message_maker",
)

# The fields of a message of plain text that have a mutable value: each chunk needs its own.
_MUTABLE = {"additional_kwargs", "response_metadata", "tool_calls", "invalid_tool_calls", "tool_call_chunks"}
_SAMPLE = {"choices": [{"index": 0, "delta": {"content": ""}}]}
_RESPONSE_SAMPLE: dict[str, Any] = {
    **{"type": "response.output_text.delta", "delta": "", "item_id": "", "logprobs": [], "sequence_number": 0},
    **{"output_index": 0, "content_index": 0},
}

_samples: dict[bool, ChatGenerationChunk] = {}


def chat_generation_maker(output_version: str | None) -> Callable[[str], ChatGenerationChunk]:
    """Return the function that makes the chunk of a piece of text, as langchain-openai's ``_stream`` yields it."""
    return generation_maker(_find_sample(output_version))


def response_generation_maker(output_version: str | None) -> Callable[[str, int], ChatGenerationChunk]:
    """:func:`chat_generation_maker` for the Responses API, where text is a block of the content with an index."""
    make = generation_maker(_find_response_sample(output_version))
    return lambda text, index: make(text, [{"type": "text", "text": text, "index": index}])


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


def chat_message_maker(output_version: str | None, id: str) -> Callable[[str], AIMessageChunk]:
    """Return the function that makes the chunk of a piece of text, as a chat model's ``stream`` yields it."""
    return message_maker(_find_sample(output_version).message, id)


def message_maker(message: Any, id: str) -> Callable[[Any], AIMessageChunk]:
    """Return the function that makes messages of a content, with the id ``id``, which have all else of ``message``."""
    values = {**vars(message), "id": id}
    return _message_maker(message, values, message.__pydantic_fields_set__ | {"id", "response_metadata"})


def response_message_maker(output_version: str | None, id: str) -> Callable[[str, int], AIMessageChunk]:
    """:func:`chat_message_maker` for the Responses API."""
    make = message_maker(_find_response_sample(output_version).message, id)
    return lambda text, index: make([{"type": "text", "text": text, "index": index}])


def merge_metadata(chunk: ChatGenerationChunk) -> dict[str, Any]:
    """Return the metadata of a chunk's message, after those of the generation, as LangChain merges them."""
    return {**(chunk.generation_info or {}), **chunk.message.response_metadata}


def _find_sample(output_version: str | None) -> ChatGenerationChunk:
    """Return the chunk that langchain-openai makes of an empty text."""
    is_v1 = output_version == "v1"
    if is_v1 not in _samples:
        model: Any = SimpleNamespace(output_version=output_version)
        sample = BaseChatOpenAI._convert_chunk_to_generation_chunk(model, _SAMPLE, AIMessageChunk, {})
        assert sample is not None
        _samples[is_v1] = sample
    return _samples[is_v1]


@cache
def _find_response_sample(output_version: str | None) -> ChatGenerationChunk:
    """Return the chunk that langchain-openai makes of an empty text of the Responses API."""
    event = ResponseTextDeltaEvent.construct(**_RESPONSE_SAMPLE)
    *_, sample = _convert_responses_chunk_to_generation_chunk(event, 0, 0, 0, output_version=output_version)
    assert sample is not None
    return sample


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
