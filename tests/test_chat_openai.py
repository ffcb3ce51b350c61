"""``ChatOpenAI``: its outputs, compared with LangChain's, and the bugs of LangChain."""

import asyncio
import json
import warnings
from collections.abc import Iterable
from typing import Any

import pytest

from cases import choices_in, each, load_wire
from endings import read_all
from langchain_peer import KEY, achat_peer, chat_of, chat_peer, dump_messages
from millstream import ChatOpenAI
from millstream.errors import (
    EventTooLargeError,
    ProviderError,
    StreamDecodeError,
    StreamError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.messages import AIMessageChunk
from millstream.testing import VERSE, Cut, ErrorFrame, MockServer, Reply, Stall
from millstream.testing.memory import MemoryTransport

WIRE = load_wire("openai.chat")
both_ways = pytest.mark.parametrize("asynchronous", [False, True], ids=["stream", "astream"])

# LangChain's output differs for these, and why: each has a test of its own below, or is an error for LangChain.
OWN_CHUNK = "the usage is a chunk of its own"
NO_CHOICES = "a payload without choices makes an empty chunk"
DEFECTS = {
    "azure-chat-prompt-filter.sse": NO_CHOICES,
    "deepseek-chat-reasoning.sse": "reasoning is dropped",
    "groq-chat-xgroq.sse": "the usage is dropped",
    "llamacpp-chat-basic.sse": "the usage comes twice",
    "llamacpp-error-field.sse": "the error is passed over",
    "mistral-chat-basic.sse": OWN_CHUNK,
    "mistral-chat-thinking-list.sse": "contents of parts are errors",
    "mistral-chat-tools.sse": OWN_CHUNK,
    "openai-chat-choices-null.sse": NO_CHOICES,
    "openai-chat-function-call-legacy.sse": "a call in the first form is no tool call",
    "openai-chat-n2.sse": "choices are mixed",
    "openai-chat-n2-half-finished.sse": "choices are mixed",
    "openai-chat-refusal.sse": "refusals are dropped",
    "openai-chat-retry-control.sse": "frames without data are errors",
    "openai-chat-surrogate-lone.sse": "halves of characters come out",
    "openai-chat-surrogate-split.sse": "halves of characters come out",
    "openai-chat-tools-interleaved.sse": "halves of characters come out",
    "openai-chat-truncated.sse": "a truncated stream ends well",
    "openrouter-chat-comments.sse": OWN_CHUNK,
    "openrouter-chat-error-midstream.sse": "the finish that comes with an error is dropped",
    "quirk-chat-choice-error.sse": "an error on a choice is passed over",
    "quirk-chat-error-code-message.sse": "an error that is not called one is passed over",
    "quirk-chat-infinite-logprob.sse": "infinite numbers are errors",
    "quirk-chat-name-repeated.sse": "a name that is repeated grows",
    "quirk-chat-parallel-no-ids.sse": "calls without an index become one",
    "quirk-chat-tool-args-object.sse": "arguments that are an object are errors",
    "vllm-chat-continuous-usage.sse": "totals are added up",
    "vllm-chat-reasoning-field.sse": "reasoning is dropped",
}
SUMMED = [
    case
    for case in WIRE
    if case["final"]["choices"]
    and case["final"]["ended"] != "error"
    and DEFECTS.get(case["name"], OWN_CHUNK) in (OWN_CHUNK, NO_CHOICES)
]


def model_over(*reads: bytes, **arguments: Any) -> ChatOpenAI:
    return ChatOpenAI(api_key=KEY, http_client=MemoryTransport(reads), **arguments)


def frame(content: str | None = None, *, finish: str | None = None, index: int = 0, **delta: Any) -> bytes:
    fields = ({} if content is None else {"content": content}) | delta
    choice = {"index": index, "delta": fields, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "c1", "model": "m", "choices": [choice]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def collect_stream(model: Any, *, asynchronous: bool, **arguments: Any) -> tuple[list[Any], Exception | None]:
    """Return the chunks of one stream and the exception it ended with."""
    return read_all(model.astream("p", **arguments) if asynchronous else model.stream("p", **arguments))


def collect_peer_stream(server: MockServer, *, asynchronous: bool, **fields: Any) -> tuple[list[Any], Exception | None]:
    async def read() -> tuple[list[Any], Exception | None]:
        chunks: list[Any] = []
        async with achat_peer(server.url, **fields) as model:
            try:
                async for chunk in model.astream("p"):
                    chunks.append(chunk)  # noqa: PERF401
            except Exception as error:
                return chunks, error
        return chunks, None

    if asynchronous:
        return asyncio.run(read())
    with chat_peer(server.url, **fields) as model:
        return read_all(model.stream("p"))


def merge(chunks: Iterable[Any]) -> Any:
    first, *rest = chunks
    return dump_messages(first + rest) if rest else dump_messages(first)


# Every vector, compared with LangChain and the SDK.


@both_ways
@each(WIRE)
def test_the_chunks_of_every_vector_are_langchains(case: dict[str, Any], asynchronous: bool) -> None:
    with MockServer(Reply(body=case["body"])) as server:
        expected, theirs_error = collect_peer_stream(server, asynchronous=asynchronous)
        chunks, error = collect_stream(chat_of(server, n=choices_in(case)), asynchronous=asynchronous)
    same = dump_messages(chunks) == dump_messages(expected) and (error is None) is (theirs_error is None)
    assert same is (case["name"] not in DEFECTS)


@both_ways
@each(SUMMED)
def test_the_sum_of_every_vectors_chunks_is_langchains(case: dict[str, Any], asynchronous: bool) -> None:
    with MockServer(Reply(body=case["body"])) as server:
        expected, _ = collect_peer_stream(server, asynchronous=asynchronous)
        chunks, _ = collect_stream(chat_of(server), asynchronous=asynchronous)
        assert merge(chunks) == merge(expected)
        with chat_peer(server.url, streaming=True) as theirs:
            invoked = theirs.invoke("p")
        assert dump_messages(chat_of(server, streaming=True).invoke("p")) == dump_messages(invoked)


@both_ways
@each(WIRE)
def test_every_vector_streams_its_chunks_at_any_split(case: dict[str, Any], asynchronous: bool) -> None:
    body, n = case["body"], choices_in(case)
    reads = [body[start : start + 7] for start in range(0, len(body), 7)]
    chunks, error = collect_stream(model_over(*reads, n=n), asynchronous=asynchronous)
    whole, _ = collect_stream(model_over(body, n=n), asynchronous=asynchronous)
    assert dump_messages(chunks) == dump_messages(whole)
    texts = "".join(item[2] for item in case["expected"] if item[:2] == ["text", 0])
    assert "".join(chunk.content for chunk in chunks) == texts
    kinds: dict[str, type[StreamError]] = {"error": ProviderError, "truncated": StreamTruncatedError}
    has_answer = case["final"]["choices"] or case["final"]["ended"] == "error"
    assert type(error) is (kinds.get(case["final"]["ended"], type(None)) if has_answer else StreamTruncatedError)
    if chunks:
        assert chunks[-1].chunk_position == (None if error else "last")


@each(SUMMED)
def test_the_openai_sdk_reads_what_our_decoder_reads(case: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import openai
    with (
        MockServer(Reply(body=case["body"])) as server,
        openai.OpenAI(base_url=server.url, api_key=KEY) as client,
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "p"}], stream=True) as stream,
    ):
        deltas = [chunk.choices[0].delta for chunk in stream if chunk.choices]
    chunks, _ = collect_stream(model_over(case["body"]), asynchronous=False)
    assert "".join(chunk.content for chunk in chunks) == "".join(delta.content or "" for delta in deltas)
    calls = [(call.index, call.id, call.function.name, call.function.arguments)
            for delta in deltas for call in delta.tool_calls or () if call.function is not None]  # fmt: skip
    pieces = [piece for chunk in chunks for piece in chunk.tool_call_chunks]
    assert [(piece["index"], piece["id"], piece["name"], piece["args"]) for piece in pieces] == calls


