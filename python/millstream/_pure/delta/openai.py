"""The payloads of ``openai.completions`` and ``openai.chat``.

Many servers speak these formats, each a little differently, so every field may be missing, null or
of a wrong type: it then counts as absent.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from ..._provider_errors import error_path
from ..._values import read_error, read_kept
from ..json import SURELY_SHALLOW, Document, LazyJson, Path, is_exact, shallow
from .shape import INFO_MEMBERS, Choice, Family, Payload, as_id, as_index, as_text, only_texts, read_function
from .tools import Entry

__all__ = ("OpenAIChat", "OpenAICompletions", "find_choices_format")


class OpenAICompletions(Family):
    """The family of ``openai.completions``: each choice has a ``text``."""

    __slots__ = ()

    def find_text(self, raw: bytes) -> str | dict[str, Any] | None:
        try:
            payload = orjson.loads(raw)
        except ValueError:
            return None
        try:
            (choice,) = payload["choices"]
            text = choice["text"]
            if text and type(text) is str and _has_nothing_else(payload, choice, self.one):
                return text if len(raw) <= SURELY_SHALLOW or shallow(raw) else None
        except (ValueError, KeyError, TypeError):
            pass
        return payload if type(payload) is dict and is_exact(raw) else None

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        found = Payload()
        choices = payload.get("choices")
        if isinstance(choices, list):
            choices = _up_to_first(choices) if self.one else choices
            payload = {**payload, "choices": choices}
            for position, value in enumerate(choices):
                if isinstance(value, dict):
                    index = 0 if self.one else as_index(value.get("index"))
                    choice = Choice(position if index is None else index)
                    self._read_choice(choice, value, ("choices", position), document, is_body)
                    found.choices.append(choice)
        usage = _usage_path(payload)
        if usage:
            found.usage = LazyJson(document, usage, read_kept)
        error = error_path(payload)
        if error is not None:
            found.error = LazyJson(document, error, read_error)
        return found

    def _read_choice(
        self, choice: Choice, value: dict[str, Any], path: Path, document: Document, is_body: bool
    ) -> None:
        """Read ``value``, one of the choices."""
        self._read_message(choice, value, path, document, is_body)
        choice.finish_reason = as_text(value.get("finish_reason"))
        if isinstance(value.get("logprobs"), dict):
            choice.logprobs = LazyJson(document, (*path, "logprobs"), read_kept)

    def _read_message(
        self, choice: Choice, value: dict[str, Any], path: Path, document: Document, is_body: bool
    ) -> None:
        text = value.get("text")
        if text and isinstance(text, str):
            choice.content.append(("text", text))

    def info(self, payload: dict[str, Any]) -> dict[str, str]:
        return only_texts({name: payload.get(name) for name in INFO_MEMBERS})


class OpenAIChat(OpenAICompletions):
    """The family of ``openai.chat``: each choice has a ``delta``, or a ``message``."""

    __slots__ = ()

    def find_text(self, raw: bytes) -> str | dict[str, Any] | None:
        try:
            payload = orjson.loads(raw)
        except ValueError:
            return None
        try:
            (choice,) = payload["choices"]
            delta = choice["delta"]
            text = delta["content"]
            is_ordinary = text and type(text) is str and _is_alone("content", delta)
            if is_ordinary and _has_nothing_else(payload, choice, self.one):
                return str(text) if len(raw) <= SURELY_SHALLOW or shallow(raw) else None
        except (ValueError, KeyError, TypeError):
            pass
        return payload if type(payload) is dict and is_exact(raw) else None

    def find_arguments(self, payload: Any) -> tuple[int, str] | None:
        try:
            (choice,) = payload["choices"]
            delta = choice["delta"]
            (call,) = delta["tool_calls"]
            index, function = call["index"], call["function"]
            args = function["arguments"]
            if not (type(index) is int and type(args) is str) or call.get("id") or function.get("name"):
                return None
            if not (_is_alone("tool_calls", delta) and _has_nothing_else(payload, choice, self.one)):
                return None
        except (ValueError, KeyError, TypeError):
            return None
        return index, args

    def _read_message(
        self, choice: Choice, value: dict[str, Any], path: Path, document: Document, is_body: bool
    ) -> None:
        """Read the content of a choice: its ``delta``, or else its ``message``; in a body the latter goes first.

        In a stream, a ``message`` counts only if the choice has handed out nothing yet: some servers
        repeat there what they have sent.
        """
        for name in ("message", "delta") if is_body else ("delta", "message"):
            message = value.get(name)
            if isinstance(message, dict):
                choice.is_whole = is_body or name == "message"
                choice.may_repeat = name == "message" and not is_body
                return _read_message(choice, message, (*path, name), document)
            if name == "delta" and isinstance(message, str):
                choice.content += _pieces(message)
                return None
        return None


def _read_message(choice: Choice, message: dict[str, Any], path: Path, document: Document) -> None:
    choice.role = as_text(message.get("role"))
    if "reasoning" in message or "reasoning_content" in message:
        reasoning = [*_pieces(message.get("reasoning_content"))] or _pieces(message.get("reasoning"))
        choice.reasoning = [piece for _, piece in reasoning]
    refusal = message.get("refusal")
    if refusal and isinstance(refusal, str):
        choice.refusal = [refusal]
    choice.content += _pieces(message.get("content"))
    if "tool_calls" in message or "function_call" in message:
        choice.entries = [*_entries(message, path, document)]
    if isinstance(message.get("audio"), dict):
        choice.audio = LazyJson(document, (*path, "audio"), read_kept)


def _is_alone(name: str, delta: dict[str, Any]) -> bool:
    """Return whether ``delta`` says nothing beside ``name``, which is in it."""
    return len(delta) == 1 or all(value is None for other, value in delta.items() if other != name)


def _has_nothing_else(payload: dict[str, Any], choice: dict[str, Any], one: bool) -> bool:
    """Return whether ``payload``, with its only ``choice``, which is choice 0, has nothing beside what that says."""
    return (
        (one or choice["index"] == 0)
        and ("finish_reason" not in choice or choice["finish_reason"] is None)
        and ("logprobs" not in choice or choice["logprobs"] is None)
        and ("usage" not in payload or payload["usage"] is None)
        and "usage" not in choice
        and "error" not in choice
        and "error" not in payload
        and "x_groq" not in payload
        and ("object" not in payload or payload["object"] != "error")
    )


def find_choices_format(payload: dict[str, Any]) -> str | None:
    """Return which of the two formats ``payload`` is one of, by its ``object`` or else its first choice."""
    choices, kind = payload.get("choices"), payload.get("object")
    if not isinstance(choices, list):
        return None
    if kind == "text_completion":
        return "openai.completions"
    if isinstance(kind, str) and kind.startswith("chat.completion"):
        return "openai.chat"
    for choice in choices:
        if isinstance(choice, dict):
            if "delta" in choice or "message" in choice:
                return "openai.chat"
            return "openai.completions" if "text" in choice else None
    return None


def _up_to_first(choices: list[Any]) -> list[Any]:
    """Return ``choices`` up to the first one."""
    first = next((position for position, choice in enumerate(choices) if isinstance(choice, dict)), len(choices))
    return choices[: first + 1]


def _usage_path(payload: dict[str, Any]) -> Path:
    """Return where ``payload`` has its usage, or nothing: Groq has it in ``x_groq``, others in a choice."""
    if isinstance(payload.get("usage"), dict):
        return ("usage",)
    groq = payload.get("x_groq")
    if isinstance(groq, dict) and isinstance(groq.get("usage"), dict):
        return ("x_groq", "usage")
    choices = payload.get("choices")
    for position, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict) and isinstance(choice.get("usage"), dict):
            return ("choices", position, "usage")
    return ()


def _entries(message: dict[str, Any], path: Path, document: Document) -> Iterator[Entry]:
    """Yield the entries of ``tool_calls``; without any, a call in OpenAI's first form."""
    calls = message.get("tool_calls")
    is_empty = True
    for position, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            is_empty = False
            function = call.get("function"), (*path, "tool_calls", position, "function"), document
            yield Entry(as_index(call.get("index")), as_id(call.get("id")), *read_function(*function))
    if is_empty and isinstance(call := message.get("function_call"), dict):
        yield Entry(0, None, *read_function(call, (*path, "function_call"), document))


def _pieces(content: Any) -> Iterator[tuple[str, str]]:
    """Yield the field and the string, not empty, of each piece of ``content``: a text, a list of parts, or one part."""
    if isinstance(content, str | dict):
        content = [{"type": "text", "text": content} if isinstance(content, str) else content]
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and part.get("text") and isinstance(part["text"], str):
            yield "text", part["text"]
        elif kind == "thinking":
            yield from (("reasoning", piece) for field, piece in _pieces(part.get("thinking")) if field == "text")
