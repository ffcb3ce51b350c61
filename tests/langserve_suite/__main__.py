"""Runs LangServe's tests of its server and its client over our ``add_routes``: ``python -m tests.langserve_suite``.

The tests are in LangServe's repository alone: ``LANGSERVE_REPOSITORY`` names a copy of it, a URL or a path.
``--fetch`` only fetches them. The tests that do not pass must be the ones of :data:`NOT_PASSING`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "target" / "langserve-suite"
TESTS = "tests/unit_tests/test_server_client.py"

_CALLBACKS = "reads callback events, which our responses do not have"
_FEEDBACK = "sends feedback to LangSmith"
_PLAYGROUND = "expects the playground"
_LINES = "splits the bytes at CRLF; our events end with LF"
_MESSAGE = "expects another message of an error"
NOT_PASSING = {
    **dict.fromkeys(("test_server", "test_server_async", "test_invoke", "test_batch", "test_ainvoke"), _CALLBACKS),
    **dict.fromkeys(("test_abatch", "test_batch_tracer_with_single_input"), _CALLBACKS),
    **dict.fromkeys(("test_include_callback_events", "test_include_callback_events_batch"), _CALLBACKS),
    **dict.fromkeys(("test_server_astream_events", "test_passing_run_id_from_client"), _LINES),
    **dict.fromkeys(("test_server_side_error", "test_passing_bad_runnable_to_add_routes"), _MESSAGE),
    "test_server_side_error_sync": "expects an exception of httpx, where Starlette's client raises one of httpx2",
    "test_server_bound_async": "has the configuration in the path, as links to the playground do",
    "test_config_keys_validation": "expects LangServe's version in the metadata of runs",
    "test_astream_log_allowlist": "uses stream_log_name_allow_list",
    "test_custom_serialization": "uses serializer",
    "test_astream_events_with_serialization": "expects an error for a value without a form in JSON, which is its repr",
    **dict.fromkeys(("test_endpoint_configurations", "test_path_dependencies"), _PLAYGROUND),
    **dict.fromkeys(("test_feedback_succeeds_when_langsmith_enabled", "test_token_feedback_endpoint"), _FEEDBACK),
    **dict.fromkeys(
        ("test_feedback_fails_when_langsmith_disabled", "test_token_feedback_included_in_responses"), _FEEDBACK
    ),
}
"""The tests that do not pass, with the reason."""


def main(arguments: list[str]) -> int:
    """Run the tests; return 1 if one ended otherwise than :data:`NOT_PASSING` says."""
    source = fetch()
    if source is None:
        print("LANGSERVE_REPOSITORY names no copy of LangServe's repository", file=sys.stderr)
        return 1
    if arguments == ["--fetch"]:
        print(source)
        return 0
    # Not by a statement: to mypy, which reads the folder of the tests, the module has another name.
    reports = import_module("tests.suite_reports")
    report, count = run(source)
    passed, failed = reports.read_report(report)
    print(f"LangServe's tests: {len(passed)} of {len(passed) + len(failed)} pass, with {count} Runnables on our routes")
    known = {f"{Path(TESTS).stem}::{name}": reason for name, reason in NOT_PASSING.items()}
    wrong = reports.judge_report(passed, failed, known)
    return int(wrong > 0 or count == 0)


def fetch() -> Path | None:
    """Return the folder of a copy of LangServe's repository, or ``None``."""
    copy = FOLDER / "repository"
    url = os.environ.get("LANGSERVE_REPOSITORY")
    if url and not copy.exists():
        subprocess.run(["git", "clone", "-q", "--depth", "1", url, str(copy)], check=True, timeout=300)
    return copy if (copy / TESTS).exists() else None


def run(source: Path) -> tuple[Path, int]:
    """Run the tests; return the report, and the number of Runnables on our routes."""
    report, count = FOLDER / "report.xml", FOLDER / "count"
    for path in (report, count):
        path.unlink(missing_ok=True)
    settings = {
        "LANGSERVE_SUITE_COUNT": str(count),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "tests", ROOT / "python"))),
    }
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "langserve_suite.plugin", "-p", "no:cacheprovider"),
            *("-c", os.devnull, f"--rootdir={source}", "-o", "asyncio_mode=auto", "-W", "ignore", "--timeout=120"),
            *("-q", "--tb=no", "--no-header", "--no-summary", f"--junitxml={report}", TESTS),
        ],
        cwd=source,
        env={**os.environ, **settings},
        check=False,
        timeout=900,
        stdout=subprocess.DEVNULL,
    )
    return report, int(count.read_text())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
