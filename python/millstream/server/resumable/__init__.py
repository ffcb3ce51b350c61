"""Streams that a client can take up again, on any server, after its connection broke."""

from typing import TYPE_CHECKING

from ..._late import lazy_names

if TYPE_CHECKING:
    from .endpoints import resumable_routes, resume_or_create, resume_response, store_lifespan
    from .errors import (
        InvalidPositionError,
        InvalidStreamIdError,
        ResumableStreamError,
        StoreFullError,
        StoreUnavailableError,
        StreamFailedError,
        StreamStoppedError,
        WriterFencedError,
        WriterLostError,
        WriterShutdownError,
    )
    from .follower import Follower
    from .ids import Position, parse_position
    from .stores import MemoryStore, RedisStore, SQLiteStore, StreamStore
    from .stream import NotResumable, ResumableStream, StreamFinished, resumable, resume, shut_down_streams, stop

_MODULES = {
    "Follower": ".follower",
    "InvalidPositionError": ".errors",
    "InvalidStreamIdError": ".errors",
    "MemoryStore": ".stores",
    "NotResumable": ".stream",
    "Position": ".ids",
    "RedisStore": ".stores",
    "ResumableStream": ".stream",
    "ResumableStreamError": ".errors",
    "SQLiteStore": ".stores",
    "StoreFullError": ".errors",
    "StoreUnavailableError": ".errors",
    "StreamFailedError": ".errors",
    "StreamFinished": ".stream",
    "StreamStoppedError": ".errors",
    "StreamStore": ".stores",
    "WriterFencedError": ".errors",
    "WriterLostError": ".errors",
    "WriterShutdownError": ".errors",
    "parse_position": ".ids",
    "resumable": ".stream",
    "resumable_routes": ".endpoints",
    "resume": ".stream",
    "resume_or_create": ".endpoints",
    "resume_response": ".endpoints",
    "shut_down_streams": ".stream",
    "stop": ".stream",
    "store_lifespan": ".endpoints",
}
__all__ = (
    "Follower",
    "InvalidPositionError",
    "InvalidStreamIdError",
    "MemoryStore",
    "NotResumable",
    "Position",
    "RedisStore",
    "ResumableStream",
    "ResumableStreamError",
    "SQLiteStore",
    "StoreFullError",
    "StoreUnavailableError",
    "StreamFailedError",
    "StreamFinished",
    "StreamStoppedError",
    "StreamStore",
    "WriterFencedError",
    "WriterLostError",
    "WriterShutdownError",
    "parse_position",
    "resumable",
    "resumable_routes",
    "resume",
    "resume_or_create",
    "resume_response",
    "shut_down_streams",
    "stop",
    "store_lifespan",
)
__getattr__ = lazy_names(globals(), _MODULES)
