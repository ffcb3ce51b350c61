"""Streams and whole answers of ``ChatAnthropic``, beside langchain-anthropic's over the same bytes."""

import asyncio
import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.callbacks import BaseCallbackHandler as TheirHandler

from anthropic_peer import both_models, read_warnings, run
from anthropic_samples import ANSWERS, STREAMS, body_of, stream_reply, whole_reply
from endings import aread
from langchain_peer import allow_v1, dump_messages
from millstream.callbacks import BaseCallbackHandler
from millstream.testing import MockServer, Reply

NAMES = ("model", "betas", "thinking", "mcp_servers", "context_management")
MIXED = ("thinking that nobody asked for", "citations that nobody asked for")
CUT = "a tool call that was cut"
VERSIONS = (None, "v1")


def split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments of the constructor, and those of the call."""
    own = {name: value for name, value in options.items() if name in NAMES}
    return own, {name: value for name, value in options.items() if name not in NAMES}


def dump_chunk(chunk: Any) -> Any:
    """Return a chunk or a message with the calls in it."""
    return {
        **dump_messages(chunk),
        "text": str(chunk.text),
        "calls": chunk.tool_calls,
        "invalid": [{**call, "error": None} for call in chunk.invalid_tool_calls],
        "blocks": chunk.content_blocks,
    }


def merge(chunks: list[Any]) -> Any:
    """Return the merged chunks."""
    merged = chunks[0]
    for chunk in chunks[1:]:
        merged = merged + chunk
    return merged


def without_mixed(name: str, message: Any) -> Any:
    """Return a message without its standard blocks, if its content has texts beside blocks.

    LangChain's standard blocks lack these texts.
    """
    dumped = dump_chunk(message)
    return {**dumped, "blocks": None} if name in MIXED else dumped


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", STREAMS)
def test_the_chunks_of_a_stream_are_langchains(name: str, version: str | None) -> None:
    payloads, options = STREAMS[name]
    own, call = split(options)
    with MockServer(stream_reply(payloads)) as server, read_warnings():
        mine, theirs = both_models(server.origin, output_version=version, **own)
        chunks, expected = list(mine.stream("p", **call)), list(theirs.stream("p", **call))
        assert [*map(dump_chunk, chunks)] == [*map(dump_chunk, expected)]
        assert without_mixed(name, merge(chunks)) == without_mixed(name, merge(expected))
        assert [*map(dump_chunk, asyncio.run(aread(mine.astream("p", **call))))] == [*map(dump_chunk, chunks)]
        first, second, _ = server.requests
        assert list(first.body.items()) == list(second.body.items())
        for header in ("anthropic-version", "anthropic-beta", "authorization"):
            assert first.headers.get(header) == second.headers.get(header)


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("name", STREAMS)
def test_the_split_of_a_stream_does_not_matter(name: str, size: int) -> None:
    payloads, options = STREAMS[name]
    own, call = split(options)
    replies = [stream_reply(payloads), stream_reply(payloads, bytes_per_write=size)]
    with MockServer(script=replies) as server, read_warnings():
        mine, _ = both_models(server.origin, **own)
        whole, pieces = (list(mine.stream("p", **call)) for _ in replies)
        assert [*map(dump_chunk, pieces)] == [*map(dump_chunk, whole)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ANSWERS)
def test_a_whole_answer_is_langchains(name: str, version: str | None) -> None:
    answer, options = ANSWERS[name]
    own, call = split(options)
    with MockServer(whole_reply(answer)) as server, read_warnings():
        mine, theirs = both_models(server.origin, output_version=version, **own)
        expected = dump_chunk(theirs.invoke("p", **call))
        assert dump_chunk(mine.invoke("p", **call)) == expected
        assert dump_chunk(asyncio.run(mine.ainvoke("p", **call))) == expected
        assert [*map(dump_chunk, mine.batch(["p", "q"], **call))] == [expected] * 2
        first, second = server.requests[:2]
        assert list(first.body.items()) == list(second.body.items())


@pytest.mark.parametrize("name", [name for name in STREAMS if name != CUT])
def test_an_answer_that_streams_inside_is_langchains(name: str) -> None:
    payloads, options = STREAMS[name]
    own, call = split(options)
    with MockServer(stream_reply(payloads)) as server, read_warnings():
        mine, theirs = both_models(server.origin, streaming=True, **own)
        expected = without_mixed(name, theirs.invoke("p", **call))
        assert without_mixed(name, mine.invoke("p", **call)) == expected
        assert without_mixed(name, asyncio.run(mine.ainvoke("p", **call))) == expected


def test_a_call_that_was_cut_is_invalid_in_a_whole_answer() -> None:
    payloads, options = STREAMS[CUT]
    with MockServer(stream_reply(payloads)) as server:
        mine, _ = both_models(server.origin, streaming=True)
        answer = mine.invoke("p", **options)
    assert answer.tool_calls == []
    assert answer.invalid_tool_calls[0]["args"] == '{"a": [1, "x'


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", ["text", "thinking", "a tool call", "a tool of the server", "betas"])
def test_the_events_of_a_stream_are_langchains(name: str, version: str) -> None:
    payloads, options = STREAMS[name]
    own, call = split(options)
    with MockServer(stream_reply(payloads)) as server, allow_v1(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mine, theirs = (
            run(model, lambda model=model: aread(model.astream_events("p", version=version, **call)))  # type: ignore[misc]
            for model in both_models(server.origin, **own)
        )
    assert [*map(plain_event, mine)] == [*map(plain_event, theirs)]


def plain_event(event: Any) -> Any:
    """Return an event with its messages as dicts, and without ids of runs and LangChain's versions."""
    metadata = {key: value for key, value in event["metadata"].items() if key != "lc_versions"}
    return dump_messages({**event, "run_id": None, "metadata": metadata})


