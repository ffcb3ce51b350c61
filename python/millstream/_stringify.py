"""Values of any type as texts for prompts."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ("comma_list", "sanitize_for_postgres", "stringify_dict", "stringify_value")


def stringify_value(val: object) -> str:
    """Return a value as text: the items of a list on lines, the entries of a dict as ``key: value`` on lines."""
    if isinstance(val, dict):
        return f"\n{stringify_dict(val)}"
    return "\n".join(map(stringify_value, val)) if isinstance(val, list) else str(val)


def stringify_dict(data: Mapping[Any, Any]) -> str:
    """Return the entries of a dict as ``key: value``, each on a line."""
    return "".join(f"{key}: {stringify_value(value)}\n" for key, value in data.items())


def comma_list(items: Iterable[Any]) -> str:
    """Return the items as one text, with commas between them."""
    return ", ".join(map(str, items))


def sanitize_for_postgres(text: str, replacement: str = "") -> str:
    """Return the text without NUL characters, which PostgreSQL does not store."""
    return text.replace("\x00", replacement)
