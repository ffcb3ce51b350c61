r"""Recorded exchanges, and the file that keeps them: a JSON document in each line.

The first line names the format's version and the upstream. Each further line is one event of an exchange, and the
exchanges follow each other::

    {"millstream": "recording", "version": 1, "upstream": "https://api.openai.com"}
    {"exchange": 1, "event": "request", "at": 0.0, "method": "POST", "path": "/v1/chat/completions", "query": "",
     "headers": [["content-type", "application/json"], ["authorization", "REDACTED"]], "text": "{\"model\": …"}
    {"exchange": 1, "event": "response", "at": 0.31, "status": 200, "headers": [["content-type", "text/event-stream"]]}
    {"exchange": 1, "event": "data", "at": 0.32, "text": "data: {\"id\": …"}
    {"exchange": 1, "event": "end", "at": 0.94}

(Here the second line is broken in two.) ``at`` is in seconds since the request. Bytes are ``text`` where they are
valid UTF-8, else ``base64``. The last event of an exchange is ``end``, or ``cut`` if the body is not complete, with
the side that closed the connection as ``by``.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

__all__ = ("Exchange", "Recording", "RecordingError", "Write", "event_lines", "first_line", "load_recording")

_VERSION = 1
Headers = Sequence[tuple[str, str]]


class RecordingError(ValueError):
    """A file cannot be read as a recording; the message names the line."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes of a body, and when they arrived, in seconds since the request."""

    at: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response; header names are in lower case.

    ``cut_by`` is the side that closed the connection before the body's end, ``None`` if the body is complete.
    """

    method: str
    path: str
    query: str
    request_headers: Headers
    request_body: bytes
    head_at: float
    status: int
    headers: Headers
    writes: Sequence[Write]
    end_at: float
    cut_by: Literal["client", "upstream"] | None = None

    @property
    def body(self) -> bytes:
        """The whole body of the response."""
        return b"".join(write.data for write in self.writes)


@dataclass(frozen=True, slots=True)
class Recording:
    """The exchanges of one file, in the order of their ends."""

    upstream: str
    exchanges: Sequence[Exchange]


def first_line(upstream: str) -> str:
    """Return the line that begins a file."""
    return _line({"millstream": "recording", "version": _VERSION, "upstream": upstream})


def event_lines(number: int, exchange: Exchange) -> Iterator[str]:
    """Yield the lines of one exchange."""
    head = {"exchange": number}
    request = {"method": exchange.method, "path": exchange.path, "query": exchange.query}
    sent = {"headers": [list(pair) for pair in exchange.request_headers], **_packed(exchange.request_body)}
    yield _line({**head, "event": "request", "at": 0.0, **request, **sent})
    received = {"status": exchange.status, "headers": [list(pair) for pair in exchange.headers]}
    yield _line({**head, "event": "response", "at": round(exchange.head_at, 6), **received})
    for write in exchange.writes:
        yield _line({**head, "event": "data", "at": round(write.at, 6), **_packed(write.data)})
    end = {"event": "end"} if exchange.cut_by is None else {"event": "cut", "by": exchange.cut_by}
    yield _line({**head, **end, "at": round(exchange.end_at, 6)})


def _line(value: dict[str, Any]) -> str:
    # Line separators of Unicode stay escaped, so that one event is one line in every editor.
    text = json.dumps(value, ensure_ascii=False)
    for mark in "\u2028\u2029\u0085":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text + "\n"


def _packed(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _unpacked(event: dict[str, Any]) -> bytes:
    if "base64" in event:
        return base64.b64decode(event["base64"], validate=True)
    return str(event["text"]).encode()


def load_recording(path: "str | PathLike[str]") -> Recording:
    """Read a file; raise :class:`RecordingError` if it is not a recording of a version that is known."""
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    begun = _read_line(path, 1, lines[0])
    if begun.get("millstream") != "recording":
        raise RecordingError(f"{path} is not a recording: write one with 'millstream record URL'")
    if begun.get("version") != _VERSION:
        version = begun.get("version")
        raise RecordingError(f"{path} has version {version}, and this release reads {_VERSION}: record it again")
    exchanges: list[Exchange] = []
    events: list[dict[str, Any]] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        events.append(_read_line(path, number, line))
        try:
            if events[-1]["event"] in ("end", "cut"):
                exchanges.append(_exchange(events))
                events = []
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise RecordingError(f"{path}, line {number}: the exchange that ends here is incomplete: {error}") from None
    if not exchanges:
        raise RecordingError(f"{path} has no complete exchange: record it again")
    return Recording(str(begun.get("upstream", "")), exchanges)


def _read_line(path: object, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RecordingError(f"{path}, line {number}: not a JSON object")
    return value


def _exchange(events: list[dict[str, Any]]) -> Exchange:
    request, response, *data, end = events
    kinds = [event["event"] for event in events]
    if kinds[:2] != ["request", "response"] or set(kinds[2:-1]) - {"data"}:
        raise ValueError(f"its events are {', '.join(map(str, kinds[:4]))}")
    return Exchange(
        method=request["method"],
        path=request["path"],
        query=request["query"],
        request_headers=[(name, value) for name, value in request["headers"]],
        request_body=_unpacked(request),
        head_at=float(response["at"]),
        status=int(response["status"]),
        headers=[(name.lower(), value) for name, value in response["headers"]],
        writes=[Write(float(event["at"]), _unpacked(event)) for event in data],
        end_at=float(end["at"]),
        cut_by=end.get("by", "upstream") if end["event"] == "cut" else None,
    )
