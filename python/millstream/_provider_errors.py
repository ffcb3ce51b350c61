"""Errors as providers report them in JSON: the path to the error object, and its message.

The Rust core finds an error by the same rules as :func:`error_path`. Both halves read the message here, as
does the code for HTTP error statuses.
"""

from typing import Any, TypeGuard

__all__ = ("NO_MESSAGE", "add_message", "error_path", "find_own_error", "find_reason", "has_text")

NO_MESSAGE = "the provider sent an error without a message"
"""How the message begins that replaces a missing one."""
_MESSAGE_KEYS = (
    *("message", "error_message", "detail", "errors", "msg", "error_description", "error", "defaultMessage"),
    *("errorMessage", "error_msg", "Message", "reason", "error_type", "title"),
)
"""The keys under which servers put the message of an error, the best one first."""

_GOOD_CODES = ("ok", "success", "0", "200")
# A body may nest to any depth; no known server puts the message deeper than this.
_MAX_DEPTH = 4


def error_path(payload: dict[str, Any]) -> tuple[str | int, ...] | None:
    """Return the path to the error in ``payload``: ``()`` if it is one itself, ``None`` if there is none."""
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


def find_own_error(payload: dict[str, Any], *, is_known: bool) -> tuple[str | int, ...] | None:
    """Return the path to the error in ``payload``, as :func:`error_path` does, in a format without choices.

    ``is_known`` says that the payload is recognisably one of the format.
    """
    if "error" in payload and _is_error(payload["error"], not is_known):
        return ("error",)
    return () if payload.get("object") == "error" or (not is_known and _is_unnamed_error(payload)) else None


def add_message(error: object) -> dict[str, Any]:
    """Return a provider's error, an object or a bare string, as an object with a ``message``."""
    if not isinstance(error, dict):
        return {"message": error if isinstance(error, str) and error else NO_MESSAGE}
    if error.get("message") in (None, ""):
        error_type = error.get("type") or error.get("code")
        error["message"] = _find_message(error, _MAX_DEPTH) or f"{NO_MESSAGE}{f' ({error_type})' if error_type else ''}"
    return error


def find_reason(body: object) -> str:
    """Return the message in the body of an error status, wherever common servers put it, or ``""``."""
    if isinstance(body, dict) and isinstance(error := body.get("error"), str):
        # In Spring, ``error`` names the status, and in OAuth it is a code. The message is under another key.
        return _find_message({**body, "error": None, "error_type": None, "title": None}, _MAX_DEPTH) or error
    if isinstance(body, dict) and (words := _find_message(body.get("error"), _MAX_DEPTH)):
        return words
    return _find_message(body, _MAX_DEPTH)


def has_text(body: object, depth: int = _MAX_DEPTH) -> bool:
    """Return whether ``body`` has any text, at most ``depth`` levels deep."""
    if isinstance(body, str):
        return bool(body.strip())
    values = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return depth > 0 and any(has_text(value, depth - 1) for value in values)


def _is_error(value: object, bare: bool) -> bool:
    """Return whether ``value``, under the key ``error``, reports one; an empty object does only in a bare payload."""
    return (isinstance(value, dict) and (bare or bool(value))) or _is_text(value)


def _is_unnamed_error(payload: dict[str, Any]) -> bool:
    """Return whether ``payload``, which has no choices and no usage, is an error without the key ``error``."""
    detail = payload.get("detail")
    if _is_text(payload.get("error_message")) or _is_text(payload.get("error_type")) or _is_text(detail):
        return True
    if isinstance(detail, list) and any(isinstance(one, dict) and _is_text(one.get("msg")) for one in detail):
        return True
    return not _is_text(payload.get("object")) and _is_text(payload.get("message")) and _reports_failure(payload)


def _reports_failure(payload: dict[str, Any]) -> bool:
    """Return whether a code, status, type or ``success`` in ``payload`` says that the request failed."""
    code, status, error_type = payload.get("code"), payload.get("status"), payload.get("type")
    return (
        (_is_number(code) and (code >= 400 or code < 0))
        or (_is_text(code) and not _is_word(code, _GOOD_CODES))
        or (_is_number(status) and status >= 400)
        or (_is_text(status) and _is_word(status, ("error", "failed")))
        or (_is_text(error_type) and _is_word(error_type[-5:], ("error",)))
        or payload.get("success") is False
    )


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and value != ""


def _is_number(value: object) -> TypeGuard[float]:
    return type(value) in (int, float)


def _is_word(text: str, words: tuple[str, ...]) -> bool:
    """Return whether ``text`` is one of ``words``, case-insensitively."""
    return text.isascii() and text.lower() in words


def _find_message(value: object, depth: int) -> str:
    """Return the message of an error: a text, a list of errors, or an object with one of ``_MESSAGE_KEYS``."""
    if isinstance(value, str):
        return value.strip()
    if depth == 0:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_find_message(one, depth - 1) for one in value)))
    if not isinstance(value, dict):
        return ""
    for name in _MESSAGE_KEYS:
        found = value.get(name)
        # Validation errors by field: the values are the messages.
        found = list(found.values()) if name == "errors" and isinstance(found, dict) else found
        if words := _find_message(found, depth - 1):
            return words
    return ""
