"""Cohere's ``/v2/chat``."""

from collections.abc import Iterator
from typing import Any

from ..faults import ErrorFrame
from ..replies import Reply
from .format import Format
from .parts import Ask, Choice, Frame, answer_to, check_fields, join_texts, read_limit, read_stops, sse, used

__all__ = ("CHAT",)

_FINISHES = {"stop": "COMPLETE", "tool_calls": "TOOL_CALL", "length": "MAX_TOKENS", "content_filter": "ERROR_TOXIC"}


class _Chat(Format):
    name = "cohere.v2"
    stream_type = "text/event-stream"
    id_header = None

    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        body = check_fields(body, model=str, messages=list)
        return Ask(
            model=body["model"],
            prompts=(join_texts(body["messages"]),),
            stream=stream,
            stops=read_stops(body.get("stop_sequences")),
            max_tokens=read_limit(body.get("max_tokens")),
            body=body,
        )

    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        """Yield named events, from ``message-start`` to ``message-end``."""
        choice = answer_to(ask, reply)
        empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        begun = {"type": "message-start", "id": f"mock-{number}", "delta": {"message": empty}}
        yield Frame(sse(begun, "message-start"), is_opening=True)
        first = True
        for kind, index, message in _events(choice):
            place = {} if index is None else {"index": index}
            payload = {"type": kind, **place, **({} if message is None else {"delta": {"message": message}})}
            yield Frame(sse(payload, kind), kind.endswith("-delta"), first and kind.endswith("-start"))
            first = False
        if reply.done:
            ended = {"finish_reason": _finish(choice), "usage": _usage(ask, reply, choice)}
            ended = {name: value for name, value in ended.items() if value is not None}
            yield Frame(sse({"type": "message-end", "delta": ended}, "message-end"))

    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        choice = answer_to(ask, reply)
        message: dict[str, Any] = {"role": "assistant"}
        if choice.calls:
            message |= {"tool_plan": choice.thoughts, "tool_calls": _calls(choice)}
        content = [{"type": kind, kind: "".join(pieces)} for kind, pieces in _contents(choice)]
        message |= {"content": content} if content else {}
        base = {"id": f"mock-{number}", "message": message, "finish_reason": _finish(choice)}
        return base | {"usage": _usage(ask, reply, choice)}

    def error_body(self, status: int, message: str, code: str | None) -> Any:
        return {"id": "mock", "message": message}

    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        """Return a ``message-end`` with the error's text."""
        delta = {"error": fault.message, "finish_reason": "ERROR"}
        return sse({"type": "message-end", "delta": delta}, "message-end")

    def error_document(self, fault: ErrorFrame) -> Any:
        return {"id": "mock", "message": fault.message}


CHAT = _Chat()


def _events(choice: Choice) -> Iterator[tuple[str, int | None, Any]]:
    """Yield each event: its type, its index, and its message."""
    for piece in choice.reasoning if choice.calls else ():
        yield "tool-plan-delta", None, {"tool_plan": piece}
    for index, (kind, pieces) in enumerate(_contents(choice)):
        yield "content-start", index, {"content": {"type": kind, kind: ""}}
        for piece in pieces:
            yield "content-delta", index, {"content": {kind: piece}}
        yield "content-end", index, None
    for index, (call, entry) in enumerate(zip(choice.calls, _calls(choice), strict=True)):
        function = {**entry["function"], "arguments": ""}
        yield "tool-call-start", index, {"tool_calls": {**entry, "function": function}}
        for part in call.parts():
            yield "tool-call-delta", index, {"tool_calls": {"function": {"arguments": part}}}
        yield "tool-call-end", index, None


def _contents(choice: Choice) -> Iterator[tuple[str, Any]]:
    """Yield the kind and the pieces of each part; reasoning before calls is a plan, and no part."""
    if choice.reasoning and not choice.calls:
        yield "thinking", choice.reasoning
    if choice.pieces:
        yield "text", choice.pieces


def _calls(choice: Choice) -> list[dict[str, Any]]:
    return [
        {
            "id": call.id or f"{call.name}_mock{number}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for number, call in enumerate(choice.calls, 1)
    ]


def _finish(choice: Choice) -> str | None:
    if choice.finish_reason is None:
        return None
    return "STOP_SEQUENCE" if choice.stop else _FINISHES.get(choice.finish_reason, choice.finish_reason)


def _usage(ask: Ask, reply: Reply, choice: Choice) -> dict[str, Any]:
    asked, made = used(ask, [choice])
    tokens = {"input_tokens": asked, "output_tokens": made}
    return {"billed_units": tokens, "tokens": tokens} | dict(reply.usage)
