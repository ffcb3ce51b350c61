"""HTTPConnection: parses responses, however their bytes are split, and validates requests.

The class is the Rust core's alone: without it, httpx2 speaks HTTP.
"""

import copy
import doctest
import pickle
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import pytest

from cases import Case, each, load
from millstream.errors import APIConnectionError
from streams import bytes_of, splits
from test_growth import check

HOST = [("host", "h")]
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def begun(native: ModuleType, method: str = "GET", /, **options: int) -> Any:
    """Return a connection that waits for a response."""
    connection = native.HTTPConnection(**options)
    connection.request(method, "/", HOST, b"")
    return connection


def feed_in_turn(connection: Any, data: bytes) -> bytes:
    """Feed the head to ``feed_head`` and the rest to ``feed``."""
    rest = connection.feed_head(data)
    body: bytes = b"" if rest is None else connection.feed(rest)
    return body


@each(load("http"))
def test_every_split_gives_the_same_response(native: ModuleType, case: Case) -> None:
    data, failure = bytes_of(case), case["failure"]
    due = (case["head_at"], case["ended_at"], failure and failure["at"])
    for pieces in splits(data):
        connection = begun(native, case.get("method", "GET"), **case.get("options", {}))
        body, fed = b"", 0
        for piece in pieces:
            body += feed_in_turn(connection, piece)
            fed += len(piece)
            seen = (connection.status is not None, connection.ended, connection.failure is not None)
            assert seen == tuple(at is not None and fed >= at for at in due)
        assert (connection.status, connection.headers) == (case["status"], [tuple(each) for each in case["headers"]])
        assert (body, connection.reusable) == (bytes_of(case, "body"), case["reusable"])
        connection.close()
        assert (connection.ended, connection.reusable) == (case["ended"], False)
        assert str(connection.failure or "") == (failure["message"] if failure else "")


def test_a_failure_is_an_error_of_the_connection(native: ModuleType) -> None:
    assert begun(native).failure is None
    connection = begun(native)
    assert connection.feed_head(b"SSH-2.0-x\r\n") is None
    assert type(connection.failure) is APIConnectionError
    assert connection.feed(RESPONSE) == b""
    assert connection.feed_head(RESPONSE) is None
    connection.close()
    assert str(connection.failure) == 'the server does not speak HTTP/1.1, it said "SSH-2.0-x"'


def test_data_before_a_failure_is_returned(native: ModuleType) -> None:
    connection = begun(native)
    assert connection.feed(CHUNKED + b"1\r\na\r\n1\r\nb\r\nx") == b"ab"
    assert (connection.status, str(connection.failure)) == (200, "the line with a chunk's size holds the byte 0x78")


def test_a_read_of_body_alone_is_returned_as_the_same_object(native: ModuleType) -> None:
    connection = begun(native)
    assert connection.feed_head(b"HTTP/1.1 200 OK\r\n\r\n") == b""
    data = b"Hello"
    assert connection.feed_head(data) is data
    assert connection.feed(data) is data


def test_other_buffers_are_copied(native: ModuleType) -> None:
    connection = begun(native)
    assert connection.feed_head(bytearray(RESPONSE[:-1])) == b"a"
    assert connection.feed(memoryview(b"ab")) == b"ab"
    for wrong in ("ab", None, 5):
        with pytest.raises(TypeError, match="bytes"):
            connection.feed(wrong)
        with pytest.raises(TypeError, match="bytes"):
            connection.feed_head(wrong)


def test_one_exchange_follows_the_other(native: ModuleType) -> None:
    connection = begun(native)
    assert (connection.status, connection.headers, connection.ended, connection.reusable) == (None, [], False, False)
    assert feed_in_turn(connection, RESPONSE) == b"ab"
    assert connection.reusable
    assert connection.request("HEAD", "/", HOST, b"") == b"HEAD / HTTP/1.1\r\nhost: h\r\n\r\n"
    assert (connection.status, connection.headers, connection.ended, connection.reusable) == (None, [], False, False)
    assert connection.feed_head(RESPONSE[:-2]) == b""
    assert connection.reusable
    connection.request("GET", "/", HOST, b"")
    assert connection.feed(CHUNKED + b"1\r\nc\r\n0\r\n\r\n") == b"c"
    assert connection.reusable


