"""Signals during an answer."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ("interrupt_once", "leave_on_termination")


@contextmanager
def interrupt_once() -> Iterator[None]:
    """Let Ctrl-C raise :class:`KeyboardInterrupt` once: pressed again, it must not end the chat in the cleanup."""
    is_pressed = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal is_pressed
        if not is_pressed:
            is_pressed = True
            raise KeyboardInterrupt

    with _handler(signal.SIGINT, interrupt):
        yield


@contextmanager
def leave_on_termination() -> Iterator[None]:
    """Raise :class:`SystemExit` for SIGTERM, so that what has been changed is restored."""

    def leave(number: int, frame: object) -> None:
        sys.exit(128 + number)

    with _handler(signal.SIGTERM, leave):
        yield


@contextmanager
def _handler(number: int, handler: Callable[[int, object], None]) -> Iterator[None]:
    """Handle a signal; outside of the main thread, leave it alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
