"""Reads the events of each SDK, and its whole answers, into a ``sdk_eyes.Seen``."""

import json
from typing import Any

__all__ = (
    "read_anthropic",
    "read_chat",
    "read_cohere",
    "read_completions",
    "read_converse",
    "read_google",
    "read_ollama_chat",
    "read_ollama_generate",
    "read_responses",
)


def read_chat(event: Any, seen: Any) -> None:
    """Read a chunk of a chat completion, or a whole one."""
    for choice in event.choices or ():
        delta, at = choice.delta if hasattr(choice, "delta") else choice.message, choice.index
        # The SDK keeps what it does not know: Mistral's content in parts, the members of other providers.
        for part in delta.content if isinstance(delta.content, list) else ():
            _read_part(part, seen, at)
        seen.add("text", delta.content if isinstance(delta.content, str) else None, at)
        seen.add("refusal", delta.refusal, at)
        seen.add("reasoning", getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None), at)
        for position, call in enumerate(delta.tool_calls or ()):
            function = call.function
            own = getattr(call, "index", position)
            seen.call(own, call.id, function and function.name, function and function.arguments, at)
        if delta.function_call is not None:
            seen.call(0, None, delta.function_call.name, delta.function_call.arguments, at)
        seen.finish(choice.finish_reason, at)
    if event.usage is not None:
        seen.usage = event.usage.to_dict()
    if usage := (getattr(event, "x_groq", None) or {}).get("usage"):
        seen.usage = usage


def _read_part(part: dict[str, Any], seen: Any, at: int) -> None:
    if part["type"] == "text":
        seen.add("text", part["text"], at)
    for thought in part.get("thinking", ()):
        seen.add("reasoning", thought["text"], at)


def read_completions(event: Any, seen: Any) -> None:
    """Read a chunk of a completion, or a whole one."""
    for choice in event.choices:
        seen.add("text", choice.text, choice.index)
        seen.finish(choice.finish_reason, choice.index)
    if event.usage is not None:
        seen.usage = event.usage.to_dict()


def read_responses(event: Any, seen: Any) -> None:
    """Read an event of a response, or a whole one."""
    if getattr(event, "object", None) == "response":
        return _read_response(event, seen)
    match event.type:
        case "response.output_text.delta":
            seen.add("text", event.delta)
        case "response.refusal.delta":
            seen.add("refusal", event.delta)
        case "response.reasoning_summary_text.delta":
            seen.add("reasoning", event.delta)
        case "response.output_item.added":
            seen.choice()
            if event.item.type == "function_call":
                seen.call(event.output_index, event.item.call_id, event.item.name, event.item.arguments)
        case "response.function_call_arguments.delta":
            seen.call(event.output_index, None, None, event.delta)
        case "response.completed" | "response.incomplete" | "response.failed":
            _read_status(event.response, seen)
        case "error":
            seen.error = event.message


def _read_response(response: Any, seen: Any) -> None:
    for index, item in enumerate(response.output):
        if item.type == "function_call":
            seen.call(index, item.call_id, item.name, item.arguments)
        if item.type == "reasoning":
            seen.add("reasoning", "".join(part.text for part in item.summary))
    seen.add("text", response.output_text)
    _read_status(response, seen)


def _read_status(response: Any, seen: Any) -> None:
    details = response.incomplete_details
    seen.finish(f"incomplete:{details.reason}" if details is not None else response.status)
    seen.usage = response.usage and response.usage.to_dict()
    if response.error is not None:
        seen.error = response.error.message


def read_anthropic(event: Any, seen: Any) -> None:
    """Read an event of a message, or a whole one."""
    match event.type:
        case "message_start":
            seen.choice()
            seen.usage = event.message.usage.to_dict()
        case "content_block_start":
            _read_block(event.content_block, event.index, seen, is_whole=False)
        case "content_block_delta":
            delta = event.delta
            if delta.type == "text_delta":
                seen.add("text", delta.text)
            elif delta.type == "thinking_delta":
                seen.add("reasoning", delta.thinking)
            elif delta.type == "input_json_delta":
                seen.call(event.index, None, None, delta.partial_json)
        case "message_delta":
            seen.finish(event.delta.stop_reason)
            seen.usage = event.usage.to_dict()
        case "message":
            for index, block in enumerate(event.content):
                _read_block(block, index, seen, is_whole=True)
            seen.finish(event.stop_reason)
            seen.usage = event.usage.to_dict()


def _read_block(block: Any, index: int, seen: Any, *, is_whole: bool) -> None:
    if block.type == "text":
        seen.add("text", block.text)
    elif block.type == "thinking":
        seen.add("reasoning", block.thinking)
    elif block.type == "tool_use":
        seen.call(index, block.id, block.name, _compact(block.input) if is_whole else "")


