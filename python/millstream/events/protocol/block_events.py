"""``BlockEvents``: the chunks of a message as events of LangChain's content-block protocol, version 3 of the events.

A message is ``message-start``, then for each content block ``content-block-start``, its deltas and
``content-block-finish``, then ``message-finish``. Blocks may interleave; all of a stream's are finished at its end.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

from ..._merge import add_counts, merge_info
from .content_block import ContentBlock, read_delta, start_of

__all__ = ("BlockEvents", "ProtocolEvent", "achunks_to_events", "chunks_to_events", "message_to_events")

ProtocolEvent = dict[str, Any]
"""An event of the protocol: a plain dict, whose ``event`` says which."""


class BlockEvents:
    """Makes the events of one message from its chunks.

    ``id`` is the message's id; by default it is the first chunk's. Chunks are messages of ours, or of LangChain's.
    ``has_infos`` says that their metadata contains their generation info: in OpenAI's, the model's name beside a finish
    reason comes from there, and is not shown at the start.
    """

    __slots__ = (
        *("_additional", "_blocks", "_calls", "_has_infos", "_id", "_latest", "_metadata"),
        *("_started", "_text", "_text_metadata", "_usage"),
    )

    def __init__(self, id: str | None = None, *, has_infos: bool = False) -> None:
        self._id = id
        self._has_infos = has_infos
        self._started = False
        self._blocks: list[ContentBlock] = []
        # The block that a key continues, and the tool calls by key and id: servers may use one index for several.
        self._latest: dict[Any, ContentBlock] = {}
        self._calls: dict[Any, ContentBlock] = {}
        self._metadata: dict[str, Any] = {}
        self._additional: list[dict[str, Any]] = []
        self._usage: dict[str, Any] | None = None
        # The block that plain texts go to, and the metadata of the messages whose content is such a text.
        self._text: ContentBlock | None = None
        self._text_metadata: dict[str, Any] | None = None

    @property
    def started(self) -> bool:
        """Whether there was a chunk."""
        return self._started

    def add(self, message: Any, info: Mapping[str, Any] | None = None) -> list[ProtocolEvent]:
        """Return the events of a chunk; ``info`` is its generation info, where the metadata does not have that yet."""
        block, content = self._text, message.content
        if block is not None and not info and type(content) is str and content and self._is_plain(message):
            block.pieces.append(content)
            delta = {"type": "text-delta", "text": content}
            return [{"event": "content-block-delta", "index": block.index, "delta": delta}]
        if message.type != "AIMessageChunk":
            return []
        return self._add_any(message, info)

    def _is_plain(self, message: Any) -> bool:
        """Return whether the message's content, if it is a text, is all that the message adds to those before it."""
        try:
            metadata = message._response_metadata
            return (
                (metadata is self._text_metadata or metadata == self._text_metadata)
                and message._additional_kwargs is None
                and message._tool_call_chunks is None
                and message._tool_calls is None
                and message._invalid_tool_calls is None
                and message.usage_metadata is None
                and message.chunk_position is None
            )
        except AttributeError:
            # A message of LangChain's.
            return False

    def _add_any(self, message: Any, info: Mapping[str, Any] | None) -> list[ProtocolEvent]:
        metadata = message.response_metadata or {}
        self._metadata.update({**(info or {}), **metadata})
        if message.additional_kwargs:
            self._additional.append(message.additional_kwargs)
        events = []
        if not self._started:
            self._started = True
            is_info = self._has_infos and "finish_reason" in metadata
            shows_model = not is_info or metadata.get("model_provider") != "openai"
            events.append(_message_start(message, self._id, shows_model=shows_model))
        blocks = _keyed_blocks(message)
        for key, fields in blocks:
            block = self._find(key, fields)
            if block is None:
                block = self._begin(key, fields)
                events.append({"event": "content-block-start", "index": block.index, "content": start_of(fields)})
            else:
                block.add(fields)
            if (delta := read_delta(fields)) is not None:
                events.append({"event": "content-block-delta", "index": block.index, "delta": delta})
        if len(blocks) == 1 and blocks[0][0] == _PLAIN_TEXT and type(message.content) is str:
            self._text, self._text_metadata = self._latest[_PLAIN_TEXT], getattr(message, "_response_metadata", None)
        elif blocks:
            self._text = None
        if message.usage_metadata:
            self._usage = _add_usage(self._usage or {}, message.usage_metadata)
        return events

    def _find(self, key: Any, fields: dict[str, Any]) -> ContentBlock | None:
        """Return the block that ``fields`` continue; a piece of a call with another id continues another call."""
        latest = self._latest.get(key)
        if latest is None or not (id := fields.get("id")) or fields["type"] != "tool_call_chunk":
            return latest
        return latest if latest.id in (None, id) else self._calls.get((key, id))

    def _begin(self, key: Any, fields: dict[str, Any]) -> ContentBlock:
        block = ContentBlock(len(self._blocks), fields)
        self._blocks.append(block)
        self._latest[key] = block
        if fields.get("id"):
            self._calls[key, fields["id"]] = block
        return block

    def close(self) -> list[ProtocolEvent]:
        """Return the last events: the finishes of all blocks, and that of the message; none if there was no chunk."""
        if not self._started:
            return []
        finishes: list[ProtocolEvent] = [block.finish() for block in self._blocks]
        return [*finishes, _message_finish(self._usage, self._metadata, merge_info(self._additional))]


