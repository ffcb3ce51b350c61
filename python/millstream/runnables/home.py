"""Where sync code that async code waits for can find the event loop."""

import threading

__all__ = ("HOME",)

HOME = threading.local()
"""``HOME.loop`` is the running loop for which this thread runs users' sync code, while it does."""
