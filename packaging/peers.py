"""Runs the checks of ``make test-peers``, which need a program outside of the project's Python environment.

It prints what it found. A program that is missing leaves its checks out, but under ``CI=true`` one that any
machine can install fails the run: what CI leaves out, nobody runs.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
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
    "other interpreter": (interpreter, lambda path: [sys.executable, "packaging/interpreters.py", "--core", path]),
}
# Debian has one Python, and no package index has LangServe's tests.
OPTIONAL = {"other interpreter", "LangServe's tests"}


def main() -> int:
    """Run every check whose program is installed."""
    found = {name: (look(), command) for name, (look, command) in CHECKS.items()}
    for name, (path, _) in found.items():
        print(f"{name}: {path or 'not found'}", flush=True)
    missing = {name for name, (path, _) in found.items() if path is None}
    failed = sorted(missing - OPTIONAL) if os.environ.get("CI") == "true" else []
    for name, (path, command) in found.items():
        if path is not None and subprocess.run(command(path), cwd=ROOT, check=False).returncode:
            failed.append(name)
    print(f"test-peers: {'failed: ' + ', '.join(failed) if failed else 'passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
