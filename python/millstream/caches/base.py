"""``BaseCache``: the interface of caches of models' answers.

A key is the prompt and a text with all parameters of the model, so that another temperature is another entry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeAlias

from .._context import run_in_executor
from ..outputs import Generation

__all__ = ("RETURN_VAL_TYPE", "BaseCache")

RETURN_VAL_TYPE: TypeAlias = Sequence[Generation]
"""A cached answer: the generations for one prompt."""


class BaseCache(ABC):
    """The interface of a cache. Models call it in sync code directly, in async code by its async methods."""

    @abstractmethod
    def lookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """Return the answer to ``prompt`` of the model with the parameters ``llm_string``, or ``None``."""

    @abstractmethod
    def update(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """Keep ``return_val`` as the answer to ``prompt`` of the model with the parameters ``llm_string``."""

    @abstractmethod
    def clear(self, **kwargs: Any) -> None:
        """Remove all answers; the meaning of ``kwargs`` is the cache's own."""

    async def alookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """Return what :meth:`lookup` returns; by default it is called in the loop's executor."""
        return await run_in_executor(None, self.lookup, prompt, llm_string)

    async def aupdate(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """Do what :meth:`update` does; by default it is called in the loop's executor."""
        await run_in_executor(None, self.update, prompt, llm_string, return_val)

    async def aclear(self, **kwargs: Any) -> None:
        """Do what :meth:`clear` does; by default it is called in the loop's executor."""
        await run_in_executor(None, self.clear, **kwargs)
