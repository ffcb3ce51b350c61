"""Anthropic's messages."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..faults import ErrorFrame
from ..replies import Reply
from .format import Format
from .parts import Ask, Call, Choice, Frame, answer_to, check_fields, join_texts, read_limit, read_stops, sse, used

__all__ = ("MESSAGES", "SIGNATURE", "Messages", "count_tokens", "payloads")

SIGNATURE = "c2lnbmVkIGJ5IHRoZSBtb2NrIHNlcnZlcg=="
_FINISHES = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_STATUSES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class Messages(Format):
    """The format of ``/v1/messages``."""

    name = "anthropic.messages"
    id_header = "request-id"
    keep_alive = sse({"type": "ping"}, "ping")

    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        """Parse the body."""
        kinds: dict[str, type] = {} if model else {"model": str}
        body = check_fields(body, **kinds, max_tokens=int, messages=list)
        return Ask(
            model=model or body["model"],
            prompts=(join_texts(body["messages"]),),
            stream=stream,
            stops=read_stops(body.get("stop_sequences")),
            max_tokens=read_limit(body["max_tokens"]),
            body=body,
        )

    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        """Yield named events; a ping follows the first block's start."""
        for payload, is_piece, is_opening in payloads(ask, reply, number):
            yield Frame(sse(payload, payload["type"]), is_piece, is_opening)

    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        """Return the message."""
        choice = answer_to(ask, reply)
        content = [_filled(block, deltas) for block, deltas in _blocks(choice)]
        _, made = used(ask, [choice])
        usage = _usage(ask, made) | dict(reply.usage)
        return _message(ask, reply, number, usage) | {"content": content} | _stop(choice)

    def error_body(self, status: int, message: str, code: str | None) -> Any:
        """Return an error object; its type belongs to the status."""
        return _error(code or _STATUSES.get(status, "invalid_request_error" if status < 500 else "api_error"), message)

    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        """Return an event named ``error``."""
        return sse(self.error_document(fault), "error")

    def error_document(self, fault: ErrorFrame) -> Any:
        """Return the provider's error object."""
        return _error("overloaded_error" if fault.type == "server_error" else fault.type, fault.message)


MESSAGES = Messages()


def payloads(ask: Ask, reply: Reply, number: int) -> Iterator[tuple[dict[str, Any], bool, bool]]:
    """Yield the payloads of a stream, each with whether it is a piece, and whether it opens the stream."""
    choice = answer_to(ask, reply)
    _, made = used(ask, [choice])
    begun: dict[str, Any] = {"content": [], "stop_reason": None, "stop_sequence": None}
    message = _message(ask, reply, number, _usage(ask, 1) | dict(reply.usage)) | begun
    yield {"type": "message_start", "message": message}, False, True
    for index, (block, deltas) in enumerate(_blocks(choice)):
        yield {"type": "content_block_start", "index": index, "content_block": block}, False, index == 0
        if index == 0:
            yield {"type": "ping"}, False, True
        for delta in deltas:
            # A signature does not count as a piece: a reader of the text does not see it.
            is_piece = delta["type"] != "signature_delta"
            yield {"type": "content_block_delta", "index": index, "delta": delta}, is_piece, False
        yield {"type": "content_block_stop", "index": index}, False, False
    if choice.finish_reason is not None:
        usage = {name: count for name, count in _usage(ask, made).items() if name.endswith("_tokens")}
        yield {"type": "message_delta", "delta": _stop(choice), "usage": usage | dict(reply.usage)}, False, False
    if reply.done:
        yield {"type": "message_stop"}, False, False


def _blocks(choice: Choice) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield each block as it starts, and its deltas."""
    if choice.reasoning:
        thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in choice.reasoning]
        signature = {"type": "signature_delta", "signature": SIGNATURE}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*thoughts, signature]
    if choice.pieces:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in choice.pieces]
    for number, call in enumerate(choice.calls, 1):
        block = {"type": "tool_use", "id": call.id or f"toolu_mock{number}", "name": call.name, "input": {}}
        parts = [] if call.arguments == "{}" else list(call.parts())
        yield block, [{"type": "input_json_delta", "partial_json": part} for part in ("", *parts)]


def _filled(block: dict[str, Any], deltas: list[dict[str, Any]]) -> dict[str, Any]:
    """Return ``block`` with all of its deltas, as a document has it."""
    whole = dict(block)
    for delta in deltas:
        for member in ("text", "thinking", "signature"):
            if member in delta:
                whole[member] += delta[member]
    if block["type"] == "tool_use":
        whole["input"] = _input("".join(delta["partial_json"] for delta in deltas), block["name"])
    return whole


def _input(arguments: str, name: str) -> dict[str, Any]:
    return Call(None, name, arguments or "{}").object()


def _message(ask: Ask, reply: Reply, number: int, usage: Mapping[str, Any]) -> dict[str, Any]:
    base = {"id": f"msg_mock{number}", "type": "message", "role": "assistant", "model": reply.model or ask.model}
    return base | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}


def _stop(choice: Choice) -> dict[str, Any]:
    if choice.stop is not None and choice.finish_reason is not None:
        return {"stop_reason": "stop_sequence", "stop_sequence": choice.stop}
    reason = choice.finish_reason
    return {"stop_reason": reason and _FINISHES.get(reason, reason), "stop_sequence": None}


def _usage(ask: Ask, made: int) -> dict[str, Any]:
    return {
        "input_tokens": used(ask, ())[0],
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": made,
        "service_tier": "standard",
    }


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_mock"}


def count_tokens(body: Any) -> Any:
    """Return the answer of ``/v1/messages/count_tokens``."""
    messages = body.get("messages", []) if isinstance(body, dict) else []
    return {"input_tokens": len(join_texts(messages).split())}
