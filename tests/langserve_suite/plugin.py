"""The pytest plugin under which LangServe's tests run: ``add_routes`` is ours, without what ours has no part in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import langserve
import langserve.server

from millstream.server import add_routes

_ABSENT_ARGUMENTS = (
    *("enable_feedback_endpoint", "enable_public_trace_link_endpoint", "include_callback_events", "playground_type"),
    *("serializer", "stream_log_name_allow_list", "token_feedback_config"),
)
_ABSENT_ENDPOINTS = ("config_hashes", "feedback", "playground", "public_trace_link", "token_feedback")
_calls = 0


def _add_routes(app: Any, runnable: Any, **arguments: Any) -> None:
    global _calls
    _calls += 1
    known = {name: value for name, value in arguments.items() if name not in _ABSENT_ARGUMENTS}
    if known.get("dependencies", ()) is None:
        del known["dependencies"]
    if enabled := known.get("enabled_endpoints"):
        known["enabled_endpoints"] = [name for name in enabled if name not in _ABSENT_ENDPOINTS]
    add_routes(app, runnable, include_input=True, **known)


langserve.add_routes = langserve.server.add_routes = _add_routes


def pytest_sessionfinish() -> None:
    """Write how many Runnables our routes had."""
    Path(os.environ["LANGSERVE_SUITE_COUNT"]).write_text(str(_calls))
