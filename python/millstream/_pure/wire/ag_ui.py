"""``ag-ui``: the events of AG-UI 1.0.

A client refuses ``null`` where a member may be absent, an end without its start, and a run that ends while a message,
some reasoning or a tool call is open. After ``RUN_ERROR`` it accepts nothing.
"""

from .parts import Call, Parts
from .usage import find_counts, script_usage
from .wire import Answer, Failure, string

__all__ = ("AgUiWire",)


class AgUiWire(Parts):
    """The text and the tool calls of one message of the model have one message id, each reasoning one of its own.

    A refusal is text. A message that goes on after reasoning or a tool call is begun again, under its id.
    """

    __slots__ = ("_message_id", "_messages", "_part_id", "_piece", "_reasonings", "_results")

    lacks = ("snapshots",)

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self._messages = 1
        self._message_id = string(f"msg_{answer.id}")
        self._reasonings = 0
        self._results = 0
        # The id of the open part, and the event of a piece of it, up to the piece.
        self._part_id = b""
        self._piece = b""

    def start(self, out: bytearray) -> None:
        _event(out, b"RUN_STARTED", self._run())

    def begin_part(self, out: bytearray, kind: str) -> None:
        if kind == "reasoning":
            self._reasonings += 1
            self._part_id = id = string(f"rs_{self.answer.id}_{self._reasonings}")
            _event(out, b"REASONING_START", b'"messageId":' + id)
            _event(out, b"REASONING_MESSAGE_START", b'"messageId":%b,"role":"reasoning"' % id)
            name = b"REASONING_MESSAGE_CONTENT"
        else:
            self._part_id = id = self._message_id
            _event(out, b"TEXT_MESSAGE_START", b'"messageId":%b,"role":"assistant"' % id)
            name = b"TEXT_MESSAGE_CONTENT"
        self._piece = b'data: {"type":"%b","messageId":%b,"delta":' % (name, id)

    def part_piece(self, out: bytearray, kind: str, text: str) -> None:
        out += b"%b%b}\n\n" % (self._piece, string(text))

    def end_part(self, out: bytearray, kind: str) -> None:
        id = b'"messageId":' + self._part_id
        if kind == "reasoning":
            _event(out, b"REASONING_MESSAGE_END", id)
            _event(out, b"REASONING_END", id)
        else:
            _event(out, b"TEXT_MESSAGE_END", id)

    def begin_call(self, out: bytearray, call: Call) -> None:
        names = (string(call.id), string(call.name), self._message_id)
        _event(out, b"TOOL_CALL_START", b'"toolCallId":%b,"toolCallName":%b,"parentMessageId":%b' % names)

    def call_piece(self, out: bytearray, call: Call, args: str) -> None:
        _event(out, b"TOOL_CALL_ARGS", b'"toolCallId":%b,"delta":%b' % (string(call.id), string(args)))

    def end_call(self, out: bytearray, call: Call, *, failed: bool) -> None:
        if not failed:
            _event(out, b"TOOL_CALL_END", b'"toolCallId":' + string(call.id))

    def begin_step(self, out: bytearray) -> None:
        self._messages += 1
        self._message_id = string(f"msg_{self.answer.id}_{self._messages}")

    def tool_result(self, out: bytearray, tool_call_id: str, text: str) -> None:
        self.end_step(out)
        self._results += 1
        values = (string(f"tool_{self.answer.id}_{self._results}"), string(tool_call_id), string(text))
        _event(out, b"TOOL_CALL_RESULT", b'"messageId":%b,"toolCallId":%b,"content":%b,"role":"tool"' % values)

    def source(self, out: bytearray, url: str, title: str, id: str) -> None:
        value = b'"url":' + string(url)
        value += b',"title":' + string(title) if title else b""
        value += b',"id":' + string(id) if id else b""
        _event(out, b"CUSTOM", b'"name":"source","value":{%b}' % value)

    def data(self, out: bytearray, document: bytes) -> None:
        _event(out, b"CUSTOM", b'"name":"chunk","value":' + document)

    def fail(self, out: bytearray, failure: Failure) -> None:
        self.end(out, failure)
        code = failure.type if failure.code is None else failure.code
        _event(out, b"RUN_ERROR", b'"message":%b,"code":%b' % (string(failure.message), string(code)))

    def close(self, out: bytearray) -> None:
        self.end(out, None)
        counts = find_counts(self.answer.usage)
        usage = b',"usage":[%b]' % script_usage(counts) if counts else b""
        reason = b',"metadata":{"finishReason":%b}' % string(self.answer.finish_reason())
        _event(out, b"RUN_FINISHED", self._run() + usage + reason)

    def _run(self) -> bytes:
        return b'"threadId":%b,"runId":%b' % (string(self.answer.thread_id), string(self.answer.run_id))


def _event(out: bytearray, kind: bytes, members: bytes) -> None:
    out += b'data: {"type":"%b",%b}\n\n' % (kind, members)
