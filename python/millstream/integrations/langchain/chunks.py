"""The chunks of text of langchain-openai's chat models; every other payload goes through its own converter."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai.chat_models.base import BaseChatOpenAI, _convert_responses_chunk_to_generation_chunk
from openai.types.responses import ResponseTextDeltaEvent

from .text_chunks import generation_maker, message_maker

__all__ = (
    "chat_generation_maker",
    "chat_message_maker",
    "response_generation_maker",
    "response_message_maker",
)

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


def chat_message_maker(output_version: str | None, id: str) -> Callable[[str], AIMessageChunk]:
    """Return the function that makes the chunk of a piece of text, as a chat model's ``stream`` yields it."""
    return message_maker(_find_sample(output_version).message, id)


def response_message_maker(output_version: str | None, id: str) -> Callable[[str, int], AIMessageChunk]:
    """:func:`chat_message_maker` for the Responses API."""
    make = message_maker(_find_response_sample(output_version).message, id)
    return lambda text, index: make([{"type": "text", "text": text, "index": index}])


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
