"""Errors as providers report them: where one stands in a JSON object, and the words that explain it.

The Rust core finds an error by the same rules as :func:`error_path`; the words are read here for
both halves, and for the bodies of error statuses.
"""

from typing import Any, TypeGuard

__all__ = ("error_path", "find_reason", "has_text", "with_message")

_SILENT = "the provider sent an error without a message"
_WORDS = (
    *("message", "error_message", "detail", "errors", "msg", "error_description", "error", "defaultMessage"),
    *("errorMessage", "error_msg", "Message", "reason", "error_type", "title"),
)
"""The members that explain an error, the best one first."""

_GOOD_CODES = ("ok", "success", "0", "200")
# A body may nest as deep as it likes; no server puts its words deeper.
_MAX_DEPTH = 4


def error_path(payload: dict[str, Any]) -> tuple[str | int, ...] | None:
    """Return where ``payload`` has an error, ``()`` where it is one itself, or ``None`` where there is none."""
    choices, groq = payload.get("choices"), payload.get("x_groq")
    bare = not isinstance(choices, list) and not isinstance(payload.get("usage"), dict)
    if isinstance(groq, dict):
        bare = bare and not isinstance(groq.get("usage"), dict)
    if "error" in payload and _is_error(payload["error"], bare):
        return ("error",)
    if isinstance(groq, dict) and _is_error(groq.get("error"), bare):
        return ("x_groq", "error")
    for position, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict) and "error" in choice and _is_error(choice["error"], False):
            return ("choices", position, "error")
    return () if payload.get("object") == "error" or (bare and _is_unnamed_error(payload)) else None


def with_message(error: Any) -> dict[str, Any]:
    """Return a provider's error, an object or a bare string, as an object that has a ``message``."""
    if not isinstance(error, dict):
        return {"message": error if isinstance(error, str) and error else _SILENT}
    if error.get("message") in (None, ""):
        kind = error.get("type") or error.get("code")
        error["message"] = _words(error, _MAX_DEPTH) or f"{_SILENT}{f' ({kind})' if kind else ''}"
    return error


def find_reason(body: Any) -> str:
    """Return the words that explain an error status, wherever the usual servers put them in ``body``, or ``""``."""
    if isinstance(body, dict) and isinstance(error := body.get("error"), str):
        # Spring's ``error`` names the status, and OAuth's is a code: the words stand beside it.
        return _words({**body, "error": None, "error_type": None, "title": None}, _MAX_DEPTH) or error
    if isinstance(body, dict) and (words := _words(body.get("error"), _MAX_DEPTH)):
        return words
    return _words(body, _MAX_DEPTH)


def has_text(body: Any, depth: int = _MAX_DEPTH) -> bool:
    """Return whether ``body`` has words at all, as a value that is not deeper than ``depth``."""
    if isinstance(body, str):
        return bool(body.strip())
    values = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return depth > 0 and any(has_text(value, depth - 1) for value in values)


def _is_error(value: Any, bare: bool) -> bool:
    """Return whether ``value``, a member named ``error``, reports one; an empty object does in a bare payload only."""
    return (isinstance(value, dict) and (bare or bool(value))) or _is_text(value)


def _is_unnamed_error(payload: dict[str, Any]) -> bool:
    """Return whether ``payload``, which has no choices and no usage, is an error that is not called one."""
    detail = payload.get("detail")
    if _is_text(payload.get("error_message")) or _is_text(payload.get("error_type")) or _is_text(detail):
        return True
    if isinstance(detail, list) and any(isinstance(one, dict) and _is_text(one.get("msg")) for one in detail):
        return True
    return not _is_text(payload.get("object")) and _is_text(payload.get("message")) and _says_failed(payload)


def _says_failed(payload: dict[str, Any]) -> bool:
    """Return whether what stands beside a message says that something failed."""
    code, status, kind = payload.get("code"), payload.get("status"), payload.get("type")
    return (
        (_is_number(code) and (code >= 400 or code < 0))
        or (_is_text(code) and not _is_word(code, _GOOD_CODES))
        or (_is_number(status) and status >= 400)
        or (_is_text(status) and _is_word(status, ("error", "failed")))
        or (_is_text(kind) and _is_word(kind[-5:], ("error",)))
        or payload.get("success") is False
    )


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value != ""


def _is_number(value: Any) -> TypeGuard[float]:
    return type(value) in (int, float)


def _is_word(text: str, words: tuple[str, ...]) -> bool:
    """Return whether ``text`` is one of ``words``, in letters of any case."""
    return text.isascii() and text.lower() in words


def _words(value: Any, depth: int) -> str:
    """Return the words of an error: text, a list of errors, or an object with one of the usual members."""
    if isinstance(value, str):
        return value.strip()
    if depth == 0:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(one, depth - 1) for one in value)))
    if not isinstance(value, dict):
        return ""
    for name in _WORDS:
        found = value.get(name)
        # Validation errors by field: the words are the values.
        found = list(found.values()) if name == "errors" and isinstance(found, dict) else found
        if words := _words(found, depth - 1):
            return words
    return ""
