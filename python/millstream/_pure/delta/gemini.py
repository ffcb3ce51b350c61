"""The payloads of ``gemini.generate``: candidates, whose content is a list of parts."""

from typing import Any

from ..._values import read_kept
from ..json import Document, LazyJson, Path
from .shape import Choice, Family, Payload, as_arguments, as_id, as_index, as_text, find_error, only_texts
from .tools import Entry

__all__ = ("Gemini",)

# The members beside the candidates that a payload may have which is text and nothing else.
_LASTING = frozenset(("candidates", "modelVersion", "responseId", "createTime"))


class Gemini(Family):
    """The family of ``gemini.generate``: function calls come whole, and are counted."""

    __slots__ = ("_calls", "_model")

    role = "model"

    def __init__(self, format: str, *, one: bool) -> None:
        super().__init__(format, one=one)
        # How many calls each choice has.
        self._calls: dict[int, int] = {}
        # The model's name in the last payload with more than text, in a list.
        self._model: list[str | None] = []

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        return "candidates" in payload or isinstance(payload.get("promptFeedback"), dict)

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        found = Payload()
        candidates = payload.get("candidates")
        for position, candidate in enumerate(candidates if isinstance(candidates, list) else ()):
            if isinstance(candidate, dict) and not (self.one and found.choices):
                index = 0 if self.one else as_index(candidate.get("index"))
                choice = Choice(position if index is None else index)
                found.choices.append(choice)
                self._read_candidate(choice, candidate, ("candidates", position), document)
        feedback = payload.get("promptFeedback")
        if not found.choices and isinstance(feedback, dict):
            reason = as_text(feedback.get("blockReason"))
            if reason is not None:
                found.choices.append(Choice(0, finish_reason=f"blocked:{reason}"))
        found.is_plain = self._is_plain(payload)
        has_usage = isinstance(payload.get("usageMetadata"), dict)
        if has_usage:
            found.usage = LazyJson(document, ("usageMetadata",), read_kept)
        is_known = isinstance(candidates, list) or isinstance(feedback, dict) or has_usage
        found.error = find_error(payload, document, is_known=is_known)
        return found

    def info(self, payload: dict[str, Any]) -> dict[str, str]:
        return only_texts({"id": payload.get("responseId"), "model": payload.get("modelVersion")})

    def _is_plain(self, payload: dict[str, Any]) -> bool:
        """Return whether a reader of payloads that knows the one before learns nothing but text from this one."""
        model = as_text(payload.get("modelVersion"))
        if _is_alone(payload) and self._model == [model]:
            return True
        self._model = [model]
        return False

    def _read_candidate(self, choice: Choice, candidate: dict[str, Any], path: Path, document: Document) -> None:
        """Read one of the candidates."""
        choice.finish_reason = as_text(candidate.get("finishReason"))
        content = candidate.get("content")
        if not isinstance(content, dict):
            return
        choice.role = as_text(content.get("role"))
        parts = content.get("parts")
        if not isinstance(parts, list):
            return
        for position, part in enumerate(parts):
            if isinstance(part, dict):
                if part.get("text") and isinstance(part["text"], str):
                    choice.content.append(("reasoning" if part.get("thought") is True else "text", part["text"]))
                if isinstance(part.get("functionCall"), dict):
                    where = (*path, "content", "parts", position, "functionCall")
                    self._add_call(choice, part["functionCall"], where, document)

    def _add_call(self, choice: Choice, call: dict[str, Any], path: Path, document: Document) -> None:
        id, name = as_id(call.get("id")), as_text(call.get("name"))
        args, is_json = as_arguments(call.get("args"), (*path, "args"), document)
        if id is not None or name is not None or args is not None:
            index = self._calls.get(choice.index, 0)
            self._calls[choice.index] = index + 1
            choice.entries.append(Entry(index, id, name, args, is_json))


def _is_alone(payload: dict[str, Any]) -> bool:
    """Return whether ``payload`` has one part of text, and nothing else but what stays the same in a stream."""
    try:
        (candidate,) = payload["candidates"]
        (part,) = candidate["content"]["parts"]
        return (
            payload.keys() <= _LASTING
            and candidate.keys() <= {"content", "index"}
            and candidate["content"].keys() <= {"parts", "role"}
            and part.keys() == {"text"}
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
