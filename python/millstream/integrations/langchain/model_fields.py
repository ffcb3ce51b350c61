"""The fields of Millstream's models that LangChain's machinery reads, as LangChain's objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.caches import BaseCache
from langchain_core.rate_limiters import BaseRateLimiter

from ...callbacks.handlers_to_langchain import callbacks_to_langchain
from ...callbacks.values_from_langchain import from_langchain
from ...callbacks.values_to_langchain import to_langchain

__all__ = ("ConvertedRateLimiter", "read_fields")


class ConvertedCache(BaseCache):
    """A cache of Millstream's, whose generations are converted."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    def lookup(self, prompt: str, llm_string: str) -> Sequence[Any] | None:
        """Return the generations that the cache has."""
        found = self.cache.lookup(prompt, llm_string)
        return None if found is None else to_langchain(list(found))

    def update(self, prompt: str, llm_string: str, return_val: Sequence[Any]) -> None:
        """Add generations to the cache."""
        self.cache.update(prompt, llm_string, from_langchain(list(return_val)))

    def clear(self, **kwargs: Any) -> None:
        """Empty the cache."""
        self.cache.clear(**kwargs)

    async def alookup(self, prompt: str, llm_string: str) -> Sequence[Any] | None:
        """Return the generations that the cache has."""
        found = await self.cache.alookup(prompt, llm_string)
        return None if found is None else to_langchain(list(found))

    async def aupdate(self, prompt: str, llm_string: str, return_val: Sequence[Any]) -> None:
        """Add generations to the cache."""
        await self.cache.aupdate(prompt, llm_string, from_langchain(list(return_val)))

    async def aclear(self, **kwargs: Any) -> None:
        """Empty the cache."""
        await self.cache.aclear(**kwargs)


class ConvertedRateLimiter(BaseRateLimiter):
    """A rate limiter of Millstream's."""

    def __init__(self, limiter: Any) -> None:
        self.limiter = limiter

    def acquire(self, *, blocking: bool = True) -> bool:
        """Wait for a token."""
        taken: bool = self.limiter.acquire(blocking=blocking)
        return taken

    async def aacquire(self, *, blocking: bool = True) -> bool:
        """Wait for a token."""
        taken: bool = await self.limiter.aacquire(blocking=blocking)
        return taken


def read_fields(model: Any) -> dict[str, Any]:
    """Return the fields that all of Millstream's models have, as LangChain's models take them."""
    cache = model.cache
    return {
        "cache": ConvertedCache(cache) if hasattr(cache, "lookup") and not isinstance(cache, BaseCache) else cache,
        "verbose": model.verbose,
        "callbacks": callbacks_to_langchain(model.callbacks),
        "tags": model.tags,
        "metadata": model.metadata,
        "custom_get_token_ids": model.custom_get_token_ids,
    }
