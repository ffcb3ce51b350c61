"""How ``BatchProgress`` is shown: a line on a terminal, rich's bar, or lines in a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console

    from .progress_report import ProgressReport

__all__ = ("Display", "describe", "make_display")

_TERMINAL_SECONDS = 0.1
_LOG_SECONDS = 10.0


class Display(Protocol):
    """Shows reports: the first one, the later ones as it likes, and the last one."""

    def start(self, report: ProgressReport) -> None:
        """Show the first report."""

    def update(self, report: ProgressReport) -> None:
        """Show a report, unless the previous one is recent."""

    def stop(self, report: ProgressReport) -> None:
        """Show the last report."""


def make_display(interval: float | None) -> Display:
    """Return the display for the standard error stream; ``interval`` is the shortest time between two reports."""
    stream = sys.stderr
    if stream is None or getattr(stream, "closed", False) or not stream.isatty():
        return _Lines(stream, _LOG_SECONDS if interval is None else interval)
    seconds = _TERMINAL_SECONDS if interval is None else interval
    try:
        from rich.progress import Progress  # noqa: F401
    except ImportError:
        return _Line(stream, seconds)
    return _RichBar(stream, seconds)


def describe(report: ProgressReport) -> str:
    """Return ``report`` as a line, such as ``12/40 done (1 failed), 3.1/s, 9 s left, 5210 tokens``."""
    total = "" if report.total is None else f"/{report.total}"
    failed = f" ({report.failed} failed)" if report.failed else ""
    parts = [f"{report.done}{total} done{failed}"]
    if report.done:
        parts.append(f"{report.rate:.3g}/s")
        left = report.seconds_left
        parts.append(f"{_format_seconds(left)} left" if left else f"{_format_seconds(report.seconds)} in all")
    if report.tokens:
        parts.append(f"{report.tokens} tokens")
    return ", ".join(parts)


def _format_seconds(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if whole or not seconds else "1 s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


class _Lines:
    """A line every few seconds, for a log."""

    _begin, _end = "", "\n"

    def __init__(self, stream: TextIO | None, seconds: float) -> None:
        self._stream = stream
        self._seconds = seconds
        self._next = time.monotonic() + seconds

    def start(self, report: ProgressReport) -> None:
        """Show nothing: the first line comes when there is something to say."""

    def update(self, report: ProgressReport) -> None:
        """Write a line if the last one is old enough."""
        if (now := time.monotonic()) >= self._next:
            self._next = now + self._seconds
            self._write(describe(report), self._end)

    def stop(self, report: ProgressReport) -> None:
        """Write the last line."""
        self._write(describe(report), "\n")

    def _write(self, text: str, end: str) -> None:
        if self._stream is not None:
            self._stream.write(f"{self._begin}{text}{end}")
            self._stream.flush()


class _Line(_Lines):
    """One line of a terminal, which is written again and again."""

    # Back to the beginning of the line, and erase it.
    _begin, _end = "\r\x1b[2K", ""

    def start(self, report: ProgressReport) -> None:
        """Write the line."""
        self._write(describe(report), self._end)


class _RichBar:
    """The progress bar of the package rich, which draws it in a thread of its own."""

    def __init__(self, stream: TextIO, seconds: float) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[more]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=_make_console(stream),
            refresh_per_second=1 / max(seconds, 0.01),
        )
        self._task: Any = None

    def start(self, report: ProgressReport) -> None:
        """Show the bar."""
        self._task = self._progress.add_task("", total=report.total, more="")
        self._progress.start()

    def update(self, report: ProgressReport) -> None:
        """Move the bar."""
        failed = f"[red]{report.failed} failed[/red] " if report.failed else ""
        tokens = f"{report.tokens} tokens " if report.tokens else ""
        self._progress.update(self._task, completed=report.done, more=f"{failed}{tokens}{report.rate:.3g}/s")

    def stop(self, report: ProgressReport) -> None:
        """Show the last state, and leave it there."""
        self.update(report)
        self._progress.stop()


def _make_console(stream: TextIO) -> Console:
    from rich.console import Console

    class OwnConsole(Console):
        """A console that does not end the process, and the standard output stream, when ``stream`` is broken."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return OwnConsole(file=stream)
