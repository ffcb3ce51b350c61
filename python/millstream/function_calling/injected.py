"""Recognizes the types of arguments that the runtime passes to a function, not the model."""

from __future__ import annotations

from typing import get_args, get_origin

from .._kinds import is_kind

__all__ = ("is_injected", "is_injected_call_id")


def is_injected(annotation: object) -> bool:
    """Return whether an argument of this type is passed by the runtime."""
    origin = get_origin(annotation)
    return is_kind(annotation if origin is None else origin, "_DirectlyInjectedToolArg") or _has_mark(
        annotation, "InjectedToolArg"
    )


def is_injected_call_id(annotation: object) -> bool:
    """Return whether an argument of this type receives the id of the tool call."""
    return _has_mark(annotation, "InjectedToolCallId")


def _has_mark(annotation: object, mark: str) -> bool:
    """Return whether an extra of ``Annotated`` is the class named ``mark``, a subclass of it, or an instance."""
    extras = get_args(annotation)[1:]
    return any(is_kind(extra if isinstance(extra, type) else type(extra), mark) for extra in extras)
