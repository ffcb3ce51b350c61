"""Stores of resumable streams: in memory, in a file, in Redis."""

from typing import TYPE_CHECKING

from ...._late import lazy_names

if TYPE_CHECKING:
    from .base import Append, Created, Outcome, Page, Status, StreamStore
    from .memory import MemoryStore
    from .redis import RedisStore
    from .sqlite import SQLiteStore

__all__ = (
    "Append",
    "Created",
    "MemoryStore",
    "Outcome",
    "Page",
    "RedisStore",
    "SQLiteStore",
    "Status",
    "StreamStore",
)

_OWN = {"MemoryStore": ".memory", "RedisStore": ".redis", "SQLiteStore": ".sqlite"}
__getattr__ = lazy_names(globals(), {name: _OWN.get(name, ".base") for name in __all__})
