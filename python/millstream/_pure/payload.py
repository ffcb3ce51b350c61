"""Payloads to deltas, whatever their format: the output, the counts, the end of the stream."""

from collections.abc import Callable
from typing import Any

from .._provider_errors import error_path
from ..errors import EventTooLargeError, StreamDecodeError, StreamError
from .delta import Delta, text_delta
from .delta.openai import INFO_MEMBERS, Choices, chat_text, completions_text, response_info
from .delta.tools import LimitPassedError
from .frames import FRAME_SIZE, Block, too_large_message
from .json import WHITE_SPACE, read
from .kept_text import KeptText
from .seen import Seen, json_lines

__all__ = ("FORMATS", "Payloads", "is_error")

FORMATS: dict[str, Callable[[bytes, bool], str | dict[str, Any] | None]] = {
    "openai.chat": chat_text,
    "openai.completions": completions_text,
}
"""For each format, what gives the text of an ordinary payload; for another one its value, or ``None``."""

_DONE = b"[DONE]"
# The kinds of output in which the response is described.
_DESCRIBED = ("parts", "wire records")
# The fields behind the text of a delta that has nothing else.
_TEXT_ALONE = text_delta("")._fields[3:]


class Payloads:
    """The decoding of one stream from its payloads on.

    The methods append their output to ``out``: deltas, or text, of which records are made too.
    """

    __slots__ = (
        "_format",
        "choices",
        "contents_read",
        "deltas_read",
        "ended",
        "failed",
        "finished",
        "frames_read",
        "info",
        "kept",
        "kept_text",
        "kind",
        "ordinary",
        "seen",
        "texts_seen",
    )

    def __init__(self, format: str, *, one: bool, join: bool, limit: int) -> None:
        self._format = format
        self.ordinary = FORMATS[format]
        self.choices = Choices(chat=format == "openai.chat", one=one, join=join)
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

    def check_kind(self, kind: str) -> None:
        """Set the kind of output, or raise ``ValueError`` if it is another one already."""
        if self.kind is None:
            self.kind = kind
            if kind in _DESCRIBED:
                # What an ordinary payload says beside its text counts here.
                self.ordinary = _none_is_ordinary
        elif self.kind != kind:
            need = "needs one of its own" if kind == "text" else "need one of their own"
            raise ValueError(f"this StreamDecoder hands out {self.kind}: {kind} {need}")

    def read_frame(self, block: Block, out: list[Any]) -> None:
        """Take in a block: data, then an error of llama.cpp's kind."""
        if block.data:
            data = b"\n".join(block.data)
            self._look(data, block.offset, block.event)
            if block.event == b"error":
                self._take(self.choices.read_error(data.strip(WHITE_SPACE)), out)
            else:
                found: Any = self.ordinary(data, self.choices.one) if self.choices.plain else None
                if type(found) is str:
                    self._take([text_delta(found)], out, data)
                else:
                    self._read_data(data, block.offset, found, out)
        if block.error and not self.done:
            self._take(self.choices.read_error(b"\n".join(block.error).strip(WHITE_SPACE)), out)

    def read_data(self, data: bytes, offset: int, value: Any, out: list[Any]) -> None:
        """Take in a frame that is nothing but data, which starts at ``offset``; ``value`` is their value, if known."""
        self._look(data, offset)
        self._read_data(data, offset, value, out)

    def _look(self, data: bytes, offset: int, event: bytes = b"") -> None:
        """Count a frame, and look at one that comes before any choice."""
        self.frames_read += 1
        if not self.choices.have_begun:
            self.seen.look(data, offset, event, first=self.frames == 1)

    def _read_data(self, data: bytes, offset: int, value: Any, out: list[Any]) -> None:
        """Take in the data of a frame: nothing, the end mark, or a payload."""
        raw = data.strip(WHITE_SPACE)
        if value is None:
            if raw == _DONE:
                self.end(_DONE.decode(), out)
                return
            if not raw:
                return
            try:
                value = read(raw)
            except ValueError:
                self.fail(f"invalid JSON in the frame at byte {offset}", offset, data[:FRAME_SIZE], out)
                return
        delta = self.choices.read_arguments(value)
        if delta is not None:
            self._report_info(value, out)
            self._take([delta], out, raw)
        else:
            self._read(value, raw, (offset, data[:FRAME_SIZE]), out)

    def read_unfinished(self, block: Block, out: list[Any]) -> None:
        """Take in a last frame without its blank line, as far as it is the end mark or whole JSON."""
        raw = b"\n".join(block.data).strip(WHITE_SPACE)
        if not (_is_json(raw) or (raw == _DONE and block.event != b"error")):
            block.data = []
        if not _is_json(b"\n".join(block.error).strip(WHITE_SPACE)):
            block.error = []
        self.read_frame(block, out)

    def read_body(self, raw: bytes, offset: int, out: list[Any]) -> None:
        """Take in a body that is one JSON document: an error, or a whole response."""
        try:
            payload = read(raw)
        except ValueError:
            for line in raw.split(b"\n"):
                if line.startswith(b"{") and is_error(line):
                    self._take(self.choices.read_error(line.strip(WHITE_SPACE)), out)
                    return
            found = json_lines(raw)
            message = (
                "invalid JSON in the body" if found is None else f"the stream's format is {found}, not {self._format}"
            )
            self.fail(message, offset, raw[:FRAME_SIZE], out)
            return
        self._look(raw, offset)
        self._read(payload, raw, (offset, raw[:FRAME_SIZE]), out, body=True)

    def _read(self, payload: Any, raw: bytes, place: tuple[int, bytes], out: list[Any], *, body: bool = False) -> None:
        """Take in ``payload``, the value of ``raw``: all of it, or nothing if it passes a limit."""
        try:
            settled = self.choices.settle(payload, raw, body=body)
        except LimitPassedError as error:
            self.fail(str(error), *place, out)
            return
        self._report_info(payload, out)
        self._take(self.choices.take(settled, payload, raw), out, raw)

    def end_of_bytes(self, out: list[Any]) -> None:
        """End, or fail where the stream is one of another format."""
        foreign = self.seen.foreign
        if foreign is not None and not self.choices.have_begun:
            found, offset, frame = foreign
            self.fail(f"the stream's format is {found}, not {self._format}", offset, frame, out)
        else:
            self.end("eof" if self.choices.are_finished else "truncated", out)

    def end(self, ended: str, out: list[Any]) -> None:
        """End, after handing out held halves."""
        self._take(self.choices.flush(), out)
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
        now = {**self.info, **response_info(payload)}
        now["id"] = self.info["id"] or now["id"]
        if now != self.info:
            self.info = now
            out.append(tuple(now.values()))
            if self.kind == "wire records" and now["model"] is not None:
                # A wire has the model's name alone, as it was at first.
                self.ordinary = FORMATS[self._format]

    def _take(self, deltas: list[Delta], out: list[Any], raw: bytes | None = None) -> None:
        """Hand out ``deltas``, those of the payload ``raw`` or of held halves; end with an error if there is one."""
        self.deltas_read += len(deltas)
        if self.kind == "deltas":
            out += deltas
        elif self.kind == "payloads":
            _report_payload(deltas, raw, out)
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


