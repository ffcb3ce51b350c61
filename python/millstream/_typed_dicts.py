"""Typed dicts as fields of pydantic models. Before Python 3.12, pydantic rejects those of ``typing``."""

from __future__ import annotations

from typing import Any, NotRequired, Required, TypeVar, get_args, get_origin, get_type_hints

__all__ = ("with_pydantic_schema",)

_Kind = TypeVar("_Kind", bound=type)

# For each typed dict, an equal one that pydantic accepts.
_TWINS: dict[Any, Any] = {}


def with_pydantic_schema(cls: _Kind) -> _Kind:
    """Return ``cls``, a ``TypedDict``, with the method that pydantic calls for a schema.

    Pydantic accepts typed dicts of ``typing_extensions``, which it installs itself. The method makes an equal
    one when it is called, so that neither package is imported before.
    """
    cls.__get_pydantic_core_schema__ = classmethod(_schema)  # type: ignore[attr-defined]
    return cls


def _schema(cls: Any, source: Any, handler: Any) -> Any:
    return handler(_twin(cls))


def _twin(cls: Any) -> Any:
    if cls not in _TWINS:
        import typing_extensions

        make: Any = typing_extensions.TypedDict
        twin = make(cls.__name__, {name: _mark_required(cls, name) for name in cls.__annotations__})
        twin.__doc__, twin.__module__, twin.__qualname__ = cls.__doc__, cls.__module__, cls.__qualname__
        if (config := getattr(cls, "__pydantic_config__", None)) is not None:
            twin.__pydantic_config__ = config
        _TWINS[cls] = twin
    return _TWINS[cls]


def _mark_required(cls: Any, name: str) -> Any:
    hint = _hint(cls, name)
    return hint if name in cls.__required_keys__ else NotRequired[hint]


def _hint(cls: Any, name: str) -> Any:
    """Return the type of a key without ``Required`` or ``NotRequired``; ``Any`` if its name cannot be resolved."""
    holder = type(cls.__name__, (), {"__annotations__": {name: cls.__annotations__[name]}})
    holder.__module__ = cls.__module__
    try:
        hint = get_type_hints(holder, include_extras=True)[name]
    except NameError:
        # The name exists for type checkers alone.
        return Any
    return get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint
