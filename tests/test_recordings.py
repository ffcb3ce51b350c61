"""Recorded exchanges: what the proxy writes, and that the mock server sends it again byte for byte."""

import asyncio
import gzip
import json
import math
import os
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from format_requests import FORMATS, FormatRequest, read
from millstream.testing import (
    Cut,
    ErrorStatus,
    Exchange,
    MockServer,
    Recorder,
    Recording,
    RecordingError,
    Replay,
    Reply,
    Stall,
    Write,
    chop,
    load_recording,
    refusing_url,
)

PIECES = ("Hel", "lo “", "é\n", " [}\u2028", "\\🙂")
each_format = pytest.mark.parametrize("asked", FORMATS, ids=lambda asked: f"{asked.name} {asked.path[-8:]}")


def wait_for(recorder: Recorder, count: int) -> None:
    """Wait until so many exchanges are in the file."""
    recorder.wait_until(lambda: recorder.recorded == count)


@each_format
def test_every_format_is_forwarded_recorded_and_replayed_byte_for_byte(asked: FormatRequest, tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    with MockServer(Reply(pieces=PIECES, tool_calls=[{"name": "f", "args": {"a": "é"}}])) as upstream:
        with Recorder(upstream.origin, path) as recorder:
            forwarded = [read(recorder, asked), read(recorder, asked, stream=False)]
            wait_for(recorder, 2)
        direct = [one.content.replace(b"mock3", b"mock1").replace(b"mock4", b"mock2") for one in (
            read(upstream, asked), read(upstream, asked, stream=False)
        )]  # fmt: skip
    assert [len(one.content) for one in forwarded] == [len(one) for one in direct]
    for way in (None, "bytes", "lines", "events", 7):
        with MockServer(Replay(path, speed=math.inf, chop=way)) as server:
            for stream, one in zip((True, False), forwarded, strict=True):
                again = read(server, asked, stream=stream)
                assert (again.status_code, again.content) == (200, one.content)
                assert again.headers["content-type"] == one.headers["content-type"]


def test_a_recording_is_one_readable_line_for_each_event(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    with MockServer(Reply(pieces=["a", "\u2028é"])) as upstream, Recorder(upstream.url, path) as recorder:
        assert recorder.url == f"{recorder.origin}/v1"
        httpx2.post(f"{recorder.url}/completions?a=1", json={"prompt": "p", "stream": True})
        wait_for(recorder, 1)
    first, *events = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
    assert len(path.read_text().splitlines()) == len(events) + 1
    assert first == {"millstream": "recording", "version": 1, "upstream": upstream.origin}
    assert {event["exchange"] for event in events} == {1}
    assert [event["event"] for event in events] == ["request", "response", *["data"] * 4, "end"]
    assert (events[0]["method"], events[0]["path"], events[0]["query"]) == ("POST", "/v1/completions", "a=1")
    assert json.loads(events[0]["text"]) == {"prompt": "p", "stream": True}
    assert events[1]["status"] == 200
    assert ["content-type", "text/event-stream; charset=utf-8"] in events[1]["headers"]
    assert events[-2]["text"] == "data: [DONE]\n\n"
    assert sorted(event["at"] for event in events) == [event["at"] for event in events]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_recording_is_for_its_owner_alone(tmp_path: Path) -> None:
    with Recorder("http://127.0.0.1:1", tmp_path / "recording.jsonl"):
        assert stat.S_IMODE((tmp_path / "recording.jsonl").stat().st_mode) == 0o600


def test_bytes_that_are_no_text_are_recorded_too(tmp_path: Path) -> None:
    body = [b"\xff\x00", "é".encode()[:1], "é".encode()[1:]]
    with MockServer(Reply(body=body)) as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        httpx2.post(f"{recorder.url}/completions", content=b"\xfe")
        wait_for(recorder, 1)
    (exchange,) = load_recording(tmp_path / "r").exchanges
    assert (exchange.body, exchange.request_body) == (b"".join(body), b"\xfe")


def test_a_response_arrives_with_the_pauses_that_were_recorded(tmp_path: Path) -> None:
    with (
        MockServer(Reply(pieces=list("abcd"), pace=0.05)) as upstream,
        Recorder(upstream.url, tmp_path / "r") as recorder,
    ):
        httpx2.post(f"{recorder.url}/completions", json={"prompt": "p", "stream": True})
        wait_for(recorder, 1)
    (exchange,) = load_recording(tmp_path / "r").exchanges
    assert exchange.end_at >= 0.15

    def seconds(speed: float) -> float:
        with MockServer(Replay(tmp_path / "r", speed=speed)) as server:
            begun = time.monotonic()
            httpx2.post(f"{server.url}/completions", json={"prompt": "p", "stream": True})
            return time.monotonic() - begun

    assert seconds(1) >= exchange.end_at
    assert seconds(0.5) >= 2 * exchange.end_at
    assert seconds(3) >= exchange.end_at / 3


def test_chopped_pieces_arrive_when_their_last_byte_did(tmp_path: Path) -> None:
    with MockServer(Reply(body=[b"ab", b"cd\n"])) as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        httpx2.post(f"{recorder.url}/completions", json={})
        wait_for(recorder, 1)
    (exchange,) = load_recording(tmp_path / "r").exchanges
    request: Any = type("Request", (), {"method": "POST", "path": "/v1/completions", "data": b"{}"})()
    reply = Replay(tmp_path / "r", chop=3)(request)
    times = [write.at for write in exchange.writes]
    assert reply.body == [b"abc", b"d\n"]
    assert reply.timing is not None
    assert list(reply.timing.writes) == [times[1], times[1]]


def test_a_client_may_leave_at_the_end_mark_and_the_recording_is_whole(tmp_path: Path) -> None:
    stalled = Reply(pieces=["a"], fault=Stall("done"))
    with MockServer(stalled) as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        client = openai.OpenAI(base_url=recorder.url, api_key="k", max_retries=0)
        assert len(list(client.completions.create(model="m", prompt="p", stream=True))) == 2
        recorder.wait_closed()
        upstream.release()
        wait_for(recorder, 1)
    assert load_recording(tmp_path / "r").exchanges[0].cut_by is None


def test_an_exchange_that_was_cut_is_cut_again(tmp_path: Path) -> None:
    with MockServer(Reply(fault=Cut(2))) as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        with pytest.raises(httpx2.TransportError):
            httpx2.post(f"{recorder.url}/completions", json={"prompt": "p", "stream": True})
        wait_for(recorder, 1)
        upstream.reply = Reply(fault=Stall(2))
        with httpx2.stream("POST", f"{recorder.url}/completions", json={"prompt": "q", "stream": True}) as response:
            next(response.iter_bytes())
        upstream.wait_until(lambda: upstream.connections[2].closed_by == "client")
        wait_for(recorder, 2)
    cut, left = load_recording(tmp_path / "r").exchanges
    assert (cut.cut_by, left.cut_by) == ("upstream", "client")
    with MockServer(Replay(tmp_path / "r")) as server:
        for prompt in "pq":
            with pytest.raises(httpx2.RemoteProtocolError):
                httpx2.post(f"{server.url}/completions", json={"prompt": prompt, "stream": True})


def test_an_upstream_that_does_not_answer_is_a_502_and_one_line(tmp_path: Path) -> None:
    problems: list[str] = []
    with refusing_url() as url, Recorder(url, tmp_path / "r", on_problem=problems.append) as recorder:
        answer = httpx2.post(f"{recorder.url}/completions", json={})
    assert (answer.status_code, len(problems)) == (502, 1)
    assert answer.json()["error"]["message"] == problems[0]
    assert problems[0].startswith(f"the upstream {url.removesuffix('/v1')} did not answer: ")


def test_a_compressed_response_is_recorded_as_it_reads(tmp_path: Path) -> None:
    reply = Reply(body=gzip.compress(b"plain text"), headers={"content-encoding": "gzip"})
    with MockServer(reply) as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        assert httpx2.post(f"{recorder.url}/completions", json={}).text == "plain text"
        wait_for(recorder, 1)
        assert upstream.requests[0].headers["accept-encoding"] == "identity"
    (exchange,) = load_recording(tmp_path / "r").exchanges
    assert exchange.body == b"plain text"
    assert "content-encoding" not in dict(exchange.headers)


def test_a_coding_that_cannot_be_read_is_not_recorded(tmp_path: Path) -> None:
    problems: list[str] = []
    reply = Reply(body=b"\x01", headers={"content-encoding": "br"})
    with (
        MockServer(reply) as upstream,
        Recorder(upstream.url, tmp_path / "r", on_problem=problems.append) as recorder,
        httpx2.stream("POST", f"{recorder.url}/completions", json={}) as response,
    ):
        assert b"".join(response.iter_raw()) == b"\x01"
        recorder.wait_until(lambda: bool(problems))
    assert "content coding 'br'" in problems[0]


def test_requests_at_once_are_recorded_whole_each(tmp_path: Path) -> None:
    bodies = [{"prompt": f"{number:05}", "stream": True} for number in range(20)]

    async def ask(url: str) -> None:
        async with httpx2.AsyncClient() as client:
            await asyncio.gather(*(client.post(f"{url}/completions", json=body) for body in bodies))

    spell = MockServer(lambda asked: Reply(pieces=list(asked.body["prompt"])))
    with spell as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        asyncio.run(ask(recorder.url))
        wait_for(recorder, 20)
    with MockServer(Replay(tmp_path / "r", speed=math.inf)) as server:
        for body in reversed(bodies):
            lines = httpx2.post(f"{server.url}/completions", json=body).text.split("\n\n")[:-3]
            assert "".join(json.loads(line[6:])["choices"][0]["text"] for line in lines) == body["prompt"]


def test_a_request_gets_the_next_response_of_its_path_and_the_last_one_again() -> None:
    def exchange(path: str, body: bytes, answer: bytes) -> Exchange:
        return Exchange("POST", path, "", (), body, 0, 200, (), [Write(0, answer)], 0)

    recording = Recording("", [exchange("/a", b"1", b"x"), exchange("/a", b"2", b"y"), exchange("/a", b"1", b"z")])
    with MockServer(Replay(recording)) as server:
        answers = [httpx2.post(f"{server.origin}/a", content=body).text for body in ("2", "2", "1", "1", "1", "9")]
        assert answers == ["y", "y", "x", "z", "z", "z"]
        missing = httpx2.post(f"{server.origin}/b")
        assert missing.status_code == 404
        assert "no exchange of POST /b was recorded, only POST /a" in missing.text


def test_a_status_and_its_headers_are_replayed(tmp_path: Path) -> None:
    reply = Reply(fault=ErrorStatus(429, headers={"retry-after": "7"}))
    with MockServer(reply) as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        httpx2.post(f"{recorder.url}/completions", json={})
        wait_for(recorder, 1)
    with MockServer(Replay(tmp_path / "r")) as server:
        again = httpx2.post(f"{server.url}/completions", json={})
    assert (again.status_code, again.headers["retry-after"]) == (429, "7")
    assert again.headers["content-length"] == str(len(again.content))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: not a JSON object"),
        ("{}\n", "is not a recording: write one with 'millstream record URL'"),
        ('{"millstream": "recording", "version": 9}\n', "has version 9, and this release reads 1: record it again"),
        ('{"millstream": "recording", "version": 1}\n', "has no complete exchange"),
        ('{"millstream": "recording", "version": 1}\n{"event": "end"}\n', "line 2: the exchange that ends here"),
        ('{"millstream": "recording", "version": 1}\nx\n', "line 2: not a JSON object"),
    ],
)
def test_a_file_that_is_not_a_recording_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "r").write_text(text)
    with pytest.raises(RecordingError, match=message):
        load_recording(tmp_path / "r")


