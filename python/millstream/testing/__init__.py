"""A server to test against: the OpenAI protocol over real sockets, on the loopback interface alone.

::

    from millstream.testing import Cut, MockServer, Reply, assert_no_leaks

    with MockServer() as server:
        ...                                   # point any client at server.url
    with MockServer(Reply(fault=Cut(after=3))) as server:
        ...                                   # the connection breaks after three pieces

    with assert_no_leaks():
        ...                                   # leaves no task, descriptor, thread or warning

Installing Millstream gives pytest the fixtures ``mock_server``, a server that runs for one test, and
``no_leaks``, which fails a test that leaks.
"""

from .addresses import refusing_url, unaccepting_url
from .fault_names import fault_named
from .faults import (
    Chunking,
    Compress,
    Cut,
    Drip,
    Endless,
    ErrorFrame,
    ErrorStatus,
    Fault,
    Garble,
    Garbling,
    GiantHead,
    Interim,
    Place,
    Redirect,
    Refuse,
    Send,
    Stale,
    Stall,
)
from .leaks import SHARED_THREADS, assert_no_leaks
from .replies import PiecesFor, Reply
from .samples import GOLDFISH, VERSE, echo, split, varied
from .server import MockServer, ReplyFor
from .state import Connection, Connections, RecordedRequest

__all__ = (
    "GOLDFISH",
    "SHARED_THREADS",
    "VERSE",
    "Chunking",
    "Compress",
    "Connection",
    "Connections",
    "Cut",
    "Drip",
    "Endless",
    "ErrorFrame",
    "ErrorStatus",
    "Fault",
    "Garble",
    "Garbling",
    "GiantHead",
    "Interim",
    "MockServer",
    "PiecesFor",
    "Place",
    "RecordedRequest",
    "Redirect",
    "Refuse",
    "Reply",
    "ReplyFor",
    "Send",
    "Stale",
    "Stall",
    "assert_no_leaks",
    "echo",
    "fault_named",
    "refusing_url",
    "split",
    "unaccepting_url",
    "varied",
)
