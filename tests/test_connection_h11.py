"""HTTPConnection compared with h11: responses that both accept are read alike, and every difference has a reason.

h11 takes any version, most control characters and folds anywhere, and lets a coding win over a length;
we refuse what two readers could read differently. What we take and h11 does not is listed as well.
"""

import re
from types import ModuleType
from typing import Any, NamedTuple

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cases import Case, load
from streams import bytes_of, cut


class Read(NamedTuple):
    """A response as a reader has parsed it; ``refused`` is the reason why it was refused."""

    status: int | None
    headers: list[tuple[str, str]]
    body: bytes
    ended: bool
    reusable: bool
    refused: str | None


def text(value: bytes) -> str:
    """Return a header's value as we read it."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def ours(native: ModuleType, method: str, pieces: list[bytes]) -> Read:
    """Feed ``pieces``, and close where the response has not ended."""
    connection = native.HTTPConnection()
    connection.request(method, "/", [("host", "h")], b"")
    body = b"".join(connection.feed(piece) for piece in pieces)
    reusable = connection.reusable
    if not connection.ended:
        connection.close()
    failure = connection.failure
    refused = None if failure is None else str(failure)
    return Read(connection.status, connection.headers, body, connection.ended, reusable, refused)


def theirs(method: str, pieces: list[bytes]) -> Read:
    """Do the same with h11."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method=method, target="/", headers=[("host", "h")]))
    connection.send(h11.EndOfMessage())
    status, headers, body, ended = None, [], b"", False
    refused: str | None = None
    try:
        for piece in [*(piece for piece in pieces if piece), b""]:
            if ended and not piece:
                break
            connection.receive_data(piece)
            while not ended and (event := connection.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Response):
                    status = event.status_code
                    headers = [(name.decode(), text(bytes(value))) for name, value in event.headers]
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    ended = True
                elif isinstance(event, h11.ConnectionClosed):
                    break
    except h11.RemoteProtocolError as error:
        refused = str(error)
    is_done = connection.their_state is h11.DONE and connection.our_state is h11.DONE
    reusable = ended and is_done and not connection.trailing_data[0] and not connection.trailing_data[1]
    return Read(status, headers, body, ended, reusable, refused or (None if ended else "no end"))


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"

