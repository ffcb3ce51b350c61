"""The Rust core. The classes of both halves have the types of the Python half; the rest is Rust's alone."""

from collections.abc import Sequence
from typing import NoReturn, final

from ._pure import ChunkTimes as ChunkTimes
from ._pure import Delta as Delta
from ._pure import HTTPXServerSentEvent as HTTPXServerSentEvent
from ._pure import JSONAssembler as JSONAssembler
from ._pure import ServerSentEvent as ServerSentEvent
from ._pure import SSEParser as SSEParser
from ._pure import StreamDecoder as StreamDecoder
from ._pure import TextAssembler as TextAssembler
from ._pure import ToolCallDelta as ToolCallDelta
from ._pure import WireWriter as WireWriter
from ._pure import encode_sse as encode_sse
from .errors import APIConnectionError

DEBUG_BUILD: bool

@final
class HTTPConnection:
    def __new__(
        cls, *, max_head_size: int = 65536, max_header_count: int = 128, max_trailer_size: int = 16384
    ) -> HTTPConnection: ...
    @property
    def status(self) -> int | None: ...
    @property
    def headers(self) -> list[tuple[str, str]]: ...
    @property
    def ended(self) -> bool: ...
    @property
    def reusable(self) -> bool: ...
    @property
    def failure(self) -> APIConnectionError | None: ...
    def request(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes: ...
    def feed_head(self, data: bytes) -> bytes | None: ...
    def feed(self, data: bytes) -> bytes: ...
    def close(self) -> None: ...
    def __reduce__(self) -> NoReturn: ...
