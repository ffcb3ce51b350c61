"""``ndjson``: one JSON object a line, with the members of a ``Delta`` that it has."""

from ..delta import Delta, ToolCallDelta
from .usage import chat_usage, find_counts
from .wire import Answer, Failure, Wire, kept_json, string

__all__ = ("NdjsonWire",)


class NdjsonWire(Wire):
    """The last line has ``finish_reason`` or ``error``: without it, the answer was cut off."""

    __slots__ = ("_choices",)

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self._choices: set[int] = set()
        """The choices that have begun."""

    def text(self, out: bytearray, text: str) -> None:
        self._choices.add(0)
        out += b'{"text":%b}\n' % string(text)

    def delta(self, out: bytearray, delta: Delta) -> None:
        self._choices.add(delta.index)
        members = []
        for name, text in (("reasoning", delta.reasoning), ("text", delta.text), ("refusal", delta.refusal)):
            if text:
                members.append(b'"%b":%b' % (name.encode(), string(text)))
        if delta.tool_calls:
            members.append(b'"tool_calls":[%b]' % b",".join(map(_tool_call, delta.tool_calls)))
            self.answer.note_calls(delta.index, delta.tool_calls)
        for name, value in (("logprobs", delta._fields[9]), ("audio", delta._fields[10])):
            if value is not None:
                members.append(b'"%b":%b' % (name.encode(), kept_json(value)))
        if members:
            self._line(out, delta.index, members)

    def tool_result(self, out: bytearray, tool_call_id: str, text: str) -> None:
        out += b'{"tool_result":{"id":%b,"text":%b}}\n' % (string(tool_call_id), string(text))

    def source(self, out: bytearray, url: str, title: str, id: str) -> None:
        members = [b'"url":' + string(url)]
        members += [b'"title":' + string(title)] if title else []
        members += [b'"id":' + string(id)] if id else []
        out += b'{"source":{%b}}\n' % b",".join(members)

    def data(self, out: bytearray, document: bytes) -> None:
        out += b'{"data":%b}\n' % document

    def snapshot(self, out: bytearray, text: str, dropped: int) -> None:
        out += b'{"snapshot":%b,"dropped":%d}\n' % (string(text), dropped)

    def fail(self, out: bytearray, failure: Failure) -> None:
        members = [b'"message":' + string(failure.message), b'"type":' + string(failure.type)]
        members += [b'"code":' + string(failure.code)] if failure.code is not None else []
        out += b'{"error":{%b,"status":%d}}\n' % (b",".join(members), failure.status)

    def close(self, out: bytearray) -> None:
        counts = find_counts(self.answer.usage)
        choices = sorted(self._choices | self.answer.finish_reasons.keys()) or [0]
        for index in choices:
            members = [b'"finish_reason":' + string(self.answer.finish_reason(index))]
            if index == choices[-1] and counts:
                members.append(b'"usage":' + chat_usage(counts))
            self._line(out, index, members)

    def _line(self, out: bytearray, index: int, members: list[bytes]) -> None:
        out += b"{%b%b}\n" % (b'"index":%d,' % index if index else b"", b",".join(members))


def _tool_call(call: ToolCallDelta) -> bytes:
    members = [b'"index":%d' % call.index]
    members += [
        b'"%b":%b' % (name.encode(), string(text))
        for name, text in (("id", call.id), ("name", call.name), ("args", call.args))
        if text is not None
    ]
    return b"{%b}" % b",".join(members)
