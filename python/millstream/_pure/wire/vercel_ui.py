"""``vercel.ui``: version 1 of the UI message stream, as the reader of npm ``ai`` and its schemas want it.

A member that is not there is left out: the schemas refuse ``null``.
"""

from .compact import valid_json
from .parts import Call, Parts
from .usage import find_counts, script_usage
from .wire import Answer, Failure, string

__all__ = ("VercelUiWire",)

_END = b"data: [DONE]\n\n"
_FINISH_REASONS = {
    "stop": b"stop",
    "length": b"length",
    "content_filter": b"content-filter",
    "tool_calls": b"tool-calls",
    "function_call": b"tool-calls",
    "error": b"error",
}
# White space of JSON.
_SPACE = " \t\n\r"
_CUT = b'"the answer ended before the tool call was complete"'
_INVALID = b'"the arguments of the tool call are not valid JSON"'


class VercelUiWire(Parts):
    """A refusal is a text of its own. Every part has an id, counted from 0."""

    __slots__ = ("_known_calls", "_parts", "_piece", "_sources")

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self._known_calls: set[str] = set()
        self._parts = 0
        self._sources = 0
        # The record of a piece of the open part, up to the piece.
        self._piece = b""

    def start(self, out: bytearray) -> None:
        _record(out, b"start", b'"messageId":' + string(f"msg_{self.answer.id}"))
        _record(out, b"start-step")

    def begin_part(self, out: bytearray, kind: str) -> None:
        name = b"reasoning" if kind == "reasoning" else b"text"
        _record(out, name + b"-start", b'"id":"%d"' % self._parts)
        self._piece = b'data: {"type":"%b-delta","id":"%d","delta":' % (name, self._parts)

    def part_piece(self, out: bytearray, kind: str, text: str) -> None:
        out += b"%b%b}\n\n" % (self._piece, string(text))

    def end_part(self, out: bytearray, kind: str) -> None:
        _record(out, b"reasoning-end" if kind == "reasoning" else b"text-end", b'"id":"%d"' % self._parts)
        self._parts += 1

    def begin_call(self, out: bytearray, call: Call) -> None:
        self._known_calls.add(call.id)
        _record(out, b"tool-input-start", _names(call))

    def call_piece(self, out: bytearray, call: Call, args: str) -> None:
        call.pieces.append(args)
        _record(out, b"tool-input-delta", b'"toolCallId":%b,"inputTextDelta":%b' % (string(call.id), string(args)))

    def end_call(self, out: bytearray, call: Call, *, failed: bool) -> None:
        args = call.args
        document = None if failed else valid_json(args) if args.strip(_SPACE) else b"{}"
        if document is not None:
            _record(out, b"tool-input-available", b'%b,"input":%b' % (_names(call), document))
        else:
            error = _CUT if failed else _INVALID
            _record(out, b"tool-input-error", b'%b,"input":%b,"errorText":%b' % (_names(call), string(args), error))

    def begin_step(self, out: bytearray) -> None:
        _record(out, b"finish-step")
        _record(out, b"start-step")

    def tool_result(self, out: bytearray, tool_call_id: str, text: str) -> None:
        self.end_step(out)
        if tool_call_id in self._known_calls:
            _record(
                out, b"tool-output-available", b'"toolCallId":%b,"output":%b' % (string(tool_call_id), string(text))
            )

    def source(self, out: bytearray, url: str, title: str, id: str) -> None:
        self._sources += 1
        document = b'"sourceId":%b,"url":%b' % (string(id or f"source-{self._sources}"), string(url))
        _record(out, b"source-url", document + (b',"title":' + string(title) if title else b""))

    def data(self, out: bytearray, document: bytes) -> None:
        _record(out, b"data-chunk", b'"data":' + document)

    def snapshot(self, out: bytearray, text: str, dropped: int) -> None:
        # The client may not have the start of the open part: that part gets no end, and the text goes on in another.
        if self._open is not None:
            self._open = None
            self._parts += 1
        _record(out, b"data-snapshot", b'"data":{"text":%b,"dropped":%d}' % (string(text), dropped))

    def fail(self, out: bytearray, failure: Failure) -> None:
        self.end(out, failure)
        _record(out, b"error", b'"errorText":' + string(failure.message))
        out += _END

    def close(self, out: bytearray) -> None:
        self.end(out, None)
        _record(out, b"finish-step")
        reason = _FINISH_REASONS.get(self.answer.finish_reason(), b"other")
        counts = find_counts(self.answer.usage)
        metadata = b',"messageMetadata":{"usage":%b}' % script_usage(counts) if counts else b""
        _record(out, b"finish", b'"finishReason":"%b"%b' % (reason, metadata))
        out += _END


def _record(out: bytearray, kind: bytes, members: bytes = b"") -> None:
    out += b'data: {"type":"%b"%b%b}\n\n' % (kind, b"," if members else b"", members)


def _names(call: Call) -> bytes:
    return b'"toolCallId":%b,"toolName":%b' % (string(call.id), string(call.name))
