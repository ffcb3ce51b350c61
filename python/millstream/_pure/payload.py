"""Payloads to deltas, whatever their format: the output, the counts, the end mark."""

from collections.abc import Mapping
from typing import Any

from .._provider_errors import error_path
from ..errors import EventTooLargeError, StreamDecodeError, StreamError
from .delta import Delta, text_delta
from .delta.choices import Choices
from .delta.shape import INFO_MEMBERS, Family, InvalidPayloadError
from .delta.tools import LimitPassedError
from .formats import AUTO, FORMATS, find_format
from .frames import FRAME_SIZE, Block, too_large_message
from .framing.units import Unit
from .json import WHITE_SPACE, Document, read
from .kept_text import KeptText
from .seen import Seen

__all__ = ("DONE", "PayloadReader", "is_error", "is_json")

DONE = b"[DONE]"
"""The end mark."""

# The kinds of output in which the response is described.
_DESCRIBED = ("parts", "wire records")
# The fields behind the text of a delta that has nothing else.
_TEXT_ALONE = text_delta("")._fields[3:]


class PayloadReader:
    """The decoding of one stream from its payloads on.

    The methods append their output to ``out``: deltas, or text, of which records are made too.
    """

    __slots__ = (
        "_one",
        "choices",
        "contents_read",
        "deltas_read",
        "ended",
        "failed",
        "family",
        "finished",
        "frames_read",
        "info",
        "is_in_line",
        "kept",
        "kept_text",
        "kind",
        "ordinary",
        "seen",
        "texts_seen",
    )

    def __init__(self, format: str, *, one: bool, join: bool, limit: int) -> None:
        self._one = one
        self.family: Family = FORMATS[format].family(format, one=one)
        """What reads the payloads."""
        self.ordinary = self.family.find_text
        """What returns the text of an ordinary payload."""
        self.is_in_line = False
        """Whether the payload is a line: one of a format that has no lines is a whole answer."""
        self.choices = Choices(join=join)
        self.kind: str | None = None
        """The kind of output, once it is decided: ``deltas``, ``text``, ``records``, ``parts``, ``payloads`` or ``wire
        records``."""
        self.kept_text = KeptText(limit)
        """Choice 0's text."""
        self.info: dict[str, str | None] = dict.fromkeys(INFO_MEMBERS)
        """The description of the response, where parts come out: its first id, and the rest as it stands."""
        self.texts_seen = 0
        """Ordinary payloads: each is a frame and a delta."""
        self.frames_read = self.deltas_read = self.contents_read = 0
        """The other frames with data, their deltas, and those of them that have content."""
        self.seen = Seen()
        self.ended: str | None = None
        self.failed: tuple[type[StreamError], str, int, bytes] | None = None
        """The error that stopped the decoding: the exception's class and message, the frame's offset and data."""
        self.kept: list[Delta] = []
        """The deltas of choice 0 that have log probabilities, where all is kept."""
        self.finished: list[bool] = []
        """Empty until the stream is over: a list's truth value is the cheapest test after every read."""

    @property
    def done(self) -> bool:
        """Whether nothing more can come out."""
        return bool(self.finished)

    @property
    def frames(self) -> int:
        """How many frames had data."""
        return self.texts_seen + self.frames_read

    @property
    def deltas_seen(self) -> int:
        """How many deltas were decoded."""
        return self.texts_seen + self.deltas_read

    @property
    def contents_seen(self) -> int:
        """How many deltas had text, reasoning, a refusal, a tool call or audio."""
        return self.texts_seen + self.contents_read

    def check_kind(self, kind: str, methods: Mapping[str, str] | None = None) -> None:
        """Set the kind of output, or raise ``ValueError`` for another one; at the end, ``methods`` feed each kind."""
        if self.kind is None:
            self.kind = kind
            if kind in _DESCRIBED:
                # What an ordinary payload says beside its text counts here.
                self.ordinary = _none_is_ordinary
        elif self.kind != kind and methods is not None:
            method = methods[self.kind].replace("feed", "close")
            raise ValueError(f"this StreamDecoder hands out {self.kind}: close it with {method}()")
        elif self.kind != kind:
            need = "needs one of its own" if kind == "text" else "need one of their own"
            raise ValueError(f"this StreamDecoder hands out {self.kind}: {kind} {need}")

    def read_frame(self, block: Block, out: list[Any]) -> None:
        """Take in a block: data, then an error of llama.cpp's kind."""
        if block.data:
            data = b"\n".join(block.data)
            if block.event == b"error":
                self._look(data, block.offset, "error")
                self._take(self._read_error(data.strip(WHITE_SPACE)), out)
            else:
                event = block.event.decode("utf-8", "replace")
                self._read_named(data, block.offset, "frame", event, out)
        if block.error and not self.done:
            self._take(self.choices.read_error(b"\n".join(block.error).strip(WHITE_SPACE)), out)

    def read_unit(self, unit: Unit, noun: str, out: list[Any]) -> None:
        """Take in a unit of another framing, which is called ``noun``."""
        if unit.is_error:
            self._look(unit.data, unit.offset, unit.event)
            self._take(self.choices.read_error(unit.data), out)
        else:
            self.is_in_line = noun == "line"
            self._read_named(unit.data, unit.offset, noun, unit.event, out)

    def _read_named(self, data: bytes, offset: int, noun: str, event: str, out: list[Any]) -> None:
        """Take in the data of a frame, or of a unit called ``noun``, with the name of its event."""
        self._look(data, offset, event)
        found: Any = self.ordinary(data) if self.choices.plain and not self._reads_bodies else None
        if type(found) is str:
            self._take([text_delta(found)], out, data)
        else:
            self._read_data(data, offset, found, out, noun, event)

    @property
    def _reads_bodies(self) -> bool:
        """Whether a payload is a line in a format that has none: it is read as a whole answer."""
        return self.is_in_line and FORMATS[self.family.format].framing != "ndjson"

    def read_data(self, data: bytes, offset: int, value: Any, out: list[Any]) -> None:
        """Take in a frame that is nothing but data, which starts at ``offset``; ``value`` is their value, if known."""
        self._look(data, offset)
        self._read_data(data, offset, value, out)

    def _look(self, data: bytes, offset: int, event: str = "") -> None:
        """Count a frame, and look at one that comes before any choice."""
        self.frames_read += 1
        if not self.choices.have_begun:
            self.seen.look(data, offset, event, self.family.format, first=self.frames == 1)

    def _read_data(
        self, data: bytes, offset: int, value: Any, out: list[Any], noun: str = "frame", event: str = ""
    ) -> None:
        """Take in the data of a frame: nothing, the end mark, or a payload."""
        raw = data.strip(WHITE_SPACE)
        if value is None:
            if raw == DONE and noun == "frame":
                self.end(DONE.decode(), out)
                return
            if not raw:
                return
            try:
                value = read(raw)
            except ValueError:
                self.fail(f"invalid JSON in the {noun} at byte {offset}", offset, data[:FRAME_SIZE], out)
                return
        if self.family.format == AUTO and isinstance(value, dict):
            self._identify(value, event)
        if self.family.is_wrapped and isinstance(value, dict):
            try:
                inner = self.family.unwrap(value, Document(raw), event)
            except InvalidPayloadError as error:
                self.fail(f"the {noun} at byte {offset} is not valid: {error}", offset, data[:FRAME_SIZE], out)
                return
            if inner is not None:
                self._read_data(inner[1], offset, None, out, noun, inner[0])
                return
        piece = self.family.find_arguments(value) if self.choices.take_arguments else None
        delta = None if piece is None else self.choices.read_arguments(*piece)
        if delta is not None:
            self._report_info(value, out)
            self._take([delta], out, raw)
        elif isinstance(value, dict):
            self._read(value, raw, (offset, data[:FRAME_SIZE]), out, event, is_body=self._reads_bodies and not event)
        else:
            self._take([], out, raw)

    def _identify(self, payload: dict[str, Any], event: str) -> None:
        """Read the stream as one of the format that ``payload`` is, if that can be seen."""
        found = find_format(event, payload)
        if found is not None:
            is_read_alone = self.ordinary == self.family.find_text
            self.family = FORMATS[found].family(found, one=self._one)
            self.ordinary = self.family.find_text if is_read_alone else self.ordinary
            self.seen.foreign = None

    def _read_error(self, raw: bytes) -> list[Delta]:
        """Return the deltas of ``raw``, the data of an event ``error``."""
        try:
            value = read(raw)
        except ValueError:
            value = None
        error = self.family.find_error_event(value, Document(raw)) if isinstance(value, dict) else None
        return self.choices.read_error(raw) if error is None else self.choices.fail(error)

    def _read(
        self,
        value: dict[str, Any],
        raw: bytes,
        place: tuple[int, bytes],
        out: list[Any],
        event: str = "",
        *,
        is_body: bool = False,
    ) -> None:
        """Take in a payload, the ``value`` of ``raw``: all of it, or nothing if it passes a limit."""
        payload = self.family.read(value, Document(raw), event, is_body=is_body)
        try:
            settled = self.choices.settle(payload.choices)
        except LimitPassedError as error:
            self.fail(str(error), *place, out)
            return
        self._report_info(value, out)
        deltas = self.choices.take(settled, payload)
        deltas += self.choices.flush() if payload.ends else []
        self._take(deltas, out, raw, is_plain=payload.is_plain)
        if payload.ends and not self.done:
            self.end("event", out)

    def end(self, ended: str, out: list[Any]) -> None:
        """End, after handing out held halves."""
        self._take(self.choices.flush(), out)
        self.seen.end(ended, self.frames)
        self.ended = ended
        self.finished.append(True)

    def fail(self, message: str, offset: int, frame: bytes, out: list[Any]) -> None:
        """Fail, after handing out held halves."""
        self._stop((StreamDecodeError, message, offset, frame), out)

    def fail_too_large(self, limit: int, offset: int, frame: bytes, out: list[Any]) -> None:
        """Fail: an event, or the body, grew past ``limit`` bytes."""
        self._stop((EventTooLargeError, too_large_message(limit), offset, frame), out)

    def make_failure(self) -> StreamError | None:
        """Return a new exception for the error that stopped the decoding, if there is one."""
        if self.failed is None:
            return None
        kind, message, offset, frame = self.failed
        text = self.kept_text.text
        return kind(
            message,
            offset=offset,
            frame=frame,
            text=text,
            text_complete=self.kept_text.complete,
            deltas_seen=self.deltas_seen,
        )

    def _stop(self, failed: tuple[type[StreamError], str, int, bytes], out: list[Any]) -> None:
        self.failed = failed
        self._take(self.choices.flush(), out)
        self.seen.head.clear()
        self.finished.append(True)

    def _report_info(self, payload: Any, out: list[Any]) -> None:
        """Report the description of the response, where ``payload`` changes it; a later id changes nothing."""
        if self.kind not in _DESCRIBED:
            return
        now = {**self.info, **(self.family.info(payload) if isinstance(payload, dict) else {})}
        now["id"] = self.info["id"] or now["id"]
        if now != self.info:
            self.info = now
            out.append(tuple(now.values()))
            if self.kind == "wire records" and now["model"] is not None:
                # A wire has the model's name alone, as it was at first.
                self.ordinary = self.family.find_text

    def _report_payload(self, deltas: list[Delta], raw: bytes | None, out: list[Any], is_plain: bool) -> None:
        """Report the payload ``raw``, whose deltas of choice 0 are in ``deltas``: its text alone, or all of it.

        Held halves come without a payload.
        """
        fields = [delta._fields for delta in deltas if delta._fields[0] == 0]
        text = "".join([found[2] for found in fields if found[2] is not None])
        has_failed = any(found[8] is not None for found in fields)
        role = self.family.role
        is_plain = is_plain and all(found[1] in (None, role) and found[3:] == _TEXT_ALONE for found in fields)
        if text and (is_plain or has_failed or raw is None):
            out.append(text)
        elif raw is not None and not has_failed:
            out.append((raw.strip(WHITE_SPACE).decode("utf-8", "replace"), text or None))

    def _take(self, deltas: list[Delta], out: list[Any], raw: bytes | None = None, *, is_plain: bool = True) -> None:
        """Hand out ``deltas``, those of the payload ``raw`` or of held halves; end with an error if there is one."""
        self.deltas_read += len(deltas)
        if self.kind == "deltas":
            out += deltas
        elif self.kind == "payloads":
            self._report_payload(deltas, raw, out, is_plain)
        for delta in deltas:
            fields = delta._fields
            # Text, reasoning, refusal, tool calls; audio.
            if fields[2] or fields[3] or fields[4] or fields[5] or fields[10] is not None:
                self.contents_read += 1
            if fields[0] != 0:
                if self.kind == "wire records":
                    out.append(delta)
            else:
                text = fields[2]
                if text is not None:
                    self.kept_text.pieces.append(text)
                if self.kept_text.keeps_all and fields[9] is not None:
                    self.kept.append(delta)
                if self.kind in _DESCRIBED:
                    is_text = text is not None and fields[1] is None and fields[3:] == _TEXT_ALONE
                    out.append(text if is_text else delta)
                elif self.kind in ("text", "records") and (text is not None or fields[6] is not None):
                    out.append(text or "")
        if self.choices.error is not None:
            self.seen.head.clear()
            self.ended = "error"
            self.finished.append(True)


def is_error(line: bytes) -> bool:
    """Return whether ``line``, which begins with a brace, is a whole JSON object that has an error."""
    try:
        value = read(line.strip(WHITE_SPACE))
    except ValueError:
        return False
    return error_path(value) is not None


def _none_is_ordinary(raw: bytes) -> None:
    """Leave every payload to :class:`Choices`."""


def is_json(raw: bytes) -> bool:
    """Return whether ``raw`` is valid JSON."""
    try:
        read(raw)
    except ValueError:
        return False
    return True
