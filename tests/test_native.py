"""The exchanges of the native transport: requests, responses, waits."""

import asyncio
import gzip
import socket
import subprocess
import sys
import zlib
from typing import Any

import pytest

from millstream.errors import APIConnectionError, APITimeoutError, StreamDecodeError
from millstream.testing import MockServer, Reply
from millstream.transport import AsyncTransport, Transport
from millstream.transport.native import NativeTransport
from millstream.transport.native.content_coding import content_decoder
from millstream.transport.native.origins import read_url
from millstream.transport.timeouts import Timeouts
from native_cases import OK, answering, aread, begun, get, post, read, three_ways
from scripted import read_request, scripted

# What is sent.


@three_ways
def test_a_request_has_its_host_and_its_length(
    native_transport: NativeTransport, mock_server: MockServer, run: Any
) -> None:
    request = post(mock_server, headers={"x-mine": "1"})
    get(native_transport, run, request)
    (seen,) = mock_server.requests
    assert seen.headers == {
        "host": mock_server.origin.removeprefix("http://"),
        "x-mine": "1",
        "content-length": str(len(request.body)),
    }
    assert (seen.method, seen.path, seen.data) == ("POST", "/v1/completions", request.body)


@three_ways
def test_a_header_cannot_inject_another_header(
    native_transport: NativeTransport, mock_server: MockServer, run: Any
) -> None:
    for headers in ({"x": "1\r\ny: 2"}, {"x\r\ny": "2"}, {"x": "a\0b"}, {"x:y": ""}, {"host": "a\r\nx: b"}):
        with pytest.raises(ValueError, match="header") as caught:
            get(native_transport, run, post(mock_server, headers=headers))
        assert "2" not in str(caught.value)
    assert mock_server.connections.opened == 0


def test_a_user_in_the_url_becomes_a_header(native_transport: NativeTransport, mock_server: MockServer) -> None:
    url = mock_server.url.replace("://", "://us%20er:p%40ss@")
    read(native_transport, post(url, headers={"Authorization": "Bearer k"}))
    assert mock_server.requests[0].headers["authorization"] == "Basic dXMgZXI6cEBzcw=="


@pytest.mark.parametrize(
    ("url", "origin", "target", "host"),
    [
        ("http://a", "http://a:80", "/", "a"),
        ("https://A.example:443/v1?x=1#y", "https://a.example:443", "/v1?x=1", "a.example"),
        ("http://a:8000/x y?a b", "http://a:8000", "/x%20y?a%20b", "a:8000"),
        ("http://a:8000/x%20y%2Fz?%41", "http://a:8000", "/x%20y%2Fz?%41", "a:8000"),
        ("http://a:8000/100%/%zz", "http://a:8000", "/100%25/%25zz", "a:8000"),
        ("http://fa\u00df.example/", "http://xn--fa-hia.example:80", "/", "xn--fa-hia.example"),
        ("http://a b/", None, None, None),
        ("http://a\u2100b/", None, None, None),
        ("http://a/\ud83c", None, None, None),
        (f"http://{'a' * 64}.example/", None, None, None),
        ("http://a..b/", None, None, None),
        ("http://a:8000/é?q=ü%20", "http://a:8000", "/%C3%A9?q=%C3%BC%20", "a:8000"),
        ("http://[::1]:8000/v1", "http://[::1]:8000", "/v1", "[::1]:8000"),
        ("http://bücher.example/", "http://xn--bcher-kva.example:80", "/", "xn--bcher-kva.example"),
        ("http://a/\r\nx: y", None, None, None),
        ("ftp://a/", None, None, None),
        ("a/b", None, None, None),
        ("http:///b", None, None, None),
        ("http://a:99999/", None, None, None),
        ("http://[::1/", None, None, None),
    ],
)
def test_a_url_is_parsed_into_its_target(url: str, origin: str | None, target: str | None, host: str | None) -> None:
    if origin is None:
        with pytest.raises(APIConnectionError, match="URL"):
            read_url(url)
        return
    found = read_url(url)
    assert (str(found.origin), found.request_target, found.host) == (origin, target, host)


def test_messages_and_reprs_show_no_secrets_of_a_url() -> None:
    assert "canary" not in repr(read_url("http://canary:canary@host/?key=canary"))
    with pytest.raises(APIConnectionError) as caught:
        read_url("http//canary:canary@host/?key=canary")
    assert "canary" not in str(caught.value)