def test_a_recording_without_its_last_lines_has_the_exchanges_before(tmp_path: Path) -> None:
    with MockServer() as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        for count in (1, 2):
            httpx2.post(f"{recorder.url}/completions", json={"prompt": "p"})
            wait_for(recorder, count)
    lines = (tmp_path / "r").read_text().splitlines(keepends=True)
    (tmp_path / "r").write_text("".join(lines[:-1]))
    assert len(load_recording(tmp_path / "r").exchanges) == 1


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("mine")
    with pytest.raises(FileExistsError):
        Recorder("http://127.0.0.1:1", tmp_path / "r").start()
    assert (tmp_path / "r").read_text() == "mine"


def test_a_port_in_use_creates_no_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="address"):
        Recorder("http://127.0.0.1:1", tmp_path / "r", port=taken.getsockname()[1]).start()
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("url", ["", "api.openai.com", "ftp://x", "http://"])
def test_an_upstream_is_a_url(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the upstream must be a URL such as https://api\.openai\.com/v1"):
        Recorder(url, tmp_path / "r")


@pytest.mark.parametrize(
    ("data", "where", "pieces"),
    [
        (b"abcde", 2, [b"ab", b"cd", b"e"]),
        (b"abc", "bytes", [b"a", b"b", b"c"]),
        (b"a\nb\r\nc\rd", "lines", [b"a\n", b"b\r\n", b"c\r", b"d"]),
        (b"a: 1\n\nb: 2\r\n\r\nc", "events", [b"a: 1\n\n", b"b: 2\r\n\r\n", b"c"]),
        (b"{}\n{}\n", "events", [b"{}\n", b"{}\n"]),
        (b"\0\0\0\x10123456789abc\0\0\0\x10123", "events", [b"\0\0\0\x10123456789abc", b"\0\0\0\x10123"]),
        (b"", "events", []),
    ],
)
def test_a_body_is_cut_at_chosen_boundaries(data: bytes, where: Any, pieces: list[bytes]) -> None:
    assert chop(data, where) == pieces


@pytest.mark.parametrize("where", [0, -1, "words", None])
def test_a_boundary_that_is_not_known_is_refused(where: Any) -> None:
    with pytest.raises(ValueError, match="chop must be a number of bytes above 0, 'bytes', 'lines' or 'events'"):
        chop(b"", where)


def test_a_fixture_starts_a_server_over_a_recording(mock_replay: Callable[..., MockServer], tmp_path: Path) -> None:
    with MockServer(Reply(pieces=["a"])) as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        body = {"prompt": "p", "stream": True}
        data = httpx2.post(f"{recorder.url}/completions", json=body).content
        wait_for(recorder, 1)
    for options in ({}, {"chop": "lines"}, {"speed": 5}):
        assert httpx2.post(f"{mock_replay(tmp_path / 'r', **options).url}/completions", json=body).content == data