BUSY = "the connection cannot take a request: its last exchange is not over, or was to be its last"


def test_a_request_needs_a_reusable_connection(native: ModuleType) -> None:
    connection = begun(native)
    for data in (b"", RESPONSE[:20], RESPONSE[20:-1]):
        connection.feed(data)
        with pytest.raises(ValueError) as raised:
            connection.request("GET", "/", HOST, b"")
        assert str(raised.value) == BUSY
    connection.feed(RESPONSE[-1:])
    connection.feed(b"unasked")
    assert (connection.ended, connection.reusable, connection.failure) == (True, False, None)
    with pytest.raises(ValueError, match="cannot take a request"):
        connection.request("GET", "/", HOST, b"")


def test_a_request_that_is_refused_has_not_begun(native: ModuleType) -> None:
    connection = native.HTTPConnection()
    with pytest.raises(ValueError):
        connection.request("GET", "/", [], b"")
    assert connection.request("GET", "/", HOST, b"") == b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"


def test_a_request_that_says_close_is_the_last_one(native: ModuleType) -> None:
    connection = native.HTTPConnection()
    connection.request("GET", "/", [*HOST, ("Connection", "close")], b"")
    assert connection.feed(RESPONSE) == b"ab"
    assert (connection.ended, connection.reusable) == (True, False)


