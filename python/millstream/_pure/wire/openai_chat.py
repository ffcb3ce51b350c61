"""``openai.chat``: chat completion chunks, as OpenAI's SDKs read them."""

from ..delta import Delta, ToolCallDelta
from ..text import join_surrogates
from .choices import ChoiceWire
from .wire import Answer, kept_json, string

__all__ = ("ChatWire",)

_ROLE = b'"role":"assistant"'


class ChatWire(ChoiceWire):
    """The first record of a choice has its role. Reasoning is ``reasoning_content``, as DeepSeek and vLLM have it."""

    __slots__ = ("_annotations", "_calls", "_calls_begun")

    lacks = ("data", "snapshots")

    prefix = "chatcmpl"
    object = b"chat.completion.chunk"
    logprobs = ("content", "refusal")

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self._calls: dict[tuple[int, int], tuple[int, str]] = {}
        """The index that a tool call is written with, and its id, by its choice and index."""
        self._calls_begun: dict[int, int] = {}
        """How many calls have begun, by choice. Clients keep calls in a list, so that the first one has the index 0."""
        self._annotations: list[bytes] = []

    def text(self, out: bytearray, text: str) -> None:
        if 0 in self._begun:
            self.record(out, b'{"index":0,"delta":{"content":%b},"finish_reason":null}' % string(text))
        else:
            self._choice(out, 0, [b'"content":' + string(text)])

    def delta(self, out: bytearray, delta: Delta) -> None:
        index = delta.index
        members = [
            b'"%b":%b' % (name, string(text))
            for name, text in (
                (b"reasoning_content", delta.reasoning),
                (b"content", delta.text),
                (b"refusal", delta.refusal),
            )
            if text
        ]
        if calls := [call for piece in delta.tool_calls if (call := self._tool_call(index, piece))]:
            members.append(b'"tool_calls":[%b]' % b",".join(calls))
        if delta._fields[10] is not None:
            members.append(b'"audio":' + kept_json(delta._fields[10]))
        logprobs = self._logprobs_member(delta)
        if members or logprobs:
            self._choice(out, index, members, logprobs)

    def tool_result(self, out: bytearray, tool_call_id: str, text: str) -> None:
        # Left out. The calls of the model's next message are counted anew.
        self._calls.clear()

    def source(self, out: bytearray, url: str, title: str, id: str) -> None:
        # One list at the end: of several ones, a client keeps the last.
        citation = b'{"url":%b,"title":%b,"start_index":0,"end_index":0}' % (string(url), string(title))
        self._annotations.append(b'{"type":"url_citation","url_citation":%b}' % citation)

    def close(self, out: bytearray) -> None:
        if self._annotations:
            self._choice(out, 0, [b'"annotations":[%b]' % b",".join(self._annotations)])
        super().close(out)

    def end_choice(self, index: int) -> bytes:
        return b'"delta":{%b}' % (b"" if index in self._begun else _ROLE)

    def _choice(self, out: bytearray, index: int, members: list[bytes], logprobs: bytes = b"") -> None:
        if index not in self._begun:
            self._begun.add(index)
            members = [_ROLE, *members]
        delta = b",".join(members)
        self.record(out, b'{"index":%d,"delta":{%b},%b"finish_reason":null}' % (index, delta, logprobs))

    def _tool_call(self, choice: int, call: ToolCallDelta) -> bytes:
        """Return a piece of a tool call; nothing for arguments of a call that has not begun, which a client refuses."""
        id, args = join_surrogates(call.id or ""), call.args
        if not id and not call.name and (choice, call.index) not in self._calls:
            return b""
        index, is_new = self._find_call(choice, call, id)
        if is_new:
            id, args = self.answer.begin_call(choice, id), args or ""
        function = [b'"name":' + string(call.name)] if call.name else []
        function += [] if args is None else [b'"arguments":' + string(args)]
        members = [b'"index":%d' % index]
        members += [b'"id":%b,"type":"function"' % string(id)] if id else []
        return b'{%b,"function":{%b}}' % (b",".join(members), b",".join(function))

    def _find_call(self, choice: int, call: ToolCallDelta, id: str) -> tuple[int, bool]:
        """Return the index that a piece is written with, and whether its call begins.

        A piece with another id and a name begins a call of the model's next message, whose calls are counted anew.
        Clients would add its arguments to those of the call before.
        """
        known = self._calls.get((choice, call.index))
        if known is not None and not (id and call.name and (known[1] or id) != id):
            return known[0], False
        index = self._calls_begun.get(choice, 0)
        self._calls_begun[choice] = index + 1
        self._calls[choice, call.index] = (index, id)
        return index, True
