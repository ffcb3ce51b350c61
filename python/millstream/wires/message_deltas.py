"""The messages of chat models as deltas, and the messages inside the chunks of graphs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from .._backend import Delta, ToolCallDelta
from ..callbacks.values_from_langchain import from_langchain
from ..messages.ai import AIMessage, AIMessageChunk
from ..messages.base import BaseMessage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..messages.tool_calls import ToolCallChunk

__all__ = (
    "CallIndexes",
    "as_openai_usage",
    "read_graph_message",
    "read_model_name",
    "read_reason",
    "read_sources",
    "read_texts",
    "to_delta",
    "without_metadata",
)

# The words of other providers for OpenAI's.
_REASONS = {
    **{"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"},
    **{"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "refusal": "content_filter"},
}
_LAST_INDEX = 2**32 - 1


def read_reason(metadata: Mapping[str, Any], *, calls_tools: bool = False) -> str | None:
    """Return the finish reason in a message's metadata, in OpenAI's words; ``None`` if there is none.

    Some providers have no word for a message that ``calls_tools``.
    """
    reason = _find_reason(metadata)
    word = None if reason is None else _REASONS.get(reason, reason)
    return "tool_calls" if calls_tools and word == "stop" != reason else word


def _find_reason(metadata: Mapping[str, Any]) -> str | None:
    """Return a finish reason as OpenAI's protocol has it, or in OpenAI's words where another protocol has it.

    Ollama's ``stop`` ends messages that call tools too: it is the word of a protocol of which this is known.
    """
    if reason := metadata.get("finish_reason"):
        return reason if isinstance(reason, str) else None
    if reason := metadata.get("stop_reason"):
        return _REASONS.get(reason, reason) if isinstance(reason, str) else None
    reason = metadata.get("done_reason")
    return "end_turn" if reason == "stop" else reason if isinstance(reason, str) else None


def read_model_name(metadata: Mapping[str, Any]) -> str:
    """Return the model's name in a message's metadata, or in those of its run; empty if there is none."""
    names = (metadata.get(key) for key in ("model_name", "model", "ls_model_name"))
    return next((name for name in names if isinstance(name, str) and name), "")


def read_graph_message(chunk: object) -> tuple[BaseMessage, Mapping[str, Any]] | None:
    """Return the message and its metadata in a chunk of a graph that is streamed with ``stream_mode="messages"``.

    The chunk is a pair of the message and its metadata. It comes in a tuple whose first value is the mode where there
    are several modes, and the namespace of the subgraph where subgraphs are streamed. ``None`` for other chunks.
    """
    while _is_labelled(chunk):
        chunk = chunk[-1]
    return (from_langchain(chunk[0]), chunk[1]) if _is_pair(chunk) else None


def without_metadata(chunk: object) -> object:
    """Return a chunk of a graph without the metadata of its message, and any other chunk as it is."""
    if _is_labelled(chunk):
        return (*chunk[:-1], without_metadata(chunk[-1]))
    return (chunk[0], {}) if _is_pair(chunk) else chunk


def _is_labelled(chunk: Any) -> TypeGuard[tuple[Any, ...]]:
    return type(chunk) is tuple and len(chunk) in (2, 3) and type(chunk[-1]) is tuple


def _is_pair(chunk: Any) -> TypeGuard[tuple[Any, dict[str, Any]]]:
    is_pair = type(chunk) is tuple and len(chunk) == 2 and isinstance(chunk[1], dict)
    return is_pair and isinstance(from_langchain(chunk[0]), BaseMessage)


class CallIndexes:
    """The indexes of the tool calls of one answer, also of those whose chunks have none.

    A piece without an index belongs to the call of its id. One with a new id, or a name, is a call of its own, and one
    with neither goes on with the last call.
    """

    __slots__ = ("_by_id", "_count")

    def __init__(self) -> None:
        self._by_id: dict[str, int] = {}
        self._count = 0

    def find(self, piece: ToolCallChunk) -> int:
        """Return the index of the call that ``piece`` belongs to."""
        index, id = piece["index"], piece["id"]
        if not isinstance(index, int) or not 0 <= index <= _LAST_INDEX:
            is_new = bool(id or piece["name"]) or self._count == 0
            index = self._by_id.get(id or "", self._count if is_new else self._count - 1)
        self._count = max(self._count, index + 1)
        if id:
            self._by_id[id] = index
        return index


def to_delta(message: AIMessage, indexes: CallIndexes) -> Delta:
    """Return the content of a chat model's message as a delta; ``indexes`` are those of the answer's tool calls."""
    kwargs = message.additional_kwargs if message._additional_kwargs else {}
    metadata = message.response_metadata if message._response_metadata else {}
    text, reasoning, refusal = read_texts(message, kwargs)
    return Delta(
        0,
        text=text or None,
        reasoning=reasoning or None,
        refusal=refusal or None,
        tool_calls=tuple(_tool_calls(message, indexes)),
        finish_reason=_find_reason(metadata),
        usage=as_openai_usage(message.usage_metadata),
        logprobs=_as_mapping(metadata.get("logprobs")),
        audio=_as_mapping(kwargs.get("audio")),
    )


def _as_mapping(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def read_texts(message: AIMessage, kwargs: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return a message's text, its reasoning and its refusal; ``kwargs`` are its ``additional_kwargs``."""
    reasoning, refusal = _as_text(kwargs.get("reasoning_content")), _as_text(kwargs.get("refusal"))
    if isinstance(message.content, str):
        return message.content, reasoning, refusal
    blocks: Sequence[Mapping[str, Any]] = message.content_blocks
    text = "".join(block.get("text") or "" for block in blocks if block.get("type") == "text")
    thoughts = "".join(block.get("reasoning") or "" for block in blocks if block.get("type") == "reasoning")
    return text, thoughts or reasoning, refusal


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _tool_calls(message: AIMessage, indexes: CallIndexes) -> Iterable[ToolCallDelta]:
    """Return the pieces of tool calls of a chunk; of a whole message, the calls."""
    if isinstance(message, AIMessageChunk):
        for piece in message.tool_call_chunks:
            yield ToolCallDelta(indexes.find(piece), id=piece["id"], name=piece["name"], args=piece["args"])
        return
    for place, call in enumerate(message.tool_calls):
        yield ToolCallDelta(place, id=call["id"], name=call["name"], args=json.dumps(call["args"], ensure_ascii=False))


def as_openai_usage(usage: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a message's token counts under OpenAI's names, which the core reads."""
    if not usage:
        return None
    inputs, outputs = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return {
        "prompt_tokens": usage.get("input_tokens", 0),
        "completion_tokens": usage.get("output_tokens", 0),
        "total_tokens": usage.get("total_tokens", 0),
        **_details("prompt_tokens_details", inputs, {"cached_tokens": "cache_read", "audio_tokens": "audio"}),
        **_details("completion_tokens_details", outputs, {"reasoning_tokens": "reasoning", "audio_tokens": "audio"}),
    }


def _details(name: str, details: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    counts = {theirs: details[ours] for theirs, ours in names.items() if ours in details}
    return {name: counts} if counts else {}


def read_sources(message: AIMessage) -> Iterable[tuple[str, str]]:
    """Return the URL and the title of each citation in a message's content."""
    if isinstance(message.content, str):
        return
    for block in message.content_blocks:
        for note in block.get("annotations") or ():  # type: ignore[attr-defined]
            is_citation = isinstance(note, dict) and note.get("type") == "citation"
            if is_citation and (url := _as_text(note.get("url"))):
                yield url, _as_text(note.get("title"))
