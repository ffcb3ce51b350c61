"""``Transcoder``: a model's stream as the bytes of another format, without a request or a model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._backend import StreamDecoder
from .._values import as_bytes
from ..errors import StreamError
from ..events import ModelEvents, schema_version
from ..events.event_records import EventRecords
from ..events.schema import Run
from ..messages.base import run_message_id
from ..streaming.protocols import RecordProcessor
from ..wires.chunk_writer import ChunkWriter
from ..wires.event_writer import create_event_writer
from ..wires.names import Wire, event_version, is_event_wire, to_options
from ..wires.wire_records import WireRecords
from .openai.chat_stream import DecodedMessages
from .openai.completion_stream import DecodedText
from .source_messages import SourceMessages, describe_source

if TYPE_CHECKING:
    from ..wires.record_stream import StreamWriter
    from .stream_decoding import DecodedStream

__all__ = ("Transcoder",)


class Transcoder:
    r"""Turns a model's stream into the bytes that another client reads: bytes in, bytes out.

    ``source`` is the provider's format, any of :class:`~millstream.StreamDecoder`, and ``n`` the number of choices
    that were requested. ``target`` is the client's: one of :class:`~millstream.WireWriter`, or ``"langchain.v1"``,
    ``"langchain.v2"`` and ``"langchain.v3"``, the event records of ``astream_records``; ``WireOptions`` say more about
    it. ``id`` names the answer, by default at random. ``model`` is the name that OpenAI's formats show, by default the
    provider's. LangChain's events have ``name``, ``input`` and ``metadata`` of the run.

    :meth:`feed` takes the bytes of network reads, cut anywhere. :meth:`close` returns the end of an answer that ended
    well, and raises otherwise, as a model's stream does. :meth:`fail` then returns the end for the client: an error
    without the provider's words. No Python object is made for a delta.

    >>> from millstream import Transcoder
    >>> transcoder = Transcoder("openai.chat", "ndjson")
    >>> transcoder.feed(b'data: {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\n')
    b'{"text":"Hi"}\n'
    >>> transcoder.close()
    b'{"finish_reason":"stop"}\n'
    """

    __module__ = "millstream"
    __slots__ = ("_has_begun", "_has_closed", "_recorder", "_records", "_stream", "_writer")

    def __init__(
        self,
        source: str,
        target: Wire,
        *,
        id: str | None = None,
        model: str = "",
        n: int | None = None,
        name: str = "",
        input: object = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        options = to_options(target)
        options = replace(options, id=options.id if id is None else id, model=model or options.model)
        run_id = os.urandom(16).hex() if options.id is None else options.id
        _check_source(source)
        run_type, default_name, _ = describe_source(source)
        is_event = is_event_wire(options.name)
        if options.name == "langchain.v3" and run_type == "llm":
            raise NotImplementedError(f"events of version 3 are those of chat models: {source} is a format of an LLM")
        if run_type == "llm":
            self._stream: DecodedStream = DecodedText(source, None, n=n, collect_result=is_event)
        else:
            messages = DecodedMessages if source == "openai.chat" else SourceMessages
            self._stream = messages(source, None, n=n, id=run_message_id(run_id), collect_result=is_event)
        self._writer: StreamWriter
        self._records: RecordProcessor
        if options.name == "langchain.v3" and run_type == "chat_model":
            from ..language_models.protocol_run import NativeEvents

            self._writer = writer = create_event_writer(options.name)
            self._records = EventRecords(NativeEvents(self._stream, run_message_id(run_id)), writer)
        elif is_event:
            self._writer = writer = create_event_writer(options.name)
            run = Run(run_id, name or default_name, run_type, metadata=dict(metadata or {}))
            version = schema_version(event_version(options.name))
            self._records = ModelEvents(self._stream, version, run, input, includes=True).records(writer)
        else:
            self._writer = chunk_writer = ChunkWriter(replace(options, id=run_id), "")
            self._records = WireRecords(self._stream, chunk_writer)
        self._recorder = self._records.recorder
        self._has_begun = self._has_closed = False

    @property
    def decoder(self) -> StreamDecoder:
        """The decoder of the source, for its ``usage``, ``finish_reason``, ``text`` and ``ended``."""
        return self._stream._decoder

    @property
    def done(self) -> bool:
        """Whether nothing more can come out of :meth:`feed`: the source ended or failed."""
        return self.decoder.done

    def feed(self, data: bytes) -> bytes:
        """Return the target's bytes for ``data``.

        The call that meets an error returns what came before it; the next one raises it, and so does :meth:`close`.
        Bytes after the end are passed over. Raises :class:`ValueError` after ``close`` or ``fail``.
        """
        data = as_bytes(data)
        if self._has_closed:
            raise ValueError("feed() after close()")
        start = self._start()
        records = self._recorder(data, self._records.prefix, self._records.suffix)
        return start + (self._records.joined(records) if isinstance(records, list) else records)

    def close(self) -> bytes:
        """Return the last bytes of an answer that ended well.

        Otherwise raise what a model's stream raises, with the bytes that were complete before it in ``items``:
        :class:`~millstream.errors.ProviderError` for an error of the provider,
        :class:`~millstream.errors.StreamTruncatedError` for a stream without its end mark or without any choices, the
        decoder's error for data that it could not read. Closing again returns nothing, or raises again.
        """
        if self._has_closed:
            if self._stream.error is not None:
                raise self._stream.error
            return b""
        records = self._start() + self._records.close()
        self._has_closed = True
        error = self._stream.error
        if error is None:
            return records
        if isinstance(error, StreamError):
            error.items = [records] if records else []
        raise error

    def fail(self, error: BaseException) -> bytes:
        """Return the end of an answer that failed with ``error``, as a client may see it.

        It is empty for ``"text"``, which has no errors: cut the connection.
        """
        self._has_closed = True
        return self._writer.fail(error)

    def _start(self) -> bytes:
        """Return the bytes before the first delta, if they were not returned yet."""
        if self._has_begun:
            return b""
        self._has_begun = True
        return self._records.start()

    def __repr__(self) -> str:
        return f"<millstream.Transcoder {self._stream._format!r} to {self._writer.wire!r}>"


def _check_source(source: str) -> None:
    try:
        StreamDecoder(source)
    except ValueError as error:
        raise ValueError(str(error).replace("format", "source", 1)) from None
