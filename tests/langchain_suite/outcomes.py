"""The pytest plugin that writes how LangChain's tests ended."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

__all__ = ("deselect",)

_outcomes: dict[str, str] = {}


def deselect(config: pytest.Config, items: list[Any], excluded_by: Callable[[Any], str | None]) -> None:
    """Deselect the tests for which ``excluded_by`` returns a rule."""
    kept: list[Any] = []
    left: list[Any] = []
    for item in items:
        rule = excluded_by(item)
        if rule is not None:
            _outcomes[item.nodeid] = f"excluded: {rule}"
        (kept if rule is None else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a module that cannot be imported."""
    if report.failed:
        _outcomes[report.nodeid] = f"not imported: {str(report.longrepr).strip().splitlines()[-1]}"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how a test ended."""
    if report.failed:
        _outcomes[report.nodeid] = f"failed: {str(report.longrepr).strip().splitlines()[-1][:200]}"
    elif report.when == "call" or report.skipped:
        _outcomes.setdefault(report.nodeid, "xfailed" if hasattr(report, "wasxfail") else report.outcome)


def pytest_sessionfinish() -> None:
    """Write how each test ended."""
    if path := os.environ.get("LANGCHAIN_SUITE_OUTCOMES"):
        Path(path).write_text(json.dumps(_outcomes, indent=1, sort_keys=True))
