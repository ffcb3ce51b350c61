"""OpenAI's responses."""

from collections.abc import Iterator
from typing import Any

from ..faults import ErrorFrame
from ..replies import Reply
from .openai import OpenAIErrors
from .parts import CREATED, Ask, Call, Choice, Frame, answer_to, check_fields, join_texts, read_limit, sse, used

__all__ = ("RESPONSES",)

# The members of a request that its response repeats.
_REPEATED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
}
_FINISHES = {"stop": "completed", "tool_calls": "completed", "length": "max_output_tokens"}
_WHOLE = ("completed", "failed", "cancelled")


class _Responses(OpenAIErrors):
    name = "openai.responses"

    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        body = check_fields(body)
        given = body.get("input", "")
        if isinstance(given, list):
            given = [item for item in given if isinstance(item, dict) and "content" in item]
        return Ask(
            model=model or str(body.get("model", "")),
            prompts=(join_texts(given),),
            stream=stream,
            max_tokens=read_limit(body.get("max_output_tokens")),
            body=body,
        )

    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        """Yield named events with their sequence numbers, from ``response.created`` to the whole response."""
        choice = answer_to(ask, reply)
        begun = _response(ask, reply, number) | {"status": "in_progress"}
        events: Iterator[tuple[str, dict[str, Any]]] = _events(choice, number)
        opening = [(f"response.{kind}", {"response": begun}) for kind in ("created", "in_progress")]
        count = 0
        for kind, members in (*opening, *events):
            payload = {"type": kind, "sequence_number": count, **members}
            is_opening = count < 2 or (kind.endswith(".added") and members.get("output_index") == 0)
            yield Frame(sse(payload, kind), kind.endswith(".delta"), is_opening)
            count += 1
        if choice.finish_reason is not None and reply.done:
            whole = _finished(ask, reply, number, choice)
            kind = f"response.{whole['status']}"
            yield Frame(sse({"type": kind, "sequence_number": count, "response": whole}, kind))

    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        return _finished(ask, reply, number, answer_to(ask, reply))

    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        """Return an event named ``error``, with its fields at the top."""
        detail = {"code": fault.code or fault.type, "message": fault.message, "param": None}
        return sse({"type": "error", "sequence_number": sent, **detail}, "error")


RESPONSES = _Responses()


def _events(choice: Choice, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of each item: it begins, its deltas, their whole, it ends."""
    for index, item in enumerate(_items(choice, number)):
        place = {"item_id": item["id"], "output_index": index}
        yield "response.output_item.added", {"output_index": index, "item": _begun(item)}
        match item["type"]:
            case "reasoning":
                yield from _part("reasoning_summary", item["summary"][0], choice.reasoning, place)
            case "message":
                yield from _part("output", item["content"][0], choice.pieces, place)
            case _:
                for part in Call(None, "", item["arguments"]).parts():
                    yield "response.function_call_arguments.delta", {**place, "delta": part}
                whole = {**place, "arguments": item["arguments"], "name": item["name"]}
                yield "response.function_call_arguments.done", whole
        yield "response.output_item.done", {"output_index": index, "item": item}


def _part(kind: str, part: dict[str, Any], pieces: Any, place: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of an item's one part of text."""
    is_summary = kind == "reasoning_summary"
    place = {**place, "summary_index" if is_summary else "content_index": 0}
    holder = "response.reasoning_summary_part" if is_summary else "response.content_part"
    own: dict[str, Any] = {} if is_summary else {"logprobs": []}
    yield f"{holder}.added", {**place, "part": {**part, "text": ""}}
    for piece in pieces:
        yield f"response.{kind}_text.delta", {**place, "delta": piece, **own, "obfuscation": "mock"}
    yield f"response.{kind}_text.done", {**place, "text": part["text"], **own}
    yield f"{holder}.done", {**place, "part": part}


def _items(choice: Choice, number: int) -> list[dict[str, Any]]:
    """Return the items of the output, whole."""
    items: list[dict[str, Any]] = []
    if choice.reasoning:
        summary = [{"type": "summary_text", "text": choice.thoughts}]
        items.append({"id": f"rs_mock{number}", "type": "reasoning", "summary": summary})
    if choice.pieces:
        part = {"type": "output_text", "text": choice.text, "annotations": [], "logprobs": []}
        message = {"id": f"msg_mock{number}", "type": "message", "status": "completed", "role": "assistant"}
        items.append(message | {"content": [part]})
    for index, call in enumerate(choice.calls, 1):
        item = {"id": f"fc_mock{number}_{index}", "type": "function_call", "status": "completed"}
        called = {"call_id": call.id or f"call_mock{index}", "name": call.name, "arguments": call.arguments}
        items.append(item | called)
    return items


def _begun(item: dict[str, Any]) -> dict[str, Any]:
    """Return ``item`` as it begins."""
    empty = {"summary": [], "content": [], "arguments": ""}
    begun = {name: empty.get(name, value) for name, value in item.items()}
    return begun | ({"status": "in_progress"} if "status" in item else {})


def _response(ask: Ask, reply: Reply, number: int) -> dict[str, Any]:
    own = {
        "id": f"resp_mock{number}",
        "object": "response",
        "created_at": CREATED,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": reply.model or ask.model,
        "output": [],
        "service_tier": "default",
        "store": True,
        "usage": None,
        "user": None,
    }
    return own | {name: ask.body.get(name) or default for name, default in _REPEATED.items()}


def _finished(ask: Ask, reply: Reply, number: int, choice: Choice) -> dict[str, Any]:
    asked, made = used(ask, [choice])
    usage = {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": len(choice.reasoning)},
        "total_tokens": asked + made,
    }
    whole = _response(ask, reply, number) | {"output": _items(choice, number), "usage": usage | dict(reply.usage)}
    reason = choice.finish_reason and _FINISHES.get(choice.finish_reason, choice.finish_reason)
    if reason is None:
        return whole | {"status": "in_progress"}
    if reason == "failed":
        whole["error"] = {"code": "server_error", "message": "the mock server fails as requested"}
    if reason in _WHOLE:
        return whole | {"status": reason}
    return whole | {"status": "incomplete", "incomplete_details": {"reason": reason}}