# The key of a block without an index: its type and its place in the chunk.
_PLAIN_TEXT = (None, "text", 0)


def _keyed_blocks(message: Any) -> list[tuple[Any, dict[str, Any]]]:
    """Return the standard blocks of a message, each with the key that it has in every chunk of a stream.

    The key is the block's ``index``, or else its type and its place: so chunks of two types, each with one block
    without an index, make two blocks. Invalid tool calls, which are no blocks of a whole message, come last.
    """
    try:
        blocks = message.content_blocks
    except Exception:
        # As in LangChain: content that its provider's translator does not understand has no blocks.
        return []
    keyed: list[tuple[Any, dict[str, Any]]] = []
    for place, block in enumerate(blocks):
        if isinstance(block, dict):
            index = block.get("index")
            keyed.append(((None, block.get("type"), place) if index is None else index, dict(block)))
    if message.type != "AIMessageChunk":
        for call in getattr(message, "invalid_tool_calls", None) or ():
            known = {key: call[key] for key in ("id", "name", "args", "error") if call.get(key) is not None}
            keyed.append((len(keyed), {"type": "invalid_tool_call", **known}))
    return keyed


def message_to_events(message: Any, id: str | None = None) -> Iterator[ProtocolEvent]:
    """Yield the events of a whole message, as those of a stream of it, each block after the other.

    ``id`` is shown as the message's id, by default its own. Texts, reasoning and pieces of tool calls are one delta.
    """
    yield _message_start(message, id)
    for index, (_, fields) in enumerate(_keyed_blocks(message)):
        block = ContentBlock(index, fields)
        yield {"event": "content-block-start", "index": index, "content": start_of(fields)}
        if (delta := read_delta(fields)) is not None:
            yield {"event": "content-block-delta", "index": index, "delta": delta}
        yield block.finish()
    yield _message_finish(getattr(message, "usage_metadata", None), message.response_metadata or {}, {})


def chunks_to_events(chunks: Iterable[Any], id: str | None = None) -> Iterator[ProtocolEvent]:
    """Yield the events of a stream of :class:`~millstream.outputs.ChatGenerationChunk`."""
    events = BlockEvents(id)
    for chunk in chunks:
        yield from events.add(chunk.message, chunk.generation_info)
    yield from events.close()


async def achunks_to_events(chunks: AsyncIterable[Any], id: str | None = None) -> AsyncIterator[ProtocolEvent]:
    """:func:`chunks_to_events` for async code."""
    events = BlockEvents(id)
    async for chunk in chunks:
        for event in events.add(chunk.message, chunk.generation_info):
            yield event
    for event in events.close():
        yield event


def _message_start(message: Any, id: str | None, *, shows_model: bool = True) -> ProtocolEvent:
    shown = id if id is not None else message.id
    event: ProtocolEvent = {"event": "message-start", "role": "ai", "id": shown or ""}
    metadata = message.response_metadata or {}
    names = {"provider": "model_provider", **({"model": "model_name"} if shows_model else {})}
    if known := {name: metadata[key] for name, key in names.items() if key in metadata}:
        event["metadata"] = known
    return event


def _message_finish(
    usage: Mapping[str, Any] | None, metadata: Mapping[str, Any], additional: Mapping[str, Any]
) -> ProtocolEvent:
    event: ProtocolEvent = {"event": "message-finish"}
    if usage:
        # A copy, also of the details: the message keeps its own.
        event["usage"] = {key: dict(value) if isinstance(value, dict) else value for key, value in usage.items()}
    if metadata:
        event["metadata"] = dict(metadata)
    if additional:
        # As in LangChain, beyond the protocol: what a message has no block for, such as Gemini's signatures.
        event["additional_kwargs"] = dict(additional)
    return event


def _add_usage(usage: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Add the counts of a chunk to ``usage``, those of its details too."""
    for name in ("input_tokens", "output_tokens", "total_tokens"):
        if name in more:
            usage[name] = usage.get(name, 0) + more[name]
    for name in ("input_token_details", "output_token_details"):
        if more.get(name):
            usage[name] = add_counts((usage.get(name), more[name]))
    return usage
