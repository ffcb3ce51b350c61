"""The records of LangServe's streams of chunks, and the body of a response that sends them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from ..._values import write_string
from ...errors import UnsupportedError
from ...events.record_writer import RecordWriter
from ...streaming.stream import AsyncStream
from ...wires.public_error import describe_error

__all__ = ("LangServeRecords", "error_record")

_WRITER = RecordWriter()


def error_record(error: BaseException) -> bytes:
    """Return the event ``error``: a status and a message, as a client may know them."""
    public = describe_error(error)
    document = _WRITER.write({"status_code": public.status, "message": public.message})
    return document.replace(b"event: data\n", b"event: error\n", 1)


class LangServeRecords(AsyncStream[bytes]):
    """A stream of chunks as LangServe's events: ``metadata`` with the run's id, ``data`` for each chunk, ``end``.

    It has the attributes of :class:`~millstream.wires.record_stream.RecordStream`, which a response reads. The run
    begins with the first step. ``head`` is sent before the first chunk, and ``to_data`` returns what is sent of one.
    """

    __slots__ = ()

    wire = "langserve"
    media_type = "text/event-stream; charset=utf-8"
    headers: Mapping[str, str] = {}
    ping = b": keep-alive\n\n"

    def __init__(self, open: Callable[[], AsyncStream[Any]], head: bytes, to_data: Callable[[Any], Any]) -> None:
        super().__init__(_write_all(open, head, to_data))

    def fail(self, error: BaseException) -> bytes:
        """Return the record of an error that ended the stream."""
        return error_record(error)

    def write_snapshot(self, text: str, dropped: int) -> bytes:
        """Raise :class:`UnsupportedError`: LangServe's clients have no event for a text so far."""
        raise UnsupportedError("LangServe's wire has no record for a snapshot: choose slow_client='wait'")

    def lean(self) -> LangServeRecords:
        """Return the stream itself, which has neither inputs nor metadata of runs."""
        return self

    def _open_parts(self) -> None:
        """Return ``None``: it is read step by step."""


def metadata_record(run_id: object) -> bytes:
    """Return the event with the id of the run."""
    return f'event: metadata\ndata: {{"run_id":{write_string(str(run_id))}}}\n\n'.encode()


async def _write_all(
    open: Callable[[], AsyncStream[Any]], head: bytes, to_data: Callable[[Any], Any]
) -> AsyncGenerator[bytes, None]:
    write = _WRITER.write
    async with open() as chunks:
        async for chunk in chunks:
            yield head + write(to_data(chunk))
            head = b""
    yield head + _WRITER.end()
