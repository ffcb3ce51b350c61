"""The types of stream events, and the input that is not known yet."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

__all__ = ("UNKNOWN", "EventVersion", "Outputs", "StreamEvent", "Streamer", "is_known")

StreamEvent = dict[str, Any]
"""``event``, ``name``, ``run_id``, ``parent_ids``, ``tags``, ``metadata``, ``data``."""
EventVersion = Literal["v1", "v2"]
"""The versions of stream events."""
Outputs = Callable[[Any], Sequence[Any]]
"""Turns a raw item into outputs."""
Streamer = Callable[[Any], list[StreamEvent]]
"""Turns a raw item into stream events."""

UNKNOWN: Any = {"input": ""}
"""The input at the start of a run that reads a stream, as in LangChain."""


def is_known(input: Any) -> bool:
    """Return whether the input of a run was known at its start."""
    return not (type(input) is dict and input == UNKNOWN)
