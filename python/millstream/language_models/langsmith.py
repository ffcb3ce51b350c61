"""The ``ls_*`` metadata of runs, and a warning where the environment asks for LangSmith's traces."""

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


def ls_fields(model: Any, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``ls_*`` metadata that a call's arguments and the model's fields tell."""
    params: dict[str, Any] = {"ls_stop": stop} if stop else {}
    for key, names, kinds in _LS_FIELDS:
        found = kwargs.get(names[0])
        for name in names:
            if isinstance(found, kinds):
                break
            found = getattr(model, name, None)
        if isinstance(found, kinds):
            params[key] = found
    return params


@lru_cache(maxsize=1)
def _warn_once() -> None:
    logging.getLogger("millstream").warning(
        "LangSmith tracing is switched on by the environment, but Millstream sends no traces;"
        " LangChain's tracer can be given as a callback."
    )


def warn_of_tracing() -> None:
    """Warn, once in a process, where the environment asks for traces that nobody will send."""
    for name in _TRACING:
        if os.environ.get(name, "").lower() in ("true", "1"):
            _warn_once()
            return
