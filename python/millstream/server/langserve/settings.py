"""``RouteSettings``: how requests to one Runnable are read and limited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from starlette.requests import Request

if TYPE_CHECKING:
    from ..resumable import StreamStore

__all__ = ("ConfigModifier", "RequestCheck", "RouteSettings")

ConfigModifier = Callable[[dict[str, Any], Request], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]
"""Returns the configuration of a run, from that of the client's request and the request itself."""
RequestCheck = Callable[[Request], Any]
"""Raises a Starlette ``HTTPException`` for a request that is refused; it may be a coroutine function."""

_REFUSED_KEYS = {
    "callbacks": "a client cannot send callbacks",
    "run_name": "it is the path of the routes",
}


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """How requests to one Runnable are read and limited; see :func:`~millstream.server.add_routes`."""

    config_keys: Sequence[str]
    config_type: Any
    per_req_config_modifier: ConfigModifier | None
    checks: tuple[RequestCheck, ...]
    max_body_size: int
    max_batch_size: int
    max_recursion_limit: int
    max_concurrent_streams: int | None
    astream_events_version: Literal["v1", "v2"]
    include_input: bool
    response_options: Mapping[str, Any]
    store: StreamStore | None
    on_disconnect: Literal["continue", "stop"]

    def __post_init__(self) -> None:
        if isinstance(self.config_keys, str):
            raise TypeError(f"config_keys must be a list of names, not a text: write [{self.config_keys!r}]")
        for key, reason in _REFUSED_KEYS.items():
            if key in self.config_keys:
                raise ValueError(f"config_keys must not have {key!r}: {reason}")
        for name in ("max_body_size", "max_batch_size", "max_recursion_limit", "max_concurrent_streams"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ValueError(f"{name} must be an integer of at least 1, not {value!r}")
        if self.on_disconnect not in ("continue", "stop"):
            raise ValueError(f"on_disconnect must be 'continue' or 'stop', not {self.on_disconnect!r}")
        if self.astream_events_version not in ("v1", "v2"):
            found = repr(self.astream_events_version)
            hint = "; LangServe's protocol has no version 3: return an EventStreamResponse(runnable.astream_records(…))"
            raise ValueError(f"astream_events_version must be 'v1' or 'v2', not {found}{hint if 'v3' in found else ''}")
