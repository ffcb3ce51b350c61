"""The pytest plugin under which the SDK's tests run: every client and every stream is accelerated."""

from __future__ import annotations

import json
import os
from functools import wraps
from pathlib import Path
from typing import Any, cast

import openai
import pytest
from openai import AsyncStream, Stream

from millstream.integrations.openai import accelerate, payloads, streams

_KINDS: tuple[type[Any], ...] = (openai.OpenAI, openai.AsyncOpenAI, openai.AzureOpenAI, openai.AsyncAzureOpenAI)
# Modules that make streams themselves, without a client's request.
_MODULES_WITH_STREAMS = {"tests.test_streaming", "tests.test_sse_framing"}
_REPLACED: dict[Any, Any] = {Stream: streams.AcceleratedStream, AsyncStream: streams.AcceleratedAsyncStream}
_outcomes: dict[str, str] = {}
_decoders = 0


def _accelerate_each(kind: Any) -> None:
    original = kind.__init__

    # With its signature, which some tests read.
    @wraps(original)
    def __init__(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        if type(self) is kind:
            accelerate(self)

    kind.__init__ = __init__


def _count_decoders() -> None:
    original = payloads.ChunkDecoder.__init__

    def __init__(self: Any, *args: Any, **options: Any) -> None:
        global _decoders
        _decoders += 1
        original(self, *args, **options)

    cast("Any", payloads.ChunkDecoder).__init__ = __init__


def pytest_configure() -> None:
    """Accelerate every client that is made from here on."""
    for kind in _KINDS:
        _accelerate_each(kind)
    _count_decoders()


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Replace the classes of streams in the modules that make some themselves."""
    for module in {item.module for item in items if item.module.__name__ in _MODULES_WITH_STREAMS}:
        for name, value in list(vars(module).items()):
            if isinstance(value, type) and value in _REPLACED:
                setattr(module, name, _REPLACED[value])


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
    """Write how each test ended, and how many streams this package decoded."""
    if path := os.environ.get("OPENAI_SUITE_OUTCOMES"):
        Path(path).write_text(json.dumps({"outcomes": _outcomes, "streams": _decoders}, indent=1, sort_keys=True))
