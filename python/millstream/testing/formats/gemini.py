"""Gemini's ``generateContent`` and ``streamGenerateContent``."""

from collections.abc import Iterator, Sequence
from typing import Any

from ..faults import ErrorFrame
from ..replies import Reply
from .format import Format
from .parts import Ask, Choice, Frame, check_fields, choices_of, encode, join_texts, read_limit, read_stops, used

__all__ = ("GEMINI", "GEMINI_ARRAY", "count_tokens")

_SIGNATURE = "c2lnbmVkIGJ5IHRoZSBtb2NrIHNlcnZlcg=="
_FINISHES = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class _Gemini(Format):
    """A stream under ``alt=sse``: events that end in CRLF, without a mark at the end."""

    name = "gemini.generate"
    stream_type = "text/event-stream"
    document_type = "application/json; charset=UTF-8"
    id_header = None
    keep_alive = b": keep-alive\r\n\r\n"

    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        body = check_fields(body, contents=list)
        config = body.get("generationConfig") or {}
        if not isinstance(config, dict):
            raise ValueError("generationConfig: Input should be a valid dictionary")
        n = config.get("candidateCount", 1)
        if not isinstance(n, int) or not 1 <= n <= 8:
            raise ValueError("generationConfig.candidateCount must be an integer from 1 to 8")
        return Ask(
            model=model or "",
            prompts=(join_texts(body["contents"], "parts"),),
            stream=stream,
            n=n,
            stops=read_stops(config.get("stopSequences")),
            max_tokens=read_limit(config.get("maxOutputTokens")),
            body=body,
        )

    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        sent = 0
        for payload, is_piece in _payloads(ask, reply, number):
            yield Frame(self._framed(payload, sent), is_piece)
            sent += 1
        if end := self._end(sent, reply):
            yield Frame(end)

    def _framed(self, payload: Any, sent: int) -> bytes:
        return b"data: %b\r\n\r\n" % encode(payload)

    def _end(self, sent: int, reply: Reply) -> bytes:
        return b""

    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        choices = choices_of(ask, reply)
        candidates = [_candidate(index, _whole_parts(choice), choice) for index, choice in enumerate(choices)]
        return _payload(ask, reply, number, candidates, _usage(ask, reply, choices))

    def error_body(self, status: int, message: str, code: str | None) -> Any:
        kind = code or _STATUSES.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
        return {"error": {"code": status, "message": message, "status": kind}}

    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        return self._framed(self.error_document(fault), sent)

    def error_document(self, fault: ErrorFrame) -> Any:
        kind = "UNAVAILABLE" if fault.type == "server_error" else fault.type
        codes = {word: status for status, word in _STATUSES.items()}
        return self.error_body(codes.get(kind, 500), fault.message, kind)


class _GeminiArray(_Gemini):
    """A stream without ``alt=sse``: one pretty JSON array, element by element."""

    stream_type = "application/json; charset=UTF-8"
    keep_alive = b"\r\n"

    def _framed(self, payload: Any, sent: int) -> bytes:
        return (b",\r\n" if sent else b"[") + encode(payload, indent=2) + b"\n"

    def _end(self, sent: int, reply: Reply) -> bytes:
        return b"" if not reply.done else b"]\n" if sent else b"[]\n"

    def error_body(self, status: int, message: str, code: str | None) -> Any:
        return [super().error_body(status, message, code)]

    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        return super().error_frame(fault, sent) + b"]\n"

    def error_document(self, fault: ErrorFrame) -> Any:
        return super().error_document(fault)[0]


GEMINI = _Gemini()
GEMINI_ARRAY = _GeminiArray()


def _payloads(ask: Ask, reply: Reply, number: int) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the payloads: each has the next part of every candidate, and the usage so far."""
    choices = choices_of(ask, reply)
    parts_of = [list(_parts(choice)) for choice in choices]
    for step in range(max(map(len, parts_of)) + 1):
        candidates = []
        for index, (choice, parts) in enumerate(zip(choices, parts_of, strict=True)):
            if step < len(parts):
                candidates.append(_candidate(index, [parts[step]], None))
            elif step == len(parts) and choice.finish_reason is not None:
                candidates.append(_candidate(index, [{"text": ""}], choice))
        if candidates:
            so_far = [_until(choice, step + 1) for choice in choices]
            yield _payload(ask, reply, number, candidates, _usage(ask, reply, so_far)), _has_piece(step, parts_of)


def _has_piece(step: int, parts_of: list[list[dict[str, Any]]]) -> bool:
    return any(step < len(parts) for parts in parts_of)


def _until(choice: Choice, count: int) -> Choice:
    """Return the first ``count`` parts of ``choice``."""
    thoughts = choice.reasoning[:count]
    return choice._replace(reasoning=thoughts, pieces=choice.pieces[: max(0, count - len(choice.reasoning))])


def _parts(choice: Choice) -> Iterator[dict[str, Any]]:
    """Yield the parts of a streamed candidate."""
    for piece in choice.reasoning:
        yield {"text": piece, "thought": True}
    for piece in choice.pieces:
        yield {"text": piece}
    yield from _calls(choice)


def _calls(choice: Choice) -> Iterator[dict[str, Any]]:
    """Yield the function calls; the first one signs the thoughts, and an id is there if the script names one."""
    for index, call in enumerate(choice.calls):
        own = {} if call.id is None else {"id": call.id}
        signed = {"thoughtSignature": _SIGNATURE} if choice.reasoning and index == 0 else {}
        yield {"functionCall": {**own, "name": call.name, "args": call.object()}, **signed}


def _whole_parts(choice: Choice) -> list[dict[str, Any]]:
    """Return the parts of a candidate that did not stream."""
    thoughts = [{"text": choice.thoughts, "thought": True}] if choice.reasoning else []
    return [*thoughts, *([{"text": choice.text}] if choice.pieces else []), *_calls(choice)]


def _candidate(index: int, parts: list[dict[str, Any]], ended: Choice | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}}
    if ended is not None and ended.finish_reason is not None:
        candidate["finishReason"] = _FINISHES.get(ended.finish_reason, ended.finish_reason)
    return candidate | {"index": index}


def _payload(
    ask: Ask, reply: Reply, number: int, candidates: list[dict[str, Any]], usage: dict[str, Any]
) -> dict[str, Any]:
    model = reply.model or ask.model
    own = {"modelVersion": model, "responseId": f"resp-mock{number}"}
    return {"candidates": candidates, "usageMetadata": usage, **own}


def _usage(ask: Ask, reply: Reply, choices: Sequence[Choice]) -> dict[str, Any]:
    asked, made = used(ask, choices)
    thought = sum(len(choice.reasoning) for choice in choices)
    usage: dict[str, Any] = {"promptTokenCount": asked}
    if made > thought:
        usage["candidatesTokenCount"] = made - thought
    usage |= {"totalTokenCount": asked + made}
    usage |= {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": asked}]}
    if thought:
        usage["thoughtsTokenCount"] = thought
    return usage | dict(reply.usage)


def count_tokens(body: Any) -> Any:
    """Return the answer of ``countTokens``."""
    contents = body.get("contents", []) if isinstance(body, dict) else []
    return {"totalTokens": len(join_texts(contents, "parts").split())}
