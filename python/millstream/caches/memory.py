"""``InMemoryCache``: answers in the memory of the process."""

from __future__ import annotations

from threading import Lock
from typing import Any

from .base import RETURN_VAL_TYPE, BaseCache

__all__ = ("InMemoryCache",)


class InMemoryCache(BaseCache):
    """A cache in the memory of the process, for all its threads.

    It holds at most ``maxsize`` answers, and then drops the oldest one for each new one. Without
    ``maxsize`` it grows without limit. Raises :class:`ValueError` if ``maxsize`` is not positive.
    """

    def __init__(self, *, maxsize: int | None = None) -> None:
        if maxsize is not None and maxsize <= 0:
            raise ValueError("maxsize must be greater than 0")
        self._cache: dict[tuple[str, str], RETURN_VAL_TYPE] = {}
        self._maxsize = maxsize
        self._lock = Lock()

    def lookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """Return the answer, or ``None``."""
        return self._cache.get((prompt, llm_string))

    def update(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """Keep ``return_val``. An answer that is kept already is replaced, and keeps its age."""
        key = prompt, llm_string
        with self._lock:
            if key not in self._cache and len(self._cache) == self._maxsize:
                del self._cache[next(iter(self._cache))]
            self._cache[key] = return_val

    def clear(self, **kwargs: Any) -> None:
        """Remove all answers."""
        with self._lock:
            self._cache = {}

    async def alookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """Return the answer, or ``None``; without an executor."""
        return self.lookup(prompt, llm_string)

    async def aupdate(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """Keep ``return_val``, without an executor."""
        self.update(prompt, llm_string, return_val)

    async def aclear(self, **kwargs: Any) -> None:
        """Remove all answers, without an executor."""
        self.clear()
