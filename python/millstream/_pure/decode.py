"""Bytes to deltas: the whole way from a network read to the increments of a model's answer, in one class.

The common case is read with a few calls per frame: one ``data:`` line of JSON that has text for
choice 0, between blank lines. Every other frame takes the general way, which is the definition:
lines, fields, blocks, payloads, choices.
"""

from typing import Any, NoReturn, final

from .._values import as_bytes, asks_for_one, check_event_size, check_option
from ..errors import StreamError
from .decoder_outputs import DecoderOutputs, write_records
from .delta import Delta, text_delta
from .ending import Payloads
from .formats import FORMATS
from .frames import FRAME_SIZE, Frames
from .framing import FRAMINGS
from .framing.units import Units
from .json import WHITE_SPACE
from .lines import CR, LF
from .payload import is_error, is_json
from .sniff import Sniffer
from .turns import closes, feeds
from .unit_payloads import end_units, read_units

__all__ = ("StreamDecoder",)

_HTML_SIZE = 512

# The method for each kind of output.
_METHODS = {
    "deltas": "feed",
    "text": "feed_text",
    "records": "feed_records",
    "parts": "_feed_parts",
    "payloads": "feed_payloads",
    "wire records": "_feed_wire",
}


@final
class StreamDecoder(DecoderOutputs):
    r"""Decodes a model's stream, bytes in and deltas out.

    >>> from millstream import StreamDecoder
    >>> decoder = StreamDecoder("openai.completions")
    >>> decoder.feed_text(b'data: {"choices": [{"text": "Hel"}]}\n\ndata: {"choices": [{"te')
    ['Hel']
    >>> decoder.feed_text(b'xt": "lo", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
    ['lo']
    >>> decoder.close_text(), decoder.finish_reason, decoder.ended
    ([], 'stop', '[DONE]')

    ``feed`` takes the bytes of the network reads, cut anywhere: the outputs and the error are the same however they
    are cut. A decoder returns deltas (``feed``, ``close``), the text of choice 0 (``feed_text``, ``close_text``, which
    make no object per delta), or records of that text (``feed_records``, ``close_records``); the first call decides.

    ``format``
        the provider's format, such as ``"openai.chat"``; with ``"auto"``, the first payload that has one decides.
    ``n``
        how many choices were requested. With ``n=1`` the first choice of a payload is choice 0 whatever its index,
        for some servers count tokens there, and its other choices are left out. Any other value changes nothing.
    ``surrogates``
        what becomes of a character whose two surrogate halves come in different payloads: ``"join"`` holds the
        first half back until the second comes, ``"replace"`` makes each U+FFFD, as a half alone always is.
    ``max_event_size``
        the most bytes of one event, or of a body that is one JSON document.

    Raises :class:`ValueError` for an unknown format. Where a stream breaks, ``failure`` is a
    :class:`~millstream.errors.StreamError`, which later calls raise.
    """

    __module__ = "millstream"
    __slots__ = (
        "_at_start",
        "_body",
        "_body_kind",
        "_carry",
        "_closed",
        "_frames",
        "_limit",
        "_offset",
        "_sniffer",
        "_units",
    )

    def __init__(
        self, format: str, *, n: int | None = None, surrogates: str = "join", max_event_size: int = 16777216
    ) -> None:
        format = check_option("format", format, tuple(sorted(FORMATS)))
        one = asks_for_one(n)
        join = check_option("surrogates", surrogates, ("join", "replace")) == "join"
        self._limit = check_event_size(max_event_size)
        super().__init__(Payloads(format, one=one, join=join, limit=self._limit))
        self._frames = Frames(self._limit, is_error=is_error)
        # Whether the next byte that the frames get starts a block of theirs.
        self._at_start = False
        # A frame that is not finished, as long as it may turn out to be an ordinary one.
        self._carry = bytearray()
        self._sniffer = Sniffer(FORMATS[format].framing)
        # What the body is, as the sniffer calls it, and None while all there was is white space. An
        # event stream is "short" until its first bytes are kept.
        self._body_kind: str | None = None
        # What finds the units of a body that has another framing.
        self._units: Units | None = None
        # A body that is one document, and where it starts.
        self._body = bytearray()
        self._offset = 0
        self._closed = False

    @feeds
    def feed(self, data: bytes) -> list[Delta]:
        """Return the deltas that ``data`` completes.

        The call that meets an error returns what came before it and sets ``failure``. Bytes after
        the end are passed over. Raises ``TypeError`` if ``data`` is not bytes, and ``ValueError``
        after ``close`` or if the decoder hands out text.
        """
        deltas: list[Delta] = []
        self._feed(data, "deltas", deltas)
        return deltas

    @feeds
    def feed_text(self, data: bytes) -> list[str]:
        """Return the text of choice 0 that ``data`` completes, one string per delta.

        A delta whose finish reason comes without text gives ``""``; other deltas without text give
        nothing. Errors are those of ``feed``.
        """
        texts: list[str] = []
        self._feed(data, "text", texts)
        return texts

    @closes
    def close(self) -> list[Delta]:
        """End the stream, and return the deltas that its end completes.

        A last frame without its blank line counts if it is the end mark or a whole JSON document.
        Raises ``failure`` if there is one; one met here has its ``items``. Closing again returns an
        empty list.
        """
        deltas: list[Delta] = []
        self._close("deltas", deltas)
        return deltas

    @closes
    def close_text(self) -> list[str]:
        """Do what ``close`` does, for a decoder that hands out text."""
        texts: list[str] = []
        self._close("text", texts)
        return texts

    def feed_records(self, data: bytes, prefix: bytes, suffix: bytes) -> bytes:
        """Return a record for each string that ``feed_text`` would give, one behind the other.

        A record is ``prefix``, the string as JSON (with U+2028, U+2029 and U+0085 escaped), and
        ``suffix``. Errors are those of ``feed``.
        """
        name = "feed_records"
        data, prefix, suffix = as_bytes(data, name), as_bytes(prefix, name), as_bytes(suffix, name)
        return write_records(self._feed_recorded(data), prefix, suffix)

    def close_records(self, prefix: bytes, suffix: bytes) -> bytes:
        """Do what ``close`` does, for a decoder that hands out records; ``items`` has them in one piece."""
        prefix, suffix = as_bytes(prefix, "close_records"), as_bytes(suffix, "close_records")
        texts: list[str] = []
        try:
            self._close_recorded(texts)
        except StreamError as error:
            if error.items is texts:
                error.items = [write_records(texts, prefix, suffix)] if texts else []
            raise
        return write_records(texts, prefix, suffix)

    @feeds
    def feed_payloads(self, data: bytes) -> list[Any]:
        """Return the payloads that ``data`` completes, in their order.

        A string is a payload that has text of choice 0 and nothing else but the role of the assistant.
        A tuple is any other one: its JSON text, and the text of choice 0 in it, or ``None``. In both,
        the text is that of ``feed``: surrogate halves are joined or replaced, and what was held back to the
        end comes as a string. A payload with an error does not come out. Errors are those of ``feed``.
        """
        payloads: list[Any] = []
        self._feed(data, "payloads", payloads)
        return payloads

    @closes
    def close_payloads(self) -> list[Any]:
        """Do what ``close`` does, for a decoder that hands out payloads."""
        payloads: list[Any] = []
        self._close("payloads", payloads)
        return payloads

    def _feed(self, data: bytes, kind: str, out: list[Any]) -> None:
        if type(data) is not bytes:
            data = as_bytes(data, _METHODS[kind])
        if self._closed:
            raise ValueError("feed() after close()")
        payloads = self._payloads
        if payloads.kind != kind:
            payloads.check_kind(kind)
        if payloads.failed is not None or self._interrupted:
            self._check_sound()
        if payloads.ended is not None:
            return
        if self._body_kind == "sse":
            self._read(data, out)
        else:
            self._begin(data, out)

    def _close(self, kind: str, out: list[Any]) -> None:
        payloads = self._payloads
        payloads.check_kind(kind, _METHODS)
        if not self._closed:
            self._closed = True
            if not payloads.done:
                self._end(out)
                if payloads.failed is not None:
                    self._find_failure().items = out
        self._check_sound()

    def _begin(self, data: bytes, out: list[Any]) -> None:
        """Take in a piece of a body that has just begun, or is not an event stream."""
        is_kept = self._payloads.seen.take_head(data)
        if self._body_kind is None:
            self._sniff(data, out)
        elif self._body_kind == "short":
            self._read(data, out)
        elif self._units is not None:
            read_units(self._units, self._payloads, data, out)
        else:
            self._buffer(data, out)
        if self._body_kind == "short" and is_kept:
            self._body_kind = "sse"

    def _sniff(self, data: bytes, out: list[Any]) -> None:
        """Find the kind of the body.

        White space before it is the parser's in any case, which limits how long a line may be.
        """
        kind, rest = self._sniffer.feed(data)
        if kind == "sse":
            self._body_kind = "short"
            self._read(data, out)
            return
        self._read_lines(data.removesuffix(rest), out)
        if kind is not None and not self._payloads.done:
            self._body_kind = kind
            self._offset = self._frames.offset
            if kind in FRAMINGS:
                self._begin_units(kind, rest, out)
            else:
                self._buffer(rest, out)

    def _begin_units(self, kind: str, data: bytes, out: list[Any]) -> None:
        """Take in the first piece of a body of that kind, which has units."""
        self._body_kind = kind
        self._units = FRAMINGS[kind](self._limit, self._offset)
        read_units(self._units, self._payloads, data, out)

    def _buffer(self, data: bytes, out: list[Any]) -> None:
        """Take in a piece of a body that is one document, or may be one."""
        self._body += data
        if self._body_kind == "lines or json" and LF in data:
            self._find_lines(out)
        elif self._body_kind == "html":
            if len(self._body) >= _HTML_SIZE:
                self._refuse_html(out)
        elif len(self._body) > self._limit + (self._body_kind == "lines or json" and self._body.endswith(b"\r")):
            # A CR may belong to the end of a line. As everywhere, the reported frame ends with the first byte too many.
            frame = bytes(self._body[: min(self._limit + 1, FRAME_SIZE)])
            self._payloads.fail_too_large(self._limit, self._offset, frame, out)

    def _find_lines(self, out: list[Any]) -> None:
        """Read a body in lines if its first one, which has come, is a JSON object: that decides."""
        body = bytes(self._body)
        if is_json(body.partition(b"\n")[0].strip(WHITE_SPACE)):
            self._body.clear()
            self._begin_units("lines", body, out)
        else:
            self._body_kind = "json"
            self._buffer(b"", out)

    def _read(self, data: bytes, out: list[Any]) -> None:
        """Take in a piece of an event stream, ordinary frames in the short way."""
        carry = self._carry
        if carry and LF not in data and CR not in data and len(carry) + len(data) <= self._limit:
            carry += data
            return
        if carry or not self._at_start or CR in data or len(data) > self._limit:
            data = self._read_up_to_start(data, out)
        frames = data.split(b"\n\n")
        rest = frames.pop()
        payloads, lines = self._payloads, self._frames.lines
        ordinary, choices = payloads.ordinary, payloads.choices
        kept, make = payloads.kept_text, payloads.kind == "deltas"
        for frame in frames:
            if not frame.startswith(b"data:") or LF in frame:
                self._read_lines(frame + b"\n\n", out)
            else:
                # JSON takes the space after the colon for white space.
                found: Any = ordinary(frame[5:]) if choices.plain else None
                if type(found) is str:
                    payloads.texts_seen += 1
                    kept.pieces.append(found)
                    out.append(text_delta(found) if make else found)
                    lines.offset += len(frame) + 2
                    continue
                data = frame[5:].removeprefix(b" ")
                payloads.read_data(data, lines.offset + len(frame) - len(data), found, out)
                lines.offset += len(frame) + 2
                ordinary = payloads.ordinary
            if payloads.finished:
                break
        if rest:
            carry += rest
        if lines.offset >= kept.next:
            kept.count(lines.offset)

    def _read_up_to_start(self, data: bytes, out: list[Any]) -> bytes:
        """Return what may be cut at its blank lines, having read, or put aside, what may not.

        Cutting there knows LF alone as a line end, and no limit; it has to start where a block does.
        """
        carry = self._carry
        if CR in data or len(carry) + len(data) > self._limit:
            data = bytes(carry) + data
            carry.clear()
            self._read_lines(data, out)
            return b""
        if not self._at_start:
            head, end, data = data.partition(b"\n\n")
            self._read_lines(head + end, out)
            return b"" if self._payloads.done else data
        # Nothing is put together before a frame's end has come: every byte is moved once.
        if data.find(b"\n\n") >= 0 or carry[-1:] == b"\n" == data[:1]:
            data = bytes(carry) + data
            carry.clear()
            return data
        carry += data
        return b""

    def _read_lines(self, data: bytes, out: list[Any]) -> None:
        """Take in a piece of an event stream, line by line."""
        payloads = self._payloads
        for block in self._frames.feed(data):
            payloads.read_frame(block, out)
            if payloads.done:
                return
        if self._frames.too_large is not None:
            payloads.fail_too_large(self._limit, *self._frames.too_large, out)
        self._at_start = self._frames.at_start

    def _end(self, out: list[Any]) -> None:
        """Take in that the bytes ended."""
        payloads = self._payloads
        if self._body_kind == "html":
            self._refuse_html(out)
        elif self._units is not None:
            end_units(self._units, self._payloads, out)
        elif self._body_kind in ("json", "lines or json"):
            self._body_kind = "json"
            self._buffer(b"", out)
            if not payloads.done:
                payloads.read_body(bytes(self._body), self._offset, out)
        else:
            self._read_lines(bytes(self._carry), out)
            if not payloads.frames:
                payloads.seen.note_missing(self._frames)
            block = self._frames.close(keep=True)
            if self._frames.too_large is not None:
                payloads.fail_too_large(self._limit, *self._frames.too_large, out)
            else:
                payloads.read_unfinished(block, out)
        if not payloads.done:
            payloads.end_of_bytes(out)

    def _refuse_html(self, out: list[Any]) -> None:
        frame = bytes(self._body[:_HTML_SIZE])
        self._payloads.fail("the body is HTML or XML, not an event stream", self._offset, frame, out)

    def __repr__(self) -> str:
        return f"<millstream.StreamDecoder {self.format!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("StreamDecoder objects cannot be pickled")