@pytest.mark.parametrize("stream_usage", [True, False])
def test_the_usage_of_a_stream_can_be_refused(stream_usage: bool) -> None:
    with MockServer(stream_reply(STREAMS["text"][0])) as server:
        for own, call in (({"stream_usage": stream_usage}, {}), ({}, {"stream_usage": stream_usage})):
            mine, theirs = both_models(server.origin, **own)
            chunks = [*map(dump_chunk, mine.stream("p", **call))]
            assert chunks == [*map(dump_chunk, theirs.stream("p", **call))]
            assert any(chunk["usage_metadata"] for chunk in chunks) is stream_usage


def test_a_done_mark_behind_the_end_is_passed_over() -> None:
    body = body_of(STREAMS["text"][0]) + b"event: data\ndata: [DONE]\n\n"
    with MockServer(Reply(body=body, content_type="text/event-stream")) as server:
        mine, _ = both_models(server.origin)
        assert merge(list(mine.stream("p"))).content == "Hello ☺"


def test_the_counts_of_the_input_are_those_of_the_beginning_where_the_end_has_none() -> None:
    payloads = [*STREAMS["text"][0][:-2], *end({"output_tokens": 15})]
    with MockServer(stream_reply(payloads)) as server:
        mine, theirs = both_models(server.origin)
        usage = merge(list(mine.stream("p"))).usage_metadata
        assert usage["input_tokens"] == 12 + 4 + 3
        assert usage["output_tokens"] == 15
        assert merge(list(theirs.stream("p"))).usage_metadata["input_tokens"] == 0


def test_totals_that_come_twice_count_once() -> None:
    first = {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"input_tokens": 5, "output_tokens": 9}}
    payloads = [*STREAMS["text"][0][:-2], first, *end({"input_tokens": 5, "output_tokens": 15})]
    with MockServer(stream_reply(payloads)) as server:
        mine, _ = both_models(server.origin)
        usage = merge(list(mine.stream("p"))).usage_metadata
        assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (5, 15, 20)


def end(usage: dict[str, int]) -> list[dict[str, Any]]:
    """Return the last payloads of a stream with ``usage``."""
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    return [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]


def test_a_text_between_other_blocks_is_among_the_standard_blocks() -> None:
    with MockServer(stream_reply(STREAMS[MIXED[0]][0])) as server:
        mine, _ = both_models(server.origin)
        blocks = merge(list(mine.stream("p"))).content_blocks
    assert [block.get("text") for block in blocks] == ["", None, "Yes"]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("name", ["text", "thinking", "a tool call"])
def test_handlers_receive_the_tokens_that_langchains_receive(name: str, streaming: bool) -> None:
    def tokens_of(model: Any, base: Any, call: dict[str, Any]) -> list[Any]:
        class Listener(base):  # type: ignore[misc]
            def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
                tokens.append((token, kwargs["chunk"].text))

        tokens: list[Any] = []
        config = {"callbacks": [Listener()]}
        if streaming:
            model.invoke("p", config, **call)
        else:
            list(model.stream("p", config, **call))
        return tokens

    payloads, options = STREAMS[name]
    own, call = split(options)
    with MockServer(stream_reply(payloads)) as server:
        mine, theirs = both_models(server.origin, **({"streaming": True} if streaming else {}), **own)
        assert tokens_of(mine, BaseCallbackHandler, call) == tokens_of(theirs, TheirHandler, call)
