"""Refusals: the text of a model in place of the requested answer."""

from __future__ import annotations

from typing import Any

from ..errors import RefusalError

__all__ = ("Refusals", "check_refusal")


def check_refusal(generation: object) -> None:
    """Raise :class:`~millstream.errors.RefusalError` if the generation's message, if it has one, is a refusal."""
    message = getattr(generation, "message", None)
    if message is None:
        return
    blocks = getattr(message, "content_blocks", None) or ()
    translated = next((block for block in blocks if block.get("type") == "refusal"), None)
    if (found := translated or _find_refusal(message)) is not None:
        raise RefusalError.from_refusal(found, raw_message=message)


def _find_refusal(message: object) -> dict[str, Any] | None:
    """Return the block of a refusal, as the provider reports it: in the content, beside it, or as a stop reason."""
    if isinstance(content := getattr(message, "content", None), list):
        for block in content:
            if isinstance(block, dict) and block.get("type") == "refusal":
                return block
    if text := (getattr(message, "additional_kwargs", None) or {}).get("refusal"):
        return {"type": "refusal", "refusal": text}
    metadata = getattr(message, "response_metadata", None) or {}
    if metadata.get("stop_reason") != "refusal":
        return None
    details = metadata.get("stop_details")
    details = details if isinstance(details, dict) else {}
    return {"type": "refusal", "refusal": details.get("explanation"), "extras": {"category": details.get("category")}}


class Refusals:
    """The refusal in the chunks of a stream: it is raised at the end, when it is complete."""

    __slots__ = ("_block", "_chunk")

    def __init__(self) -> None:
        self._block: dict[str, Any] | None = None
        self._chunk: Any = None

    def add(self, chunk: object) -> None:
        """Keep the refusal in ``chunk``, if there is one."""
        found = _find_refusal(chunk)
        if found is None:
            return
        if self._block is None:
            self._block, self._chunk = dict(found), chunk
            return
        self._block["refusal"] = (self._block.get("refusal") or "") + (found.get("refusal") or "") or None
        self._block["extras"] = found.get("extras") or self._block.get("extras")
        self._chunk = self._chunk + chunk

    def check(self) -> None:
        """Raise :class:`~millstream.errors.RefusalError` if the model refused."""
        if self._block is not None:
            raise RefusalError.from_refusal(self._block, raw_message=self._chunk)
