"""Reads the user's messages: lines of a terminal, with a history and several lines in one message, or a pipe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .signals import leave_on_termination

__all__ = ("QUOTES", "Prompter", "read_pipe", "silenced")

QUOTES = '"""'
"""Begins and ends a message of several lines."""


class Prompter:
    """Asks for messages. The prompt is on stdout, or on stderr if stdout is not a terminal."""

    def __init__(self) -> None:
        if hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(errors="replace")
        self._has_prompt = sys.stdout.isatty()
        if self._has_prompt:
            _prepare_readline()

    def read(self) -> str:
        """Return the next message; raise :class:`EOFError` at the end of the input.

        A backslash at the end of a line continues the message, and so does each line between triple quotes.
        """
        line = self._ask("> ")
        if line.lstrip().startswith(QUOTES):
            return self._read_quoted(line.lstrip().removeprefix(QUOTES))
        lines = [line]
        while lines[-1].endswith("\\"):
            lines[-1] = lines[-1][:-1]
            lines.append(self._ask(". "))
        return "\n".join(lines)

    def _read_quoted(self, line: str) -> str:
        lines = []
        while not line.rstrip().endswith(QUOTES):
            lines.append(line)
            line = self._ask(". ")
        lines.append(line.rstrip().removesuffix(QUOTES))
        return "\n".join(lines).strip("\n")

    def _ask(self, prompt: str) -> str:
        if self._has_prompt:
            return input(prompt)
        print(prompt, end="", file=sys.stderr, flush=True)
        return input()


def _prepare_readline() -> None:
    """Edit lines with a history, and take text of several lines that is pasted as one message."""
    try:
        import readline
    except ImportError:
        return
    if "libedit" not in (readline.__doc__ or ""):
        readline.parse_and_bind("set enable-bracketed-paste on")
    # A tab is a character of the message.
    readline.parse_and_bind("tab: self-insert")


def read_pipe() -> str:
    """Return all that another program writes to stdin; what is not valid in its encoding is replaced."""
    if sys.stdin is None:
        return ""
    data = sys.stdin.buffer.read()
    return data.decode(sys.stdin.encoding or "utf-8", "replace").removeprefix("\ufeff")


@contextmanager
def silenced() -> Iterator[None]:
    """Do not show what is typed meanwhile: the next prompt receives it. Ctrl-C still interrupts."""
    try:
        import termios
    except ImportError:
        yield
        return
    try:
        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
    except (AttributeError, OSError, ValueError, termios.error):
        # stdin is None, or not a terminal.
        before = None
    if before is None:
        yield
        return
    during = [*before]
    during[3] &= ~termios.ECHO
    with leave_on_termination():
        try:
            termios.tcsetattr(number, termios.TCSANOW, during)
            yield
        finally:
            termios.tcsetattr(number, termios.TCSANOW, before)
