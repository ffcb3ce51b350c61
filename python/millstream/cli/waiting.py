"""The wait of a command that serves until Ctrl-C."""

import threading

__all__ = ("wait_for_interrupt",)

_LOOK_SECONDS = 1.0


def wait_for_interrupt() -> None:
    """Wait until Ctrl-C raises :class:`KeyboardInterrupt`.

    The system may deliver the signal to another thread, or just before the wait begins: neither ends a wait of the main
    thread, which handles it between two waits.
    """
    forever = threading.Event()
    while not forever.wait(_LOOK_SECONDS):
        pass
