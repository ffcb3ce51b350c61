"""Handlers that receive the events of version 3 of a chat model's run."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ("announce_events", "receives_events")


def receives_events(run: Any, model: object) -> bool:
    """Return whether a handler of a model's run is to receive the events of version 3 in place of chunks.

    LangGraph's handlers are marked so, and LangChain then returns a message of standard blocks. For a chain of ours, a
    call returns what it returns without a handler: only a model with events of its own reports them.
    """
    if run is None or not run.handlers:
        return False
    module = sys.modules.get("langchain_core.tracers._streaming")
    marked = getattr(module, "_V2StreamingCallbackHandler", ())
    has_own = hasattr(model, "_stream_chat_model_events") or hasattr(model, "_astream_chat_model_events")
    return any(isinstance(one, marked) or (has_own and hasattr(one, "expect_message_events")) for one in run.handlers)


def announce_events(run: Any) -> None:
    """Announce to the handlers of version 3 that the run reports events: its chunks are not to be read too."""
    for one in run.handlers:
        if (expect := getattr(one, "expect_message_events", None)) is not None:
            expect(run.run_id)
