"""The parser of command lines, and the types of their arguments."""

import argparse
from collections.abc import Iterable
from typing import Any, NoReturn

__all__ = ("Parser", "count", "number", "pace", "port", "positive", "seconds")


class _Formatter(argparse.HelpFormatter):
    """Fills the paragraphs of a description, and keeps the lines of one that has indented lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        parts = text.strip().split("\n\n")
        return "\n\n".join(part if "\n  " in part else fill(part, width, indent) for part in parts)


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, with the remedy."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, **options})

    def error(self, message: str) -> NoReturn:
        """Report that the command line is not valid, and exit with status 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}; '{self.prog} --help' explains the command line\n")

    def refuse_command(self, name: str, commands: Iterable[str]) -> NoReturn:
        """Report that there is no command ``name``, with the nearest of ``commands``."""
        from difflib import get_close_matches

        nearest = get_close_matches(name, commands, 1)
        self.error(f"there is no command {name!r}{f', did you mean {nearest[0]!r}?' if nearest else ''}")


def pace(text: str) -> float:
    """Return a pause between two pieces, in seconds."""
    return _at_most(60, text)


def seconds(text: str) -> float:
    """Return a time, in seconds."""
    return _at_most(3600, text)


def positive(text: str) -> float:
    """Return a number above 0."""
    value = number(text)
    if not value > 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def number(text: str) -> float:
    """Return a number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None


def count(text: str) -> int:
    """Return an integer above 0."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be an integer above 0, not {text!r}")
    return int(text)


def port(text: str) -> int:
    """Return the number of a port."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to 65535, not {text!r}")
    return int(text)


def _at_most(most: int, text: str) -> float:
    value = number(text)
    if not 0 <= value <= most:
        raise argparse.ArgumentTypeError(f"must be between 0 and {most} seconds")
    return value