def test_the_vectors_that_differ_are_vectors() -> None:
    assert set(DEFECTS) <= {case["name"] for case in WIRE}


# Where LangChain is wrong.


@both_ways
def test_refusals_and_reasoning_are_kept(asynchronous: bool) -> None:
    reads = [
        frame(reasoning_content="th"),
        frame(reasoning_content="ink"),
        frame(refusal="no"),
        frame("a", finish="stop"),
    ]
    chunks, error = collect_stream(model_over(*reads, DONE), asynchronous=asynchronous)
    assert error is None
    assert merge(chunks)["additional_kwargs"] == {"reasoning_content": "think", "refusal": "no"}


@both_ways
def test_the_choices_of_a_stream_with_several_do_not_mix(mock_server: MockServer, asynchronous: bool) -> None:
    chunks, error = collect_stream(chat_of(mock_server, n=3), asynchronous=asynchronous)
    assert error is None
    assert [chunk.content for chunk in chunks] == ["", *VERSE, ""]
    assert mock_server.requests[-1].body["n"] == 3


@both_ways
def test_usage_totals_in_every_chunk_are_not_added_up(asynchronous: bool) -> None:
    (case,) = [case for case in WIRE if case["name"] == "vllm-chat-continuous-usage.sse"]
    chunks, _ = collect_stream(model_over(case["body"]), asynchronous=asynchronous)
    assert merge(chunks)["usage_metadata"]["total_tokens"] == 7


@both_ways
def test_two_finish_chunks_never_become_stopstop(asynchronous: bool) -> None:
    chunks, _ = collect_stream(
        model_over(frame("a", finish="stop"), frame("", finish="stop"), DONE), asynchronous=asynchronous
    )
    assert merge(chunks)["response_metadata"]["finish_reason"] == "stop"


