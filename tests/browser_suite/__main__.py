"""Runs the tests of pages in headless Chromium: ``python -m tests.browser_suite CHROMIUM [arguments of pytest]``.

chromedriver, which drives it, is looked for beside it and on the path. A picture of each page is written to
``target/pages``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PICTURES = ROOT / "target" / "pages"


def main(arguments: list[str]) -> int:
    """Run the tests; return pytest's exit status."""
    chromium, *rest = arguments
    driver = shutil.which("chromedriver", path=f"{Path(chromium).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if driver is None:
        print("chromedriver is not on the path", file=sys.stderr)
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CHROMIUM": chromium, "CHROMEDRIVER": driver, "PICTURES": str(PICTURES)}
    # The files have names that pytest does not collect by itself: `make test` needs no browser.
    files = [str(path) for path in sorted(HERE.glob("pages_*.py"))]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(rest or files)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
