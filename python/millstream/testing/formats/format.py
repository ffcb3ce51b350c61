"""``Format``: how one API of a provider is asked, answers, streams and fails."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ..faults import ErrorFrame
from ..replies import Reply
from .parts import Ask, Frame

__all__ = ("Format",)


class Format(ABC):
    """One format; ``name`` is the name that ``StreamDecoder`` has for its streams."""

    name: ClassVar[str]
    stream_type: ClassVar[str] = "text/event-stream; charset=utf-8"
    document_type: ClassVar[str] = "application/json"
    # Whether a request streams that does not say so.
    streams: ClassVar[bool] = False
    # The header with a response's id.
    id_header: ClassVar[str | None] = "x-request-id"
    # Bytes that a reader passes over.
    keep_alive: ClassVar[bytes] = b": keep-alive\n\n"

    @abstractmethod
    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        """Parse the body of a request, whose path names ``model``; raise :class:`ValueError` with a message."""

    @abstractmethod
    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        """Yield the frames of the streamed answer to request ``number``."""

    @abstractmethod
    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        """Return the answer to request ``number`` as one JSON document."""

    @abstractmethod
    def error_body(self, status: int, message: str, code: str | None) -> Any:
        """Return the JSON document that comes with an error status."""

    def error_headers(self, status: int) -> Mapping[str, str]:
        """Return the headers that come with an error status."""
        return {}

    def is_stream(self, body: Any) -> bool:
        """Whether a request is answered with a stream, if its path does not say so."""
        given = body.get("stream") if isinstance(body, dict) else None
        return self.streams if given is None else given is True

    @abstractmethod
    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        """Return an error inside a stream of which ``sent`` frames have been sent."""

    @abstractmethod
    def error_document(self, fault: ErrorFrame) -> Any:
        """Return an error in place of a document, with status 200."""
