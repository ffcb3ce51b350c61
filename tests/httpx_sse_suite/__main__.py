"""Runs httpx-sse's own tests over Millstream: ``python -m tests.httpx_sse_suite``, over httpx and over httpx2.

The tests come with pip, in the source distribution of the httpx-sse that is installed; ``--fetch`` only fetches them.
Those that do not pass must be the ones of :data:`NOT_PASSING`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "target" / "httpx-sse-suite"

PRIVATE = "tests a private function"
NOT_PASSING = {
    "test_api::test_iter_sse_lines_basic": PRIVATE,
    "test_api::test_iter_sse_lines_with_flush": PRIVATE,
    "test_api::test_aiter_sse_lines_with_flush": PRIVATE,
    "test_event_source::test_iter_sse_id_retry": "contradicts the specification: a block without data is not an event",
}
"""The tests that do not pass, with the reason. All tests of ``test_decoders.py`` are about private functions."""


def main(arguments: list[str]) -> int:
    """Run the tests; return 1 if one ended otherwise than :data:`NOT_PASSING` says."""
    # Not by a statement: to mypy, which reads the folder of the tests, the modules have other names.
    fetch = import_module("tests.langchain_suite.source").fetch
    reports = import_module("tests.suite_reports")
    source: Path = fetch("httpx-sse", version("httpx-sse"), FOLDER)
    if arguments == ["--fetch"]:
        print(source)
        return 0
    wrong = 0
    for library in ("httpx", "httpx2"):
        passed, failed = reports.read_report(run(source, library), skipped_fail=True)
        print(f"httpx-sse's tests over {library}: {len(passed)} of {len(passed) + len(failed)} pass", flush=True)
        wrong += reports.judge_report(passed, failed, NOT_PASSING)
    return int(wrong > 0)


def run(source: Path, library: str) -> Path:
    """Run the tests over ``library``; return the report."""
    report = FOLDER / f"{library}.xml"
    report.unlink(missing_ok=True)
    settings = {
        "HTTPX_SSE_SUITE": library,
        "PYTHONPATH": os.pathsep.join(map(str, (source, ROOT / "tests", ROOT / "python"))),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "httpx_sse_suite.plugin", "-p", "no:cacheprovider"),
            *("-c", os.devnull, "--rootdir", str(source), "-q", "--tb=no", "--no-header", "--no-summary"),
            *("-W", "ignore", "--timeout=60", "--disable-socket", "--allow-unix-socket"),
            *(f"--junitxml={report}", "--ignore", str(source / "tests/test_decoders.py"), str(source / "tests")),
        ],
        cwd=source,
        env={**os.environ, **settings},
        check=False,
        timeout=300,
        stdout=subprocess.DEVNULL,
    )
    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
