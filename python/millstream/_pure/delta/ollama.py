"""The payloads of ``ollama.chat`` and ``ollama.generate``: one JSON object a line, the last one ``done``."""

from typing import Any

from ..json import Document, Path
from .shape import Choice, Family, Payload, as_id, as_text, count_usage, find_error, is_bare, only_texts, read_function
from .tools import Entry

__all__ = ("OllamaChat", "OllamaGenerate")

_COUNTS = ("prompt_eval_count", "eval_count")


class OllamaGenerate(Family):
    """The family of ``ollama.generate``: the text is a member of each line."""

    __slots__ = ()

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        return "done" in payload and "response" in payload

    def pick_text(self, payload: Any) -> Any:
        is_ordinary = payload["done"] is False and "thinking" not in payload and "logprobs" not in payload
        return payload["response"] if is_ordinary and is_bare(payload) else None

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        found = Payload(is_plain=payload.get("logprobs") is None)
        is_known = self._is_known(payload)
        if is_known:
            choice = Choice(0)
            found.choices.append(choice)
            self._read_message(choice, payload, document)
            if payload.get("done") is True:
                choice.finish_reason = as_text(payload.get("done_reason"))
                found.usage = count_usage(payload, _COUNTS, (), document)
                found.ends = True
        found.error = find_error(payload, document, is_known=is_known)
        return found

    def info(self, payload: dict[str, Any]) -> dict[str, str]:
        return only_texts({"model": payload.get("model")})

    def _is_known(self, payload: dict[str, Any]) -> bool:
        is_end = isinstance(payload.get("done"), bool) and "message" not in payload
        return is_end or isinstance(payload.get("response"), str)

    def _read_message(self, choice: Choice, payload: dict[str, Any], document: Document) -> None:
        _read_texts(choice, payload, "response")


class OllamaChat(OllamaGenerate):
    """The family of ``ollama.chat``: each line has a message, in which tool calls are whole, and are counted."""

    __slots__ = ("_calls",)

    def __init__(self, format: str, *, one: bool) -> None:
        super().__init__(format, one=one)
        self._calls = 0

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        return "done" in payload and "message" in payload

    def pick_text(self, payload: Any) -> Any:
        return None

    def _is_known(self, payload: dict[str, Any]) -> bool:
        is_end = isinstance(payload.get("done"), bool) and "response" not in payload
        return is_end or isinstance(payload.get("message"), dict)

    def _read_message(self, choice: Choice, payload: dict[str, Any], document: Document) -> None:
        message = payload.get("message")
        if not isinstance(message, dict):
            return
        choice.role = as_text(message.get("role"))
        _read_texts(choice, message, "content")
        calls = message.get("tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, dict):
                self._add_call(choice, call, ("message", "tool_calls", position), document)

    def _add_call(self, choice: Choice, call: dict[str, Any], path: Path, document: Document) -> None:
        id = as_id(call.get("id"))
        name, args, is_json = read_function(call.get("function"), (*path, "function"), document)
        if id is not None or name is not None or args is not None:
            choice.entries.append(Entry(self._calls, id, name, args, is_json))
            self._calls += 1


def _read_texts(choice: Choice, members: dict[str, Any], name: str) -> None:
    """Read the reasoning and the text, which is the member ``name``."""
    thinking, text = members.get("thinking"), members.get(name)
    if thinking and isinstance(thinking, str):
        choice.reasoning.append(thinking)
    if text and isinstance(text, str):
        choice.content.append(("text", text))
