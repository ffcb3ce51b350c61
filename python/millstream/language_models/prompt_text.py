"""From whatever a model is given to the one text that a completion model reads."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ("LanguageModelInput", "to_prompt")

LanguageModelInput = Any
"""A text, a list of messages (LangChain's, ours, ``(role, content)`` pairs, OpenAI's dicts), or a prompt value."""

_PREFIXES = {
    "human": "Human",
    "user": "Human",
    "ai": "AI",
    "assistant": "AI",
    "system": "System",
    "developer": "System",
    "function": "Function",
    "tool": "Tool",
}


def to_prompt(value: LanguageModelInput) -> str:
    """Return the prompt text of ``value``: a text as it is, messages as ``Human: …`` and ``AI: …`` lines.

    Raises :class:`ValueError` for what is neither, and for a message with an unknown role.
    """
    if isinstance(value, str):
        return value
    if hasattr(value, "to_string"):
        return str(value.to_string())
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return "\n".join(map(_line, value))
    raise ValueError(
        f"Invalid input type {type(value)}: a model takes a str, a list of messages or a prompt value (with to_string)."
    )


def _line(message: Any) -> str:
    """Return one message as LangChain's buffer string has it."""
    role, content, calls = _parts(message)
    return f"{role}: {_text(content)}{calls or ''}"


def _parts(message: Any) -> tuple[str, Any, Any]:
    """Return a message's prefix, its content and the tool calls that are shown with it."""
    if isinstance(message, str):
        return "Human", message, None
    if isinstance(message, Mapping):
        return _dict_parts(message)
    if hasattr(message, "content") and hasattr(message, "type"):
        return _object_parts(message)
    if isinstance(message, Sequence) and len(message) == 2:
        return _prefix(message[0]), message[1], None
    raise ValueError(f"Unsupported message: {message!r}; give a text, (role, content), or a dict with role and content")


def _dict_parts(message: Mapping[str, Any]) -> tuple[str, Any, Any]:
    # A dict may also be a serialized LangChain message: its class's name says the role.
    if message.get("lc") == 1 and isinstance(message.get("kwargs"), Mapping) and message.get("id"):
        kind = str(message["id"][-1]).removesuffix("Chunk").removesuffix("Message").lower()
        message = {"role": kind, **message["kwargs"]}
    role = message.get("role", message.get("type"))
    if role is None or "content" not in message:
        raise ValueError(f"Message dict must contain 'role' and 'content' keys, got {message}")
    prefix = _prefix(role)
    calls = [_call(call) for call in message.get("tool_calls") or ()] if prefix == "AI" else None
    return prefix, message["content"] or "", calls or (message.get("function_call") if prefix == "AI" else None)


def _object_parts(message: Any) -> tuple[str, Any, Any]:
    kind = str(message.type).removesuffix("MessageChunk").lower()
    if kind == "chat":
        return str(message.role), message.content, None
    prefix = _prefix(kind)
    calls = None
    if prefix == "AI":
        calls = getattr(message, "tool_calls", None) or getattr(message, "additional_kwargs", {}).get("function_call")
    return prefix, message.content, calls


def _call(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return OpenAI's form of a tool call in LangChain's."""
    if "function" not in call:
        return call
    from .._values import read_json

    function = call["function"]
    arguments = function["arguments"]
    return {
        "name": function["name"],
        "args": read_json(arguments) if isinstance(arguments, str) else arguments,
        "id": call.get("id"),
        "type": "tool_call",
    }


def _prefix(role: Any) -> str:
    try:
        return _PREFIXES[role]
    except (KeyError, TypeError):
        raise ValueError(
            f"Unexpected message type: {role!r}. Use one of 'human', 'user', 'ai', 'assistant', 'function', 'tool', "
            "'system', or 'developer'."
        ) from None


def _text(content: Any) -> str:
    """Return the text of a message's content: a text, or the texts of its parts."""
    if isinstance(content, str):
        return content
    texts = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif isinstance(block, Mapping) and block.get("type") == "text" and isinstance(block.get("text"), str):
            texts.append(block["text"])
    return "".join(texts)
