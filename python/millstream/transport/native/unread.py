"""``has_unread_input``: whether the kernel holds input that an event loop has not read yet.

A loop reports an end in one of its next turns, and on a busy machine a request would be sent before that, over a
dead connection. Between two exchanges a server has nothing to send: over plain TCP a byte is a response to no request,
and over TLS it is most likely the alert that ends the session. So any input makes an idle connection unusable. And a
loop that was blocked may call the timer of a deadline before it has read what has arrived in time.
"""

from __future__ import annotations

from socket import MSG_PEEK
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

__all__ = ("has_unread_input",)


def has_unread_input(sock: socket.socket | None) -> bool:
    """Return whether the kernel holds data, or the end of the connection; it is looked at, not read.

    Raises the :class:`OSError` of a broken connection. The system reports that once: the loop would then read an end
    without an error, so the caller has to keep it or to close the connection.
    """
    if sock is None:
        return False
    try:
        sock.recv(1, MSG_PEEK)
    except BlockingIOError:
        return False
    return True
