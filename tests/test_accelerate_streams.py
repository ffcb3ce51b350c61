"""Streams of an accelerated client: equal to the SDK's, byte for byte, except where those lose or break something."""

import asyncio
import json
from itertools import pairwise
from types import ModuleType
from typing import Any

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millstream.errors import EventTooLargeError, StreamTruncatedError
from millstream.integrations.openai import accelerate, payloads
from sdk_peer import MESSAGES, assert_equal_outcomes, client_over, collect, collect_both, http, sse
from test_accelerate_models import CHUNK, COMPLETION

both_ways = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
pytestmark = pytest.mark.usefixtures("core")


@pytest.fixture
def core(impl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test over each half of the core."""
    monkeypatch.setattr(payloads, "SSEParser", impl.SSEParser)


def chunk(text: str | None = "a", finish: str | None = None, index: int = 0, **fields: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": {"content": text}, "logprobs": None, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]} | fields


def texts(chunks: list[Any]) -> list[Any]:
    return [one.choices[0].delta.content for one in chunks]


@pytest.mark.parametrize("legacy", [False, True], ids=["chat", "completions"])
@both_ways
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(data=st.data())
def test_a_stream_of_any_payloads_is_the_sdks(legacy: bool, asynchronous: bool, data: st.DataObject) -> None:
    kinds = data.draw(st.lists(COMPLETION if legacy else CHUNK, min_size=1, max_size=3))
    stream = sse(*(payload for payload in kinds for _ in range(2)))
    cut = data.draw(st.integers(0, len(stream)))
    ours, theirs = collect_both(stream[:cut], stream[cut:], legacy=legacy, asynchronous=asynchronous)
    assert_equal_outcomes(ours, theirs)


USUAL = [
    chunk(None) | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]},
    *(chunk(text, obfuscation="x" * place) for place, text in enumerate(["He", "llo", ' "wörld"\n', "\U0001f600", ""])),
    chunk(None) | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    chunk(None) | {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
]
CALL = {"index": 0, "id": "call", "type": "function", "function": {"name": "f", "arguments": ""}}
TOOLS = [
    chunk(None) | {"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}, "finish_reason": None}]},
    *(
        chunk(None)
        | {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}}]}
        for piece in ['{"a', '":', ' "\\n', '"}']
    ),
    chunk(None, "tool_calls"),
]
AZURE = [
    {"id": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]},
    *(
        chunk(None)
        | {
            "choices": [
                {"index": 0, "delta": {"content": text}, "content_filter_results": {"hate": {"filtered": False}}}
            ]
        }
        for text in "abc"
    ),
    chunk(None, "stop"),
]
CHOICES = [chunk(text, index=index) for text in "abcd" for index in range(3)]


@both_ways
@pytest.mark.parametrize("payloads", [USUAL, TOOLS, AZURE, CHOICES], ids=["text", "tools", "azure", "choices"])
def test_a_usual_stream_is_the_sdks_however_it_is_cut(payloads: Any, asynchronous: bool) -> None:
    stream = sse(*payloads)
    theirs = collect(client_over(stream, asynchronous=asynchronous))
    assert len(theirs[0]) == len(payloads)
    for size in (1, 7, 150, len(stream)):
        cuts = [*range(0, len(stream), size), len(stream)]
        reads = [stream[begin:end] for begin, end in pairwise(cuts)]
        ours = collect(accelerate(client_over(*reads, asynchronous=asynchronous)))
        assert_equal_outcomes(ours, theirs)


def test_chunks_of_one_shape_share_nothing() -> None:
    azure = collect(accelerate(client_over(sse(*AZURE))))[0][1:4]
    azure[1].choices[0].content_filter_results["hate"]["filtered"] = True
    azure[1].choices[0].delta.content = azure[1].choices[0].delta.new = "changed"
    azure[1].choices.append(None)
    azure[1].extra = 1
    assert [one.choices[0].content_filter_results["hate"]["filtered"] for one in azure] == [False, True, False]
    assert texts(azure) == ["a", "changed", "c"]
    assert [len(one.choices) for one in azure] == [1, 2, 1]
    assert [sorted(one.choices[0].delta.model_fields_set) for one in azure] == [
        ["content"],
        ["content", "new"],
        ["content"],
    ]
    assert [one.model_extra for one in azure] == [{}, {"extra": 1}, {}]


@both_ways
def test_validation_is_the_sdks_if_the_client_asks_for_it(asynchronous: bool) -> None:
    options: Any = {"asynchronous": asynchronous, "_strict_response_validation": True}
    ours, theirs = collect_both(sse(chunk("a"), chunk("b"), chunk("c", created="odd")), **options)
    assert isinstance(ours[1], openai.APIResponseValidationError)
    assert texts(ours[0]) == ["a", "b"]
    assert_equal_outcomes(ours, theirs)


# Errors that the provider reports.

ERRORS = [
    {"error": {"message": "overloaded", "type": "server_error", "code": "busy", "param": None}},
    {"error": {"code": 1}},
    {"error": {"message": ""}},
    {"error": "text"},
    {"error": ["text"]},
    {**chunk("b"), "error": {"message": "beside a choice"}},
]


@both_ways
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("event", ["", "event: error\n"])
def test_an_error_in_the_stream_is_the_sdks(error: Any, event: str, asynchronous: bool) -> None:
    stream = sse(chunk("a"), done=False) + event.encode() + sse(error, chunk("c"))
    ours, theirs = collect_both(stream, asynchronous=asynchronous)
    assert isinstance(ours[1], openai.APIError)
    assert ours[1].request.url == "https://api.openai.com/v1/chat/completions"
    assert texts(ours[0]) == ["a"]
    assert_equal_outcomes(ours, theirs)


@both_ways
@pytest.mark.parametrize("error", [None, {}, "", 0, False])
def test_an_error_field_without_an_error_is_data(error: Any, asynchronous: bool) -> None:
    ours, theirs = collect_both(sse(chunk("a", error=error), chunk("b")), asynchronous=asynchronous)
    assert texts(ours[0]) == ["a", "b"]
    assert_equal_outcomes(ours, theirs)


@both_ways
def test_an_error_event_without_an_error_field_raises(asynchronous: bool) -> None:
    stream = sse(chunk("a"), done=False) + b"event: error\n" + sse({"message": "overloaded", "code": "busy"})
    (chunks, error), (theirs, _) = collect_both(stream, asynchronous=asynchronous)
    assert texts(chunks) == ["a"]
    assert isinstance(error, openai.APIError)
    assert (error.message, error.code, error.body) == ("overloaded", "busy", {"message": "overloaded", "code": "busy"})
    # The SDK makes a chunk of it, whose choices are None.
    assert theirs[1].choices is None


@both_ways
@pytest.mark.parametrize("payload", ["{", "plain", '{"a": 1}}', "[DONE", "'", '"\\x"', '{"a": "\x01"}'])
def test_invalid_json_is_the_sdks_error(payload: str, asynchronous: bool) -> None:
    ours, theirs = collect_both(sse(chunk("a"), payload, chunk("b")), asynchronous=asynchronous)
    assert isinstance(ours[1], json.JSONDecodeError)
    assert texts(ours[0]) == ["a"]
    assert_equal_outcomes(ours, theirs)


@both_ways
@pytest.mark.parametrize("payload", ["null", "1", '"text"', "[]", '[{"id": "x"}]', "true", "{}", "NaN"])
def test_json_of_another_type_becomes_what_the_sdk_makes_of_it(payload: str, asynchronous: bool) -> None:
    ours, theirs = collect_both(sse(chunk("a"), payload, chunk("b")), asynchronous=asynchronous)
    assert len(ours[0]) == 3
    assert_equal_outcomes(ours, theirs)


@both_ways
@pytest.mark.parametrize("mark", ["[DONE]", "[DONE] ", "[DONE]!", "[DONE]\ndata: more"])
def test_nothing_counts_after_the_end_mark(mark: str, asynchronous: bool) -> None:
    ours, theirs = collect_both(sse(chunk("a"), mark, chunk("b"), "{"), asynchronous=asynchronous)
    assert texts(ours[0]) == ["a"]
    assert_equal_outcomes(ours, theirs)


@both_ways
@pytest.mark.parametrize(
    ("before", "after"),
    [("event: thread.created\n", ""), ("event: message\n", ""), ("id: 1\nretry: 5\n", ""), (": hi\n", "x: y\n")],
)
def test_other_fields_of_an_event_are_read_as_the_sdk_reads_them(before: str, after: str, asynchronous: bool) -> None:
    event = f"{before}data: {json.dumps(chunk('b'))}\n{after}\n".encode()
    ours, theirs = collect_both(sse(chunk("a"), done=False), event, event, sse(chunk("c")), asynchronous=asynchronous)
    assert len(ours[0]) == 4
    assert_equal_outcomes(ours, theirs)


# What the SDK loses or breaks.


@both_ways
@pytest.mark.parametrize(
    "control", [b"id: 7\n\n", b"retry: 10\n\n", b"event: ping\n\n", b"event: ping\ndata:\n\n", b"\xef\xbb\xbf"]
)
def test_events_for_the_parser_alone_and_a_byte_order_mark_are_no_payloads(control: bytes, asynchronous: bool) -> None:
    (chunks, error), theirs = collect_both(control + sse(chunk("a"), chunk("b")), asynchronous=asynchronous)
    assert (texts(chunks), error) == (["a", "b"], None)
    assert theirs[1] is not None or len(theirs[0]) == 1


@both_ways
@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_end_as_the_specification_says(end: bytes, asynchronous: bool) -> None:
    stream = sse(chunk("a"), chunk("b")).replace(b"\n", end)
    client = accelerate(client_over(*(stream[at : at + 1] for at in range(len(stream))), asynchronous=asynchronous))
    chunks, error = collect(client)
    assert (texts(chunks), error) == (["a", "b"], None)


@both_ways
def test_bytes_that_are_not_utf_8_become_replacement_characters(asynchronous: bool) -> None:
    stream = sse(chunk("a?"), chunk("b")).replace(b"?", b"\xff")
    (chunks, error), theirs = collect_both(stream, asynchronous=asynchronous)
    assert (texts(chunks), error) == (["a\ufffd", "b"], None)
    assert isinstance(theirs[1], UnicodeDecodeError)


@both_ways
def test_an_event_without_end_is_refused_before_it_fills_the_memory(
    asynchronous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payloads, "MAX_EVENT_SIZE", 1024)
    reads = [sse(chunk("a"), done=False), b"data: ", *[b"x" * 100] * 11]
    chunks, error = collect(accelerate(client_over(*reads, asynchronous=asynchronous)))
    assert texts(chunks) == ["a"]
    assert type(error) is openai.APIError
    assert isinstance(error.__cause__, EventTooLargeError)
    assert error.message == "an event grew past max_event_size=1024 bytes"


# Ends.


ONE = sse(chunk("a"), done=False)
TWO_CHOICES = sse(chunk("a"), chunk("b", "stop"), chunk("c", index=1), done=False)


@both_ways
@pytest.mark.parametrize("stream", [b"", ONE, TWO_CHOICES, ONE + b'data: {"id": "c', ONE + b"data: [DO"])
def test_a_body_that_ends_early_raises(stream: bytes, asynchronous: bool) -> None:
    ours, theirs = collect_both(stream, asynchronous=asynchronous)
    assert theirs[1] is None
    assert len(ours[0]) == len(theirs[0])
    error = ours[1]
    assert isinstance(error, openai.APIConnectionError)
    assert error.message == "the stream ended before its end mark"
    assert isinstance(error.__cause__, StreamTruncatedError)
    assert error.__cause__.deltas_seen == len(ours[0])


@both_ways
@pytest.mark.parametrize("end", [b"", b"\n", b": bye\n\n"])
def test_a_body_may_end_without_the_end_mark_if_all_choices_are_finished(end: bytes, asynchronous: bool) -> None:
    payloads = [chunk("a"), chunk("b", index=1), chunk(None, "stop"), chunk(None, "length", 1)]
    ours, theirs = collect_both(sse(*payloads, done=False) + end, asynchronous=asynchronous)
    assert_equal_outcomes(ours, theirs)
    assert ours[1] is None


@both_ways
def test_a_last_event_without_its_blank_line_counts(asynchronous: bool) -> None:
    ours, theirs = collect_both(sse(chunk("a"), chunk("b", "stop"), done=False)[:-2], asynchronous=asynchronous)
    assert (texts(ours[0]), ours[1]) == (["a", "b"], None)
    assert texts(theirs[0]) == ["a"]
    ours = collect(accelerate(client_over(sse(chunk("a"))[:-2], asynchronous=asynchronous)))
    assert (texts(ours[0]), ours[1]) == (["a"], None)


@both_ways
@pytest.mark.parametrize(
    "failure",
    [http.ReadTimeout("slow"), http.ReadError("reset"), http.RemoteProtocolError("cut"), KeyError("bug")],
)
def test_a_connection_that_breaks_raises_what_the_sdk_raises(failure: Exception, asynchronous: bool) -> None:
    ours, theirs = collect_both(sse(chunk("a"), done=False), failure, asynchronous=asynchronous)
    assert texts(ours[0]) == ["a"]
    assert_equal_outcomes(ours, theirs)
    assert ours[1] is failure or ours[1].__cause__ is failure


def test_a_stream_that_has_ended_stays_ended() -> None:
    client = accelerate(client_over(sse(chunk("a"))))
    stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    assert texts(list(stream)) == ["a"]
    assert list(stream) == []
    with pytest.raises(StopIteration):
        next(stream)


@both_ways
def test_a_stream_that_was_left_can_be_read_on(asynchronous: bool) -> None:
    stream = sse(*(chunk(text) for text in "abc"))
    client = accelerate(client_over(stream, asynchronous=asynchronous))

    def read() -> list[Any]:
        opened = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        return texts([next(iter(opened)), next(opened), *opened])

    async def aread() -> list[Any]:
        opened = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        first = await anext(aiter(opened))
        return texts([first, await anext(opened), *[one async for one in opened]])

    assert (asyncio.run(aread()) if asynchronous else read()) == ["a", "b", "c"]
