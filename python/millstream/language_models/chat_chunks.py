"""What the base of chat models adds to what its subclasses return: ids, details, the mark of the last chunk."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..outputs.chat_generation import ChatResult

__all__ = ("completed_chunk", "completed_result", "empty_last_chunk", "run_message_id")


def run_message_id(run_id: UUID) -> str:
    """Return the id of a message that has none of its provider's."""
    return f"lc_run--{run_id}"


def completed_chunk(chunk: Any, id: str) -> None:
    """Give the chunk's message ``id``, if it has none, and the chunk's details.

    Raises :class:`TypeError` for what is no chunk of a chat model, ours or LangChain's.
    """
    if not hasattr(chunk, "message"):
        raise TypeError(f"_stream() must yield ChatGenerationChunk objects, not {type(chunk).__name__}")
    message = chunk.message
    if message.id is None:
        message.id = id
    if chunk.generation_info:
        message.response_metadata = {**chunk.generation_info, **message.response_metadata}


def empty_last_chunk(chunk: Any) -> Any:
    """Return an empty chunk that says it is the last, behind ``chunk``; ``None`` where ``chunk`` says so itself."""
    message = chunk.message
    if getattr(message, "chunk_position", "last"):
        return None
    content: Any = "" if isinstance(message.content, str) else []
    return type(chunk)(message=type(message)(content=content, chunk_position="last", id=message.id))


def completed_result(result: ChatResult, run_id: UUID) -> ChatResult:
    """Give the messages of ``result`` ids, where they have none, and the details of their generations and the call."""
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
