"""Copies and pickles of Runnables that keep what they have computed of their steps."""

from __future__ import annotations

from functools import cached_property
from typing import Any

__all__ = ("state_without_caches",)


def state_without_caches(self: object) -> dict[str, Any]:
    """Return the attributes to copy or pickle: those of a :class:`functools.cached_property` are computed again."""
    cached = {
        name for cls in type(self).__mro__ for name, value in vars(cls).items() if isinstance(value, cached_property)
    }
    return {name: value for name, value in vars(self).items() if name not in cached}
