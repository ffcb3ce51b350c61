"""The pytest plugin under which LangChain's tests run: names are ours, what a rule excludes is deselected."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from . import names, rules

names.install()
_outcomes: dict[str, str] = {}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    """Deselect the tests that a rule excludes."""
    names.collected()
    kept: list[Any] = []
    left: list[Any] = []
    for item in items:
        rule = rules.excluded_by(item)
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
