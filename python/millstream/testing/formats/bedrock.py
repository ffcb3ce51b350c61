"""Amazon Bedrock's ``converse`` and ``invoke``: messages of AWS's binary event stream, with their checksums."""

import base64
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from ..faults import ErrorFrame
from ..replies import Reply
from .anthropic import MESSAGES, SIGNATURE, payloads
from .format import Format
from .parts import Ask, Choice, Frame, answer_to, check_fields, encode, join_texts, read_limit, read_stops, used

__all__ = ("CONVERSE", "INVOKE", "message")

_FINISHES = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "content_filter": "content_filtered"}
_STATUSES = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
_STRING = 7


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one message: lengths and their checksum, headers, payload, and the checksum of all."""
    packed = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack("!II", len(packed) + len(payload) + 16, len(packed))
    checked = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return checked + struct.pack("!I", zlib.crc32(checked))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", _STRING, len(value)) + value


def _event(kind: str, payload: Mapping[str, Any]) -> bytes:
    """Return one event; padding hides the length of its text."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return message(headers, encode({**payload, "p": "abcdefghijk"}))


class _Bedrock(Format):
    """Both APIs: the model is a part of the path, errors are exceptions."""

    stream_type = "application/vnd.amazon.eventstream"
    id_header = "x-amzn-requestid"
    keep_alive = _event("ping", {})

    def error_body(self, status: int, message: str, code: str | None) -> Any:
        return {"message": message}

    def error_headers(self, status: int) -> Mapping[str, str]:
        return {"x-amzn-errortype": _STATUSES.get(status, "InternalServerException")}

    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        """Return an exception."""
        kind = "serviceUnavailableException" if fault.type == "server_error" else fault.type
        headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
        return message(headers, encode(self.error_document(fault)))

    def error_document(self, fault: ErrorFrame) -> Any:
        return {"message": fault.message}


class _Converse(_Bedrock):
    name = "bedrock.converse"

    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        body = check_fields(body, messages=list)
        config = body.get("inferenceConfig") or {}
        if not isinstance(config, dict):
            raise ValueError("inferenceConfig: Input should be a valid dictionary")
        return Ask(
            model=model or "",
            prompts=(join_texts(body["messages"]),),
            stream=stream,
            stops=read_stops(config.get("stopSequences")),
            max_tokens=read_limit(config.get("maxTokens")),
            body=body,
        )

    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        choice = answer_to(ask, reply)
        yield Frame(_event("messageStart", {"role": "assistant"}), is_opening=True)
        for index, (start, deltas) in enumerate(_blocks(choice)):
            place = {"contentBlockIndex": index}
            if start is not None:
                yield Frame(_event("contentBlockStart", {**place, "start": start}), is_opening=index == 0)
            for delta in deltas:
                is_piece = "signature" not in delta.get("reasoningContent", {})
                yield Frame(_event("contentBlockDelta", {**place, "delta": delta}), is_piece)
            yield Frame(_event("contentBlockStop", place))
        if choice.finish_reason is not None:
            yield Frame(_event("messageStop", {"stopReason": _finish(choice)}))
        if reply.done:
            yield Frame(_event("metadata", _counted(ask, reply, choice)))

    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        choice = answer_to(ask, reply)
        content: list[dict[str, Any]] = []
        if choice.reasoning:
            thought = {"text": choice.thoughts, "signature": SIGNATURE}
            content.append({"reasoningContent": {"reasoningText": thought}})
        content += [{"text": choice.text}] if choice.pieces else []
        for count, call in enumerate(choice.calls, 1):
            content.append({"toolUse": _use(call.id, call.name, count) | {"input": call.object()}})
        output = {"message": {"role": "assistant", "content": content}}
        return {"output": output, "stopReason": _finish(choice), **_counted(ask, reply, choice)}


class _Invoke(_Bedrock):
    """Anthropic's payloads, each in base64 in an event ``chunk``."""

    name = "bedrock.anthropic"

    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        return MESSAGES.read_ask(body, model or "", stream=stream)

    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        for payload, is_piece, is_opening in payloads(ask, reply, number):
            # The runtime sends no pings, and counts at the end.
            if payload["type"] == "ping":
                continue
            counts = {"invocationLatency": 40, "firstByteLatency": 10}
            own = {"amazon-bedrock-invocationMetrics": counts} if payload["type"] == "message_stop" else {}
            chunk = {"bytes": base64.b64encode(encode({**payload, **own})).decode()}
            yield Frame(_event("chunk", chunk), is_piece, is_opening)

    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        return MESSAGES.document(ask, reply, number)


CONVERSE = _Converse()
INVOKE = _Invoke()


def _blocks(choice: Choice) -> Iterator[tuple[dict[str, Any] | None, list[dict[str, Any]]]]:
    """Yield each block: its start, if it has one, and its deltas."""
    if choice.reasoning:
        thoughts: list[dict[str, Any]] = [{"reasoningContent": {"text": piece}} for piece in choice.reasoning]
        yield None, [*thoughts, {"reasoningContent": {"signature": SIGNATURE}}]
    if choice.pieces:
        yield None, [{"text": piece} for piece in choice.pieces]
    for number, call in enumerate(choice.calls, 1):
        parts: list[dict[str, Any]] = [{"toolUse": {"input": part}} for part in call.parts()]
        yield {"toolUse": _use(call.id, call.name, number)}, parts


def _use(id: str | None, name: str, number: int) -> dict[str, Any]:
    return {"toolUseId": id or f"tooluse_mock{number}", "name": name}


def _finish(choice: Choice) -> str | None:
    if choice.finish_reason is None:
        return None
    return "stop_sequence" if choice.stop else _FINISHES.get(choice.finish_reason, choice.finish_reason)


def _counted(ask: Ask, reply: Reply, choice: Choice) -> dict[str, Any]:
    asked, made = used(ask, [choice])
    usage = {"inputTokens": asked, "outputTokens": made, "totalTokens": asked + made} | dict(reply.usage)
    return {"usage": usage, "metrics": {"latencyMs": 40}}
