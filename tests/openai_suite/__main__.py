"""Runs the OpenAI SDK's tests of clients and streams over accelerated ones: ``python -m tests.openai_suite``.

It runs those of the version that is installed, and those of a version 2; over the latter our own tests of
``accelerate`` too. The tests come with pip, in source distributions; ``--fetch`` only fetches them. The answers
that some of them replay are in the SDK's repository alone: ``OPENAI_REPOSITORY`` names a copy of it, a URL or a
path, and without one those tests are left out.

The tests that do not pass must be the ones of :data:`NOT_PASSING`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "target" / "openai-suite"
VERSION_2 = "2.54.0"

# What the tests import, with what that imports.
TOOLS = [
    "inline-snapshot",
    "asttokens",
    "executing",
    "httpx-aiohttp",
    "respx",
    "rich",
    "markdown-it-py",
    "mdurl",
    "pygments",
]
PATHS = [
    *("tests/test_streaming.py", "tests/test_sse_framing.py", "tests/test_stream_mode.py", "tests/lib/chat"),
    *("tests/test_client.py", "tests/test_response.py", "tests/test_legacy_response.py", "tests/test_module_client.py"),
    *("tests/test_httpx2.py", "tests/test_httpx2_base.py", "tests/test_httpx2_decompression.py"),
    *("tests/test_httpx2_respx.py", "tests/test_httpx_compat.py", "tests/test_debug_logging.py"),
    *("tests/test_large_payload_contract.py", "tests/lib/test_azure.py", "tests/lib/streaming", "tests/lib/responses"),
]
# Those of the resources, which need a server.
RESOURCES = [
    *("tests/api_resources/chat/test_completions.py", "tests/api_resources/test_completions.py"),
    "tests/api_resources/test_responses.py",
]
NOT_PASSING = {
    "test_sse_framing::test_cancellation_clears_partial_event_and_closes_response": (
        "reads the buffer of a decoder that it puts into a private attribute of the stream"
    ),
}
"""The tests that do not pass, with the reason."""


def main(arguments: list[str]) -> int:
    """Run the tests; return 1 if one ended otherwise than :data:`NOT_PASSING` says."""
    # Not by a statement: to mypy, which reads the folder of the tests, the module has another name.
    fetch = import_module("tests.langchain_suite.source").fetch
    versions = (version("openai"), VERSION_2)
    sources: dict[str, Path] = {one: fetch("openai", one, FOLDER) for one in versions}
    if arguments == ["--fetch"]:
        print(*sources.values(), sep=", ")
        return 0
    tools = install(FOLDER / "tools", TOOLS)
    recordings = fetch_recordings()
    wrong = 0
    for one, source in sources.items():
        paths = [tools]
        if one != version("openai"):
            paths.insert(0, install(FOLDER / f"openai-{one}-installed", [f"openai=={one}", "tqdm"]))
            wrong += run_own(one, paths[0])
        if recordings is not None:
            shutil.copytree(recordings, source / recordings.name, dirs_exist_ok=True)
        settings = {} if recordings is None else {"OPENAI_SUITE_RECORDINGS": "1"}
        wrong += judge(f"the tests of openai {one}", *run(source, PATHS, paths, settings))
        settings = {"OPENAI_SUITE_RESOURCES": "1"}
        wrong += judge("the tests of its resources", *run(source, RESOURCES, paths, settings))
    return int(wrong > 0)


def install(folder: Path, projects: list[str]) -> Path:
    """Install ``projects``, without what they require, into ``folder``, and return it."""
    if not folder.exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        with tempfile.TemporaryDirectory(dir=FOLDER) as unfinished:
            subprocess.run([*command, "--target", unfinished, *projects], check=True, timeout=300)
            shutil.copytree(unfinished, folder)
    return folder


def fetch_recordings() -> Path | None:
    """Return the folder of the recorded answers in a copy of the SDK's repository, or ``None``."""
    copy = FOLDER / "repository"
    url = os.environ.get("OPENAI_REPOSITORY")
    if url and not copy.exists():
        subprocess.run(["git", "clone", "-q", "--depth", "1", url, str(copy)], check=True, timeout=300)
    recordings = copy / ".inline-snapshot"
    return recordings if recordings.exists() else None


def run_own(tested: str, installed: Path) -> int:
    """Run our own tests over the version that is ``installed``; return how many runs failed."""
    tests = sorted(map(str, (ROOT / "tests").glob("test_accelerate*.py")))
    where = os.pathsep.join(map(str, (installed, ROOT / "python")))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-n0", *tests]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": where}, check=False, timeout=600)
    print(f"our tests of accelerate over openai {tested}: {'failed' if done.returncode else 'passed'}", flush=True)
    return int(done.returncode != 0)


def run(source: Path, tests: list[str], paths: list[Path], settings: dict[str, str]) -> tuple[int, int, dict[str, str]]:
    """Return how many tests passed and how many streams were ours, and the messages of the tests that failed."""
    report, count = FOLDER / "report.xml", FOLDER / "streams"
    for path in (report, count):
        path.unlink(missing_ok=True)
    settings |= {
        "OPENAI_SUITE_COUNT": str(count),
        "OPENAI_TEST_LEGACY_HTTPX": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(str, (*paths, ROOT / "tests", ROOT / "python"))),
    }
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "openai_suite.plugin", "-p", "no:cacheprovider"),
            *("-o", "addopts=", "-q", "--tb=no", "--no-header", "--no-summary", "-W", "ignore", "--timeout=120"),
            *(f"--junitxml={report}", *(path for path in tests if (source / path).exists())),
        ],
        cwd=source,
        env={**os.environ, **settings},
        check=False,
        timeout=900,
        stdout=subprocess.DEVNULL,
    )
    # Not by a statement: to mypy, which reads the folder of the tests, the module has another name.
    passed, failed = import_module("tests.suite_reports").read_report(report)
    return len(passed), int(count.read_text()), failed


def judge(title: str, passed: int, streams: int, failed: dict[str, str]) -> int:
    """Print how tests ended, and return how many of them are wrong."""
    total = passed + len(failed)
    print(f"{title}: {passed} of {total} pass, with {streams} accelerated streams", flush=True)
    for name, message in failed.items():
        print(f"  {name}: {NOT_PASSING.get(name, f'does not pass: {message}')}")
    return len(failed.keys() - NOT_PASSING.keys()) + (passed == 0 or streams == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
