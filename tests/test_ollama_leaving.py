"""Leaving streams of ``ChatOllama`` early, or calls of it: the connection is closed, and nothing is left behind."""

import asyncio
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from endings import assert_closed_by_us, read_all
from millstream.errors import (
    APIConnectionError,
    APITimeoutError,
    InternalServerError,
    NotFoundError,
    ProviderError,
    StreamDecodeError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.providers.ollama import ChatOllama
from millstream.testing import Cut, MockServer, Reply, Stall, refusing_url
from model_leaving import *  # noqa: F403
from model_leaving import both_ways, check_failure, open_stream
from ollama_peers import END, READS, line, lines, ollama_of, peer, served, texts

pytestmark = pytest.mark.usefixtures("without_the_collector")

make_model = ollama_of


def test_cancelling_an_answer_closes_its_connection(server: MockServer) -> None:
    async def main() -> None:
        task = asyncio.create_task(ollama_of(server).ainvoke("p"))
        await server.await_until(lambda: server.requests != [] and server.requests[-1].pieces_sent == 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert_closed_by_us(server)


# How streams fail, and what is left then.

FAILURES: dict[str, tuple[Callable[[], Any], type[Exception], str, str]] = {
    "cut": (
        lambda: Reply(body=[lines(line("a")), lines(line("b"))]),
        StreamTruncatedError,
        "ended before its end",
        "ab",
    ),
    "cut in a line": (
        lambda: Reply(body=[lines(line("a")), lines(END)[:9]]),
        StreamTruncatedError,
        "ended before",
        "a",
    ),
    "broken": (
        lambda: Reply(pieces=["a", "b", "c"], fault=Cut(after=2)),
        StreamTruncatedError,
        "the connection broke in mid-stream",
        "ab",
    ),
    "error": (lambda: served(line("a"), {"error": "out of memory"}), ProviderError, "out of memory", "a"),
    "error object": (lambda: served({"error": {"message": "no"}}), ProviderError, "no", ""),
    "no JSON": (lambda: served(line("a"), b"{nonsense}"), StreamDecodeError, "invalid JSON in the line at byte", "a"),
    "markup": (lambda: served(b"<html>" + b" " * 600), StreamDecodeError, "", ""),
    "nothing": (lambda: Reply(body=b""), StreamTruncatedError, "", ""),
    "stall": (lambda: Reply(pieces=["a", "b"], fault=Stall(after=1)), StreamStalledError, "", "a"),
}


@both_ways
@pytest.mark.parametrize("name", FAILURES)
def test_a_stream_that_fails_says_how_with_its_text(name: str, asynchronous: bool) -> None:
    make, kind, message, text = FAILURES[name]
    stalls = name == "stall"
    check_failure(make_model, make(), (kind, message, text), stalls=stalls, asynchronous=asynchronous)


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
@pytest.mark.parametrize("name", FAILURES)
def test_an_answer_that_fails_raises_what_its_stream_raises(name: str, how: str) -> None:
    make, kind, _, text = FAILURES[name]
    with MockServer(make()) as server:
        model = ollama_of(server, stream_chunk_timeout=0.3 if name == "stall" else 30)
        with pytest.raises(kind) as caught:
            READS[how](model, "p")
    assert caught.value.text == text  # type: ignore[attr-defined]


def test_langchains_stream_that_is_cut_just_ends() -> None:
    with MockServer(Reply(body=[lines(line("a"))])) as server, peer(server) as theirs:
        assert theirs.invoke("p").content == "a"


@both_ways
@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (404, b'{"error":"model \'m\' not found"}', NotFoundError, "model 'm' not found"),
        (500, b'{"error":"the runner has terminated"}', InternalServerError, "the runner has terminated"),
        (500, b"plain", InternalServerError, "plain"),
    ],
)
def test_a_status_is_an_error_with_the_servers_words(
    status: int, body: bytes, kind: type[Exception], message: str, asynchronous: bool
) -> None:
    with MockServer(Reply(status=status, body=body, content_type="application/json")) as server:
        chunks, error = read_all(open_stream(ollama_of(server), asynchronous))
    assert chunks == []
    assert type(error) is kind
    assert message in str(error)


@both_ways
def test_a_server_that_is_not_there_is_an_error(asynchronous: bool) -> None:
    with refusing_url() as url:
        model = ChatOllama(model="m", base_url=url.removesuffix("/v1"), max_retries=0)
        _, error = read_all(open_stream(model, asynchronous))
    assert type(error) is APIConnectionError


def test_a_timeout_of_the_client_arguments_applies(server: MockServer) -> None:
    model = ollama_of(server, client_kwargs={"timeout": 0.2})
    with pytest.raises(StreamStalledError):
        list(model.stream("p"))
    sync_only = ollama_of(server, sync_client_kwargs={"timeout": 0.2})
    with pytest.raises((StreamStalledError, APITimeoutError)):
        list(sync_only.stream("p"))


@pytest.mark.parametrize("reads", [[lines(line("a")), b"{]\n"], [lines(line("a"))]])
def test_an_error_keeps_no_response_alive(reads: list[bytes]) -> None:
    kept: list[Any] = []

    class Response:
        status = 200

        def __init__(self) -> None:
            self.headers: dict[str, str] = {}

        def __iter__(self) -> Any:
            return iter(reads)

        def drain(self) -> None:
            pass

        close = drain

    class Transport:
        def open(self, request: Any) -> Any:
            response = Response()
            kept.append(weakref.ref(response))
            return response

    model = ChatOllama(model="m", http_client=Transport())
    _, error = read_all(model.stream("p"))
    assert isinstance(error, (StreamDecodeError, StreamTruncatedError))
    assert kept[0]() is None
    assert sys.getrefcount(error) < 10


def test_a_stream_that_breaks_before_its_first_text_is_sent_again() -> None:
    with MockServer(script=[Reply(pieces=["a"], fault=Cut(after=0)), served(*texts("b"))]) as server:
        assert ollama_of(server, max_retries=1).invoke("p").content == "b"
        assert len(server.requests) == 2
