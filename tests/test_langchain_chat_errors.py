"""Errors of our LangChain chat models, beside langchain-openai's: the same exceptions, whose causes are ours."""

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from langchain_chat import (
    AsyncRecorder,
    ainvoke,
    aoutcome,
    body_of,
    chat_models,
    choice,
    describe,
    invoke,
    outcome,
    outcomes,
    payload,
)
from millstream.errors import (
    APIConnectionError,
    MillstreamError,
    ProviderError,
    RateLimitError,
    StreamDecodeError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.testing import Cut, Garble, MockServer, Reply, Stall, refusing_url

TEXT = [payload(choice({"role": "assistant", "content": piece})) for piece in ("a", "b")]
STATUSES: list[tuple[int, Any]] = [
    (400, {"error": {"message": "bad", "type": "t", "param": "p", "code": "c"}}),
    (400, {"error": {"message": "This model's maximum context length", "code": "context_length_exceeded"}}),
    (400, {"error": {"message": "Invalid schema for response_format 'x'"}}),
    (400, {"error": {"message": "'response_format' of type 'json_schema' is not supported with this model"}}),
    (401, {"error": {"message": "no key", "code": 7}}),
    (403, {"message": "no"}),
    (404, {"detail": "Not Found"}),
    (409, {}),
    (422, [1]),
    (429, {"error": {"message": "slow", "type": "rate"}}),
    (500, "<html></html>"),
    (503, {"error": {"message": "the prompt exceeds the context window"}}),
    (418, "tea"),
]


def causes(error: BaseException | None) -> list[BaseException]:
    """Return an exception and its causes."""
    return [] if error is None else [error, *causes(error.__cause__)]


def raised(call: Callable[[], Any]) -> Any:
    """Return the exception that a stream raises."""
    try:
        list(call())
    except Exception as error:
        return error
    raise AssertionError("it raises nothing")


@pytest.mark.filterwarnings("ignore:This model does not support|Invalid schema")
@pytest.mark.parametrize(("status", "body"), STATUSES)
def test_an_error_status_raises_the_exception_of_langchain(status: int, body: Any) -> None:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    reply = Reply(body=data, status=status, content_type="application/json", headers={"x-request-id": "r"})
    with chat_models(reply) as (model, peer, _):
        assert outcomes(model) == outcomes(peer)
        assert invoke(model) == invoke(peer)
        assert ainvoke(model) == ainvoke(peer)


def test_the_last_cause_is_our_exception() -> None:
    reply = Reply(body=b'{"error": {"message": "slow"}}', status=429, headers={"retry-after-ms": "1"})
    with chat_models(reply, max_retries=1) as (model, _, server):
        chain = causes(raised(lambda: model.stream("p")))
        assert [type(error).__name__ for error in chain] == ["OpenAIRateLimitError", "RateLimitError", "RateLimitError"]
        assert isinstance(chain[0], openai.RateLimitError)
        assert isinstance(chain[-1], RateLimitError)
        assert len(server.requests) == 2


def test_a_refused_connection_raises_the_exception_of_langchain() -> None:
    with refusing_url() as url, chat_models(Reply(), base_url=url) as (model, peer, _):
        assert outcomes(model) == outcomes(peer)
        assert invoke(model) == invoke(peer)
        assert any(isinstance(error, APIConnectionError) for error in causes(raised(lambda: model.stream("p"))))


def test_a_late_head_raises_the_exception_of_langchain() -> None:
    with chat_models(Reply(fault=Stall(after="request")), timeout=0.2) as (model, peer, _):
        assert outcomes(model) == outcomes(peer)
        assert invoke(model) == invoke(peer)


@pytest.mark.parametrize(
    "error",
    [
        {"message": "busy", "code": 1, "type": "t", "param": "p"},
        {"message": "exceeds the context window"},
        {"type": "overloaded"},
    ],
)
def test_an_error_in_the_stream_raises_the_exception_of_langchain(error: Any) -> None:
    with chat_models(Reply(body=body_of([*TEXT, {"error": error}]))) as (model, peer, _):
        assert outcomes(model) == outcomes(peer)
        failure = raised(lambda: model.stream("p"))
        assert isinstance(failure, openai.APIError)
        ours = causes(failure)[-1]
        assert isinstance(ours, ProviderError)
        assert ({**ours.error, **error}, ours.text) == (ours.error, "ab")


def test_a_frame_that_is_not_valid_json_raises_an_exception_of_the_same_class() -> None:
    with chat_models(Reply(body=body_of([*TEXT, b"data: {bad\n\n"]))) as (model, peer, _):
        failure, expected = raised(lambda: model.stream("p")), raised(lambda: peer.stream("p"))
        assert type(failure) is type(expected) is json.JSONDecodeError
        assert failure.doc == expected.doc
        assert isinstance(failure.__cause__, StreamDecodeError)


@pytest.mark.parametrize("key", ["k\n", "k "])
def test_a_key_that_no_header_can_have_is_a_connection_error(key: str) -> None:
    with chat_models(Reply(), api_key=key) as (model, peer, server):
        assert outcomes(model) == outcomes(peer)
        assert invoke(model) == invoke(peer)
        assert ainvoke(model) == ainvoke(peer)
        assert not server.requests
        chain = causes(raised(lambda: model.stream("p")))
        assert [type(error) for error in chain[-2:]] == [APIConnectionError, ValueError]
        assert "authorization" in str(chain[-1])


@pytest.mark.parametrize("how", ["reset", "fin", "end"])
@pytest.mark.parametrize("after", [1, 3])
def test_a_stream_that_is_cut_raises_a_connection_error(how: Any, after: int) -> None:
    with chat_models(Reply(fault=Cut(after=after, how=how))) as (model, _, _):
        for failure in (outcome(lambda: model.stream("p"))[-1], aoutcome(lambda: model.astream("p"))[-1]):
            assert failure["classes"][:2] == ["OpenAIConnectionError", "APIConnectionError"]
            assert failure["request"] is not None
        ours = causes(raised(lambda: model.stream("p")))
        assert any(isinstance(error, StreamTruncatedError) for error in ours)


def test_a_stall_raises_the_exception_of_langchain_in_sync_code_too(caplog: pytest.LogCaptureFixture) -> None:
    with chat_models(Reply(fault=Stall(after=3)), stream_chunk_timeout=0.3) as (model, peer, _):
        expected = aoutcome(lambda: peer.astream("p"))[-1]
        expected_log = caplog.records[-1]
        for failure in (outcome(lambda: model.stream("p"))[-1], aoutcome(lambda: model.astream("p"))[-1]):
            assert failure == expected
            assert (caplog.records[-1].msg, caplog.records[-1].name) == (expected_log.msg, expected_log.name)
            assert vars(caplog.records[-1])["chunks_received"] == vars(expected_log)["chunks_received"]


def test_a_stall_with_comments_raises_too() -> None:
    with chat_models(Reply(fault=Stall(after=3, comment_every=0.05)), stream_chunk_timeout=0.3) as (model, _, _):
        for failure in (outcome(lambda: model.stream("p"))[-1], aoutcome(lambda: model.astream("p"))[-1]):
            assert failure["classes"][0] == "StreamChunkTimeoutError"


def test_a_read_timeout_of_the_client_raises_the_exception_of_the_sdk() -> None:
    with chat_models(Reply(fault=Stall(after=3)), timeout=0.3) as (model, peer, _):
        expected = outcome(lambda: peer.stream("p"))[-1]
        assert outcome(lambda: model.stream("p"))[-1]["classes"] == expected["classes"]
        ours = causes(raised(lambda: model.stream("p")))
        assert any(isinstance(error, StreamStalledError) for error in ours)


def test_handlers_receive_the_exception_and_what_arrived_before_it() -> None:
    recorder = AsyncRecorder()
    with chat_models(Reply(body=body_of([*TEXT, {"error": {"message": "busy"}}]))) as (model, _, _):
        aoutcome(lambda: model.astream("p", {"callbacks": [recorder]}))
    name, (error,), kwargs = recorder.calls[-1]
    assert (name, type(error)) == ("on_llm_error", openai.APIError)
    assert kwargs["response"].generations[0][0].text == "ab"


@pytest.mark.parametrize("body", [b"<html>no</html>", b"", b"{", b'{"choices": null}', b'{"error": "no"}', b"[]"])
@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
def test_a_whole_response_of_another_kind_raises_the_exception_of_langchain(body: bytes, content_type: str) -> None:
    with chat_models(Reply(body=body, content_type=content_type, headers={"x-request-id": "r"})) as (model, peer, _):
        assert invoke(model) == invoke(peer)
        assert ainvoke(model) == ainvoke(peer)


def test_a_whole_response_that_breaks_off_raises_the_exception_of_langchain() -> None:
    with chat_models(Reply(fault=Cut(after=0, inside=True), framing="length")) as (model, peer, server):
        assert describe(invoke(model)) == describe(invoke(peer))
        assert len(server.requests) == 2


def test_retries_and_fallbacks_catch_the_exceptions_as_before() -> None:
    replies = iter([429, 429, 200])

    def reply(request: Any) -> Reply:
        status = next(replies)
        return Reply() if status == 200 else Reply(status=status, body=b"{}")

    with chat_models(reply) as (model, _, server):
        retrying = model.with_retry(retry_if_exception_type=(openai.RateLimitError,), wait_exponential_jitter=False)
        assert retrying.invoke("p").content
        assert len(server.requests) == 3
    with chat_models(Reply(status=429, body=b"{}")) as (model, _, _), MockServer() as server:
        client = model.root_client.with_options(base_url=server.url)
        second = model.model_copy(update={"client": client.chat.completions})
        chain = model.with_fallbacks([second], exceptions_to_handle=(openai.RateLimitError,))
        assert chain.invoke("p").content
        assert "".join(chunk.content for chunk in chain.stream("p"))


def test_a_broken_connection_before_the_first_chunk_is_tried_again() -> None:
    replies = iter([Reply(body=[b": wait\n\n", b"data: {}\n\n"], fault=Cut(after=1, how="reset")), Reply()])
    with chat_models(lambda request: next(replies), max_retries=1) as (model, _, server):
        assert "".join(chunk.content for chunk in model.stream("p"))
        assert [sent.headers["x-stainless-retry-count"] for sent in server.requests] == ["0", "1"]


def test_our_exceptions_never_come_out_themselves() -> None:
    for fault in (Cut(after=2), Garble(), Stall(after=2)):
        with chat_models(Reply(fault=fault), stream_chunk_timeout=0.2) as (model, _, _):
            assert not isinstance(raised(lambda: model.stream("p")), MillstreamError)
