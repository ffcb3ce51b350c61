"""Caches of models' answers: the interface, a cache in memory, and one in a file of SQLite."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .base import RETURN_VAL_TYPE, BaseCache
    from .memory import InMemoryCache
    from .sqlite import SQLiteCache

__all__ = ("RETURN_VAL_TYPE", "BaseCache", "InMemoryCache", "SQLiteCache")

__getattr__ = lazy_names(
    globals(),
    {
        "RETURN_VAL_TYPE": ".base",
        "BaseCache": ".base",
        "InMemoryCache": ".memory",
        "SQLiteCache": ".sqlite",
    },
)