# Responses that only h11 accepts: the beginning of our message, the reason, and an example.
STRICTER: list[tuple[str, str, bytes]] = [
    ("the server does not speak HTTP/1.1", "versions we cannot know", b"HTTP/2.0 200 OK\r\n" + EMPTY),
    ("the response has an invalid status line", "minor versions we cannot know", b"HTTP/1.7 200 OK\r\n" + EMPTY),
    ("the response has an invalid status line", "controls in the reason", b"HTTP/1.1 200 O\x01K\r\n" + EMPTY),
    (
        "the response head has an invalid header line",
        "folds in what says where the body ends",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n 0\r\n\r\n",
    ),
    ("the response head has an invalid header line", "controls", b"HTTP/1.1 200 OK\r\nA: \x1b\r\n" + EMPTY),
    ("the response head has more than 128 headers", "a limit", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 128 + EMPTY),
    ("the response head grew past 65536 bytes", "a limit", b"HTTP/1.1 200 O" + b"K" * 65536 + b"\r\n" + EMPTY),
    (
        "the response has an invalid or ambiguous content-length",
        "lengths of 2**64 and more",
        b"HTTP/1.1 204 X\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ),
    (
        "the response has both a content-length and a transfer-encoding",
        "RFC 9112: it ought to be handled as an error",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "the response is HTTP/1.0 and has a transfer-encoding",
        "RFC 9112: the framing is faulty",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("the line with a chunk's size holds", "controls in extensions", CHUNKED + b"1;\x01\r\na\r\n0\r\n\r\n"),
    ("the line with a chunk's size holds", "a bare CR", CHUNKED + b"1;a\rb\r\na\r\n0\r\n\r\n"),
    ("the line with a chunk's size grew", "a limit", CHUNKED + b"1;" + b"x" * 4096 + b"\r\na\r\n0\r\n\r\n"),
    ("a chunk's size has more than 16 digits", "more than 64 bits", CHUNKED + b"0" * 16 + b"1\r\na\r\n0\r\n\r\n"),
    ("the response has an invalid trailer line", "a bare LF", CHUNKED + b"0\r\nA: b\n\r\n"),
    ("the response has an invalid trailer line", "folding", CHUNKED + b"0\r\nA: b\r\n c\r\n\r\n"),
    ("the trailers of the response grew", "a limit", CHUNKED + b"0\r\nA: " + b"b" * 16384 + b"\r\n\r\n"),
    ("the response has more than 128 trailers", "a limit", CHUNKED + b"0\r\n" + b"A: b\r\n" * 129 + b"\r\n"),
]

# Responses that only we accept: their content, the reason, and an example.
LAXER: list[tuple[bytes, str, bytes]] = [
    (rb"[0-9A-Fa-f][ \t]+;", "RFC 9112 has white space there", CHUNKED + b"1 ;a\r\na\r\n0\r\n\r\n"),
    (
        rb"(?i)HTTP/1\.. 1[^\xff]*(content-length|transfer-encoding)",
        "what an interim head says about a body is about none",
        b"HTTP/1.1 103 X\r\nContent-Length: x\r\n\r\nHTTP/1.1 200 OK\r\n" + EMPTY,
    ),
    (
        rb"(?i)\n0+[^\n]*\r\n[^\xff]*(content-length|transfer-encoding)",
        "nobody reads a length out of trailers",
        CHUNKED + b"0\r\nContent-Length: x\r\n\r\n",
    ),
]


def compare(native: ModuleType, method: str, data: bytes, pieces: list[bytes]) -> None:
    """Check that both read the same, or that there is a reason for the difference."""
    mine, other = ours(native, method, pieces), theirs(method, [data])
    if mine.refused is not None and other.refused is not None:
        return
    if mine.refused is not None:
        assert any(mine.refused.startswith(message) for message, _, _ in STRICTER), (mine, other)
    elif other.refused is not None:
        assert any(re.search(pattern, data) for pattern, _, _ in LAXER), (mine, other)
    else:
        assert (mine.status, mine.body, mine.ended) == (other.status, other.body, other.ended)
        # h11 joins equal lengths to one, and writes codings in lower case.
        framing = ("content-length", "transfer-encoding")
        assert [each for each in mine.headers if each[0] not in framing] == [
            each for each in other.headers if each[0] not in framing
        ]
        # h11 never keeps a connection of HTTP/1.0.
        assert mine.reusable is other.reusable or (mine.reusable and b"HTTP/1.0" in data)


def mostly(good: list[bytes], bad: list[bytes]) -> st.SearchStrategy[bytes]:
    """Return a strategy for valid values, and sometimes for invalid or odd ones."""
    return st.integers(0, 19).flatmap(lambda dice: st.sampled_from(bad if dice == 0 else good))


VERSION = mostly([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"], [b"HTTP/1.2", b"HTTP/2.0", b"http/1.1"])
STATUS = mostly([b" 200 OK", b" 200", b" 404 Not Found", b" 600 \xe9"], [b" 204 X", b" 304 X", b" 99 X", b" 2000 X"])
CODING = mostly(
    [b"Transfer-Encoding: chunked", b"transfer-encoding:\tCHUNKED "],
    [
        *(b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: identity"),
        *(
            b"Content-Length: 5\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        ),
    ],
)
LENGTH = mostly(
    [b"Content-Length: 5", b"content-length:\t05 ", b"Content-Length: 5, 5", b"Content-Length: 5\r\nContent-Length: 5"],
    [b"Content-Length: 5, 6", b"Content-Length: 5\r\nContent-Length: 05", b"Content-Length: +5", b"Content-Length:"],
)
HEADER = mostly(
    [
        *(
            b"Content-Type: text/event-stream",
            b"A:b",
            b"A: b \t",
            b"A:",
            b"U: \xc3\xa9",
            b"U: \xe9",
            b"Connection: close",
            b"A: b\r\n c \r\n\t d\r\n ",
        ),
        *(b"connection: keep-alive", b"Connection: x, Close"),
    ],
    [b"A : b", b" A: b", b": b", b"A", b"A: \x7f", b"A: \0", b"A: b\rc", b"A: \x0b"],
)
EXTENSION = mostly(
    [b"", b"", b"", b";a", b";a=b;c", b' ;a="b"', b" ", b"\t", b";\xe9"], [b";\x01", b";\ra", b",", b";a\n"]
)
SIZE = mostly([b"%x", b"%X", b"0%x"], [b"%017x", b"+%x", b"0x%x", b" %x", b"-%x", b"%x_"])
CHUNK = st.tuples(SIZE, EXTENSION, st.binary(min_size=1, max_size=20), mostly([b"\r\n"], [b"\n", b"\r", b"", b"xx"]))
LAST = mostly(
    [b"0\r\n\r\n", b"00;x\r\n\r\n", b"0\r\nA: b\r\n\r\n", b"0\r\nA: b\r\nC:\r\n\r\n"],
    [b"0\r\nA: b\nC: d\r\n\r\n", b"0\n\r\n", b"0\r\n", b"", b"0\r\nA\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n"],
)
INTERIM = mostly(
    [b"", b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 X\r\nA: b\r\n\r\n"], [b"HTTP/1.1 101 X\r\n\r\n"]
)
BEHIND = st.sampled_from([b"", b"", b"\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"x"])
TOKENS = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"\0", b"0", b"5", b"g", b";", b":", b",", b"\xe9", b"\x01"]
EDIT = st.tuples(st.integers(0, 300), st.integers(0, 3), st.sampled_from([b"", *TOKENS]))
EDITS = st.booleans().flatmap(lambda is_edited: st.lists(EDIT, max_size=3 if is_edited else 0))


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Draw responses that are nearly right."""
    framing = draw(st.sampled_from([CODING, CODING, LENGTH, HEADER]))
    lines = [draw(VERSION) + draw(STATUS), *draw(st.lists(HEADER, max_size=2)), draw(framing), b"", b""]
    if framing is CODING and draw(st.integers(0, 9)):
        lines[0] = lines[0].replace(b"1.0", b"1.1")
    data = draw(INTERIM) + draw(st.sampled_from([b"\r\n", b"\r\n", b"\n"])).join(lines)
    if framing is CODING:
        chunks = draw(st.lists(CHUNK, max_size=4))
        data += b"".join(size % len(body) + ext + b"\r\n" + body + end for size, ext, body, end in chunks) + draw(LAST)
    else:
        data += draw(st.sampled_from([b"Hello", b"Hello", b"Hell"]))
    data += draw(BEHIND)
    for at, size, put in draw(EDITS):
        at %= len(data) + 1
        data = data[:at] + put + data[at + size :]
    return data


@given(data=responses(), cuts=st.lists(st.integers(0, 300), max_size=5), method=st.sampled_from(["GET", "GET", "HEAD"]))
@example(data=CHUNKED + b"5\r\nHelloXX0\r\n\r\n", cuts=[], method="GET")
def test_responses_that_both_accept_are_read_alike(
    native: ModuleType, data: bytes, cuts: list[int], method: str
) -> None:
    compare(native, method, data, cut(data, cuts))


@pytest.mark.parametrize("kind", ["whole", "bytes"])
def test_the_vectors_are_read_alike(native: ModuleType, kind: str) -> None:
    cases: list[Case] = [case for case in load("http") if "options" not in case]
    for case in cases:
        data = bytes_of(case)
        pieces = [data] if kind == "whole" else [data[i : i + 1] for i in range(len(data))]
        compare(native, case.get("method", "GET"), data, pieces)


@pytest.mark.parametrize(("message", "reason", "data"), STRICTER)
def test_every_stricter_case_has_a_reason(native: ModuleType, message: str, reason: str, data: bytes) -> None:
    assert theirs("GET", [data]).refused is None, reason
    refused: Any = ours(native, "GET", [data]).refused
    assert refused.startswith(message), reason


@pytest.mark.parametrize(("pattern", "reason", "data"), LAXER)
def test_every_laxer_case_has_a_reason(native: ModuleType, pattern: bytes, reason: str, data: bytes) -> None:
    assert theirs("GET", [data]).refused is not None, reason
    assert ours(native, "GET", [data]).refused is None, reason
    assert re.search(pattern, data), reason
