"""A command in a pseudo-terminal: tests type, and read what its screen would show."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

__all__ = ("Terminal", "run_in_terminal")

_SIGNS = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b[=>]|([\s\S])")
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[=>])")


class Terminal:
    """The user's side of a pseudo-terminal: :attr:`raw` is all output so far."""

    def __init__(self, descriptor: int, process: int) -> None:
        self.raw = ""
        self._descriptor = descriptor
        self._process = process
        self._seen = 0
        self._data = b""

    @property
    def text(self) -> str:
        """The output without escape sequences."""
        return _ESCAPES.sub("", self.raw).replace("\r", "")

    @property
    def screen(self) -> list[str]:
        """The lines that an endless screen would show now, without the spaces at their ends."""
        lines: list[list[str]] = [[]]
        row = column = 0
        for count, kind, sign in _SIGNS.findall(self.raw):
            if kind == "A":
                row = max(0, row - int(count or 1))
            elif kind == "K":
                del lines[row][0 if count == "2" else column :]
            elif sign == "\r":
                column = 0
            elif sign == "\n":
                row += 1
            elif sign >= " ":
                lines[row].extend(" " * (column - len(lines[row])))
                lines[row][column : column + 1] = sign
                column += 1
            lines.extend([] for _ in range(row + 1 - len(lines)))
        return ["".join(line).rstrip() for line in lines]

    def type(self, text: str) -> None:
        """Send keys."""
        os.write(self._descriptor, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.type("\x03")

    def terminate(self) -> None:
        """Send SIGTERM to the program."""
        os.kill(self._process, signal.SIGTERM)

    @property
    def shows_typing(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._descriptor)[3] & termios.ECHO)

    def wait_for_silence(self) -> None:
        """Wait until the terminal takes whole lines and shows none: the program does not read them now."""
        while True:
            modes = termios.tcgetattr(self._descriptor)[3]
            if modes & termios.ICANON and not modes & termios.ECHO:
                return
            time.sleep(0.01)

    def expect(self, text: str) -> str:
        """Read until ``text`` has been shown after what an earlier call returned; return it with what is before it."""
        while (found := self.text.find(text, self._seen)) < 0:
            if not self._read():
                raise AssertionError(f"{text!r} is not in {self.text[self._seen :]!r}")
        begun, self._seen = self._seen, found + len(text)
        return self.text[begun : self._seen]

    def interrupt_until_it_ends(self) -> int:
        """Press Ctrl-C, again where nothing happens, and return the exit status.

        CPython loses a signal that arrives just before readline waits for a key.
        """
        self.interrupt()
        while not select.select([self._descriptor], [], [], 2)[0]:
            self.interrupt()
        return self.wait()

    def wait(self) -> int:
        """Read to the end, and return the exit status."""
        while self._read():
            pass
        _, status = os.waitpid(self._process, 0)
        self._process = 0
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        # A program that is stuck fails its test, not the run.
        if not select.select([self._descriptor], [], [], 30)[0]:
            raise AssertionError(f"nothing was shown for 30 s after {self.text[self._seen :]!r}")
        try:
            self._data += os.read(self._descriptor, 65536)
        except OSError:
            # How Linux reports that the other side is closed.
            return False
        # The descriptor may deliver half a character.
        self.raw = self._data.decode("utf-8", "ignore")
        return True

    def _end(self) -> None:
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
        os.close(self._descriptor)


@contextmanager
def run_in_terminal(
    *arguments: str,
    command: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    size: tuple[int, int] = (24, 80),
) -> Iterator[Terminal]:
    """Run ``millstream`` with ``arguments``, or another ``command``, in a terminal of so many lines and columns."""
    line = [*command] or [sys.executable, "-m", "millstream", *arguments]
    environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": "", "LANG": "C.UTF-8", **(variables or {})}
    process, descriptor = pty.fork()
    if not process:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        # Linux drops what is not read yet, of the program's output too, for each Ctrl-C.
        modes = termios.tcgetattr(0)
        modes[3] |= termios.NOFLSH
        termios.tcsetattr(0, termios.TCSANOW, modes)
        os.execvpe(line[0], line, environment)
    terminal = Terminal(descriptor, process)
    try:
        yield terminal
    finally:
        terminal._end()