def test_a_request_comes_with_its_body(native: ModuleType) -> None:
    def made(method: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
        sent: bytes = native.HTTPConnection().request(method, "/v1?a=b", headers, body)
        return sent

    assert made("POST", HOST, b"{}\0") == b"POST /v1?a=b HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\n{}\0"
    assert made("POST", tuple(HOST), b"") == b"POST /v1?a=b HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n"
    given = [*HOST, ("Content-Length", "2"), ("X", "\u00e9 \t\u2713")]
    expected = "PUT /v1?a=b HTTP/1.1\r\nhost: h\r\nContent-Length: 2\r\nX: \u00e9 \t\u2713\r\n\r\n{}"
    assert made("PUT", given, b"{}") == expected.encode()


REFUSED: dict[str, tuple[str, str, list[tuple[str, str]], str]] = {
    "method": ("G ET", "/", HOST, "the method is not one that can be sent"),
    "connect": ("CONNECT", "h:1", HOST, "the method is not one that can be sent"),
    "target": ("GET", "/ HTTP/1.1\r\nx: y", HOST, "the request target may hold visible ASCII characters only"),
    "target-empty": ("GET", "", HOST, "the request target may hold visible ASCII characters only, and one at least"),
    "target-non-ascii": ("GET", "/\u00e9", HOST, "the request target may hold visible ASCII characters only"),
    "name": ("GET", "/", [*HOST, ("x y", "v")], "the name of header 1 is not a token"),
    "name-empty": ("GET", "/", [("", "v")], "the name of header 0 is not a token"),
    "value-cr": ("GET", "/", [("x", "a\rb")], "the value of the header x holds a control character"),
    "value-lf": ("GET", "/", [("x", "a\nb")], "the value of the header x holds a control character"),
    "value-nul": ("GET", "/", [("x", "a\0")], "the value of the header x holds a control character"),
    "value-c1": ("GET", "/", [("x", "a\x85")], "the value of the header x holds a control character"),
    "value-separator": ("GET", "/", [("x", "a\u2028b")], "the value of the header x holds a control character"),
    "value-surrogate": ("GET", "/", [("x", "a\ud800")], "a request cannot hold half a surrogate pair"),
    "host-none": ("GET", "/", [("accept", "*/*")], "a request has exactly one host header"),
    "host-twice": ("GET", "/", [*HOST, ("Host", "i")], "a request has exactly one host header"),
    "coding": ("GET", "/", [*HOST, ("Transfer-encoding", "chunked")], "a transfer-encoding header cannot be given"),
    "length": ("GET", "/", [*HOST, ("content-length", "5")], "the content-length header given is not the length"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_request_raises(native: ModuleType, name: str) -> None:
    method, target, headers, message = REFUSED[name]
    with pytest.raises(ValueError) as raised:
        native.HTTPConnection().request(method, target, headers, b"ab")
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("secret", ["sk-secret\n", "sk-secret\ud800", "sk-secret\x85"])
def test_the_error_of_an_invalid_request_shows_no_values(native: ModuleType, secret: str) -> None:
    requests = [
        (secret, "/", "x", "y"),
        ("GET", secret, "x", "y"),
        ("GET", "/", secret, "y"),
        ("GET", "/", "x", secret),
    ]
    for method, target, name, value in requests:
        with pytest.raises(ValueError) as raised:
            native.HTTPConnection().request(method, target, [*HOST, (name, value)], b"")
        assert type(raised.value) is ValueError
        assert "secret" not in str(raised.value)
        assert (raised.value.__cause__, raised.value.__context__) == (None, None)


@pytest.mark.parametrize("headers", [None, 5, [("host",)], [("host", "h", "i")], [("host", b"h")], {"host": "h"}])
def test_headers_are_pairs_of_strings(native: ModuleType, headers: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        native.HTTPConnection().request("GET", "/", headers, b"")


def test_the_limits_are_the_requested_ones(native: ModuleType) -> None:
    messages = {
        "max_head_size": "the response head grew past 1 bytes",
        "max_header_count": "the response head has more than 1 headers",
        "max_trailer_size": "the trailers of the response grew past 1 bytes",
    }
    data = b"HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n"
    assert begun(native).feed(data) == b""
    for name, message in messages.items():
        connection = begun(native, **{name: 1})
        connection.feed(data)
        assert str(connection.failure) == message
    for wrong in (-1, 2**64, 1.5, "5", None):
        with pytest.raises((TypeError, ValueError, OverflowError)):
            native.HTTPConnection(max_head_size=wrong)
    with pytest.raises(TypeError):
        native.HTTPConnection(5)


def test_a_connection_is_neither_printed_nor_copied_with_what_it_holds(native: ModuleType) -> None:
    connection = begun(native)
    assert repr(connection) == "<millstream._core.HTTPConnection>"
    for attempt in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="HTTPConnection objects cannot be pickled"):
            attempt(connection)


def test_the_example_is_right(native: ModuleType) -> None:
    found = doctest.DocTestFinder().find(native.HTTPConnection, "HTTPConnection", module=native)
    results = [doctest.DocTestRunner(verbose=False).run(example) for example in found]
    assert sum(result.attempted for result in results) > 4
    assert sum(result.failed for result in results) == 0


def test_threads_may_share_a_connection(native: ModuleType) -> None:
    connection, sizes = begun(native), []
    connection.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")

    def read() -> None:
        sizes.append(sum(len(connection.feed(b"x")) for _ in range(1000)))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sizes, connection.reusable) == ([1000] * 4, True)


def long_head(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nA: " + b"x" * size


def many_headers(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * (size // 6) + b"\r\n"


def many_interims(size: int) -> bytes:
    return b"HTTP/1.1 100 X\r\n\r\n" * (size // 18)


def small_chunks(size: int) -> bytes:
    return CHUNKED + b"1\r\na\r\n" * (size // 6)


def long_extensions(size: int) -> bytes:
    return CHUNKED + (b"1;" + b"x" * 4000 + b"\r\na\r\n") * (size // 4000)


def many_trailers(size: int) -> bytes:
    return CHUNKED + b"0\r\n" + b"A: b\r\n" * (size // 6) + b"\r\n"


@pytest.mark.parametrize("read", [1, 16, 65536])
@pytest.mark.parametrize(
    "shape", [long_head, many_headers, many_interims, small_chunks, long_extensions, many_trailers]
)
def test_time_grows_with_the_length_and_no_faster(native: ModuleType, shape: Callable[[int], bytes], read: int) -> None:
    size = 1 << 30
    limits = {"max_head_size": size, "max_header_count": size, "max_trailer_size": size}
    check(lambda: begun(native, **limits).feed, shape, read)
