"""Leaving streams of ``ChatGoogleGenerativeAI`` early, or calls of it: the connection is closed, nothing is left."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from endings import assert_closed_by_us, read_all
from google_answers import END, part, payload, stream
from google_peer import our_model
from millstream import ChatGoogleGenerativeAI
from millstream.errors import (
    APIConnectionError,
    EventTooLargeError,
    ProviderError,
    StreamDecodeError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.testing import Cut, MockServer, Reply, Stall, refusing_url
from model_leaving import *  # noqa: F403
from model_leaving import both_ways, check_failure, open_stream

pytestmark = pytest.mark.usefixtures("without_the_collector")

make_model = our_model


def test_cancelling_an_answer_closes_its_connection() -> None:
    async def main() -> None:
        task = asyncio.create_task(our_model(server).ainvoke("p"))
        await server.await_until(lambda: server.requests != [] and server.requests[-1].pieces_sent == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    whole = [b'{"candidates": [', b"]}"]
    with MockServer(Reply(body=whole, content_type="application/json", fault=Stall(after=1))) as server:
        asyncio.run(main())
        assert_closed_by_us(server)


FAILURES: dict[str, tuple[Callable[[], Reply], type[Exception], str, str]] = {
    "cut": (
        lambda: stream([payload(part("a")), payload(part("b"))]),
        StreamTruncatedError,
        "ended before its end mark",
        "ab",
    ),
    "cut in an event": (
        lambda: Reply(body=[_frame(payload(part("a"))), _frame(payload(part("b"), **END))[:30]]),
        StreamTruncatedError,
        "ended before its end mark",
        "a",
    ),
    "broken": (
        lambda: Reply(pieces=["a", "b", "c"], fault=Cut(after=2)),
        StreamTruncatedError,
        "the connection broke in mid-stream",
        "ab",
    ),
    "error": (
        lambda: stream([payload(part("a")), {"error": {"code": 503, "message": "overloaded"}}]),
        ProviderError,
        "overloaded",
        "a",
    ),
    "no JSON": (lambda: Reply(body=b"data: {nonsense}\n\n"), StreamDecodeError, "invalid JSON", ""),
    "markup": (lambda: Reply(body=b"<html>" + b" " * 600), StreamDecodeError, "", ""),
    "nothing": (lambda: Reply(body=b""), StreamTruncatedError, "", ""),
    "stall": (lambda: Reply(pieces=["a", "b"], fault=Stall(after=1)), StreamStalledError, "", "a"),
}


def _frame(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\r\n\r\n"


@both_ways
@pytest.mark.parametrize("name", FAILURES)
def test_a_stream_that_fails_says_how_with_its_text(name: str, asynchronous: bool) -> None:
    make, kind, message, text = FAILURES[name]
    stalls = name == "stall"
    check_failure(make_model, make(), (kind, message, text), stalls=stalls, asynchronous=asynchronous)


def test_a_whole_answer_that_is_too_large_is_an_error() -> None:
    document = payload(part("a" * 5000), **END)
    reply = Reply(body=json.dumps(document).encode(), content_type="application/json", framing="length")
    with MockServer(reply) as server, pytest.raises(EventTooLargeError, match="larger than max_response_size"):
        our_model(server, max_response_size=1000).invoke("p")


@both_ways
def test_a_server_that_is_not_there_is_an_error(asynchronous: bool) -> None:
    with refusing_url() as url:
        model = ChatGoogleGenerativeAI(model="m", api_key="k", base_url=url.removesuffix("/v1"), max_retries=1)
        _, error = read_all(open_stream(model, asynchronous))
    assert type(error) is APIConnectionError


def test_a_stream_that_breaks_before_its_first_text_is_sent_again() -> None:
    good = stream([payload(part("b"), **END)])
    with MockServer(script=[Reply(pieces=["a"], fault=Cut(after=0)), good]) as server:
        chunks = our_model(server, max_retries=2).stream("p")
        assert "".join(chunk.text for chunk in chunks) == "b"
        assert len(server.requests) == 2


def test_a_call_decides_how_often_its_request_is_sent() -> None:
    failing = Reply(status=503, body=b"{}", headers={"retry-after-ms": "1"}, framing="length")
    with MockServer(script=[failing, failing, stream([payload(part("b"), **END)])]) as server:
        assert our_model(server, max_retries=1).invoke("p", max_retries=3).text == "b"
        assert len(server.requests) == 3
