"""What ends an answer of ``ChatAnthropic`` early is an error, never an answer that passes for whole."""

import asyncio
import json
from typing import Any

import pytest

from anthropic_peer import KEY, MODEL, read_warnings
from anthropic_samples import ANSWERS, STREAMS, body_of, event, start, stream_reply, text_block
from endings import read_all
from millstream import errors
from millstream.providers.anthropic import ChatAnthropic
from millstream.testing import Cut, ErrorFrame, ErrorStatus, MockServer, Redirect, Reply, Stall, refusing_url

PIECES = ("Hel", "lo", " there")
BROKEN = [
    Cut(after=2),
    Cut(after=2, how="fin"),
    Cut(after=2, how="end"),
    Cut(after=2, inside=True),
    Cut(after=3, how="end"),
    Cut(after=1, inside="chunk"),
]


def model_of(server: MockServer, **arguments: Any) -> ChatAnthropic:
    """Return our model for ``server``."""
    return ChatAnthropic(**{"model": MODEL, "api_key": KEY, "base_url": server.origin, "max_retries": 0, **arguments})


def read(server: MockServer, *, is_async: bool, **arguments: Any) -> tuple[str, Any]:
    """Return the text that a stream yields, and its exception."""
    model = model_of(server, **arguments)
    chunks, error = read_all(model.astream("p") if is_async else model.stream("p"))
    return "".join(chunk.text for chunk in chunks), error


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("fault", BROKEN)
def test_a_stream_that_is_cut_is_truncated(fault: Any, is_async: bool) -> None:
    with MockServer(Reply(pieces=PIECES, fault=fault)) as server:
        text, error = read(server, is_async=is_async)
    assert isinstance(error, errors.StreamTruncatedError)
    assert error.text == text
    assert "".join(PIECES).startswith(text)


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize("length", range(0, len(body_of(STREAMS["text"][0])) - 4, 23))
def test_a_stream_that_ends_anywhere_before_its_end_is_truncated(length: int) -> None:
    body = body_of(STREAMS["text"][0])
    end = body.index(b"event: message_stop")
    with MockServer(Reply(body=body[:length], content_type="text/event-stream")) as server:
        _, error = read(server, is_async=False)
    # Once the reason of the stop has arrived, the message is whole.
    assert isinstance(error, errors.StreamTruncatedError) or length > end - 200


@pytest.mark.usefixtures("half")
def test_the_blocks_that_had_arrived_are_yielded_before_the_error() -> None:
    payloads = [*STREAMS["a tool call"][0][:-3]]
    with MockServer(stream_reply(payloads)) as server:
        model = model_of(server)
        chunks, error = read_all(model.stream("p", tools=[{"name": "add", "input_schema": {}}]))
    assert isinstance(error, errors.StreamTruncatedError)
    assert chunks[-1].tool_call_chunks[0]["args"] == ": 2}"
    assert error.text == "I add"


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize("is_async", [False, True])
def test_an_error_event_is_the_providers_error(is_async: bool) -> None:
    with MockServer(Reply(pieces=PIECES, fault=ErrorFrame(after=2))) as server:
        text, error = read(server, is_async=is_async)
    assert text == "Hello"
    assert isinstance(error, errors.ProviderError)
    assert error.error == {"type": "overloaded_error", "message": "overloaded"}
    assert error.text == "Hello"


