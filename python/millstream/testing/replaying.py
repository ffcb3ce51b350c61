"""Replays recorded exchanges: byte for byte with their timing, or cut at other boundaries."""

import math
import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from os import PathLike

from .chopping import Chop, check_chop, chop
from .faults import Cut, ErrorStatus
from .recordings import Exchange, Recording, load_recording
from .redaction import Redactor
from .replies import Reply, Timing
from .state import RecordedRequest

__all__ = ("Replay",)

# What the server writes itself, of the connection to the upstream or of the body's framing.
_OWN = frozenset(("connection", "content-length", "date", "keep-alive", "trailer", "transfer-encoding", "upgrade"))


class Replay:
    """The replies of a recording, as the ``reply`` of a :class:`~millstream.testing.MockServer`.

    A request gets the next response of the exchanges with its method, path and body, and the last one again
    once all of them have been sent. If none has its body, those with its method and path count. Any other
    request gets a 404 that lists what was recorded.

    ``speed`` divides all pauses; with ``math.inf`` there are none. ``chop`` cuts each body anew: after so many
    bytes, or at all ``"bytes"``, ``"lines"`` or ``"events"``. Each piece is sent when its last byte was recorded.
    """

    def __init__(
        self, recording: "Recording | str | PathLike[str]", *, speed: float = 1.0, chop: Chop | None = None
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be above 0, not {speed!r}")
        self.recording = recording if isinstance(recording, Recording) else load_recording(recording)
        self._speed = speed
        self._chop = None if chop is None else check_chop(chop)
        self._sent: set[int] = set()
        self._lock = threading.Lock()

    def __call__(self, request: RecordedRequest) -> Reply:
        """Return the reply to ``request``."""
        exchanges = self.recording.exchanges
        asked = (request.method, request.path)
        fitting = [n for n, one in enumerate(exchanges) if (one.method, one.path) == asked]
        if not fitting:
            known = ", ".join(dict.fromkeys(f"{one.method} {one.path}" for one in exchanges))
            message = f"no exchange of {request.method} {request.path} was recorded, only {known}"
            return Reply(fault=ErrorStatus(404, message))
        with self._lock:
            body = Redactor().bytes(request.data)
            fitting = [n for n in fitting if exchanges[n].request_body == body] or fitting
            number = next((n for n in fitting if n not in self._sent), fitting[-1])
            self._sent.add(number)
        return self._reply(exchanges[number])

    def _reply(self, exchange: Exchange) -> Reply:
        times = [write.at for write in exchange.writes]
        body: Sequence[bytes] = [write.data for write in exchange.writes]
        if self._chop is not None:
            ends = list(accumulate(len(write.data) for write in exchange.writes))
            body = chop(exchange.body, self._chop)
            # A piece was there when the write with its last byte was.
            times = [times[bisect_left(ends, end)] for end in accumulate(map(len, body))]
        headers = _headers(exchange)
        has_length = not exchange.writes or any(name == "content-length" for name, _ in exchange.headers)
        return Reply(
            body=body,
            status=exchange.status,
            headers=headers,
            content_type=headers.get("content-type", ""),
            framing="length" if has_length and exchange.cut_by is None else "chunked",
            timing=None if self._speed == math.inf else self._timing(exchange, times),
            fault=None if exchange.cut_by is None else Cut("done", "fin"),
        )

    def _timing(self, exchange: Exchange, times: Sequence[float]) -> Timing:
        writes = [at / self._speed for at in times]
        return Timing(exchange.head_at / self._speed, writes, exchange.end_at / self._speed)


def _headers(exchange: Exchange) -> Mapping[str, str]:
    """Return the headers that belong to the response; those of one name are joined."""
    headers: dict[str, str] = {}
    for name, value in exchange.headers:
        if name not in _OWN:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
