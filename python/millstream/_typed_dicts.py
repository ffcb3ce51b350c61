"""Typed dicts as fields of pydantic models. Before Python 3.12, pydantic rejects those of ``typing``."""

from __future__ import annotations

from typing import Any, NotRequired, Required, TypeVar, get_args, get_origin, get_type_hints

__all__ = ("with_pydantic_schema",)

_Kind = TypeVar("_Kind", bound=type)

# For each typed dict, an equal one that pydantic accepts.
_TWINS: dict[Any, Any] = {}


def with_pydantic_schema(kind: _Kind) -> _Kind:
    """Return ``kind``, a ``TypedDict``, with the method that pydantic calls for a schema.

    Pydantic accepts typed dicts of ``typing_extensions``, which it installs itself. The method makes an equal
    one when it is called, so that neither package is imported before.
    """
    kind.__get_pydantic_core_schema__ = classmethod(_schema)  # type: ignore[attr-defined]
    return kind


def _schema(kind: Any, source: Any, handler: Any) -> Any:
    return handler(_twin(kind))


def _twin(kind: Any) -> Any:
    if kind not in _TWINS:
        import typing_extensions

        make: Any = typing_extensions.TypedDict
        twin = make(kind.__name__, {name: _mark_required(kind, name) for name in kind.__annotations__})
        twin.__doc__, twin.__module__, twin.__qualname__ = kind.__doc__, kind.__module__, kind.__qualname__
        _TWINS[kind] = twin
    return _TWINS[kind]


def _mark_required(kind: Any, name: str) -> Any:
    hint = _hint(kind, name)
    return hint if name in kind.__required_keys__ else NotRequired[hint]


def _hint(kind: Any, name: str) -> Any:
    """Return the type of a key without ``Required`` or ``NotRequired``; ``Any`` if its name cannot be resolved."""
    holder = type(kind.__name__, (), {"__annotations__": {name: kind.__annotations__[name]}})
    holder.__module__ = kind.__module__
    try:
        hint = get_type_hints(holder, include_extras=True)[name]
    except NameError:
        # The name exists for type checkers alone.
        return Any
    return get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint
