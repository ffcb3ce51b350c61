"""``ModuleLock``: a lock of a module, which a forked child finds free."""

import os
import threading

__all__ = ("ModuleLock",)

_locks: list["ModuleLock"] = []


class ModuleLock:
    """A lock for ``with`` that lives as long as the process.

    At a fork, another thread of the parent may hold it. That thread is not in the child, where the lock is replaced.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _locks.append(self)

    def __enter__(self) -> None:
        """Wait for the lock."""
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        self._lock.release()

    def _replace(self) -> None:
        self._lock = threading.Lock()


def _replace_after_fork() -> None:
    for lock in _locks:
        lock._replace()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_replace_after_fork)
