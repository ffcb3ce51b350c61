"""Names of parameters: ``snake_case`` in Python, ``camelCase`` in JSON."""

import re

__all__ = ("to_camel", "to_snake")

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def to_camel(name: str) -> str:
    """Return a name as in JSON."""
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


def to_snake(name: str) -> str:
    """Return a name as in Python."""
    return _CAPITAL.sub("_", name).lower()
