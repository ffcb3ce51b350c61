"""Calls of chat models: whether one may stream, what the model's methods receive, what is added to their messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..messages.base import run_message_id
from ..outputs.chat_generation import ChatResult

if TYPE_CHECKING:
    from ..outputs import ChatGenerationChunk

__all__ = (
    "complete_message",
    "complete_result",
    "disables_streaming",
    "make_last_chunk",
    "model_input",
)


def disables_streaming(model: Any, kwargs: Mapping[str, Any]) -> bool:
    """Return whether a call with ``kwargs`` must not stream, not even in ``stream``."""
    if model.disable_streaming is True or (model.disable_streaming == "tool_calling" and kwargs.get("tools")):
        return True
    if "stream" in kwargs and not kwargs["stream"]:
        return True
    return "streaming" in model._fields_set and getattr(model, "streaming", None) is False


def model_input(messages: list[Any]) -> list[Any]:
    """Return messages for the model's own methods; see :func:`~millstream.messages.normalizing.normalize_messages`."""
    if all(isinstance(message.content, str) for message in messages):
        return messages
    from ..messages.normalizing import normalize_messages

    return normalize_messages(messages)


def complete_message(chunk: ChatGenerationChunk, id: str) -> None:
    """Set the id of the chunk's message, if it has none, and add the generation info to its metadata.

    Raises :class:`TypeError` for an object that is not a chunk of a chat model, ours or LangChain's.
    """
    if not hasattr(chunk, "message"):
        raise TypeError(f"_stream() must yield ChatGenerationChunk objects, not {type(chunk).__name__}")
    message = chunk.message
    if message.id is None:
        message.id = id
    if chunk.generation_info:
        message.response_metadata = {**chunk.generation_info, **message.response_metadata}


def make_last_chunk(chunk: ChatGenerationChunk) -> ChatGenerationChunk | None:
    """Return an empty chunk marked as the last one, to follow ``chunk``; ``None`` if ``chunk`` is marked so."""
    message = chunk.message
    if getattr(message, "chunk_position", "last"):
        return None
    content: Any = "" if isinstance(message.content, str) else []
    return type(chunk)(message=type(message)(content=content, chunk_position="last", id=message.id))


def complete_result(model: Any, result: ChatResult, run_id: UUID) -> ChatResult:
    """Set the ids of messages that have none, and add the generation info and ``llm_output`` to their metadata.

    With ``output_version="v1"`` their contents become standard blocks.
    """
    if model.output_version == "v1":
        from .standard_content import with_standard_content

        for generation in result.generations:
            generation.message = with_standard_content(generation.message)
    for place, generation in enumerate(result.generations):
        message: Any = generation.message
        if message.id is None:
            message.id = f"{run_message_id(run_id)}-{place}"
        if generation.generation_info:
            message.response_metadata = {**generation.generation_info, **message.response_metadata}
    if len(result.generations) == 1 and result.llm_output is not None:
        message = result.generations[0].message
        message.response_metadata = {**result.llm_output, **message.response_metadata}
    return result
