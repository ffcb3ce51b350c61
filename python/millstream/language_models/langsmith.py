"""The ``ls_*`` metadata of runs, and a warning if the environment enables LangSmith tracing."""

import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

__all__ = ("ls_fields", "warn_of_tracing")

_TRACING = ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING")

_LS_FIELDS: tuple[tuple[str, tuple[str, ...], Any], ...] = (
    ("ls_model_name", ("model", "model_name"), str),
    ("ls_temperature", ("temperature",), (int, float)),
    ("ls_max_tokens", ("max_tokens",), int),
)


def ls_fields(model: object, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``ls_*`` metadata from a call's arguments, or else from the model's fields."""
    params: dict[str, Any] = {"ls_stop": stop} if stop else {}
    for key, names, types in _LS_FIELDS:
        value = kwargs.get(names[0])
        for name in names:
            if isinstance(value, types):
                break
            value = getattr(model, name, None)
        if isinstance(value, types):
            params[key] = value
    return params


@lru_cache(maxsize=1)
def _warn_once() -> None:
    logging.getLogger("millstream").warning(
        "LangSmith tracing is enabled by the environment, but Millstream sends no traces;"
        " pass LangChain's tracer as a callback."
    )


def warn_of_tracing() -> None:
    """Warn, once in a process, if the environment enables tracing: Millstream sends no traces."""
    for name in _TRACING:
        if os.environ.get(name, "").lower() in ("true", "1"):
            _warn_once()
            return
