"""The core in Python: the reference, written to be read.

``lines`` cuts bytes into lines, ``frames`` cuts lines into blocks. ``sse`` turns blocks into events,
``decode`` and ``payload`` turn them into payloads, which ``json`` reads and ``delta`` turns into deltas.
``framing`` finds payloads in bodies that are no event streams, and ``formats`` is the table of all formats.
``text`` and ``utf8`` keep characters whole. ``partial`` reads a document that arrives piece by piece into
the tokens of ``tape``, and ``changes`` reports what is new in them. ``wire`` writes deltas for clients. The
Rust core does the same under the same names; ``tests/test_core_names.py`` lists the exceptions.
"""

from .chunk_times import ChunkTimes
from .decode import StreamDecoder
from .delta import Delta, ToolCallDelta
from .httpx_event import HTTPXServerSentEvent
from .partial import JSONAssembler
from .sse import ServerSentEvent, SSEParser, encode_sse
from .text import TextAssembler
from .wire import WireWriter

__all__ = (
    "ChunkTimes",
    "Delta",
    "HTTPXServerSentEvent",
    "JSONAssembler",
    "SSEParser",
    "ServerSentEvent",
    "StreamDecoder",
    "TextAssembler",
    "ToolCallDelta",
    "WireWriter",
    "encode_sse",
)
