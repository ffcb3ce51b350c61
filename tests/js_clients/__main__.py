"""Runs clients in JavaScript against a server of Millstream's: ``python -m tests.js_clients [WORDS OF FILE NAMES]``.

The clients come with npm, in the versions of ``package-lock.json``; ``--fetch`` only fetches them. Each
``*.test.mjs`` reads from the server of ``app.py``, whose address is in the variable ``MILLSTREAM_URL``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
FOLDER = ROOT / "target" / "js-clients"
LISTS = ("package.json", "package-lock.json", ".npmrc")


def main(arguments: list[str]) -> int:
    """Run the tests; return 1 if one failed, or none ran."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("node and npm are not on the path", file=sys.stderr)
        return 1
    fetch()
    if arguments == ["--fetch"]:
        print(FOLDER)
        return 0
    files = copied(arguments)
    # Not by a statement: to mypy, which reads the folder of the tests, the modules have other names.
    app, serving = import_module("tests.js_clients.app"), import_module("tests.serving")
    ran = passed = 0
    # One file after the other: they ask what became of the newest connection to the model.
    for path in files:
        with app.open_app() as one, serving.serve(one, lifespan="on") as url:
            output, counts = run(path, url)
        ran += counts.get("tests", 0)
        passed += counts.get("pass", 0)
        if counts.get("pass") != counts.get("tests") or not counts.get("tests"):
            print(output)
    print(f"clients in JavaScript: {passed} of {ran} tests pass", flush=True)
    return int(passed < ran or ran < len(files) or not files)


def run(path: Path, url: str) -> tuple[str, dict[str, int]]:
    """Run the tests of one file; return what they print, and how many ran and passed."""
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", str(path)],
        cwd=FOLDER,
        env={**os.environ, "MILLSTREAM_URL": url, "SUPPRESS_TRANSFORMATION_WARNINGS": "1"},
        check=False,
        timeout=300,
        capture_output=True,
        text=True,
    )
    counts = {name: int(number) for name, number in re.findall(r"^# (tests|pass) (\d+)$", done.stdout, re.M)}
    return f"{path.name}\n{done.stdout}\n{done.stderr}", counts


def fetch() -> None:
    """Install the clients into :data:`FOLDER`, unless they are there in these versions."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    mark = FOLDER / "installed"
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LISTS)).hexdigest()
    if mark.exists() and mark.read_text() == wanted:
        return
    mark.unlink(missing_ok=True)
    for name in LISTS:
        shutil.copy(HERE / name, FOLDER / name)
    command = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(command, cwd=FOLDER, check=True, timeout=600)
    mark.write_text(wanted)


def copied(words: list[str]) -> list[Path]:
    """Copy the scripts to where the clients are; return those of tests whose name has one of ``words``."""
    for old in FOLDER.glob("*.mjs"):
        old.unlink()
    paths = [Path(shutil.copy(path, FOLDER / path.name)) for path in sorted(HERE.glob("*.mjs"))]
    tests = [path for path in paths if path.name.endswith(".test.mjs")]
    return [path for path in tests if not words or any(word in path.name for word in words)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
