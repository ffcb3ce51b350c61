"""``openai.responses``: the events of OpenAI's Responses API, as its SDKs read them.

Each event has its name on a line of its own and a sequence number without gaps. The events that end a part repeat it
whole, and the last one repeats the answer: this wire alone keeps all text.
"""

from .choices import openai_error
from .parts import Call, Parts
from .usage import find_counts
from .wire import Answer, Failure, string

__all__ = ("ResponsesWire",)

# Why a response is incomplete, by the finish reason of a chat model.
_INCOMPLETE = {"length": b"max_output_tokens", "content_filter": b"content_filter"}


class ResponsesWire(Parts):
    """Text and a refusal are parts of a message, reasoning is a summary of one part; each is an item of the output."""

    __slots__ = (
        *("_annotations", "_contents", "_head", "_item", "_messages", "_output", "_pieces"),
        *("_positions", "_reasonings", "_results", "_sequence"),
    )

    lacks = ("data", "snapshots")

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self._sequence = 0
        # The members of the response that do not change, made with the first event: the model's name is known then.
        self._head = b""
        self._positions = 0
        """How many items the output has."""
        self._output: dict[int, bytes] = {}
        """The items that are complete."""
        self._messages = self._reasonings = self._results = 0
        self._item = (b"", 0)
        """The id and the position of the item with the open part."""
        self._contents: list[bytes] | None = None
        """The complete parts of the open message, if there is one."""
        self._pieces: list[str] = []
        """The pieces of the open part."""
        self._annotations: list[bytes] = []
        """The sources of the open part."""

    def begin_part(self, out: bytearray, kind: str) -> None:
        if kind == "reasoning":
            self._close_message(out)
            self._reasonings += 1
            id = string(f"rs_{self.answer.id}_{self._reasonings}")
            self._begin_item(out, id, b'{"id":%b,"type":"reasoning","summary":[]}' % id)
            part = b'"summary_index":0,"part":{"type":"summary_text","text":""}'
            self._item_event(out, b"response.reasoning_summary_part.added", part)
            return
        if self._contents is None:
            self._contents = []
            self._messages += 1
            id = string(f"msg_{self.answer.id}" + (f"_{self._messages}" if self._messages > 1 else ""))
            self._begin_item(out, id, _message(id, b"in_progress", []))
        part = b'"content_index":%d,"part":%b' % (len(self._contents), self._part(kind, b'""'))
        self._item_event(out, b"response.content_part.added", part)

    def part_piece(self, out: bytearray, kind: str, text: str) -> None:
        self._pieces.append(text)
        piece = string(text)
        if kind == "reasoning":
            self._item_event(out, b"response.reasoning_summary_text.delta", b'"summary_index":0,"delta":' + piece)
        elif kind == "refusal":
            self._content_event(out, b"response.refusal.delta", b'"delta":' + piece)
        else:
            self._content_event(out, b"response.output_text.delta", b'"delta":%b,"logprobs":[]' % piece)

    def end_part(self, out: bytearray, kind: str) -> None:
        text = string("".join(self._pieces))
        part = self._part(kind, text)
        if kind == "reasoning":
            self._item_event(out, b"response.reasoning_summary_text.done", b'"summary_index":0,"text":' + text)
            self._item_event(out, b"response.reasoning_summary_part.done", b'"summary_index":0,"part":' + part)
            id, position = self._item
            self._end_item(out, position, _reasoning(id, part))
        else:
            if kind == "refusal":
                self._content_event(out, b"response.refusal.done", b'"refusal":' + text)
            else:
                self._content_event(out, b"response.output_text.done", b'"text":%b,"logprobs":[]' % text)
            self._content_event(out, b"response.content_part.done", b'"part":' + part)
        self._forget_part(part if kind != "reasoning" else None)

    def begin_call(self, out: bytearray, call: Call) -> None:
        self.close_part(out)
        self._close_message(out)
        self._start_response(out)
        call.position = self._add_item(out, _function_call(call, b'""', b"in_progress"))

    def call_piece(self, out: bytearray, call: Call, args: str) -> None:
        call.pieces.append(args)
        members = b'"item_id":%b,"output_index":%d,"delta":%b' % (_call_id(call), call.position, string(args))
        self._event(out, b"response.function_call_arguments.delta", members)

    def end_call(self, out: bytearray, call: Call, *, failed: bool) -> None:
        args = string(call.args)
        if failed:
            self._output[call.position] = _function_call(call, args, b"incomplete")
            return
        values = (_call_id(call), call.position, string(call.name), args)
        members = b'"item_id":%b,"output_index":%d,"name":%b,"arguments":%b' % values
        self._event(out, b"response.function_call_arguments.done", members)
        self._end_item(out, call.position, _function_call(call, args, self._status()))

    def tool_result(self, out: bytearray, tool_call_id: str, text: str) -> None:
        self._start_response(out)
        self.end_step(out)
        self._close_message(out)
        self._results += 1
        values = (string(f"fco_{self.answer.id}_{self._results}"), string(tool_call_id), string(text))
        item = b'{"id":%b,"type":"function_call_output","call_id":%b,"output":%b,"status":"completed"}' % values
        self._end_item(out, self._add_item(out, item), item)

    def source(self, out: bytearray, url: str, title: str, id: str) -> None:
        self._start_response(out)
        if self._open != "text":
            self._open_part(out, "text")
        values = (string(url), string(title))
        annotation = b'{"type":"url_citation","url":%b,"title":%b,"start_index":0,"end_index":0}' % values
        members = b'"annotation_index":%d,"annotation":%b' % (len(self._annotations), annotation)
        self._annotations.append(annotation)
        self._content_event(out, b"response.output_text.annotation.added", members)

    def fail(self, out: bytearray, failure: Failure) -> None:
        self._start_response(out)
        self._keep_open_item()
        self._end_calls(out, failed=True)
        # The SDKs raise at a member "error", and typed readers wait for the last event.
        self._event(out, b"error", b'"error":' + openai_error(failure))
        code = string(failure.type if failure.code is None else failure.code)
        error = b'{"code":%b,"message":%b}' % (code, string(failure.message))
        self._event(out, b"response.failed", b'"response":' + self._response(b"failed", error=error))

    def close(self, out: bytearray) -> None:
        self._start_response(out)
        self.end(out, None)
        self._close_message(out)
        status = self._status()
        reason = _INCOMPLETE.get(self.answer.finish_reason())
        details = b"null" if reason is None else b'{"reason":"%b"}' % reason
        response = self._response(status, details=details, usage=_usage(find_counts(self.answer.usage)))
        self._event(out, b"response." + status, b'"response":' + response)

    def _open_part(self, out: bytearray, kind: str) -> None:
        self._start_response(out)
        super()._open_part(out, kind)

    def _start_response(self, out: bytearray) -> None:
        """Write the first events, if they are not written yet."""
        if self._sequence == 0:
            answer = self.answer
            values = (string(f"resp_{answer.id}"), answer.created, string(answer.model))
            self._head = b'{"id":%b,"object":"response","created_at":%d,"model":%b,"status":"' % values
            response = b'"response":' + self._response(b"in_progress")
            self._event(out, b"response.created", response)
            self._event(out, b"response.in_progress", response)

    def _response(
        self, status: bytes, *, error: bytes = b"null", details: bytes = b"null", usage: bytes = b"null"
    ) -> bytes:
        output = b",".join(self._output[position] for position in sorted(self._output))
        values = (self._head, status, error, details, output, usage)
        return (
            b'%b%b","error":%b,"incomplete_details":%b,"instructions":null,"metadata":{},"output":[%b],'
            b'"parallel_tool_calls":true,"temperature":null,"tool_choice":"auto","tools":[],"top_p":null,"usage":%b}'
            % values
        )

    def _status(self) -> bytes:
        """Return the status of what ends now."""
        return b"incomplete" if self.answer.finish_reason() in _INCOMPLETE else b"completed"

    def _part(self, kind: str, text: bytes) -> bytes:
        """Return a part with ``text``, a JSON string."""
        if kind == "reasoning":
            return b'{"type":"summary_text","text":%b}' % text
        if kind == "refusal":
            return b'{"type":"refusal","refusal":%b}' % text
        return b'{"type":"output_text","text":%b,"annotations":[%b],"logprobs":[]}' % (
            text,
            b",".join(self._annotations),
        )

    def _forget_part(self, part: bytes | None) -> None:
        """Start without pieces; keep ``part``, the complete one of the open message."""
        self._pieces.clear()
        self._annotations.clear()
        if part is not None and self._contents is not None:
            self._contents.append(part)

    def _close_message(self, out: bytearray) -> None:
        """End the open message, whose parts are complete."""
        if self._contents is not None:
            id, position = self._item
            contents, self._contents = self._contents, None
            self._end_item(out, position, _message(id, self._status(), contents))

    def _keep_open_item(self) -> None:
        """Put the open item into the output as it is: the answer failed."""
        kind, self._open = self._open, None
        id, position = self._item
        parts = [] if kind is None else [self._part(kind, string("".join(self._pieces)))]
        if kind == "reasoning":
            self._output[position] = _reasoning(id, parts[0])
        elif self._contents is not None:
            self._output[position] = _message(id, b"incomplete", self._contents + parts)

    def _begin_item(self, out: bytearray, id: bytes, item: bytes) -> None:
        """Write the start of the item whose parts follow."""
        self._item = (id, self._add_item(out, item))

    def _add_item(self, out: bytearray, item: bytes) -> int:
        """Write the start of an item, and return its position."""
        position = self._positions
        self._positions += 1
        self._event(out, b"response.output_item.added", b'"output_index":%d,"item":%b' % (position, item))
        return position

    def _end_item(self, out: bytearray, position: int, item: bytes) -> None:
        self._output[position] = item
        self._event(out, b"response.output_item.done", b'"output_index":%d,"item":%b' % (position, item))

    def _content_event(self, out: bytearray, kind: bytes, members: bytes) -> None:
        """Write an event of the open part of a message."""
        self._item_event(out, kind, b'"content_index":%d,%b' % (len(self._contents or ()), members))

    def _item_event(self, out: bytearray, kind: bytes, members: bytes) -> None:
        """Write an event of the item with the open part."""
        self._event(out, kind, b'"item_id":%b,"output_index":%d,%b' % (*self._item, members))

    def _event(self, out: bytearray, kind: bytes, members: bytes) -> None:
        values = (kind, kind, self._sequence, members)
        out += b'event: %b\ndata: {"type":"%b","sequence_number":%d,%b}\n\n' % values
        self._sequence += 1


def _message(id: bytes, status: bytes, contents: list[bytes]) -> bytes:
    values = (id, status, b",".join(contents))
    return b'{"id":%b,"type":"message","status":"%b","role":"assistant","content":[%b]}' % values


def _reasoning(id: bytes, part: bytes) -> bytes:
    return b'{"id":%b,"type":"reasoning","summary":[%b]}' % (id, part)


def _call_id(call: Call) -> bytes:
    """Return the id of the item of a tool call."""
    return string(f"fc_{call.id}")


def _function_call(call: Call, args: bytes, status: bytes) -> bytes:
    values = (_call_id(call), string(call.id), string(call.name), args, status)
    return b'{"id":%b,"type":"function_call","call_id":%b,"name":%b,"arguments":%b,"status":"%b"}' % values


def _usage(counts: dict[str, int]) -> bytes:
    """Return the usage object of the Responses format, which has every count."""
    if not counts:
        return b"null"
    names = ("input", "cached", "output", "reasoning", "total")
    return (
        b'{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d,"cache_write_tokens":0},"output_tokens":%d,'
        b'"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}'
        % tuple(counts.get(name, 0) for name in names)
    )
