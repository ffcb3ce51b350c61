"""The core in Python: the reference, written to be read.

``lines`` cuts bytes into lines, ``frames`` lines into blocks; ``sse`` makes events of them and
``decode`` payloads, which ``json`` reads and ``delta`` turns into deltas. ``text`` and ``utf8``
keep characters whole. ``partial`` reads documents that arrive piece by piece, as the tokens of
``tape``, of which ``changes`` tells the news. The Rust core does the same, name by name.
"""

from .decode import StreamDecoder
from .delta import Delta, ToolCallDelta
from .partial import JSONAssembler
from .sse import ServerSentEvent, SSEParser, encode_sse
from .text import TextAssembler

__all__ = (
    "Delta",
    "JSONAssembler",
    "SSEParser",
    "ServerSentEvent",
    "StreamDecoder",
    "TextAssembler",
    "ToolCallDelta",
    "encode_sse",
)