def read_google(event: Any, seen: Any) -> None:
    """Read a response of ``generateContent``, which is also what a stream consists of."""
    for position, candidate in enumerate(event.candidates or ()):
        at = candidate.index if candidate.index is not None else position
        for part in (candidate.content and candidate.content.parts) or ():
            if part.text is not None:
                seen.add("reasoning" if part.thought else "text", part.text, at)
            if part.function_call is not None:
                calls = seen.choice(at)["tool_calls"]
                called = part.function_call
                seen.call(len(calls), called.id, called.name, _compact(called.args), at)
        seen.finish(candidate.finish_reason and candidate.finish_reason.value, at)
    if event.usage_metadata is not None:
        seen.usage = event.usage_metadata.model_dump(mode="json", by_alias=True, exclude_none=True)


def read_ollama_chat(event: Any, seen: Any) -> None:
    """Read a line of a chat, or a whole answer."""
    message = event.message
    seen.add("text", message.content)
    seen.add("reasoning", message.thinking)
    for call in message.tool_calls or ():
        calls = seen.choice()["tool_calls"]
        seen.call(len(calls), None, call.function.name, _compact(call.function.arguments))
    _read_end(event, seen)


def read_ollama_generate(event: Any, seen: Any) -> None:
    """Read a line of a completion, or a whole answer."""
    seen.add("text", event.response)
    seen.add("reasoning", event.thinking)
    _read_end(event, seen)


def _read_end(event: Any, seen: Any) -> None:
    if event.done:
        seen.finish(event.done_reason)
        counts = {"prompt_eval_count": event.prompt_eval_count, "eval_count": event.eval_count}
        seen.usage = {name: count for name, count in counts.items() if count is not None}


def read_cohere(event: Any, seen: Any) -> None:
    """Read an event of a chat, or a whole answer."""
    kind = getattr(event, "type", None)
    delta: Any = getattr(event, "delta", None)
    if kind is None:
        _read_cohere_answer(event, seen)
    elif kind == "message-start":
        seen.choice()
    elif kind in ("content-start", "content-delta"):
        content = delta.message.content
        seen.add("text", content.text)
        seen.add("reasoning", getattr(content, "thinking", None))
    elif kind == "tool-plan-delta":
        seen.add("reasoning", delta.message.tool_plan)
    elif kind == "tool-call-start":
        call = delta.message.tool_calls
        seen.call(event.index, call.id, call.function.name, call.function.arguments)
    elif kind == "tool-call-delta":
        seen.call(event.index, None, None, delta.message.tool_calls.function.arguments)
    elif kind == "message-end":
        seen.finish(delta.finish_reason)
        seen.usage = delta.usage and _set(delta.usage)
        seen.error = delta.error


def _read_cohere_answer(answer: Any, seen: Any) -> None:
    message = answer.message
    for part in message.content or ():
        seen.add("text" if part.type == "text" else "reasoning", getattr(part, part.type))
    seen.add("reasoning", message.tool_plan)
    for index, call in enumerate(message.tool_calls or ()):
        seen.call(index, call.id, call.function.name, call.function.arguments)
    seen.finish(answer.finish_reason)
    seen.usage = _set(answer.usage)


def _set(value: Any) -> Any:
    """Return a value of the SDK with the members that were sent."""
    return value.dict(exclude_none=True)


def read_converse(event: Any, seen: Any) -> None:
    """Read an event of ``ConverseStream``, or an answer of ``Converse``."""
    if "output" in event:
        for index, block in enumerate(event["output"]["message"]["content"]):
            seen.add("text", block.get("text"))
            seen.add("reasoning", block.get("reasoningContent", {}).get("reasoningText", {}).get("text"))
            if use := block.get("toolUse"):
                seen.call(index, use["toolUseId"], use["name"], _compact(use["input"]))
        seen.finish(event["stopReason"])
        seen.usage = event["usage"]
    elif "messageStart" in event:
        seen.choice()
    elif start := event.get("contentBlockStart"):
        use = start["start"]["toolUse"]
        seen.call(start["contentBlockIndex"], use["toolUseId"], use["name"], "")
    elif part := event.get("contentBlockDelta"):
        delta = part["delta"]
        seen.add("text", delta.get("text"))
        seen.add("reasoning", delta.get("reasoningContent", {}).get("text"))
        if "toolUse" in delta:
            seen.call(part["contentBlockIndex"], None, None, delta["toolUse"]["input"])
    elif stop := event.get("messageStop"):
        seen.finish(stop["stopReason"])
    elif metadata := event.get("metadata"):
        seen.usage = metadata["usage"]


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
