"""The configurations of calls that pass from LangChain to Millstream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.callbacks import CallbackManager
from langchain_core.runnables.config import ensure_config

__all__ = ("take_config", "take_configs")


def take_config(config: Any) -> Any:
    """Return the configuration for a call of Millstream's, with the handlers that LangChain would call.

    These are those of the call and of the run around it, LangSmith's tracer, and the debug and verbose handlers.
    """
    manager = CallbackManager.configure(ensure_config(config).get("callbacks"))
    if manager.handlers or manager.parent_run_id is not None:
        return {**(config or {}), "callbacks": manager}
    return {**config, "callbacks": None} if config and config.get("callbacks") else config


def take_configs(config: Any) -> Any:
    """Return the configurations of a batch; see :func:`take_config`."""
    return take_config(config) if config is None or isinstance(config, Mapping) else list(map(take_config, config))
