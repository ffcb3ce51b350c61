"""The payloads of ``llamacpp.completion``: llama.cpp's own endpoint."""

from typing import Any

from ..json import Document
from .shape import Choice, Family, Payload, as_index, as_text, count_usage, find_error, is_bare, only_texts

__all__ = ("LlamaCpp",)

_COUNTS = ("tokens_evaluated", "tokens_predicted")
# Older servers say why a choice ended in a member of its own.
_STOPPED = {"stopped_eos": "eos", "stopped_word": "word", "stopped_limit": "limit"}


class LlamaCpp(Family):
    """The family of ``llamacpp.completion``: the stream ends once every choice is finished."""

    __slots__ = ("_open",)

    def __init__(self, format: str, *, one: bool) -> None:
        super().__init__(format, one=one)
        # The choices that have begun and are not finished.
        self._open: set[int] = set()

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        return "content" in payload and "stop" in payload

    def pick_text(self, payload: Any) -> Any:
        index = 0 if self.one else payload["index"]
        is_ordinary = payload["stop"] is False and type(index) is int and index == 0 and is_bare(payload)
        if is_ordinary:
            self._open.add(0)
        return payload["content"] if is_ordinary else None

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        found = Payload()
        text, stop = payload.get("content"), payload.get("stop")
        is_known = isinstance(text, str) or isinstance(stop, bool)
        if is_known:
            choice = Choice(0 if self.one else as_index(payload.get("index")) or 0)
            found.choices.append(choice)
            if text and isinstance(text, str):
                choice.content.append(("text", text))
            self._open.add(choice.index)
            if stop is True:
                flags = (reason for name, reason in _STOPPED.items() if payload.get(name) is True)
                choice.finish_reason = as_text(payload.get("stop_type")) or next(flags, None)
                found.usage = count_usage(payload, _COUNTS, (), document)
                if choice.finish_reason is not None:
                    self._open.discard(choice.index)
                found.ends = not self._open
        found.error = find_error(payload, document, is_known=is_known)
        return found

    def info(self, payload: dict[str, Any]) -> dict[str, str]:
        return only_texts({"model": payload.get("model")})
