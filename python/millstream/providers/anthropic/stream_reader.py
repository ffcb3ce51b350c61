"""``AnthropicReader``: the payloads of a stream, and whole answers, as messages."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ...messages.ai import AIMessageChunk, text_chunk
from ...messages.tool_calls import tool_call_chunk
from ...messages.usage import UsageMetadata, subtract_usage
from ...outputs.chat_generation import ChatGenerationChunk, ChatResult
from ..message_reader import MessageReader
from .answers import build_result, read_container
from .nulls import add_nulls
from .request import ReadOptions
from .usage import create_usage_metadata, merge_usage

__all__ = ("AnthropicReader",)

_Block = dict[str, Any]

# Blocks that come whole, if their type contains one of these; of tool calls, the arguments follow.
_WHOLE = ("tool_result", "tool_use", "document", "redacted_thinking")
_ADVICE = ("type", "tool_use_id", "content", "cache_control")


class AnthropicReader(MessageReader):
    """Reads one stream, or one whole answer.

    The content of the chunks is text (``options.as_text``), or blocks with the index of their block, which merging
    chunks joins by.
    """

    __slots__ = ("_beta", "_index", "_is_text", "_kinds", "_reported", "_start_usage", "_stream_usage")

    def __init__(self, options: ReadOptions) -> None:
        super().__init__()
        self._is_text, self._beta, self._stream_usage = options
        # The blocks so far: the index of the last one, and the types by index.
        self._index: Any = 0
        self._kinds: dict[Any, Any] = {}
        self._start_usage: Mapping[str, Any] = {}
        # The usage in the chunks so far.
        self._reported: UsageMetadata | None = None

    def text(self, text: str) -> AIMessageChunk:
        """Return the chunk of a text in the block that began last."""
        content: Any = text if self._is_text else [{"text": text, "type": "text", "index": self._index}]
        return text_chunk(content, self.id, {"model_provider": "anthropic"})

    def read(self, payload: Any, text: str | None) -> ChatGenerationChunk | None:
        """Return the chunk of a payload; ``None`` for one that has nothing for a message, or is of an unknown type."""
        kind = payload.get("type") if isinstance(payload, dict) else None
        convert = _CONVERTERS.get(kind) if isinstance(kind, str) else None
        chunk = convert(self, payload, text) if convert is not None else None
        if chunk is None:
            return None
        return ChatGenerationChunk(chunk, {} if kind == "message_start" else None)

    def whole(self, body: Any) -> ChatResult:
        """Return the result of an answer that did not stream."""
        return build_result(body, beta=self._beta)

    def _make(self, content: Any, metadata: Mapping[str, Any] | None = None) -> AIMessageChunk:
        return text_chunk(content, self.id, {**(metadata or {}), "model_provider": "anthropic"})

    def _empty(self, metadata: Mapping[str, Any]) -> AIMessageChunk:
        return self._make("" if self._is_text else [], metadata)

    def _begin_message(self, payload: _Block, text: str | None) -> AIMessageChunk | None:
        message = payload.get("message")
        message = message if isinstance(message, dict) else {}
        usage = message.get("usage")
        self._start_usage = usage if isinstance(usage, dict) else {}
        if not self._stream_usage:
            return None
        return self._empty({"model_name": message["model"]} if "model" in message else {})

    def _begin_block(self, payload: _Block, text: str | None) -> AIMessageChunk | None:
        block = payload.get("content_block")
        kind = block.get("type") if isinstance(block, dict) else None
        index = _read_index(payload)
        if index is None:
            index = self._index + 1 if self._kinds else 0
        self._index, self._kinds[index] = index, kind
        if not isinstance(block, dict) or not isinstance(kind, str):
            return None
        if any(part in kind for part in _WHOLE):
            return self._begin_whole_block(block, kind, index)
        if kind == "text" and text:
            return self._make(text if self._is_text else [self._copy({**block, "text": text}, index)])
        if kind == "thinking" and (block.get("thinking") or block.get("signature")):
            return self._make([self._copy(block, index)])
        return None

    def _begin_whole_block(self, block: _Block, kind: str, index: Any) -> AIMessageChunk:
        if self._is_text:
            warnings.warn("Received unexpected tool content block.", stacklevel=2)
        copied = self._copy(block, index)
        if kind == "advisor_tool_result":
            copied = {key: value for key, value in copied.items() if key in (*_ADVICE, "index")}
        chunk = self._make([copied])
        if kind == "tool_use":
            input = block.get("input")
            name, id = (value if isinstance(value := block.get(key), str) else None for key in ("name", "id"))
            args = json.dumps(input) if isinstance(input, dict) and input else ""
            chunk._tool_call_chunks = [tool_call_chunk(name=name, args=args, id=id, index=index)]
        return chunk

    def _copy(self, block: _Block, index: Any) -> _Block:
        """Return the block as the SDK does, with its index, but without the nulls that LangChain leaves out."""
        copied: _Block = add_nulls(block, beta=self._beta)
        for key in ("citations", "caller"):
            if key in copied and copied[key] is None:
                del copied[key]
        return {**copied, "index": index}

    def _continue_block(self, payload: _Block, text: str | None) -> AIMessageChunk | None:
        delta = payload.get("delta")
        kind = delta.get("type") if isinstance(delta, dict) else None
        if not isinstance(delta, dict) or not isinstance(kind, str):
            return None
        index = _read_index(payload)
        if index is None:
            index = self._index
        if index not in self._kinds:
            # A block of which the server did not send the beginning.
            self._index, self._kinds[index] = index, None
        if kind == "text_delta":
            piece = text or ""
            return self._make(piece if self._is_text else [{**delta, "text": piece, "type": "text", "index": index}])
        if kind == "input_json_delta" and isinstance(delta.get("partial_json"), str):
            return self._continue_arguments(delta, index)
        if kind not in _CONTINUED:
            return None
        block = {**add_nulls(delta, beta=self._beta), "index": index, "type": _CONTINUED[kind]}
        if kind == "citations_delta":
            block["citations"] = [block.pop("citation", None)]
        elif kind == "signature_delta":
            block.setdefault("thinking", "")
        elif kind == "compaction_delta" and block.get("encrypted_content", "") is None:
            del block["encrypted_content"]
        return self._make([block])

    def _continue_arguments(self, delta: _Block, index: Any) -> AIMessageChunk:
        chunk = self._make([{**delta, "index": index}])
        # A call of the provider's own tool is not one for the user to answer.
        if self._kinds.get(index, self._kinds.get(self._index)) == "tool_use":
            chunk._tool_call_chunks = [tool_call_chunk(args=delta["partial_json"], index=index)]
        return chunk

    def _end_message(self, payload: _Block, text: str | None) -> AIMessageChunk:
        delta = payload.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        metadata = {"stop_reason": delta.get("stop_reason"), "stop_sequence": delta.get("stop_sequence")}
        if details := delta.get("stop_details"):
            metadata["stop_details"] = add_nulls(details, beta=self._beta)
        if management := payload.get("context_management"):
            metadata["context_management"] = add_nulls(management, beta=self._beta)
        if container := delta.get("container"):
            metadata["container"] = read_container(container, suffix="Z")
        # A text here is the half of a character whose other half has not come.
        content = self.text(text).content if text else self._empty({}).content
        chunk = self._make(content, metadata)
        if self._stream_usage and isinstance(usage := payload.get("usage"), dict):
            chunk.usage_metadata = self._count(usage)
        if metadata["stop_reason"]:
            chunk.chunk_position = "last"
        return chunk

    def _count(self, usage: Mapping[str, Any]) -> UsageMetadata:
        """Return the counts that no chunk has reported so far: those of the stream are totals."""
        counted = create_usage_metadata(
            usage if usage.get("input_tokens") is not None else merge_usage(self._start_usage, usage)
        )
        before, self._reported = self._reported, counted
        return counted if before is None else subtract_usage(counted, before)


def _read_index(payload: _Block) -> int | None:
    """Return the index of a payload's block; ``None`` if there is none, or it is no index."""
    index = payload.get("index")
    return index if type(index) is int and 0 <= index < 2**32 else None


# The deltas that continue a block, and the type of the block in the content.
_CONTINUED = {
    "citations_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
    "compaction_delta": "compaction",
}
_CONVERTERS: dict[str, Callable[[AnthropicReader, _Block, str | None], AIMessageChunk | None]] = {
    "message_start": AnthropicReader._begin_message,
    "content_block_start": AnthropicReader._begin_block,
    "content_block_delta": AnthropicReader._continue_block,
    "message_delta": AnthropicReader._end_message,
}
