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
from xml.etree import ElementTree

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
    # Not by a statement: to mypy, which reads the folder of the tests, the module has another name.
    fetch = import_module("tests.langchain_suite.source").fetch
    source: Path = fetch("httpx-sse", version("httpx-sse"), FOLDER)
    if arguments == ["--fetch"]:
        print(source)
        return 0
    wrong = 0
    for library in ("httpx", "httpx2"):
        passed, failed = run(source, library)
        print(f"httpx-sse's tests over {library}: {len(passed)} of {len(passed) + len(failed)} pass", flush=True)
        for name, message in failed.items():
            print(f"  {name}: {NOT_PASSING.get(name, f'does not pass: {message}')}")
        mended = NOT_PASSING.keys() & passed
        for name in sorted(mended):
            print(f"  passes, but is on the list: {name}")
        wrong += len(failed.keys() - NOT_PASSING.keys()) + len(mended) + (len(passed) == 0)
    return int(wrong > 0)


def run(source: Path, library: str) -> tuple[set[str], dict[str, str]]:
    """Return the names of the tests that pass over ``library``, and the messages of those that do not."""
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
    passed: set[str] = set()
    failed: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        problem = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        if problem is None:
            passed.add(name)
        else:
            failed[name] = problem.get("message", "").strip().partition("\n")[0]
    return passed, failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
