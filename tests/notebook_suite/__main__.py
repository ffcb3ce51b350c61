"""Runs the programs of the pages on Jupyter and Streamlit: ``python -m tests.notebook_suite``.

The two bring hundreds of megabytes with them, and versions of packages that our environment has as well: they are
installed in one of their own in ``target/``. ``--fetch`` only does that; further arguments are pytest's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "target" / "notebook-suite"
PYTHON = str(FOLDER / "bin" / "python")
OURS = ("httpx2", "orjson", "pytest", "pytest-timeout")
PACKAGES = ["streamlit==1.67.0", "nbclient==0.11.0", "ipykernel==7.4.0", *(f"{name}=={version(name)}" for name in OURS)]
INSTALLED = FOLDER / "installed.txt"


def fetch() -> None:
    """Install the packages, unless these versions are there."""
    wanted = "\n".join(PACKAGES)
    if INSTALLED.is_file() and INSTALLED.read_text() == wanted:
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True, timeout=300)
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
    subprocess.run(command, check=True, timeout=600)
    INSTALLED.write_text(wanted)


def main(arguments: list[str]) -> int:
    """Run the tests; return pytest's exit status."""
    fetch()
    if arguments == ["--fetch"]:
        print(FOLDER)
        return 0
    settings = {
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "tests", ROOT / "python"))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    # The names of the files are not collected by `make test`.
    files = sorted(map(str, Path(__file__).parent.glob("pages_*.py")))
    command = [
        *(PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_timeout", "--timeout=120"),
        *("-p", "millstream.testing.plugin", "-c", os.devnull, "--rootdir", str(ROOT), "--noconftest"),
        *(arguments or files),
    ]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
