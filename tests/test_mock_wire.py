"""How the mock server speaks HTTP, read by httpx2 and by bare sockets."""

import json
import socket
from pathlib import Path

import httpx2
import openai
import pytest

from millstream.testing import MockServer, Reply
from millstream.testing.http import HTTPError, RawRequest, RequestReader, chunk, head
from mock_clients import post

VECTORS = Path(__file__).parent / "vectors" / "wire"


# A body is bytes, whatever they mean: every twelfth by its size is enough.
BODIES = sorted(VECTORS.glob("*.sse"), key=lambda path: path.stat().st_size)[::12]


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
def test_a_raw_body_is_sent_unchanged(mock_server: MockServer, path: Path) -> None:
    body = path.read_bytes()
    for reply in (Reply(body=body), Reply(body=body, bytes_per_write=7), Reply(body=body, framing="close")):
        mock_server.reply = reply
        assert post(mock_server.url).content == body


def test_a_raw_body_has_the_head_it_is_given(mock_server: MockServer) -> None:
    headers = {"x-own": "1"}
    mock_server.reply = Reply(
        body=[b"<html>", b"</html>"], content_type="text/html", status=502, headers=headers, framing="length"
    )
    response = post(mock_server.url)
    assert (response.status_code, response.content) == (502, b"<html></html>")
    assert (response.headers["content-type"], response.headers["x-own"]) == ("text/html", "1")
    assert response.headers["content-length"] == "13"


def wire_chunks(server: MockServer) -> list[bytes]:
    """Return the chunks of the body as they were framed, by a client that reads nothing into them."""
    request = json.dumps({"model": "m", "prompt": "p", "stream": True}).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as sock:
        sock.sendall(b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(request) + request)
        data = b""
        while not data.endswith(b"\r\n0\r\n\r\n"):
            data += sock.recv(65536)
    rest, chunks = data.partition(b"\r\n\r\n")[2], []
    while rest != b"0\r\n\r\n":
        size, _, rest = rest.partition(b"\r\n")
        chunks.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    return chunks


def test_each_frame_is_a_chunk_of_its_own(mock_server: MockServer) -> None:
    chunks = wire_chunks(mock_server)
    assert len(chunks) == 30
    assert all(chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") for chunk in chunks)


def test_pieces_per_write_joins_frames(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces_per_write=4)
    assert [chunk.count(b"data: ") for chunk in wire_chunks(mock_server)] == [4] * 7 + [2]


def test_bytes_per_write_splits_frames(mock_server: MockServer) -> None:
    mock_server.reply = Reply(bytes_per_write=1, pieces=["a"])
    assert {len(chunk) for chunk in wire_chunks(mock_server)} == {1}


def test_a_paced_stream_takes_its_time(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["a"] * 6, pace=0.02)
    assert post(mock_server.url).elapsed.total_seconds() >= 5 * 0.02


def test_connections_are_kept_alive(mock_server: MockServer, client: openai.OpenAI) -> None:
    for _ in range(5):
        client.completions.create(model="m", prompt="p")
    with httpx2.Client() as other:
        for _ in range(5):
            other.post(mock_server.url + "/completions", json={"prompt": "p", "stream": True})
    assert mock_server.connections.opened == 2
    assert [connection.requests for connection in mock_server.connections] == [5, 5]


def test_requests_may_arrive_in_any_pieces(mock_server: MockServer) -> None:
    body = b'{"prompt": "p", "model": "m"}'
    wire = b"POST /v1/completions?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with socket.create_connection(("127.0.0.1", mock_server.port), timeout=60) as sock:
        for byte in wire * 2:
            sock.sendall(bytes([byte]))
        mock_server.wait_until(lambda: len(mock_server.requests) == 2)
    assert [request.body for request in mock_server.requests] == [{"prompt": "p", "model": "m"}] * 2
    assert mock_server.requests[0].path == "/v1/completions"


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000, 431),
    ],
)
def test_an_invalid_request_is_refused(wire: bytes, status: int) -> None:
    with pytest.raises(HTTPError) as caught:
        RequestReader().feed(wire)
    assert caught.value.status == status


def test_a_refused_connection_is_answered_and_closed(mock_server: MockServer) -> None:
    with socket.create_connection(("127.0.0.1", mock_server.port), timeout=60) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        data = b"".join(iter(lambda: sock.recv(65536), b""))
    assert data.startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_requests_in_one_read_come_out_in_order() -> None:
    reader = RequestReader()
    got = reader.feed(b"GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.0\r\ncontent-length: 2\r\n\r\nhi")
    assert got == [
        RawRequest("GET", "/a", {}, b"", keep_alive=True),
        RawRequest("POST", "/b", {"content-length": "2"}, b"hi", keep_alive=False),
    ]


def test_a_header_cannot_end_its_line() -> None:
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        head(200, {"x": "a\r\nset-cookie: b"})
    assert chunk(b"") == b""
