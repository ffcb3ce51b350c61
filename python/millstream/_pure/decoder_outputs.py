"""The outputs of a decoder for the package itself: parts, payloads, and the records of a wire."""

from itertools import groupby
from typing import Any

from .._values import as_bytes, write_string
from ..errors import StreamError
from .decoder_state import DecoderState
from .turns import closes, feeds
from .wire.writer import WireWriter

__all__ = ("DecoderOutputs", "write_records")


class DecoderOutputs(DecoderState):
    """The base of the decoder: the outputs that are not public, made from what ``_feed`` and ``_close`` append."""

    __slots__ = ()

    def _feed(self, data: bytes, kind: str, out: list[Any]) -> None:
        raise NotImplementedError

    def _close(self, kind: str, out: list[Any]) -> None:
        raise NotImplementedError

    @feeds
    def _feed_recorded(self, data: bytes) -> list[str]:
        """Return the text that becomes records."""
        texts: list[str] = []
        self._feed(data, "records", texts)
        return texts

    @feeds
    def _close_recorded(self, texts: list[str]) -> None:
        """Do what ``close`` does, with the text that becomes records."""
        self._close("records", texts)

    @feeds
    def _feed_parts(self, data: bytes) -> list[Any]:
        """Return the parts of choice 0 that ``data`` completes.

        A string is a delta that has text and nothing else, a ``Delta`` is any other one (usage and
        errors too). A tuple describes the response from there on: its first id, the model, the
        system fingerprint, the service tier; a later id changes nothing. Errors are those of ``feed``.
        """
        parts: list[Any] = []
        self._feed(data, "parts", parts)
        return parts

    def _feed_record_parts(self, data: bytes, prefix: bytes, suffix: bytes) -> list[Any] | bytes:
        """Do what ``_feed_parts`` does, with records in place of strings, as many in one ``bytes`` as there are.

        A record is that of ``feed_records``. Where there is nothing else, the ``bytes`` come alone, in no list.
        """
        name = "_feed_record_parts"
        data, prefix, suffix = as_bytes(data, name), as_bytes(prefix, name), as_bytes(suffix, name)
        joined: list[Any] = []
        for is_text, run in groupby(self._feed_parts(data), lambda part: type(part) is str):
            parts = list(run)
            joined += [write_records(parts, prefix, suffix)] if is_text else parts
        if not joined:
            return b""
        return joined[0] if len(joined) == 1 and type(joined[0]) is bytes else joined

    @closes
    def _close_parts(self) -> list[Any]:
        """Do what ``close`` does, for a decoder that hands out parts."""
        parts: list[Any] = []
        self._close("parts", parts)
        return parts

    def _feed_wire(self, data: bytes, writer: WireWriter, text_only: bool = False) -> bytes:
        """Write the deltas that ``data`` completes, and return the records.

        With ``text_only``, they are those of choice 0's text alone. Otherwise the writer gets the model's name too.
        Raises :class:`ValueError`, before anything is read, if the writer's answer has ended. Errors are those of
        ``feed``. The writer's times, if they are measured, take note of a chunk where there are records.
        """
        data = as_bytes(data, "_feed_wire")
        _check_writer(writer, "_feed_wire")
        records = writer._write_parts(self._feed_wire_parts(data), text_only)
        if records and writer._times is not None:
            writer._times._note()
        return records

    @feeds
    def _feed_wire_parts(self, data: bytes) -> list[Any]:
        """Return the parts that are written: those of ``_feed_parts``, and deltas of other choices."""
        parts: list[Any] = []
        self._feed(data, "wire records", parts)
        return parts

    def _close_wire(self, writer: WireWriter, text_only: bool = False) -> bytes:
        """Do what ``close`` does, for a decoder that writes records; ``items`` has them in one piece.

        The end of the answer is not written.
        """
        _check_writer(writer, "_close_wire")
        parts: list[Any] = []
        try:
            self._close_wire_parts(parts)
        except StreamError as error:
            if error.items is parts:
                records = writer._write_parts(parts, text_only)
                error.items = [records] if records else []
            raise
        return writer._write_parts(parts, text_only)

    @feeds
    def _close_wire_parts(self, parts: list[Any]) -> None:
        """Do what ``close`` does, with the parts that are written."""
        self._close("wire records", parts)


def _check_writer(writer: object, method: str) -> None:
    """Raise where nothing can be written."""
    if not isinstance(writer, WireWriter):
        raise TypeError(f"{method}() takes a WireWriter, not {type(writer).__name__}")
    writer._check_open(method)


def write_records(texts: list[str], prefix: bytes, suffix: bytes) -> bytes:
    return b"".join(prefix + write_string(text) + suffix for text in texts)
