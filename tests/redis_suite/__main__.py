"""``python -m tests.redis_suite PATH``: run the tests of resumable streams with the ``redis-server`` at ``PATH``."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def main() -> int:
    """Run the tests over every store, Redis among them, and return the exit status."""
    environment = {**os.environ, "MILLSTREAM_REDIS_SERVER": sys.argv[1]}
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").glob("test_resumable_*.py"))
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-k", "redis", *files]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
