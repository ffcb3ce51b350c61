"""Content codings are decoded alike over both transports."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from endings import streamed
from langchain_peer import KEY
from marks import both_ways, over_both
from millstream import OpenAI
from millstream.errors import BadRequestError, StreamDecodeError
from millstream.testing import MockServer, Reply
from millstream.transport.native.content_coding import content_decoder

FRAMES = b"".join(b'data: {"choices": [{"index": 0, "text": "%d"}]}\n\n' % number for number in range(3))
END = b'data: {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
TEXTS = ["0", "1", "2", ""]


IDENTITY = ["UTF-8", "utf8", "none", "identity", "", "identity, identity", "binary", "aws-chunked", ","]
CODED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "X-GZip": gzip.compress,
    "deflate": zlib.compress,
    "identity, gzip": gzip.compress,
    "gzip, UTF-8": gzip.compress,
    "deflate, gzip": lambda data: gzip.compress(zlib.compress(data)),
    "gzip, deflate, gzip": lambda data: gzip.compress(zlib.compress(gzip.compress(data))),
}


def model(server: MockServer, transport: str) -> OpenAI:
    return OpenAI(base_url=server.url, api_key=KEY, transport=transport, max_retries=0)


@pytest.mark.usefixtures("patient")
@both_ways
@over_both
@pytest.mark.parametrize("coding", IDENTITY)
def test_an_unknown_content_coding_is_ignored(coding: str, transport: str, asynchronous: bool) -> None:
    with MockServer(Reply(body=[FRAMES, END], headers={"content-encoding": coding})) as server:
        assert streamed(model(server, transport), asynchronous) == TEXTS
        assert streamed(model(server, transport), asynchronous) == TEXTS
        assert asynchronous or server.connections.opened == 1


@both_ways
@over_both
@pytest.mark.parametrize("coding", list(CODED))
def test_codings_are_decoded_from_the_last_to_the_first(coding: str, transport: str, asynchronous: bool) -> None:
    data = CODED[coding](FRAMES + END)
    writes = [data[place : place + 7] for place in range(0, len(data), 7)]
    with MockServer(Reply(body=writes, headers={"content-encoding": coding})) as server:
        assert streamed(model(server, transport), asynchronous) == TEXTS


@both_ways
@over_both
@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, br", ", ".join(["gzip"] * 6)])
def test_a_coding_that_cannot_be_read_is_an_error(coding: str, transport: str, asynchronous: bool) -> None:
    with (
        MockServer(Reply(body=FRAMES + END, headers={"content-encoding": coding})) as server,
        pytest.raises(StreamDecodeError, match="cannot be decompressed .*which was not asked for"),
    ):
        streamed(model(server, transport), asynchronous)


@both_ways
@over_both
@pytest.mark.parametrize("coding", ["UTF-8", "gzip"])
def test_the_reason_of_an_error_status_is_read(coding: str, transport: str, asynchronous: bool) -> None:
    text = b'{"error": {"message": "too long"}}'
    body = gzip.compress(text) if coding == "gzip" else text
    reply = Reply(status=400, body=body, headers={"content-encoding": coding, "content-type": "application/json"})
    with MockServer(reply) as server, pytest.raises(BadRequestError, match="too long"):
        streamed(model(server, transport), asynchronous)


def pieces_of(coding: str, data: bytes) -> list[bytes]:
    """Return the pieces of output, including the empty ones."""
    content: Any = content_decoder(coding)
    content.feed(data)
    pieces = []
    while (piece := content.take()) is not None:
        pieces.append(piece)
    content.close()
    return pieces


def test_compressed_data_without_output_returns_in_small_steps() -> None:
    members = gzip.compress(b"") * 10_000
    pieces = pieces_of("gzip", members + gzip.compress(b"end"))
    assert b"".join(pieces) == b"end"
    assert len(pieces) > 100
    # A bomb of them is a bomb of steps, each of which is small.
    pieces = pieces_of("gzip, gzip", gzip.compress(members))
    assert (b"".join(pieces), len(pieces) > 100) == (b"", True)


def test_pieces_are_small_with_any_number_of_codings() -> None:
    bomb = gzip.compress(gzip.compress(bytes(20_000_000)))
    pieces = pieces_of("gzip, gzip", bomb)
    assert (sum(map(len, pieces)), max(map(len, pieces))) == (20_000_000, 65_536)
