"""Retries after a success status: only a connection lost before the first delta, within one deadline."""

import asyncio
import time
from typing import Any

import pytest

from endings import aread
from millstream import ChatOpenAI, OpenAI
from millstream.errors import (
    APIConnectionError,
    APITimeoutError,
    InternalServerError,
    ProviderError,
    RateLimitError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.testing import VERSE, Cut, ErrorFrame, ErrorStatus, MockServer, Reply, Stall

TRANSPORTS = ("native", "httpx2")
TEXT = "".join(VERSE)
# The server sends a comment, and then the connection is lost.
LOST = Reply(body=[b": wait\n\n", b"data: {}\n\n"], fault=Cut(after=1, how="reset"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millstream.providers.http.retry._FIRST_DELAY", 0.001)


def model(cls: type[Any], server: MockServer, **arguments: Any) -> Any:
    return cls(base_url=server.url, api_key="k", **arguments)


def text_of(events: list[Any]) -> str:
    """Return the text of the stream events of a model."""
    chunks = [event["data"]["chunk"] for event in events if event["event"].endswith("model_stream")]
    chunks += [event["data"]["chunk"] for event in events if event["event"] == "on_llm_stream"]
    return join(chunks)


def join(chunks: list[Any]) -> str:
    return "".join(
        chunk if isinstance(chunk, str) else getattr(chunk, "content", None) or chunk.text for chunk in chunks
    )


def list_streams(llm: Any) -> list[Any]:
    """Return every method that streams, each as a function that returns the text."""
    chain = PromptTemplate.from_template("{p}") | llm | StrOutputParser()
    return [
        lambda: join(list(llm.stream("p"))),
        lambda: join(asyncio.run(aread(llm.astream("p")))),
        lambda: text_of(list(llm.stream_events("p", version="v2"))),
        lambda: text_of(asyncio.run(aread(llm.astream_events("p", version="v2")))),
        lambda: text_of(asyncio.run(aread(llm.astream_events("p", version="v1")))),
        lambda: join(list(chain.stream({"p": "p"}))),
        lambda: join(asyncio.run(aread(chain.astream({"p": "p"})))),
        lambda: text_of(asyncio.run(aread(chain.astream_events({"p": "p"}, version="v2")))),
    ]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("way", range(8))
def test_a_connection_lost_before_the_first_delta_is_retried(transport: str, cls: type[Any], way: int) -> None:
    early = Reply(fault=Cut(after="head", how="fin"))
    with MockServer(script=[LOST, early]) as server:
        assert list_streams(model(cls, server, transport=transport))[way]() == TEXT
        assert len(server.requests) == 3
        assert server.requests[0].data == server.requests[2].data


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
def test_the_records_of_a_retried_stream_contain_it_once(transport: str, cls: type[Any]) -> None:
    with MockServer(script=[LOST]) as server:
        llm = model(cls, server, transport=transport)
        again = b"".join(asyncio.run(aread(llm.astream_records("p"))))
        once = b"".join(asyncio.run(aread(llm.astream_records("p"))))
        assert again.count(b"\n\n") == once.count(b"\n\n") > len(VERSE)
        assert len(server.requests) == 3


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("way", [0, 1, 3, 7])
def test_lost_streams_are_retried_within_max_retries(transport: str, way: int) -> None:
    for retries in (0, 1):
        with MockServer(LOST) as server:
            with pytest.raises(StreamTruncatedError, match="the connection broke"):
                list_streams(model(ChatOpenAI, server, transport=transport, max_retries=retries))[way]()
            assert len(server.requests) == retries + 1


def test_statuses_and_lost_streams_share_their_tries() -> None:
    busy = Reply(fault=ErrorStatus(503, headers={"retry-after-ms": "1"}))
    for way in (0, 1):
        with MockServer(script=[busy, LOST, busy]) as server:
            with pytest.raises(InternalServerError):
                list_streams(model(OpenAI, server))[way]()
            assert len(server.requests) == 3


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("way", [0, 3])
@pytest.mark.parametrize(
    ("reply", "error_class"),
    [
        (Reply(fault=Cut(after=1, how="reset")), StreamTruncatedError),
        (Reply(fault=Cut(after=0, how="end"), pieces=[]), StreamTruncatedError),
        (Reply(body=[b'data: {"error": {"message": "no"}}\n\n', b":\n\n"], fault=Cut(after=1)), ProviderError),
        (Reply(fault=Stall(after="head")), StreamStalledError),
        (Reply(body=[b": wait\n\n"], fault=Stall(after=1, comment_every=0.02)), StreamStalledError),
        (Reply(fault=ErrorFrame(after=0)), ProviderError),
    ],
    ids=["delta", "end", "error", "stall", "comments", "frame"],
)
def test_nothing_else_is_retried(transport: str, way: int, reply: Reply, error_class: type[Exception]) -> None:
    with MockServer(reply) as server:
        with pytest.raises(error_class):
            list_streams(model(OpenAI, server, transport=transport, stream_chunk_timeout=0.4))[way]()
        assert len(server.requests) == 1


# One deadline for all tries.


@pytest.mark.parametrize("transport", ["native"])
@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("is_async", [True, False])
def test_total_timeout_is_one_deadline_for_all_tries(
    transport: str, cls: type[Any], streams: bool, is_async: bool
) -> None:
    with MockServer(Reply(fault=Stall(after="request"))) as server:
        llm = model(cls, server, transport=transport, total_timeout=0.2, max_retries=50)
        call: Any = (lambda: list(llm.stream("p"))) if streams else lambda: llm.invoke("p")
        if is_async:
            call = (lambda: asyncio.run(aread(llm.astream("p")))) if streams else lambda: asyncio.run(llm.ainvoke("p"))
        started = time.monotonic()
        with pytest.raises(APITimeoutError):
            call()
        assert len(server.requests) < 10
        assert time.monotonic() - started >= 0.15


def test_a_wait_beyond_the_deadline_is_not_started() -> None:
    with MockServer(Reply(fault=ErrorStatus(429, headers={"retry-after": "30"}))) as server:
        with pytest.raises(RateLimitError):
            model(OpenAI, server, total_timeout=5).invoke("p")
        assert len(server.requests) == 1


def test_all_tries_of_a_request_have_one_deadline() -> None:
    ends: list[float] = []

    class Failing:
        def open(self, request: Any) -> Any:
            ends.append(request.end_by)
            raise APIConnectionError("refused")

        def close(self) -> None: ...

    began = time.monotonic()
    with pytest.raises(APIConnectionError):
        OpenAI(api_key="k", http_client=Failing(), total_timeout=9).invoke("p")
    assert len(ends) == 3
    assert ends[0] == ends[1] == ends[2]
    assert began + 9 <= ends[0] <= time.monotonic() + 9