def test_an_error_event_before_the_first_chunk_and_in_a_whole_answer() -> None:
    failure = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r"}
    for body, kind in ((event(failure), "text/event-stream"), (json.dumps(failure).encode(), "application/json")):
        with MockServer(Reply(body=body, content_type=kind, framing="length")) as server:
            for call in (lambda model: list(model.stream("p")), lambda model: model.invoke("p")):
                with pytest.raises(errors.ProviderError, match="Overloaded"):
                    call(model_of(server))


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize("body", [b"event: content_block_delta\ndata: {x}\n\n", b"<html>busy</html>"])
def test_a_body_that_is_not_the_protocols_is_an_error(body: bytes) -> None:
    begun = body_of([start(), *text_block(0, "a")]) if body.startswith(b"event") else b""
    with MockServer(Reply(body=begun + body, content_type="text/event-stream")) as server:
        _, error = read(server, is_async=False)
    assert isinstance(error, errors.StreamDecodeError)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "bad", errors.BadRequestError),
        (400, "prompt is too long: 200001 tokens > 200000 maximum", errors.ContextOverflowError),
        (401, "invalid x-api-key", errors.AuthenticationError),
        (403, "no", errors.PermissionDeniedError),
        (404, "model: m", errors.NotFoundError),
        (413, "too large", errors.APIStatusError),
        (429, "slow down", errors.RateLimitError),
        (500, "oops", errors.InternalServerError),
        (529, "Overloaded", errors.InternalServerError),
    ],
)
def test_a_status_is_the_error_that_says_so(status: int, message: str, kind: type[Exception]) -> None:
    with MockServer(Reply(fault=ErrorStatus(status, message))) as server:
        model = model_of(server)
        for call in (
            lambda: list(model.stream("p")),
            lambda: model.invoke("p"),
            lambda: asyncio.run(model.ainvoke("p")),
        ):
            with pytest.raises(kind, match=f"Error code: {status} - {message}"):
                call()


def test_a_failed_request_is_sent_again() -> None:
    failures = [Reply(fault=ErrorStatus(529, headers={"retry-after-ms": "1"})), Reply(fault=Cut(after="head"))]
    with MockServer(script=[*failures, Reply(pieces=PIECES)]) as server:
        assert "".join(chunk.text for chunk in model_of(server, max_retries=2).stream("p")) == "Hello there"
        assert len(server.requests) == 3


def test_a_redirect_is_not_followed() -> None:
    with MockServer(Reply(fault=Redirect(307, "http://127.0.0.1:1/x"))) as server:
        _, error = read(server, is_async=False)
        assert isinstance(error, errors.APIStatusError)
        assert KEY not in str(error)


def test_a_server_that_is_not_there_is_a_connection_error() -> None:
    with refusing_url() as url, pytest.raises(errors.APIConnectionError):
        ChatAnthropic(model=MODEL, api_key=KEY, base_url=url, max_retries=0).invoke("p")


@pytest.mark.parametrize("is_async", [False, True])
def test_a_stream_of_keep_alives_stalls(is_async: bool) -> None:
    with MockServer(Reply(pieces=PIECES, fault=Stall(after=2, comment_every=0.01))) as server:
        text, error = read(server, is_async=is_async, stream_chunk_timeout=0.5)
    assert text == "Hello"
    assert isinstance(error, errors.StreamStalledError)


@pytest.mark.parametrize("is_async", [False, True])
def test_timeouts_end_a_stream(is_async: bool) -> None:
    with MockServer(Reply(pieces=PIECES, fault=Stall(after=2))) as server:
        for arguments in ({"timeout": 0.5}, {"total_timeout": 0.6}):
            text, error = read(server, is_async=is_async, **arguments)
            assert text == "Hello"
            assert isinstance(error, errors.StreamStalledError)


def test_a_whole_answer_that_is_cut_is_an_error() -> None:
    body = json.dumps(ANSWERS["text"][0]).encode()
    for length in (0, 1, 40, len(body) - 1):
        with MockServer(Reply(body=body[:length], content_type="application/json", framing="length")) as server:
            model = model_of(server)
            with pytest.raises(errors.StreamError):
                model.invoke("p")
            with pytest.raises(errors.StreamError):
                asyncio.run(model.ainvoke("p"))


def test_a_stream_that_a_server_sends_unasked_is_an_answer() -> None:
    with MockServer(stream_reply(STREAMS["a tool call"][0])) as server, read_warnings():
        answer = model_of(server).invoke("p")
    assert answer.text == "I add"
    assert answer.tool_calls[0]["args"] == {"a": 1, "b": 2}
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 15


def test_the_header_that_names_the_request_is_anthropics() -> None:
    headers = {"request-id": "req_011", "retry-after": "61"}
    with MockServer(Reply(fault=ErrorStatus(429, headers=headers))) as server:
        with pytest.raises(errors.RateLimitError) as caught:
            model_of(server).invoke("p")
        assert (caught.value.request_id, caught.value.retry_after) == ("req_011", 61)