@both_ways
def test_surrogates_split_over_two_frames_are_one_character(asynchronous: bool) -> None:
    reads = [
        b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83c"}}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"content":"\\udfa3"},"finish_reason":"stop"}]}\n\n',
    ]
    chunks, error = collect_stream(model_over(*reads, DONE), asynchronous=asynchronous)
    assert error is None
    assert "".join(chunk.content for chunk in chunks) == "🎣"


@both_ways
def test_a_function_call_in_the_first_form_is_returned_if_requested(asynchronous: bool) -> None:
    (case,) = [case for case in WIRE if case["name"] == "openai-chat-function-call-legacy.sse"]
    with MockServer(Reply(body=case["body"])) as server:
        expected, _ = collect_peer_stream(server, asynchronous=asynchronous)
        chunks, _ = collect_stream(chat_of(server), asynchronous=asynchronous, functions=[{"name": "f"}])
        calls, _ = collect_stream(chat_of(server), asynchronous=asynchronous)
    assert dump_messages(chunks) == dump_messages(expected)
    assert merge(calls)["tool_calls"] == [{"name": "f", "args": {"x": 1}, "id": None, "type": "tool_call"}]


@both_ways
def test_a_stream_cut_before_its_end_mark_raises_with_the_text_so_far(asynchronous: bool) -> None:
    for how in ("reset", "fin", "end"):
        with MockServer(Reply(fault=Cut(after=3, how=how))) as server:
            chunks, error = collect_stream(chat_of(server), asynchronous=asynchronous)
        assert isinstance(error, StreamTruncatedError)
        assert [chunk.content for chunk in chunks] == ["", *VERSE[:3]]
        assert error.text == "".join(VERSE[:3])


@both_ways
def test_an_error_in_mid_stream_raises_with_the_text_so_far(asynchronous: bool) -> None:
    with MockServer(Reply(fault=ErrorFrame(after=3, code="full"))) as server:
        chunks, error = collect_stream(chat_of(server), asynchronous=asynchronous)
    assert isinstance(error, ProviderError)
    assert (str(error), error.code) == ("overloaded", "full")
    assert [chunk.chunk_position for chunk in chunks] == [None] * 4


@both_ways
def test_a_stream_that_only_sends_comments_stalls(asynchronous: bool) -> None:
    with MockServer(Reply(fault=Stall(after=2, comment_every=0.02))) as server:
        chunks, error = collect_stream(chat_of(server, stream_chunk_timeout=0.5), asynchronous=asynchronous)
    assert isinstance(error, StreamStalledError)
    assert [chunk.content for chunk in chunks] == ["", *VERSE[:2]]


@both_ways
def test_an_invalid_frame_raises_after_the_chunks_before_it(asynchronous: bool) -> None:
    chunks, error = collect_stream(model_over(frame("a") + b"data: {oops}\n\n" + frame("b")), asynchronous=asynchronous)
    assert isinstance(error, StreamDecodeError)
    assert ([chunk.content for chunk in chunks], error.text) == (["a"], "a")
    chunks, error = collect_stream(model_over(frame("a"), b"data: " + b"x" * (17 << 20)), asynchronous=asynchronous)
    assert isinstance(error, EventTooLargeError)
    assert [chunk.content for chunk in chunks] == ["a"]


@both_ways
def test_a_body_that_is_one_document_is_streamed_all_the_same(asynchronous: bool) -> None:
    message = {"role": "assistant", "content": "all of it"}
    whole = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    chunks, error = collect_stream(model_over(whole[:20], whole[20:]), asynchronous=asynchronous)
    assert error is None
    assert merge(chunks)["content"] == "all of it"


@both_ways
def test_a_stream_is_lazy_and_its_chunks_are_small(asynchronous: bool) -> None:
    with MockServer(Reply(fault=Stall(after=2))) as server:
        stream = chat_of(server).stream("p")
        assert server.requests == []
        assert [next(stream).content for _ in range(3)] == ["", *VERSE[:2]]
        server.release()
        rest = list(stream)
    assert all(type(chunk) is AIMessageChunk for chunk in rest)
    assert len({chunk.id for chunk in rest}) == 1


def test_chunks_share_no_mutable_object() -> None:
    first, second, *_ = model_over(frame("a") + frame("b"), frame("", finish="stop"), DONE).stream("p")
    first.response_metadata["mine"] = 1
    assert second.response_metadata == {"model_provider": "openai"}


def test_response_headers_are_included_if_requested(mock_server: MockServer) -> None:
    model = chat_of(mock_server, include_response_headers=True)
    first, *_ = model.stream("p")
    assert first.response_metadata["headers"]["x-request-id"] == "req-mock1"
    assert model.invoke("p").response_metadata["headers"]["x-request-id"] == "req-mock2"
    first, *_ = read_all(model.astream("p"))[0]
    assert first.response_metadata["headers"]["x-request-id"] == "req-mock3"
    assert "headers" not in chat_of(mock_server).invoke("p").response_metadata
