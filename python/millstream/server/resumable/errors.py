"""The exceptions of resumable streams. The text of each is for clients: it becomes the error record of the wire."""

from __future__ import annotations

from ...errors import MillstreamError
from ...wires.public_error import PublicError

__all__ = (
    "InvalidPositionError",
    "InvalidStreamIdError",
    "ResumableStreamError",
    "StoreFullError",
    "StoreUnavailableError",
    "StreamFailedError",
    "StreamStoppedError",
    "WriterFencedError",
    "WriterLostError",
    "WriterShutdownError",
)


class ResumableStreamError(MillstreamError):
    """The base of the errors that end a resumable stream."""

    type = "server_error"
    code: str | None = None
    status = 500
    text = "the stream failed"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(self.text if message is None else message)

    @property
    def public_error(self) -> PublicError:
        """The error as a client sees it."""
        return PublicError(self.status, self.type, str(self), self.code or self.type)


class InvalidPositionError(ResumableStreamError, ValueError):
    """A client sent a position that is malformed."""

    type = "invalid_request_error"
    code = "invalid_position"
    status = 400


class InvalidStreamIdError(ResumableStreamError, ValueError):
    """The id of a stream has characters that it must not have."""

    type = "invalid_request_error"
    code = "invalid_stream_id"
    status = 400
    text = "a stream's id is 1 to 128 letters, digits and the characters . _ ~ -"


class StreamStoppedError(ResumableStreamError):
    """The stream was stopped by a request."""

    type = "stopped"
    status = 409
    text = "the stream was stopped"


class WriterShutdownError(ResumableStreamError):
    """The server that generated the stream was shut down."""

    type = "server_shutdown"
    status = 503
    text = "the server was shut down before the answer was complete"


class WriterLostError(ResumableStreamError):
    """The server that generated the stream died: its lease ran out."""

    type = "writer_lost"
    status = 503
    text = "the server that generated the answer was lost before the answer was complete"


class WriterFencedError(ResumableStreamError):
    """Another writer took over the stream's id, or a follower found that the lease had run out."""

    type = "superseded"
    status = 409
    text = "the answer was ended or replaced by another server"


class StoreUnavailableError(ResumableStreamError):
    """The store failed; for a running stream, for as long as the writer's lease is."""

    type = "store_unavailable"
    status = 503
    text = "the store of answers is not available"


class StoreFullError(ResumableStreamError):
    """The store has as many running streams as it may have."""

    type = "store_full"
    status = 503
    text = "too many answers are being generated: try again later"


class StreamFailedError(ResumableStreamError):
    """The stream failed; raised on wires that have no error record."""

    text = "the answer failed before it was complete"
