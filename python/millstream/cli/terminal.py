"""What a terminal can show: colours, and text that a model has written."""

import os
import re
from typing import TextIO

__all__ = ("dim", "has_styles", "is_capable", "remove_controls")

# All control characters but tab and line feed: a model's answer must not move the cursor or change the terminal.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def is_capable(stream: TextIO) -> bool:
    """Return whether ``stream`` is a terminal that understands escape sequences."""
    is_dumb = os.environ.get("TERM") == "dumb" or (os.name == "nt" and "WT_SESSION" not in os.environ)
    return not is_dumb and stream.isatty()


def has_styles(stream: TextIO) -> bool:
    """Return whether text on ``stream`` may be coloured or dimmed."""
    return not os.environ.get("NO_COLOR") and is_capable(stream)


def dim(text: str, stream: TextIO) -> str:
    """Return ``text`` dimmed, if ``stream`` can show that."""
    return f"\x1b[2m{text}\x1b[0m" if has_styles(stream) else text


def remove_controls(text: str) -> str:
    """Return ``text`` without control characters, except tabs and line feeds."""
    return _CONTROLS.sub("", text)
