"""How a model answers the requests of LangChain's standard tests, for the mock server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from millstream.testing import ErrorStatus, RecordedRequest, Reply

__all__ = ("PIXEL", "USAGE", "answer", "with_details")

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f00050001ff56c72f0d0000000049454e44ae426082"
)
"""An image of one pixel."""

USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 10,
    "total_tokens": 30,
    "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 3},
}

_INPUT = {"input_text", "input_image", "input_file"}
_PARTS = {
    "user": {"text", "image_url", "input_audio", "file", *_INPUT},
    "assistant": {"text", "refusal", "output_text"},
    "system": {"text", "input_text"},
    "tool": {"text", *_INPUT},
}
"""The types of the parts of a message's content that OpenAI's server accepts, by the message's role."""

_JOKE = {"setup": "Why was the cat sitting on the computer?", "punchline": "It kept an eye on the mouse."}
_ARGUMENTS = {"input": 3, "answer_style": "pirate", "location": "San Francisco, CA", **_JOKE}
_VALUES = {"integer": 1, "number": 1.5, "boolean": True}


def answer(request: RecordedRequest) -> Reply:
    """Return the reply: a call of a tool, JSON or text, as the request asks for; an error for a wrong message."""
    body = _as_chat(request.body) if "input" in request.body else request.body
    for error in _errors(body["messages"]):
        return Reply(fault=ErrorStatus(400, error))
    if (function := _function_to_call(body)) is not None:
        arguments = _values_for(function["parameters"], body["messages"])
        return Reply(tool_calls=[{"name": function["name"], "args": arguments}])
    match body.get("response_format"):
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            text = json.dumps(_values_for(schema, body["messages"]))
        case {"type": "json_object"}:
            text = json.dumps(_JOKE)
        case _:
            text = "Hello! How are you?"
    return Reply(pieces=[text[:9], text[9:], ""])


def with_details(request: RecordedRequest) -> Reply:
    """Return a reply with :data:`USAGE`."""
    text = {"role": "assistant", "content": "Hello!"}
    base = {"id": "chatcmpl-1", "created": 1, "model": request.body["model"]}
    if not request.body.get("stream"):
        choice = {"index": 0, "message": text, "finish_reason": "stop"}
        document = base | {"object": "chat.completion", "choices": [choice], "usage": USAGE}
        return Reply(body=json.dumps(document).encode(), content_type="application/json")
    base["object"] = "chat.completion.chunk"
    choice = {"index": 0, "delta": text, "finish_reason": "stop"}
    frames = [base | {"choices": [choice]}, base | {"choices": [], "usage": USAGE}]
    lines = [*map(json.dumps, frames), "[DONE]"]
    return Reply(body=[f"data: {line}\n\n".encode() for line in lines])


def _as_chat(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request to the Responses API as one of chat completions."""
    messages: list[dict[str, Any]] = []
    for item in body["input"]:
        match item.get("type"):
            case "function_call":
                messages.append({"role": "assistant", "tool_calls": [{"id": item["call_id"]}]})
            case "function_call_output":
                messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]})
            case "message":
                messages.append(item)
    chat: dict[str, Any] = {"messages": messages}
    if tools := body.get("tools"):
        chat["tools"] = [{"function": tool} for tool in tools]
    choice = body.get("tool_choice")
    chat["tool_choice"] = {"function": choice} if isinstance(choice, Mapping) else choice
    form = (body.get("text") or {}).get("format")
    chat["response_format"] = {"json_schema": form, **form} if form else None
    return chat


def _errors(messages: list[dict[str, Any]]) -> Iterator[str]:
    called: set[str] = set()
    for message in messages:
        role, content = message["role"], message.get("content")
        if role == "assistant":
            called = {call["id"] for call in message.get("tool_calls") or ()}
        elif role == "tool" and message["tool_call_id"] not in called:
            yield "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
        for part in content if isinstance(content, list) else ():
            if part["type"] not in _PARTS[role]:
                yield f"invalid content type in a message of the role {role!r}: {part['type']!r}"


def _function_to_call(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the function that the request asks for, or the first one; none where its result ends the messages."""
    functions: dict[str, Mapping[str, Any]] = {
        tool["function"]["name"]: tool["function"] for tool in body.get("tools") or ()
    }
    match body.get("tool_choice"):
        case {"function": {"name": str(name)}}:
            return functions[name]
        case "none":
            return None
        case choice if not functions or (choice != "required" and body["messages"][-1]["role"] == "tool"):
            return None
    return next(iter(functions.values()))


def _values_for(schema: Mapping[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a value for every property of ``schema``; a text that is not known is the last message of the user."""
    asked = next(message["content"] for message in reversed(messages) if message["role"] == "user")
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    return {name: _ARGUMENTS.get(name, _VALUES.get(str(one.get("type")), asked)) for name, one in properties.items()}
