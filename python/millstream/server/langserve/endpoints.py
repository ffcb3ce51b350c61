"""The names of LangServe's routes, and which of them an app has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from ...errors import UnsupportedError

__all__ = ("SCHEMAS", "EndpointName", "choose_endpoints")

EndpointName = Literal[
    "invoke", "batch", "stream", "stream_log", "stream_events", "input_schema", "output_schema", "config_schema"
]
"""The routes, each a path below that of the Runnable."""

SCHEMAS = ("input_schema", "output_schema", "config_schema")
"""The routes that are read by GET."""

# Routes of LangServe that do not exist here; they may be disabled all the same.
_ABSENT = ("playground", "feedback", "token_feedback", "public_trace_link", "config_hashes")


def choose_endpoints(enabled: Sequence[str] | None, disabled: Sequence[str] | None) -> tuple[EndpointName, ...]:
    """Return the routes to add: those that are ``enabled``, or all that are not ``disabled``.

    Raises :class:`ValueError` for a name that LangServe does not have and for both arguments at once,
    :class:`~millstream.errors.UnsupportedError` where a route is enabled that exists in LangServe alone.
    """
    if enabled is not None and disabled is not None:
        raise ValueError("enabled_endpoints and disabled_endpoints contradict each other: leave one out")
    names: tuple[EndpointName, ...] = get_args(EndpointName)
    for argument, given in (("enabled_endpoints", enabled), ("disabled_endpoints", disabled)):
        _check_names(argument, () if given is None else given, (*names, *_ABSENT))
    if enabled is None:
        return tuple(name for name in names if name not in (disabled or ()))
    if absent := [name for name in enabled if name in _ABSENT]:
        raise UnsupportedError(f"enabled_endpoints: there is no {absent[0]!r}; leave it out")
    return tuple(name for name in names if name in enabled)


def _check_names(argument: str, given: Iterable[str], known: Iterable[str]) -> None:
    if isinstance(given, str):
        raise TypeError(f"{argument} must be a list of names, not a text: write [{given!r}]")
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"{argument}: {unknown[0]!r} is unknown; the names are {', '.join(map(repr, known))}")
