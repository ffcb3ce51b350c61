"""Counts instructions: ``python -m benches.instructions``."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
