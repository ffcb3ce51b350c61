"""LangChain's path for the functions that make protocol events of chunks and of whole messages."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any

from ..events.protocol import block_events
from ..events.protocol.block_events import ProtocolEvent
from ..events.protocol.content_block import finish_call

__all__ = (
    "CompatBlock",
    "achunks_to_events",
    "amessage_to_events",
    "chunks_to_events",
    "finalize_tool_call_chunk",
    "message_to_events",
)

CompatBlock = dict[str, Any]


def chunks_to_events(
    chunks: Iterable[Any], *, message_id: str | None = None, generation_info: dict[str, Any] | None = None
) -> Iterator[ProtocolEvent]:
    """Yield the events of a stream of generation chunks; ``generation_info`` is not used."""
    return block_events.chunks_to_events(chunks, message_id)


def achunks_to_events(
    chunks: AsyncIterable[Any], *, message_id: str | None = None, generation_info: dict[str, Any] | None = None
) -> AsyncIterator[ProtocolEvent]:
    """:func:`chunks_to_events` for async code."""
    return block_events.achunks_to_events(chunks, message_id)


def message_to_events(msg: Any, *, message_id: str | None = None) -> Iterator[ProtocolEvent]:
    """Yield the events of a whole message."""
    return block_events.message_to_events(msg, message_id)


async def amessage_to_events(msg: Any, *, message_id: str | None = None) -> AsyncIterator[ProtocolEvent]:
    """:func:`message_to_events` for async code."""
    for event in block_events.message_to_events(msg, message_id):
        yield event


def finalize_tool_call_chunk(
    *, raw_args: str | None, id_: str | None, name: str | None, extras: dict[str, Any], finalized_type: str
) -> CompatBlock:
    """Return the call whose arguments are ``raw_args``; arguments that are not valid make it an invalid one."""
    return finish_call(raw_args, id_, name, extras, finalized_type)
