"""LangChain's chunks, made without validation: what they cost before anybody does anything with them."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from langchain_core.messages import AIMessageChunk
from pydantic import BaseModel

from ..fixtures import Reads

__all__ = ("generation_maker", "message_maker", "messages")

_SET: Sequence[Callable[[Any, Any], None]] = [
    vars(BaseModel)[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
]


def message_maker(example: AIMessageChunk) -> Callable[[str], AIMessageChunk]:
    """Return a function that makes a message like ``example`` with another text."""
    set_values, set_given, set_extra, set_private = _SET
    values, given, metadata = example.__dict__, example.__pydantic_fields_set__, example.response_metadata

    def make(text: str) -> AIMessageChunk:
        message = AIMessageChunk.__new__(AIMessageChunk)
        made = values.copy()
        made["content"] = text
        made["additional_kwargs"] = {}
        made["response_metadata"] = metadata.copy()
        made["tool_calls"] = []
        made["invalid_tool_calls"] = []
        made["tool_call_chunks"] = []
        set_values(message, made)
        set_given(message, given.copy())
        set_extra(message, {})
        set_private(message, None)
        return message

    return make


def generation_maker(example: Any) -> Callable[[str], Any]:
    """Return a function that makes a ``ChatGenerationChunk`` like ``example`` with another text."""
    kind, make_message = type(example), message_maker(example.message)
    set_values, set_given, set_extra, set_private = _SET
    values, given = example.__dict__, example.__pydantic_fields_set__

    def make(text: str) -> Any:
        chunk = kind.__new__(kind)
        set_values(chunk, {**values, "text": text, "message": make_message(text)})
        set_given(chunk, given.copy())
        set_extra(chunk, None)
        set_private(chunk, None)
        return chunk

    return make


def messages(reads: Reads) -> Callable[[], list[AIMessageChunk]]:
    """Return what makes a message for each chunk of the reads."""
    payloads = [read.strip().removeprefix(b"data: ") for read in reads]
    choices = [orjson.loads(payload)["choices"][0] for payload in payloads if payload != b"[DONE]"]
    texts = [choice["delta"].get("content") or "" for choice in choices]
    make = message_maker(AIMessageChunk(content="", id="run-1", response_metadata={"model_provider": "openai"}))
    return lambda: [make(text) for text in texts]
