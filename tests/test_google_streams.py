"""Answers of ``ChatGoogleGenerativeAI``, streamed and whole, beside langchain-google-genai's over the same bytes."""

import json
import random
from typing import Any

import pytest

from endings import aread
from google_answers import GEMINI_3, STREAMS, merged, part, payload, stream
from google_peer import our_model, plain, quiet, read_async, their_model, whole
from langchain_peer import allow_v1
from millstream.errors import (
    AuthenticationError,
    BadRequestError,
    ContextOverflowError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    ProviderError,
    RateLimitError,
    StreamTruncatedError,
)
from millstream.messages import AIMessage
from millstream.testing import MockServer, Reply

NAMES = list(STREAMS)


@pytest.mark.parametrize("bytes_per_write", [None, 7])
@pytest.mark.parametrize("name", NAMES)
def test_chunks_are_those_of_langchain(name: str, bytes_per_write: int | None) -> None:
    with MockServer(stream(STREAMS[name], bytes_per_write=bytes_per_write)) as server, quiet():
        theirs = plain(list(their_model(server).stream("hi")))
        assert plain(list(our_model(server).stream("hi"))) == theirs
        assert plain(read_async(our_model(server), lambda model: aread(model.astream("hi")))) == theirs


@pytest.mark.parametrize("name", NAMES)
def test_whole_answers_are_those_of_langchain(name: str) -> None:
    with MockServer(whole(merged(STREAMS[name]))) as server, quiet():
        theirs = plain(their_model(server).invoke("hi"))
        assert plain(our_model(server).invoke("hi")) == theirs
        assert plain(read_async(our_model(server), lambda model: model.ainvoke("hi"))) == theirs
        results = plain(their_model(server).generate([_messages("langchain_core")]))
        assert plain(our_model(server).generate([_messages("millstream")]))[0] == results[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_events_are_those_of_langchain(name: str, version: Any) -> None:
    with MockServer(stream(STREAMS[name])) as server, quiet(), allow_v1():
        theirs, ours = (
            plain(read_async(model, lambda one: aread(one.astream_events("hi", version=version))))
            for model in (their_model(server), our_model(server))
        )
    assert ours == theirs


@pytest.mark.parametrize("name", NAMES)
def test_handlers_receive_the_tokens_of_langchain(name: str) -> None:
    from langchain_core.callbacks import BaseCallbackHandler

    class Recorder(BaseCallbackHandler):
        def __init__(self) -> None:
            self.calls: list[Any] = []

        def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
            self.calls.append((token, chunk.message))

        def on_llm_end(self, response: Any, **kwargs: Any) -> None:
            self.calls.append(response.generations)

    theirs, ours = Recorder(), Recorder()
    with MockServer(stream(STREAMS[name])) as server, quiet():
        list(their_model(server).stream("hi", {"callbacks": [theirs]}))
        list(our_model(server).stream("hi", {"callbacks": [ours]}))
    assert plain(ours.calls) == plain(theirs.calls)


@pytest.mark.parametrize("name", NAMES)
def test_content_blocks_of_version_1_are_those_of_langchain(name: str) -> None:
    with MockServer(stream(STREAMS[name])) as server, quiet():
        theirs = plain(list(their_model(server, output_version="v1").stream("hi")))
        assert plain(list(our_model(server, output_version="v1").stream("hi"))) == theirs


def test_a_batch_is_answered_as_langchain_answers_it() -> None:
    with MockServer(whole(merged(STREAMS["thoughts of Gemini 3"]))) as server, quiet():
        theirs = [plain(message) for message in their_model(server).batch(["a", "b", "c"])]
        assert [plain(message) for message in our_model(server).batch(["a", "b", "c"])] == theirs
        assert [
            plain(message) for message in read_async(our_model(server), lambda model: model.abatch(["a", "b", "c"]))
        ] == theirs


def test_an_answer_with_several_candidates_has_a_generation_for_each() -> None:
    document = {**merged(STREAMS["text with usage"])}
    document["candidates"] = [*document["candidates"], {"content": {"parts": [{"text": "2"}]}, "index": 1}]
    with MockServer(whole(document)) as server, quiet():
        theirs = their_model(server, n=2).generate([_messages("langchain_core")])
        ours = our_model(server, n=2).generate([_messages("millstream")])
    assert plain(ours.generations) == plain(theirs.generations)


def test_thoughts_and_their_signatures_make_the_round_trip() -> None:
    with MockServer(stream(STREAMS["thoughts of Gemini 3"])) as server, quiet():
        model = our_model(server, model=GEMINI_3)
        first, *others = model.stream("hi")
        merged_chunks = sum(others, start=first)
        answer = AIMessage(
            content=merged_chunks.content,
            tool_calls=merged_chunks.tool_calls,
            additional_kwargs=merged_chunks.additional_kwargs,
            response_metadata=merged_chunks.response_metadata,
        )
        model.invoke([("human", "hi"), answer, ("human", "go on")])
        parts = server.requests[-1].body["contents"][1]["parts"]
    signatures = [part.get("thoughtSignature") for part in parts]
    assert signatures == ["aGk_-w==", None, None, "aGk_-w=="]
    assert parts[0]["thought"] is True


def test_the_reason_behind_a_refusal_is_in_the_metadata() -> None:
    ending = payload(finishReason="SAFETY", finishMessage="because")
    with MockServer(stream([payload(part("so")), ending])) as server, quiet():
        *_, last, _ = our_model(server).stream("hi")
    assert last.response_metadata["finish_message"] == "because"
    assert last.content_blocks[-1]["refusal"] == "because"  # type: ignore[typeddict-item]


def test_log_probabilities_that_were_requested_are_in_the_metadata() -> None:
    chosen = {"chosenCandidates": [{"token": "a", "tokenId": 1, "logProbability": -0.5}]}
    document = payload(part("a"), finishReason="STOP", avgLogprobs=-0.5, logprobsResult=chosen)
    with MockServer(whole(document)) as server:
        asked = our_model(server).invoke("hi", response_logprobs=True)
        unasked = our_model(server).invoke("hi")
    (token,) = asked.response_metadata["logprobs_result"]["chosen_candidates"]
    assert (token, asked.response_metadata["avg_logprobs"]) == (
        {"log_probability": -0.5, "token": "a", "token_id": 1},
        -0.5,
    )
    assert "logprobs_result" not in unasked.response_metadata


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        *((400, BadRequestError), (401, AuthenticationError), (403, PermissionDeniedError), (404, NotFoundError)),
        *((429, RateLimitError), (500, InternalServerError), (503, InternalServerError)),
    ],
)
def test_an_error_status_raises_our_exception_with_googles_reason(status: int, cls: type[Exception]) -> None:
    document = {"error": {"code": status, "message": "the reason", "status": "NAME"}}
    reply = Reply(body=json.dumps(document).encode(), status=status, framing="length")
    with MockServer(reply) as server:
        for call in (our_model(server).invoke, lambda text: list(our_model(server).stream(text))):
            with pytest.raises(cls, match="the reason"):
                call("hi")


