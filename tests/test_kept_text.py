"""The text that a decoder keeps: for errors its first bytes, for a result all of it; and what counts as content."""

import asyncio
import itertools
import json
import socket
import time
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endings import at_once, streamed
from millstream import ChatOpenAI, OpenAI
from millstream.errors import StreamStalledError, StreamTruncatedError
from millstream.testing import MockServer, Reply
from scripted import read_request, scripted
from streams import Halves, cut, run, splits

LIMIT = 200
DONE = b"data: [DONE]\n\n"
BAD = b"data: {bad}\n\n"


def frame(text: str, **fields: Any) -> bytes:
    choice = {"index": 0, "text": text, "delta": {"content": text}, **fields}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"


def first(text: str, size: int) -> str:
    return text.encode()[:size].decode("utf-8", "ignore")


@pytest.mark.parametrize("piece", ["a", "é", "€", "😀", "ab€", "x" * 30])
@pytest.mark.parametrize("format_", ["openai.chat", "openai.completions"])
def test_errors_carry_the_first_bytes_of_the_text_whole_characters(impl: ModuleType, piece: str, format_: str) -> None:
    for count in (LIMIT // len(piece.encode()), LIMIT // len(piece.encode()) + 5):
        body = frame(piece) * count + frame("y") + BAD
        for pieces in itertools.islice(splits(body), 4):
            decoder = impl.StreamDecoder(format_, max_event_size=LIMIT)
            failure = run(decoder, pieces).failure
            assert failure is not None
            whole = piece * count + "y"
            assert failure["text"] == decoder.text == first(whole, LIMIT)
            assert failure["text_complete"] is decoder.text_complete is (len(whole.encode()) <= LIMIT)


@given(
    texts=st.lists(st.text("aé€😀", max_size=30), max_size=20),
    cuts=st.lists(st.integers(0, 2000), max_size=5),
    makes=st.sampled_from(["feed", "feed_text", "_feed_parts"]),
    keeps=st.booleans(),
    asked=st.booleans(),
)
def test_both_halves_keep_the_same_text(
    halves: Halves, texts: list[str], cuts: list[int], makes: str, keeps: bool, asked: bool
) -> None:
    body, whole = b"".join(map(frame, texts)), "".join(texts)
    for half in halves:
        decoder = half.StreamDecoder("openai.chat", max_event_size=LIMIT)
        if keeps:
            decoder._keep_text()
        for piece in cut(body, cuts):
            getattr(decoder, makes)(piece)
            if asked:
                assert whole.startswith(decoder.text)
        assert decoder.text == first(whole, LIMIT)
        assert decoder.text_complete is (len(whole.encode()) <= LIMIT)
        assert decoder._kept_text == (whole if keeps else decoder.text)


def test_a_long_stream_is_not_kept(halves: Halves) -> None:
    import tracemalloc

    decoder = halves.python.StreamDecoder("openai.completions", max_event_size=2000)
    data = frame("x" * 500) * 100
    tracemalloc.start()
    for _ in range(200):
        decoder.feed_text(data)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000
    assert (decoder.text, decoder.text_complete, decoder.deltas_seen) == ("x" * 2000, False, 20_000)


def test_content_is_text_reasoning_refusals_and_calls(impl: ModuleType) -> None:
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}
    contents = [{"content": "a"}, {"reasoning": "r"}, {"refusal": "n"}, {"tool_calls": [call]}]
    nothing = [{"role": "assistant"}, {"content": ""}, {}]
    others = [
        b'data: {"usage": {"n": 1}}\n\n',
        b": ping\n\n",
        frame("", logprobs={"content": []}, finish_reason="stop"),
    ]
    for method in ("feed", "feed_text", "_feed_parts"):
        decoder = impl.StreamDecoder("openai.chat")
        feed = getattr(decoder, method)
        for other in [*others, *(frame("", delta=delta) for delta in nothing)]:
            feed(other)
            assert decoder._contents_seen == 0
        for count, delta in enumerate(contents * 3, 1):
            feed(frame("", delta=delta))
            assert decoder._contents_seen == count


# Models.

BIG = "0123456789€" * 100_000


def ways(model: Any) -> list[Callable[[], Any]]:
    return [lambda: streamed(model, False), lambda: streamed(model, True)]


@pytest.mark.parametrize("kind", [OpenAI, ChatOpenAI])
def test_a_result_has_all_of_a_text_that_errors_cut(kind: Any) -> None:
    body = frame(BIG) * 15 + frame("end", finish_reason="stop") + DONE
    with MockServer(Reply(body=body, content_type="text/event-stream")) as server:
        model = kind(model="m", base_url=server.url, api_key="k", streaming=True)
        answers = [model.invoke("p"), asyncio.run(model.ainvoke("p"))]
    for answer in answers:
        assert (answer if kind is OpenAI else answer.content) == BIG * 15 + "end"


@pytest.mark.parametrize("kind", [OpenAI, ChatOpenAI])
def test_a_cut_stream_s_error_says_that_there_was_more_text(kind: Any) -> None:
    with MockServer(Reply(body=frame(BIG) * 15, content_type="text/event-stream")) as server:
        for way in ways(kind(model="m", base_url=server.url, api_key="k")):
            with pytest.raises(StreamTruncatedError) as caught:
                way()
            assert caught.value.text == first(BIG * 15, 1 << 24)
            assert caught.value.text_complete is False


QUIET = [
    b'data: {"choices":[],"usage":{"total_tokens":1}}\n\n',
    frame("", delta={"role": "assistant"}),
    frame("", logprobs={"content": []}),
    b'data: {"status":"working"}\n\n',
]


def drips(piece: bytes) -> Callable[[socket.socket], None]:
    def script(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + frame("x"))
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            sock.sendall(piece)
            time.sleep(0.01)

    return script


def stalled(way: Callable[[], Any]) -> str:
    """Return the text that had come."""
    with pytest.raises(StreamStalledError) as caught:
        way()
    return caught.value.text


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("piece", QUIET, ids=["usage", "roles", "logprobs", "metadata"])
def test_a_stream_without_content_stalls_whatever_it_sends(piece: bytes) -> None:
    with scripted(*[drips(piece)] * 8) as url:
        options: Any = {"base_url": url, "api_key": "k", "stream_chunk_timeout": 0.5, "max_retries": 0}
        models = [kind(transport=over, **options) for kind in (OpenAI, ChatOpenAI) for over in ("native", "httpx2")]
        assert at_once([partial(stalled, way) for model in models for way in ways(model)]) == ["x"] * 8
