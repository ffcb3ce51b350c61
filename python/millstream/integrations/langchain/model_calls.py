"""Calls of Millstream's models in runs of LangChain's."""

from __future__ import annotations

from typing import Any

from ...callbacks.base_manager import BaseCallbackManager
from ...callbacks.llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from ...language_models.model_type import enter_run, takes_run_manager

__all__ = ("ModelCalls", "run_from_langchain")


def run_from_langchain(run_manager: Any) -> CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None:
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
