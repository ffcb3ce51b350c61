"""The payloads of ``tgi.generate``: the tokens of Hugging Face's Text Generation Inference."""

from typing import Any

from ..json import Document
from .shape import Choice, Family, Payload, as_text, count_usage, find_error, is_bare

__all__ = ("TGI",)

_COUNTS = ("generated_tokens", "input_length")


class TGI(Family):
    """The family of ``tgi.generate``: one choice; the last token comes with all of the text."""

    __slots__ = ("_has_text",)

    def __init__(self, format: str, *, one: bool) -> None:
        super().__init__(format, one=one)
        self._has_text = False

    @staticmethod
    def identify(format: str, event: str, payload: dict[str, Any]) -> bool:
        return "generated_text" in payload

    def pick_text(self, payload: Any) -> Any:
        token = payload["token"]
        has_more = payload["generated_text"] is not None or payload["details"] is not None
        if has_more or token["special"] is not False or not is_bare(payload):
            return None
        self._has_text = True
        return token["text"]

    def read(self, payload: dict[str, Any], document: Document, event: str, *, is_body: bool) -> Payload:
        found = Payload()
        token, details, whole = payload.get("token"), payload.get("details"), payload.get("generated_text")
        is_known = isinstance(token, dict) or isinstance(details, dict) or isinstance(whole, str)
        if is_known:
            choice = Choice(0)
            found.choices.append(choice)
            text = whole if not self._has_text else None
            if isinstance(token, dict):
                text = None if token.get("special") is True else token.get("text")
            if text and isinstance(text, str):
                choice.content.append(("text", text))
                self._has_text = True
            if isinstance(details, dict):
                choice.finish_reason = as_text(details.get("finish_reason"))
                found.usage = count_usage(details, _COUNTS, ("details",), document)
            found.ends = isinstance(whole, str)
        found.error = find_error(payload, document, is_known=is_known)
        return found
