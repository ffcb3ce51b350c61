"""``ChunkWriter``: the chunks of any Runnable as the records of a wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._backend import Delta, WireWriter
from .._merge import add_counts
from ..callbacks.values_from_langchain import from_langchain
from ..errors import UnsupportedError
from ..events.record_writer import RecordWriter
from ..messages.ai import AIMessage
from ..messages.base import BaseMessage
from ..messages.tool import ToolMessage
from ..outputs import ChatGeneration, Generation
from .message_deltas import CallIndexes, as_openai_usage, read_graph_message, read_model_name, read_sources, to_delta
from .names import WIRES, WireFormat, WireOptions
from .public_error import describe_error

__all__ = ("ChunkWriter",)

_JSON = RecordWriter(format="ndjson")


class ChunkWriter:
    """Writes the chunks of one answer as records of a wire, and its end or its error.

    A text, a model's message and a tool's message become the wire's records for them, any other value a record of
    data. Messages may be LangChain's, and those of a graph (``stream_mode="messages"``) may have their metadata with
    them, which is left out. ``core`` writes the deltas of a model's stream without objects.
    """

    __slots__ = ("_before_end", "_indexes", "_is_named", "_pieces", "_preface", "_usage", "core", "options")

    def __init__(self, options: WireOptions, model: str) -> None:
        self.options = options
        self.core: WireWriter = options.make_writer(model)
        self._is_named = bool(options.model or model)
        self._preface = b""
        self._indexes = CallIndexes()
        self._pieces: list[str] | None = None
        self._before_end: Callable[[], None] | None = None
        self._usage: Mapping[str, Any] | None = None

    @property
    def wire(self) -> str:
        """The wire's name."""
        return self.options.name

    @property
    def head(self) -> WireFormat:
        """The media type, the headers and the keep-alive bytes of a response."""
        return WIRES[self.options.name]

    def start(self) -> bytes:
        """Return the records before the first chunk."""
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
        return self._write_other(chunk)

    def write_ending(self, finish_reason: str | None, usage: Any) -> bytes:
        """Return the records of a finish reason and token counts that no chunk had."""
        return self.core.write(Delta(0, finish_reason=finish_reason, usage=usage or None))

    def close(self) -> bytes:
        """Return the end of an answer that ended well."""
        self.prepare_end()
        return self.core.close()

    def prepare_end(self) -> None:
        """Call the callback of :meth:`keep_text`, once: no snapshot can be written afterwards."""
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

    def _write_other(self, chunk: object) -> bytes:
        """Return the records of a chunk that is neither text nor a message of ours."""
        if (found := read_graph_message(chunk)) is not None:
            return self._write_graph_message(*found)
        ours = chunk if isinstance(chunk, dict | list | tuple) else from_langchain(chunk)
        if ours is not chunk and isinstance(ours, AIMessage | ToolMessage | Generation):
            return self.write(ours)
        return self.core.write_data(_JSON.write(chunk)[:-1])

    def _write_graph_message(self, message: BaseMessage, metadata: Mapping[str, Any]) -> bytes:
        """Return the records of a message of a graph: none of one that is neither a model's nor a tool's.

        Such a message is an input of a model.
        """
        if not isinstance(message, AIMessage):
            return self.write(message) if isinstance(message, ToolMessage) else b""
        if not self._is_named:
            self._name_model(metadata)
        return self._write_answer(message)

    def _name_model(self, metadata: Mapping[str, Any]) -> None:
        """Show the model's name in ``metadata``, if there is one, in the records to come."""
        if name := read_model_name(metadata):
            self.core._name_model(name)
            self._is_named = True

    def _write_answer(self, message: AIMessage) -> bytes:
        """Return the records of a model's message; the usage of the answer is the sum of its messages' usage."""
        if not self._is_named:
            self._name_model(message.response_metadata)
        delta = to_delta(message, self._indexes)
        if self._pieces is not None and delta.text:
            self._pieces.append(delta.text)
        records = self.core.write(delta)
        if message.usage_metadata:
            self._usage = add_counts((self._usage, message.usage_metadata))
            if self._usage != message.usage_metadata:
                records += self.core.write(Delta(0, usage=as_openai_usage(self._usage)))
        for url, title in read_sources(message):
            records += _if_supported(self.core.write_source, url, title=title)
        return records


def _if_supported(write: Callable[..., bytes], *args: str, **kwargs: str) -> bytes:
    """Return the records of a tool's result or a source; none where the wire has no record for it."""
    try:
        return write(*args, **kwargs)
    except UnsupportedError:
        return b""
