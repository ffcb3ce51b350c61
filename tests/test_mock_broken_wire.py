"""The bytes that the mock server sends with faults of the wire, read from bare sockets."""

import gc
import json
import socket
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from millstream.testing import (
    Chunking,
    Compress,
    Cut,
    Drip,
    Endless,
    ErrorStatus,
    Fault,
    Garble,
    GiantHead,
    Interim,
    MockServer,
    Place,
    Redirect,
    Reply,
    Send,
    Stale,
    Stall,
    fault_named,
    refusing_url,
    unaccepting_url,
)

BODY = json.dumps({"model": "m", "prompt": "p", "stream": True}).encode()
ASK = b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)


def connected(server: MockServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def wire(server: MockServer, *, until: bytes | None = b"\r\n0\r\n\r\n") -> bytes:
    """Return the response to one request, up to ``until`` or to the end of the connection."""
    data = b""
    try:
        with connected(server) as sock:
            sock.sendall(ASK)
            while until is None or not data.endswith(until):
                read = sock.recv(65536)
                if not read:
                    return data + b"<fin>"
                data += read
    except (ConnectionResetError, BrokenPipeError):
        return data + b"<reset>"
    return data


def broken(fault: Fault | tuple[Fault, ...], **reply: Any) -> bytes:
    """Return the bytes that a server with ``fault`` sends before it closes the connection."""
    with MockServer(Reply(pieces=["one", "two"], fault=fault, **reply)) as server:
        return wire(server, until=None)


# Places.


@pytest.mark.parametrize(("how", "mark"), [("reset", b"<reset>"), ("fin", b"<fin>")])
def test_a_connection_can_be_cut_at_every_place(how: Any, mark: bytes) -> None:
    with MockServer(Reply(pieces=["one", "two"])) as server:
        whole = wire(server)
    head, _, body = whole.partition(b"\r\n\r\n")
    lines = [line + b"\r\n" for line in body.split(b"\r\n")]
    expected: dict[Place, bytes] = {
        "request": b"",
        "half-head": head[: len(head + b"\r\n\r\n") // 2],
        "head": head + b"\r\n\r\n",
        0: head + b"\r\n\r\n",
        1: head + b"\r\n\r\n" + b"".join(lines[:2]),
        "done": whole.removesuffix(b"0\r\n\r\n"),
        "body": whole,
    }
    for place, data in expected.items():
        assert broken(Cut(place, how)) == data + mark
    # Whoever closes a connection while a request is on its way to it resets it.
    assert broken(Cut("accept", how)) in (mark, b"<reset>")


def test_a_cut_inside_a_chunk_announces_the_whole_chunk() -> None:
    body = broken(Cut(1, "fin", inside="chunk")).partition(b"\r\n\r\n")[2]
    *_, size, rest = body.split(b"\r\n")
    assert len(rest.removesuffix(b"<fin>")) == int(size, 16) // 2
    whole = broken(Cut(1, "fin", inside="frame")).partition(b"\r\n\r\n")[2]
    *_, size, rest, end = whole.split(b"\r\n")
    assert (len(rest), end) == (int(size, 16), b"<fin>")


@pytest.mark.parametrize("place", ["accept", "request", "half-head", "head", 0, 1, "done", "body"])
@pytest.mark.parametrize("inside", [False, "frame", "chunk"])
def test_a_released_response_continues_where_it_stalled(place: Any, inside: Any, mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stall(place, inside=inside))
    mock_server.release()
    response = httpx2.post(mock_server.url + "/completions", content=BODY)
    assert response.content.count(b"data: ") == 30
    assert mock_server.requests[0].pieces_sent == 28


def test_a_client_that_leaves_ends_a_stall(mock_server: MockServer) -> None:
    places: list[Place] = ["request", "half-head", "head", 1, "done"]
    for count, place in enumerate(places, 1):
        mock_server.reply = Reply(fault=Stall(place))
        with connected(mock_server) as sock:
            sock.sendall(ASK)
            mock_server.wait_until(lambda count=count: len(mock_server.requests) == count)  # type: ignore[misc]
        assert mock_server.wait_closed().closed_by == "client"
        mock_server.wait_until(lambda: mock_server.requests[-1].over)


def test_a_connection_that_is_dropped_at_accept_uses_up_one_reply(mock_server: MockServer) -> None:
    mock_server.script.extend([Reply(fault=Cut("accept")), Reply(pieces=["held"], fault=Stall("accept"))])
    assert wire(mock_server) == b"<reset>"
    with connected(mock_server) as held:
        held.sendall(ASK)
        assert b"Spark" in wire(mock_server)
        assert len(mock_server.requests) == 1
        mock_server.release()
        data = b""
        while b"held" not in data:
            data += held.recv(65536) or pytest.fail(f"closed after {data!r}")


def test_bytes_can_be_sent_at_any_place() -> None:
    assert broken((Send(b"junk\r\n"), Cut("half-head", "fin"))).startswith(b"junk\r\nHTTP/1.1 200")
    assert broken((Send(b"junk", after="body"), Cut("body", "fin"))).endswith(b"0\r\n\r\njunk<fin>")
    assert b"\r\njunk" in broken((Send(b"junk", after=1), Cut(2, "fin")))


# Bodies.


def test_an_http_1_0_body_ends_with_its_connection() -> None:
    head, _, body = broken((), framing="http/1.0").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 OK\r\n")
    assert not any(word in head for word in (b"length", b"encoding", b"connection"))
    assert body.endswith(b"data: [DONE]\n\n<fin>")


def test_extensions_and_trailers_surround_the_chunks(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Chunking("a=b", {"x-sum": "7"}))
    data = wire(mock_server, until=b"\r\n0;last\r\nx-sum: 7\r\n\r\n")
    assert data.count(b";a=b\r\n") == 30
    assert b"transfer-encoding: chunked" in data


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15)])
@pytest.mark.parametrize("framing", ["close", "http/1.0"])
def test_a_compressed_body_can_be_decompressed_piece_by_piece(encoding: Any, wbits: int, framing: Any) -> None:
    head, _, body = broken(Compress(encoding), framing=framing).partition(b"\r\n\r\n")
    assert b"content-encoding: " + encoding.encode() in head
    assert zlib.decompress(body.removesuffix(b"<fin>"), wbits).endswith(b"[DONE]\n\n")
    begun = broken((Compress(encoding), Cut(1, "fin")), framing=framing).partition(b"\r\n\r\n")[2]
    assert zlib.decompressobj(wbits).decompress(begun.removesuffix(b"<fin>")).count(b"data: ") == 1


