"""Runs the checks of ``make test-peers``, which need a program outside of the project's Python environment.

It prints what it found. A program that is missing leaves its checks out, but under ``CI=true`` one that any
machine can install fails the run: what CI leaves out, nobody runs.

The checks wait for networks and for other programs much of their time, so they run side by side, one for each core;
those of ``ALONE``, whose connections are cut at chosen moments, come last.
The output of each is printed as a whole, with its time.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Newest first: the first that is there is tested.
OTHERS = [f"3.{minor}" for minor in (15, 14, 13, 12) if minor != sys.version_info.minor]


def compiler() -> str | None:
    """Return the C++ compiler, which libFuzzer is built with."""
    return next(filter(None, map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++"))), None)


def interpreter() -> str | None:
    """Return another interpreter: the one in ``PYTHONS``, or one on the path, or one of pyenv."""
    named = os.environ.get("PYTHONS", "").split()
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for version in OTHERS:
        named += [f"python{version}", *map(str, kept.glob(f"{version}.*/bin/python"))]
    return next((path for path in map(shutil.which, named) if path and _runs(path)), None)


def _runs(path: str) -> bool:
    # pyenv puts commands on the path that fail until a version is chosen.
    return subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0


def suite(name: str) -> tuple[Callable[[], str | None], Callable[[str], list[str]]]:
    """Return how another project's files are fetched, with pip or npm, and the command that runs the tests."""
    command = [sys.executable, "-m", f"tests.{name}"]

    def fetch() -> str | None:
        done = subprocess.run([*command, "--fetch"], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    return fetch, lambda _: command


ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
FUZZ = ["cargo", "clippy", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--", "-D", "warnings"]
CHECKS = {
    "C++ compiler": (compiler, lambda _: FUZZ),
    "LangChain's tests": suite("langchain_suite"),
    "httpx-sse's tests": suite("httpx_sse_suite"),
    "older urllib3": suite("urllib3_versions"),
    "the OpenAI SDK's tests": suite("openai_suite"),
    "redis-server": (
        lambda: shutil.which("redis-server"),
        lambda path: [sys.executable, "-m", "tests.redis_suite", path],
    ),
    "llama.cpp's server": suite("llamacpp_suite"),
    "clients in JavaScript": suite("js_clients"),
    "LangServe's tests": suite("langserve_suite"),
    "Chromium": (
        lambda: shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"),
        lambda path: [sys.executable, "-m", "tests.browser_suite", path],
    ),
    "Go": (
        lambda: shutil.which("go") or shutil.which("go", path="/usr/local/go/bin"),
        lambda go: [go, "run", ACTIONLINT],
    ),
    "valgrind": (lambda: shutil.which("valgrind"), lambda _: [sys.executable, "-m", "benches.instructions"]),
    "Jupyter and Streamlit": suite("notebook_suite"),
    "other interpreter": (interpreter, lambda path: [sys.executable, "packaging/interpreters.py", "--core", path]),
}
# Not beside others: see above.
ALONE = {"redis-server"}
# Debian has one Python, and no package index has LangServe's tests. The linter of workflows is built by a recent Go.
OPTIONAL = {"Go", "other interpreter", "LangServe's tests"}


@dataclass(frozen=True)
class Outcome:
    """How a check ended."""

    name: str
    status: int
    output: str
    seconds: float


def run(name: str, command: list[str]) -> Outcome:
    """Run a check; return what it printed, and its exit status."""
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, check=False, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return Outcome(name, done.returncode, done.stdout, time.monotonic() - began)


def run_all(names: Set[str], commands: dict[str, list[str]]) -> Iterator[Outcome]:
    """Run some of the commands side by side, and yield how each went when it has ended."""
    with ThreadPoolExecutor(os.cpu_count()) as running:
        for task in as_completed([running.submit(run, name, commands[name]) for name in commands if name in names]):
            yield task.result()


def main() -> int:
    """Run every check whose program is installed."""
    with ThreadPoolExecutor(len(CHECKS)) as looking:
        found = dict(zip(CHECKS, looking.map(lambda check: check[0](), CHECKS.values()), strict=True))
    for name, path in found.items():
        print(f"{name}: {path or 'not found'}", flush=True)
    missing = {name for name, path in found.items() if path is None}
    failed = sorted(missing - OPTIONAL) if os.environ.get("CI") == "true" else []
    commands = {name: CHECKS[name][1](path) for name, path in found.items() if path is not None}
    for outcome in chain(run_all(commands.keys() - ALONE, commands), run_all(commands.keys() & ALONE, commands)):
        print(f"--- {outcome.name}, {outcome.seconds:.0f} s\n{outcome.output}", flush=True)
        if outcome.status:
            failed.append(outcome.name)
    print(f"test-peers: {'failed: ' + ', '.join(failed) if failed else 'passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