# What comes back.


@three_ways
def test_equal_headers_are_joined_and_names_are_in_lower_case(native_transport: NativeTransport, run: Any) -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 0\r\n\r\n"
    with scripted(answering(answer)) as url:
        response = begun(native_transport, run, post(url))
        assert (response.status, response.headers["x-a"]) == (200, "1, 2")


@three_ways
def test_a_large_request_is_sent_whole(native_transport: NativeTransport, run: Any) -> None:
    bodies: list[bytes] = []

    def script(sock: socket.socket) -> None:
        bodies.append(read_request(sock).partition(b"\r\n\r\n")[2])
        sock.sendall(OK)

    with scripted(script) as url:
        assert get(native_transport, run, post(url, body=b"x" * 20_000_000)) == b"ok"
    assert bodies == [b"x" * 20_000_000]


@three_ways
def test_a_response_that_arrives_before_the_request_is_sent_is_read(
    native_transport: NativeTransport, run: Any
) -> None:
    left = socket.socketpair()

    def script(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno")
        # Nothing more is read; the connection is not reset until the client has read the response.
        left[1].recv(1)

    with scripted(script) as url, left[0], left[1]:
        request = post(url, body=b"x" * 50_000_000, timeouts=Timeouts(5, 1 if run is None else 20, 1, 5))

        async def main() -> tuple[int, bytes]:
            response = await native_transport.aopen(request)
            data = b"".join(await response.read())
            await response.aclose()
            return response.status, data

        if run is None:
            # A blocking socket does one thing at a time.
            with pytest.raises(APITimeoutError, match="could not be sent"):
                native_transport.open(request)
        else:
            assert run(main()) == (413, b"no")
        left[0].send(b"x")


@pytest.mark.parametrize("how", ["gzip", "deflate", "raw deflate", "x-gzip", "members", "one byte at a time"])
@three_ways
def test_a_body_that_is_compressed_without_request_is_decompressed(
    native_transport: NativeTransport, how: str, run: Any
) -> None:
    text = b"data: x\n\n" * 100_000
    raw = zlib.compressobj(wbits=-15)
    data = {
        "deflate": zlib.compress(text),
        "raw deflate": raw.compress(text) + raw.flush(),
        "members": gzip.compress(text[:100]) + gzip.compress(text[100:]),
    }.get(how, gzip.compress(text))
    coding = {"x-gzip": "X-GZIP"}.get(how, "deflate" if "deflate" in how else "gzip")
    writes = [data[place : place + 1] for place in range(len(data))] if how.startswith("one") else [data]
    with MockServer(Reply(body=writes, headers={"content-encoding": coding})) as server:
        assert get(native_transport, run, post(server)) == text
        assert get(native_transport, run, post(server)) == text


@three_ways
def test_invalid_or_incomplete_compressed_data_raises(native_transport: NativeTransport, run: Any) -> None:
    for coding, data, reason in (
        ("gzip", b"nonsense", "incorrect header"),
        ("gzip", gzip.compress(b"data: x\n\n" * 1000)[:-20], "ends early"),
        ("deflate", b"x", "ends early"),
        ("br", b"x", "'br', which was not asked for"),
        ("gzip, zstd", b"x", "'zstd', which was not asked for"),
        ("gzip, gzip", gzip.compress(b"nonsense"), "incorrect header"),
        (", ".join(["gzip"] * 6), b"x", "gzip, gzip"),
    ):
        reply = Reply(body=data, headers={"content-encoding": coding})
        wrong = pytest.raises(StreamDecodeError, match=f"cannot be decompressed.*{reason}")
        with MockServer(reply) as server, wrong:
            get(native_transport, run, post(server))


def test_a_decompression_bomb_is_returned_in_pieces() -> None:
    bomb = content_decoder("gzip")
    assert bomb is not None
    bomb.feed(gzip.compress(bytes(50_000_000)))
    sizes = []
    while piece := bomb.take():
        sizes.append(len(piece))
    bomb.close()
    assert (sum(sizes), max(sizes)) == (50_000_000, 65_536)


class Decoder:
    """Stands for a decoder that reads through the framing."""

    def _attach_connection(self, framing: Any) -> None:
        self.feed = framing.feed


@three_ways
def test_a_response_with_a_decoder_returns_raw_data_of_the_network(
    native_transport: NativeTransport, mock_server: MockServer, run: Any
) -> None:
    async def main() -> bytes:
        response = await native_transport.aopen(post(mock_server))
        response.hand_over(decoder := Decoder())
        data = b""
        while reads := await response.read():
            assert len(reads) == 1
            data += decoder.feed(reads[0])
        await response.aclose()
        return data

    def body() -> bytes:
        response = native_transport.open(post(mock_server))
        response.hand_over(decoder := Decoder())
        data = b"".join(map(decoder.feed, response))
        response.close()
        return data

    for _ in range(3):
        assert (body() if run is None else run(main())).endswith(b"data: [DONE]\n\n")
    if run is None:
        assert mock_server.connections.opened == 1


# Redirects.


@three_ways
@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_to_the_same_origin_is_followed_once(
    native_transport: NativeTransport, status: int, run: Any
) -> None:
    seen: list[bytes] = []
    moved = b"HTTP/1.1 %d Moved\r\nlocation: %s\r\ncontent-length: 5\r\n\r\nmoved"

    def script(sock: socket.socket) -> None:
        for answer in (moved % (status, b"elsewhere?x=1"), OK, moved % (status, b"/a"), moved % (status, b"/b")):
            seen.append(read_request(sock))
            sock.sendall(answer)
        read_request(sock)

    async def main(url: str) -> tuple[bytes, int]:
        data = await aread(native_transport, post(url, headers={"x-key": "k"}))
        response = await native_transport.aopen(post(url))
        await response.aclose()
        return data, response.status

    with scripted(script) as url:
        if run is None:
            assert read(native_transport, post(url, headers={"x-key": "k"})) == b"ok"
            response = native_transport.open(post(url))
            response.close()
            assert response.status == status
        else:
            assert run(main(url)) == (b"ok", status)
    first, second, *others = seen
    assert second == first.replace(b"/v1/completions ", b"/v1/elsewhere?x=1 ")
    assert [other.split(b" ")[1] for other in others] == [b"/v1/completions", b"/a"]


@three_ways
@pytest.mark.parametrize(
    ("status", "location"),
    [(302, "/a"), (301, "/a"), (303, "/a"), (307, None), (308, "http://localhost/a"), (307, "http://[/"), (307, "//b")],
)
def test_any_other_redirect_is_returned_as_a_response(
    native_transport: NativeTransport, status: int, location: str | None, run: Any
) -> None:
    where = "" if location is None else f"location: {location}\r\n"
    answer = f"HTTP/1.1 {status} Moved\r\n{where}content-length: 0\r\n\r\n".encode()

    with scripted(answering(answer, OK)) as url:
        assert begun(native_transport, run, post(url)).status == status


# What it costs to have it.


@pytest.mark.usefixtures("native")
def test_neither_httpx2_nor_asyncio_is_imported_for_a_sync_stream(mock_server: MockServer) -> None:
    code = (
        "import sys\n"
        "from millstream import OpenAI\n"
        "print(sorted({'httpx2', 'asyncio', 'ssl', 'socket'} & set(sys.modules)))\n"
        f"text = ''.join(OpenAI(base_url={mock_server.url!r}, api_key='k', transport='native').stream('p'))\n"
        "print(sorted({'httpx2', 'asyncio', 'ssl'} & set(sys.modules)), len(text) > 100)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n[] True\n", "")


def test_the_native_transport_implements_the_protocols(
    native_transport: NativeTransport, mock_server: MockServer
) -> None:
    serves: Transport = native_transport
    aserves: AsyncTransport = native_transport
    response = serves.open(post(mock_server))
    first = next(iter(response))
    assert (first + b"".join(response)).endswith(b"data: [DONE]\n\n")
    response.drain()
    response.close()
    response.close()
    response.drain()
    assert list(response) == []

    async def main() -> None:
        response = await aserves.aopen(post(mock_server))
        while await response.read():
            pass
        assert list(await response.read()) == []
        await response.adrain()
        await response.aclose()
        await response.aclose()
        assert list(await response.read()) == []

    asyncio.run(main())