def test_a_compressed_document_has_its_length(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Compress())
    response = httpx2.post(mock_server.url + "/completions", json={"prompt": "p"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.json()["object"] == "text_completion"


def test_an_endless_body_ends_by_its_count_and_by_release(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["one"], fault=Endless(1, count=5), pieces_per_write=2)
    assert wire(mock_server).count(b": keep-alive\n\n") == 5
    mock_server.reply = Reply(pieces=["one"], fault=Endless(0, data=None, count=7), pieces_per_write=3)
    assert wire(mock_server).count(b"one") == 8
    assert mock_server.requests[-1].pieces_sent == 8
    mock_server.reply = Reply(pieces=["one"], fault=Endless("done"), pace=0.001)
    mock_server.release()
    assert b"[DONE]" in wire(mock_server)


def test_a_client_that_does_not_read_blocks_the_server(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Endless("head", data=b"x" * 1000, send_buffer_size=10_000))
    with connected(mock_server) as sock:
        sock.sendall(ASK)
        mock_server.wait_until(lambda: mock_server.connections.opened == 1)
        connection = mock_server.connections[1]
        mock_server.wait_until(lambda: connection.blocked)
        sent = connection.bytes_sent
        assert 10_000 < sent < 8_000_000
        read = 0
        while read < sent + 1_000_000:
            read += len(sock.recv(1 << 20))
        assert connection.bytes_sent > sent
    mock_server.wait_closed()


def test_sent_bytes_are_counted_exactly(mock_server: MockServer) -> None:
    data = wire(mock_server)
    mock_server.wait_until(lambda: mock_server.requests[0].over)
    assert mock_server.connections[1].bytes_sent == len(data)
    assert not mock_server.connections[1].blocked


# Heads.


@pytest.mark.parametrize(("fault", "lines"), [(GiantHead(), 1), (GiantHead(headers=5000), 5000)])
def test_a_giant_head_has_the_requested_size(fault: GiantHead, lines: int, mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=fault)
    head = wire(mock_server).partition(b"\r\n\r\n")[0]
    assert 1 << 20 <= len(head) < (1 << 20) + 10_000
    assert head.count(b"\r\nx-filler-") == lines


def test_interim_responses_come_first(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Interim((100, 103, 103)))
    heads = wire(mock_server).split(b"\r\n\r\n")[:4]
    assert [int(head[9:12]) for head in heads] == [100, 103, 103, 200]


def test_a_redirect_has_the_requested_location(mock_server: MockServer) -> None:
    mock_server.script.append(Reply(fault=Redirect()))
    response = httpx2.post(mock_server.url + "/completions", content=BODY)
    assert (response.status_code, response.headers["location"]) == (307, "/v1/completions")
    mock_server.script.append(Reply(fault=Redirect(302, "/v1/models")))
    response = httpx2.post(mock_server.url + "/completions", content=BODY, follow_redirects=True)
    assert response.json()["object"] == "list"


def test_a_response_in_writes_of_one_byte_has_the_same_bytes(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=(Drip(), Cut("done", "fin")))
    with connected(mock_server) as sock:
        sock.sendall(ASK)
        reads = list(iter(lambda: sock.recv(65536), b""))
    mock_server.reply = Reply(fault=Cut("done", "fin"))
    assert b"".join(reads).replace(b"mock1", b"mock2") == wire(mock_server).removesuffix(b"<fin>")
    assert len(reads) > 10


@pytest.mark.parametrize(
    ("how", "bytes_"),
    [
        ("not-http", b"SSH-2.0-OpenSSH_9.9\r\n<fin>"),
        ("tls", b"\x15\x03\x03\x00\x02\x02\x46<fin>"),
        ("status-line", b"HTTP/1.1 OK\r\n"),
        ("header-line", b"\r\nthis line has no colon\r\n"),
        ("bad-length", b"\r\ncontent-length: 5x\r\n"),
        ("length-overflow", b"\r\ncontent-length: 18446744073709551621\r\n"),
        ("conflicting-lengths", b"\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcde<fin>"),
        ("length-and-chunked", b"\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        ("chunked-not-last", b"\r\ntransfer-encoding: chunked, gzip\r\n\r\n3\r\nabc\r\n"),
        ("chunk-size", b"\r\n3\r\nabc\r\nzz\r\nde\r\n0\r\n\r\n"),
        ("negative-size", b"\r\n3\r\nabc\r\n-2\r\nde\r\n0\r\n\r\n"),
        ("size-overflow", b"\r\n3\r\nabc\r\n10000000000000002\r\nde\r\n0\r\n\r\n"),
        ("bare-lf", b"\r\n3\r\nabc\r\n2\nde\r\n0\r\n\r\n"),
        ("chunk-end", b"\r\n3\r\nabc\r\n2\r\nde!!0\r\n\r\n"),
    ],
)
def test_each_garbling_sends_its_broken_framing(how: Any, bytes_: bytes) -> None:
    assert bytes_ in broken((Garble(how, after=1), Cut("body", "fin")), body=[b"abc", b"de"])


def test_a_document_is_broken_too(mock_server: MockServer) -> None:
    ask = {"prompt": "p"}
    faults: list[tuple[Fault, type[Exception]]] = [
        (Garble("chunk-size"), httpx2.RemoteProtocolError),
        (Garble("bad-length"), httpx2.RemoteProtocolError),
        (Cut("half-head", "fin"), httpx2.RemoteProtocolError),
        (Cut("head", "reset"), httpx2.ReadError),
        (Cut(3, "fin"), httpx2.RemoteProtocolError),
    ]
    for fault, error in faults:
        mock_server.reply = Reply(fault=fault)
        with pytest.raises(error):
            httpx2.post(mock_server.url + "/completions", json=ask)
    mock_server.reply = Reply(fault=(ErrorStatus(503), Cut("head", "fin")))
    with pytest.raises(httpx2.RemoteProtocolError):
        httpx2.post(mock_server.url + "/completions", json=ask)
    mock_server.reply = Reply(fault=Endless())
    assert httpx2.post(mock_server.url + "/completions", json=ask).json()["object"] == "text_completion"


# Connections.


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_stale_connection_closes_at_its_second_request(how: Any, mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stale(how))
    with httpx2.Client() as client:
        assert client.get(mock_server.url + "/models").status_code == 200
        with pytest.raises(httpx2.TransportError):
            client.get(mock_server.url + "/models")
        assert client.get(mock_server.url + "/models").status_code == 200
    assert [connection.requests for connection in mock_server.connections] == [2, 1]


def test_addresses_without_a_server_refuse_or_never_accept() -> None:
    with refusing_url() as url, pytest.raises(httpx2.ConnectError):
        httpx2.get(url + "/models")
    with unaccepting_url() as url, pytest.raises(httpx2.ConnectTimeout):
        httpx2.get(url + "/models", timeout=0.1)


def test_a_server_that_stops_while_it_accepts_closes_every_connection() -> None:
    for _ in range(5):
        socks = [socket.socket() for _ in range(100)]
        with MockServer() as server:
            for sock in socks:
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", server.port))
        for sock in socks:
            sock.close()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


# Names.


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("redirect:308", Redirect(308)),
        ("reset:accept", Cut("accept", "reset")),
        ("fin:half-head", Cut("half-head", "fin")),
        ("fin:body", Cut("body", "fin")),
        ("end:head", Cut("head", "end")),
        ("stall:done", Stall("done")),
        ("endless:0", Endless(0)),
        ("stale", Stale()),
        ("stale:reset", Stale("reset")),
        ("garble:bare-lf", Garble("bare-lf")),
        ("giant-head:500", GiantHead(500)),
        ("many-headers", GiantHead(headers=10_000)),
        ("interim", Interim()),
        ("interim:103", Interim((103,))),
        ("chunking", Chunking()),
        ("compress:deflate", Compress("deflate")),
        ("drip:7", Drip(7)),
    ],
)
def test_a_fault_of_the_wire_has_a_name(name: str, fault: Fault) -> None:
    assert fault_named(name) == fault


@pytest.mark.parametrize(
    "name",
    ["stale:x", "garble:x", "compress:br", "drip:0", "drip:x", "end:request", "endless:body", "refuse:1", "reset:tail"],
)
def test_an_invalid_name_of_a_fault_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=f"no fault is named '{name}'"):
        fault_named(name)


def test_a_request_that_names_accept_has_the_fault_itself(mock_server: MockServer) -> None:
    with pytest.raises(httpx2.ReadError):
        httpx2.post(mock_server.url + "/completions", content=BODY, headers={"x-mock-fault": "reset:accept"})
    assert len(mock_server.requests) == 1


def test_a_fault_with_an_impossible_place_is_an_error() -> None:
    wrong: list[Callable[[], object]] = [
        lambda: Cut("request", "end"),
        lambda: Stall("request", comment_every=1),
        lambda: Endless("body"),
        lambda: Reply(framing="length", fault=Endless()),
        lambda: Reply(framing="length", fault=(Drip(), Stall(comment_every=1))),
    ]
    for make in wrong:
        with pytest.raises(ValueError, match="must be"):
            make()