def _report_payload(deltas: list[Delta], raw: bytes | None, out: list[Any]) -> None:
    """Report the payload ``raw``, whose deltas of choice 0 are in ``deltas``: its text alone, or all of it.

    Held halves come without a payload.
    """
    fields = [delta._fields for delta in deltas if delta._fields[0] == 0]
    texts = [found[2] for found in fields if found[2] is not None]
    text = texts.pop() if texts else None
    out += texts
    has_failed = any(found[8] is not None for found in fields)
    is_plain = all(found[1] in (None, "assistant") and found[3:] == _TEXT_ALONE for found in fields)
    if text is not None and (is_plain or has_failed or raw is None):
        out.append(text)
    elif raw is not None and not has_failed:
        out.append((raw.strip(WHITE_SPACE).decode("utf-8", "replace"), text))


def is_error(line: bytes) -> bool:
    """Return whether ``line``, which begins with a brace, is a whole JSON object that has an error."""
    try:
        value = read(line.strip(WHITE_SPACE))
    except ValueError:
        return False
    return error_path(value) is not None


def _none_is_ordinary(raw: bytes, one: bool) -> None:
    """Leave every payload to :class:`Choices`."""


def _is_json(raw: bytes) -> bool:
    """Return whether ``raw`` is valid JSON."""
    try:
        read(raw)
    except ValueError:
        return False
    return True
