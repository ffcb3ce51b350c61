"""The line that a server prints for each request."""

import sys
import time
from collections.abc import Iterable

__all__ = ("print_request",)


def print_request(parts: Iterable[object]) -> None:
    """Print a line with the time of day and ``parts``; a request must not change the terminal."""
    line = "  ".join([time.strftime("%H:%M:%S"), *map(str, parts)])
    print("".join(sign if sign.isprintable() else "?" for sign in line), file=sys.stderr, flush=True)