def test_a_prompt_that_is_too_long_raises_its_own_exception() -> None:
    reason = "The input token count (9) exceeds the maximum number of tokens allowed (8)."
    document = {"error": {"code": 400, "message": reason, "status": "INVALID_ARGUMENT"}}
    reply = Reply(body=json.dumps(document).encode(), status=400, framing="length")
    with MockServer(reply) as server, pytest.raises(ContextOverflowError, match="exceeds the maximum number"):
        our_model(server).invoke("hi")


def test_an_error_in_mid_stream_raises_after_the_text_before_it() -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    with MockServer(stream([payload(part("a")), error])) as server:
        chunks = iter(our_model(server).stream("hi"))
        assert next(chunks).text == "a"
        with pytest.raises(ProviderError, match="overloaded") as caught:
            next(chunks)
    assert caught.value.text == "a"


def test_a_stream_that_was_cut_is_an_error() -> None:
    reply = stream([payload(part("a")), payload(part("b"))])
    with MockServer(reply) as server, pytest.raises(StreamTruncatedError) as caught:
        list(our_model(server).stream("hi"))
    assert caught.value.text == "ab"


def test_an_array_in_place_of_events_is_read_too() -> None:
    payloads = STREAMS["text with usage"]
    reply = Reply(body=json.dumps(payloads, indent=1).encode(), content_type="application/json", framing="length")
    with MockServer(reply) as server, MockServer(stream(payloads)) as events:
        assert plain(list(our_model(server).stream("hi"))) == plain(list(our_model(events).stream("hi")))


@pytest.mark.parametrize("seed", range(30))
def test_the_counts_of_random_totals_are_those_of_langchain(seed: int) -> None:
    source = random.Random(seed)
    names = [f"{name}TokenCount" for name in ("prompt", "candidates", "thoughts", "total", "cachedContent")]
    names.append("toolUsePromptTokenCount")
    totals = [{name: source.randint(0, 9) for name in names if source.random() < 0.7} for _ in range(6)]
    payloads = [{**payload(part("a")), "usageMetadata": one} for one in totals]
    with MockServer(stream([*payloads, payload(finishReason="STOP")])) as server, quiet():
        theirs = [chunk.usage_metadata for chunk in their_model(server).stream("hi")]
        assert [chunk.usage_metadata for chunk in our_model(server).stream("hi")] == theirs


def _messages(library: str) -> list[Any]:
    from importlib import import_module

    return [import_module(f"{library}.messages").HumanMessage("hi")]
