"""A server to test against: the OpenAI protocol over real sockets, on the loopback interface alone.

::

    from millstream.testing import Cut, MockServer, Reply

    with MockServer() as server:
        ...                                   # point any client at server.url
    with MockServer(Reply(fault=Cut(after=3))) as server:
        ...                                   # the connection breaks after three pieces

Installing Millstream gives pytest the fixture ``mock_server``, a server that runs for one test.
"""

from .faults import Cut, ErrorFrame, ErrorStatus, Fault, Refuse, Stall, fault_named
from .replies import PiecesFor, Reply
from .samples import GOLDFISH, VERSE, echo, split, varied
from .server import MockServer, ReplyFor
from .state import Connection, Connections, RecordedRequest

__all__ = (
    "GOLDFISH",
    "VERSE",
    "Connection",
    "Connections",
    "Cut",
    "ErrorFrame",
    "ErrorStatus",
    "Fault",
    "MockServer",
    "PiecesFor",
    "RecordedRequest",
    "Refuse",
    "Reply",
    "ReplyFor",
    "Stall",
    "echo",
    "fault_named",
    "split",
    "varied",
)
