"""A server to test against: every provider's format over real sockets, on the loopback interface alone.

::

    from millstream.testing import Cut, MockServer, Reply, assert_no_leaks

    with MockServer() as server:
        ...                                   # point any client at server.url
    with MockServer(Reply(fault=Cut(after=3))) as server:
        ...                                   # the connection breaks after three pieces

    with Recorder("https://api.openai.com/v1", "chat.jsonl") as recorder:
        ...                                   # a proxy that records, without keys
    with MockServer(Replay("chat.jsonl", speed=10, chop="lines")) as server:
        ...                                   # answers as the upstream did, cut at other places

    with assert_no_leaks():
        ...                                   # leaves no task, descriptor, thread or warning

Installing Millstream gives pytest the fixtures ``mock_server``, a server that runs for one test,
``mock_replay``, which starts one over a recording, and ``no_leaks``, which fails a test that leaks.
"""

from typing import TYPE_CHECKING

from .._late import lazy_names
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
from .replies import PiecesFor, Reply, Timing
from .samples import GOLDFISH, VERSE, echo, split, varied
from .server import MockServer, ReplyFor
from .state import Connection, Connections, RecordedRequest

if TYPE_CHECKING:
    from .chopping import Chop, chop
    from .recorder import Recorder
    from .recordings import Exchange, Recording, RecordingError, Write, load_recording
    from .replaying import Replay

__all__ = (
    "GOLDFISH",
    "SHARED_THREADS",
    "VERSE",
    "Chop",
    "Chunking",
    "Compress",
    "Connection",
    "Connections",
    "Cut",
    "Drip",
    "Endless",
    "ErrorFrame",
    "ErrorStatus",
    "Exchange",
    "Fault",
    "Garble",
    "Garbling",
    "GiantHead",
    "Interim",
    "MockServer",
    "PiecesFor",
    "Place",
    "RecordedRequest",
    "Recorder",
    "Recording",
    "RecordingError",
    "Redirect",
    "Refuse",
    "Replay",
    "Reply",
    "ReplyFor",
    "Send",
    "Stale",
    "Stall",
    "Timing",
    "Write",
    "assert_no_leaks",
    "chop",
    "echo",
    "fault_named",
    "load_recording",
    "refusing_url",
    "split",
    "unaccepting_url",
    "varied",
)

__getattr__ = lazy_names(
    globals(),
    {
        "Chop": ".chopping",
        "Exchange": ".recordings",
        "Recorder": ".recorder",
        "Recording": ".recordings",
        "RecordingError": ".recordings",
        "Replay": ".replaying",
        "Write": ".recordings",
        "chop": ".chopping",
        "load_recording": ".recordings",
    },
)
