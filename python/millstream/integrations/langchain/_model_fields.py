"""The fields of Millstream's models that LangChain's machinery reads, as LangChain's objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.caches import BaseCache
from langchain_core.rate_limiters import BaseRateLimiter

from ...callbacks.base_manager import BaseCallbackManager
from ...callbacks.langchain_handlers import callbacks_to_langchain
from ...callbacks.langchain_values import to_langchain
from ...callbacks.llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from ...callbacks.values_of_langchain import from_langchain
from ...language_models.model_type import enter_run, takes_run_manager

__all__ = ("ConvertedCache", "ConvertedRateLimiter", "ModelCalls", "model_fields", "run_of_millstream")


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


def model_fields(model: Any) -> dict[str, Any]:
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


def run_of_millstream(run_manager: Any) -> CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None:
    """Return LangChain's run of a model as Millstream's: its handlers receive values of their own library."""
    if run_manager is None:
        return None
    run_class = AsyncCallbackManagerForLLMRun if hasattr(run_manager, "get_sync") else CallbackManagerForLLMRun
    return run_class.of(BaseCallbackManager.like(run_manager), run_manager.run_id)


class ModelCalls:
    """One call of a model of Millstream's in a run of LangChain's, of which runs that its code starts are children."""

    def __init__(self, model: Any, run: Any) -> None:
        self._model = model
        self._run = run

    def generate(self, prompt: Any, stop: list[str] | None, kwargs: dict[str, Any]) -> Any:
        """Return the result of ``_generate``."""
        function = self._model._generate
        with enter_run(self._run):
            return function(prompt, stop=stop, **self._manager(type(self._model)._generate), **kwargs)

    async def agenerate(self, prompt: Any, stop: list[str] | None, kwargs: dict[str, Any]) -> Any:
        """Return the result of ``_agenerate``."""
        function = self._model._agenerate
        with enter_run(self._run):
            return await function(prompt, stop=stop, **self._manager(type(self._model)._agenerate), **kwargs)

    def _manager(self, function: Any) -> dict[str, Any]:
        return {"run_manager": self._run} if takes_run_manager(function) else {}
