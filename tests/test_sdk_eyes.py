"""The SDKs of the providers, pointed at the mock server, read what our decoder reads."""

import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from format_requests import FORMATS, read
from formats import final_of
from millstream.testing import Drip, ErrorFrame, MockServer, Reply
from sdk_eyes import EYES, Eyes, Seen
from streams import Halves

CALLS = (
    {"name": "search", "args": {"query": "two “words” é🙂", "deep": {"list": [1, 2.5, None, True], "e": {}}}},
    {"name": "now", "args": {}},
    {"name": "f", "args": {"text": "x" * 50}},
)
REPLIES = {
    "the sample": Reply(),
    "odd text": Reply(pieces=["\\", '"', "é🙂", "\u0000", "\n\n", "data: [DONE]", "}]"]),
    "an empty piece": Reply(pieces=["a", "", "b"]),
    "no text": Reply(pieces=[]),
    "cut by its length": Reply(pieces=["a"], finish_reason="length"),
    "reasoning": Reply(pieces=["a", "b"], reasoning=["Hm", ", \n", "so"]),
    "calls": Reply(tool_calls=CALLS),
    "text and a call": Reply(pieces=["let me ", "see"], tool_calls=CALLS[:1]),
    "reasoning and calls": Reply(pieces=["then"], reasoning=["first"], tool_calls=CALLS),
    "byte by byte": Reply(pieces=["é🙂", "b"], reasoning=["ü"], tool_calls=CALLS[:2], fault=Drip(1)),
    "in large writes": Reply(pieces=["é🙂", "b"], tool_calls=CALLS[:2], pieces_per_write=50),
}
each_eyes = pytest.mark.parametrize("eyes", EYES, ids=lambda eyes: f"{eyes.sdk} {eyes.format}")
each_reply = pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)


def decoded(impl: ModuleType, format_: str, data: bytes, **options: Any) -> Seen:
    """Return what our decoder reads in a body."""
    decoder = impl.StreamDecoder(format_, **options)
    deltas = [*decoder.feed(data), *decoder.close()]
    final = final_of(deltas, decoder)
    return Seen(final["choices"], final["usage"], final["error"])


def mine(halves: Halves, eyes: Eyes, reply: Reply, *, stream: bool) -> list[Seen]:
    """Return what each half reads in the answer to the SDK's request, sent once more."""
    asked = next(asked for asked in FORMATS if asked.name == eyes.format)
    if stream and eyes.format.startswith("openai.c"):
        asked = replace(asked, streaming={"stream": True, "stream_options": {"include_usage": True}})
    with MockServer(reply) as server:
        data = read(server, asked, stream=stream).content
    return [decoded(half, eyes.format, data) for half in halves]


def normal(seen: Seen) -> tuple[Any, Any, str | None]:
    """Return what is compared: arguments as values, since an SDK parses those that come as an object."""
    choices = {}
    for index, choice in seen.choices.items():
        calls = {at: (call["id"], call["name"], arguments(call["args"])) for at, call in choice["tool_calls"].items()}
        choices[index] = {**choice, "tool_calls": calls}
    return choices, seen.usage, seen.error


def arguments(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


@each_reply
@each_eyes
def test_an_sdk_reads_in_a_stream_what_our_decoder_reads(halves: Halves, eyes: Eyes, reply: Reply) -> None:
    with MockServer(reply) as server:
        seen = eyes.stream(server.origin)
    for own in mine(halves, eyes, reply, stream=True):
        assert normal(seen) == normal(own)


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
@each_eyes
def test_the_async_client_of_an_sdk_reads_the_same(eyes: Eyes) -> None:
    if eyes.ask_async is None:
        pytest.skip("botocore has no async client")
    with MockServer(REPLIES["reasoning and calls"]) as server:
        assert normal(eyes.stream_async(server.origin)) == normal(eyes.stream(server.origin))


@each_reply
@each_eyes
def test_an_sdk_reads_in_a_whole_answer_what_our_decoder_reads(halves: Halves, eyes: Eyes, reply: Reply) -> None:
    with MockServer(reply) as server:
        seen = eyes.whole(server.origin)
    for own in mine(halves, eyes, reply, stream=False):
        assert normal(seen) == normal(own)


@each_eyes
def test_an_sdk_reads_the_same_error_after_the_same_text(halves: Halves, eyes: Eyes) -> None:
    reply = Reply(pieces=["a", "b", "c"], fault=ErrorFrame(2, "too much to do"))
    with MockServer(reply) as server:
        seen = eyes.stream(server.origin)
    assert "too much to do" in (seen.error or "")
    for own in mine(halves, eyes, reply, stream=True):
        assert own.error == "too much to do"
        assert seen.choices == own.choices


LINE_ENDS = Reply(pieces=["a\u2028b", "c\u2029\u0085d", "\x0b\x0c\x1c"])
# The client of Ollama reads lines with ``str.splitlines``, for which a raw U+2028 or U+0085 in a string ends one.


@each_eyes
def test_line_ends_of_unicode_are_text_but_to_the_sdk_that_splits_lines_there(halves: Halves, eyes: Eyes) -> None:
    seen = Seen()
    with MockServer(LINE_ENDS) as server:
        if eyes.sdk == "ollama":
            with pytest.raises(json.JSONDecodeError):
                eyes.stream(server.origin, seen)
        else:
            eyes.stream(server.origin, seen)
    for own in mine(halves, eyes, LINE_ENDS, stream=True):
        assert own.choices["0"]["text"] == "a\u2028bc\u2029\u0085d\x0b\x0c\x1c"
        if eyes.sdk != "ollama":
            assert normal(seen) == normal(own)
