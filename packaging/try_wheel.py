"""Tries a wheel in an empty environment: ``python packaging/try_wheel.py FOLDER [PYTHON]``.

It installs the wheel of ``FOLDER`` that fits, streams the demo, and prints the time that a user waits from
``pip install`` to the end of the demo, and the size of what is installed.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAIT = 30
"""The seconds from ``pip install`` to the end of a demo that users are promised, their network's time left aside."""


def main(folder: Path, python: str = sys.executable) -> int:
    """Install, stream, and print the figures; return 1 if the demo fails."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([python, "-m", "venv", place], check=True)
        programs = Path(place, "Scripts" if os.name == "nt" else "bin")
        began = time.monotonic()
        install = ["-m", "pip", "install", "--quiet", "--find-links", folder.resolve(), "--only-binary", "millstream"]
        subprocess.run([programs / "python", *install, "millstream"], check=True, cwd=place)
        installed = time.monotonic() - began
        done = subprocess.run([programs / "millstream", "demo", "--pace", "0"], check=False, cwd=place)
        seconds = time.monotonic() - began
        size = sum(path.stat().st_size for path in Path(place).rglob("millstream/**/*") if path.is_file())
    print(
        f"installed in {installed:.1f} s, streamed {seconds - installed:.1f} s later ({WAIT} s are promised), "
        f"{size / 1e6:.1f} MB installed"
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:3]))
