"""Runs our tests of responses of urllib3 and requests with older urllib3: ``python -m tests.urllib3_versions``.

Before 2.2, responses had no ``read1``. The versions come with pip, and are used without being installed; ``--fetch``
only fetches them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "target" / "urllib3-versions"
VERSIONS = ("1.26.20", "2.0.7")
CHOSEN = ("tests/test_responses.py", "tests/test_responses_ends.py", "-k", "requests or urllib3")


def fetch(version: str) -> Path:
    """Download the wheel of a version and return the folder it is unpacked to."""
    folder = FOLDER / version
    if not (folder / "urllib3").exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", f"urllib3=={version}", "-d", str(folder)]
        subprocess.run(command, check=True, timeout=300)
        with ZipFile(next(folder.glob("*.whl"))) as wheel:
            wheel.extractall(folder)
    return folder


def main(arguments: list[str]) -> int:
    """Run the tests with each version; return 1 if one fails."""
    folders = {version: fetch(version) for version in VERSIONS}
    if arguments == ["--fetch"]:
        print(FOLDER)
        return 0
    failed = [version for version, folder in folders.items() if not passes(version, folder)]
    return int(bool(failed))


def passes(version: str, folder: Path) -> bool:
    """Return whether the tests pass with the version in ``folder``."""
    print(f"urllib3 {version}:", flush=True)
    paths = os.pathsep.join(map(str, (folder, ROOT / "python")))
    settings = {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    check = f"import urllib3; assert urllib3.__version__ == {version!r}"
    subprocess.run([sys.executable, "-c", check], env={**os.environ, **settings}, check=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *CHOSEN]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
