"""``ChunkWriter``: the chunks of any Runnable as the records of a wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._backend import Delta, ToolCallDelta, WireWriter
from ..errors import UnsupportedError
from ..events.record_writer import RecordWriter
from ..messages.ai import AIMessage, AIMessageChunk
from ..messages.tool import ToolMessage
from ..outputs import ChatGeneration, Generation
from .names import WIRES, WireFormat, WireOptions
from .public_error import describe_error

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("ChunkWriter", "to_delta")

_JSON = RecordWriter(format="ndjson")


class ChunkWriter:
    """Writes the chunks of one answer as records of a wire, and its end or its error.

    A text, a model's message and a tool's message become what the wire has for them, other values the wire's
    records of data. ``core`` writes the deltas of a model's stream without objects.
    """

    __slots__ = ("_before_end", "_pieces", "_preface", "core", "options")

    def __init__(self, options: WireOptions, model: str) -> None:
        self.options = options
        self.core: WireWriter = options.make_writer(model)
        self._preface = b""
        self._pieces: list[str] | None = None
        self._before_end: Callable[[], None] | None = None

    @property
    def wire(self) -> str:
        """The wire's name."""
        return self.options.name

    @property
    def head(self) -> WireFormat:
        """What a response has around the records."""
        return WIRES[self.options.name]

    def start(self) -> bytes:
        """Return what precedes the first chunk."""
        self._preface = self.core.start()
        return self._preface

    def is_preface(self, records: bytes) -> bool:
        """Return whether the records are those of :meth:`start`."""
        return records == self._preface

    def write(self, chunk: object) -> bytes:
        """Return the records of a chunk; ``bytes`` are records already."""
        if isinstance(chunk, str):
            if self._pieces is not None:
                self._pieces.append(chunk)
            return self.core.write_text(chunk)
        if isinstance(chunk, bytes):
            return chunk
        if isinstance(chunk, Generation):
            chunk = chunk.message if isinstance(chunk, ChatGeneration) else chunk.text
            return self.write(chunk)
        if isinstance(chunk, AIMessage):
            return self._write_answer(chunk)
        if isinstance(chunk, ToolMessage):
            return _if_supported(self.core.write_tool_result, chunk.tool_call_id, chunk.text)
        return self.core.write_data(_JSON.write(chunk)[:-1])

    def write_ending(self, finish_reason: str | None, usage: Any) -> bytes:
        """Return the records of a finish reason and token counts that no chunk had."""
        return self.core.write(Delta(0, finish_reason=finish_reason, usage=usage or None))

    def close(self) -> bytes:
        """Return the end of an answer that ended well."""
        self.prepare_end()
        return self.core.close()

    def prepare_end(self) -> None:
        """Call what :meth:`keep_text` was given, once: the last moment for a snapshot."""
        before_end, self._before_end = self._before_end, None
        if before_end is not None:
            before_end()

    def fail(self, error: BaseException) -> bytes:
        """Return the wire's record of an error, as a client may see it, and the end."""
        public = describe_error(error)
        return self.core.fail(public.message, type=public.type, code=public.code, status=public.status)

    def keep_text(self, before_end: Callable[[], None]) -> None:
        """Keep the text of the chunks from now on; call ``before_end`` before the end is written."""
        self._pieces = []
        self._before_end = before_end

    @property
    def text(self) -> str | None:
        """The text of the chunks so far, if it is kept."""
        return None if self._pieces is None else "".join(self._pieces)

    def write_snapshot(self, text: str, dropped: int) -> bytes:
        """Return the record of the whole text so far, after ``dropped`` records were not sent."""
        return self.core.write_snapshot(text, dropped)

    def lean(self) -> ChunkWriter:
        """Return the writer itself: it writes neither inputs nor metadata."""
        return self

    def _write_answer(self, message: AIMessage) -> bytes:
        delta = to_delta(message)
        if self._pieces is not None and delta.text:
            self._pieces.append(delta.text)
        records = self.core.write(delta)
        for url, title in _sources(message):
            records += _if_supported(self.core.write_source, url, title=title)
        return records


def _if_supported(write: Callable[..., bytes], *args: str, **kwargs: str) -> bytes:
    """Return the records of a tool's result or a source; none where the wire has no room for what is not the answer."""
    try:
        return write(*args, **kwargs)
    except UnsupportedError:
        return b""


def to_delta(message: AIMessage) -> Delta:
    """Return what a chat model's message has, as the delta that it was, or could have been."""
    kwargs = message.additional_kwargs if message._additional_kwargs else {}
    metadata = message.response_metadata if message._response_metadata else {}
    text, reasoning, refusal = _texts(message, kwargs)
    return Delta(
        0,
        text=text or None,
        reasoning=reasoning or None,
        refusal=refusal or None,
        tool_calls=tuple(_tool_calls(message)),
        finish_reason=metadata.get("finish_reason"),
        usage=_usage(message.usage_metadata),
        logprobs=metadata.get("logprobs"),
        audio=kwargs.get("audio"),
    )


def _texts(message: AIMessage, kwargs: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return a message's text, its reasoning and its refusal."""
    reasoning, refusal = kwargs.get("reasoning_content") or "", kwargs.get("refusal") or ""
    if isinstance(message.content, str):
        return message.content, reasoning, refusal
    blocks: Sequence[Mapping[str, Any]] = message.content_blocks
    text = "".join(block.get("text") or "" for block in blocks if block.get("type") == "text")
    thoughts = "".join(block.get("reasoning") or "" for block in blocks if block.get("type") == "reasoning")
    return text, thoughts or reasoning, refusal


def _tool_calls(message: AIMessage) -> Iterable[ToolCallDelta]:
    """Return the pieces of tool calls of a chunk; of a whole message, the calls."""
    if isinstance(message, AIMessageChunk):
        for place, piece in enumerate(message.tool_call_chunks):
            index = piece["index"]
            yield ToolCallDelta(
                index if isinstance(index, int) else place, id=piece["id"], name=piece["name"], args=piece["args"]
            )
        return
    for place, call in enumerate(message.tool_calls):
        yield ToolCallDelta(place, id=call["id"], name=call["name"], args=json.dumps(call["args"], ensure_ascii=False))


def _usage(usage: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a message's token counts under OpenAI's names, which the core reads."""
    if not usage:
        return None
    counts: dict[str, Any] = {
        "prompt_tokens": usage.get("input_tokens", 0),
        "completion_tokens": usage.get("output_tokens", 0),
        "total_tokens": usage.get("total_tokens", 0),
    }
    if cached := (usage.get("input_token_details") or {}).get("cache_read"):
        counts["prompt_tokens_details"] = {"cached_tokens": cached}
    if thought := (usage.get("output_token_details") or {}).get("reasoning"):
        counts["completion_tokens_details"] = {"reasoning_tokens": thought}
    return counts


def _sources(message: AIMessage) -> Iterable[tuple[str, str]]:
    """Return the URL and the title of each citation in a message's content."""
    if isinstance(message.content, str):
        return
    for block in message.content_blocks:
        for note in block.get("annotations") or ():  # type: ignore[attr-defined]
            if isinstance(note, dict) and note.get("type") == "citation" and note.get("url"):
                yield note["url"], note.get("title") or ""
