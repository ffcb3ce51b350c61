"""Lines of JSON and JSON arrays: where a payload ends, what is too large, what is not valid."""

import json
from types import ModuleType
from typing import Any

import pytest

from streams import few_ways, run, splits

DONE = {"message": {"content": ""}, "done": True, "done_reason": "stop"}


def line(text: str, end: bytes = b"\n") -> bytes:
    return json.dumps({"message": {"content": text}, "done": False}).encode() + end


def element(text: str, **members: Any) -> bytes:
    return json.dumps({"candidates": [{"content": {"parts": [{"text": text}]}, **members}]}).encode()


def texts_and_failure(impl: ModuleType, format_: str, body: bytes, **options: Any) -> list[tuple[Any, Any]]:
    """Return the texts and the failure at every split, each result once."""
    found: list[tuple[Any, Any]] = []
    for pieces in splits(body):
        outcome = run(impl.StreamDecoder(format_, **options), pieces, text=True)
        if (outcome.items, outcome.failure) not in found:
            found.append((outcome.items, outcome.failure))
    return found


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n\n", b"\r\n \t\r\n"])
def test_lf_and_crlf_end_a_line_and_blank_lines_are_passed_over(impl: ModuleType, end: bytes) -> None:
    body = line("a", end) + line("b\u2028c", end) + line("d", b"")
    assert texts_and_failure(impl, "ollama.chat", body) == [(["a", "b\u2028c", "d"], None)]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b" ", b"\r\n\r\n", b"\xef\xbb\xbf \n"])
def test_white_space_and_a_byte_order_mark_may_come_first(impl: ModuleType, start: bytes) -> None:
    assert texts_and_failure(impl, "ollama.chat", start + line("a")) == [(["a"], None)]


def test_raw_line_separators_of_unicode_end_no_line(impl: ModuleType) -> None:
    body = json.dumps({"response": "a\u2028b\u0085c", "done": False}, ensure_ascii=False).encode() + b"\n"
    assert texts_and_failure(impl, "ollama.generate", body) == [(["a\u2028b\u0085c"], None)]


def test_a_line_that_is_not_valid_json_is_named_by_its_first_byte(impl: ModuleType) -> None:
    first = line("a")
    ((texts, failure),) = texts_and_failure(impl, "ollama.chat", first + b'{"message":\n' + line("b"))
    assert texts == ["a"]
    assert failure["message"] == f"invalid JSON in the line at byte {len(first)}"
    assert (failure["offset"], failure["frame"]) == (len(first), b'{"message":')


def test_a_last_line_without_its_end_counts_if_it_is_whole(impl: ModuleType) -> None:
    for last, texts, ended in ((b"", ["a", ""], "event"), (b"!", ["a"], "truncated")):
        decoder = impl.StreamDecoder("ollama.chat")
        found = decoder.feed_text(line("a") + json.dumps(DONE).encode() + last) + decoder.close_text()
        assert (found, decoder.ended) == (texts, ended)


def test_a_line_without_an_object_is_passed_over(impl: ModuleType) -> None:
    assert texts_and_failure(impl, "ollama.chat", line("a") + b'[1]\n"x"\n1\nnull\n' + line("b")) == [
        (["a", "b"], None)
    ]


def test_lines_wrapped_as_events_are_read(impl: ModuleType) -> None:
    body = b"data: " + line("a") + b"\nevent: message\ndata: " + json.dumps(DONE).encode() + b"\n\n"
    assert texts_and_failure(impl, "ollama.chat", body) == [(["a", ""], None)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_limit_counts_a_line_without_its_end(impl: ModuleType, end: bytes) -> None:
    body = line("a", end) + line("b" * 50, end)
    size = len(line("b" * 50, b""))
    assert texts_and_failure(impl, "ollama.chat", body, max_event_size=size) == [(["a", "b" * 50], None)]
    ((texts, failure),) = texts_and_failure(impl, "ollama.chat", body, max_event_size=size - 1)
    assert (texts, failure["type"]) == (["a"], "EventTooLargeError")
    assert (failure["offset"], failure["frame"]) == (len(line("a", end)), line("b" * 50, b""))


BETWEEN = [b",", b"\n,\r\n", b" , ", b""]


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("text", ["]", "[{", '"', "\\", '\\"]', "}\\\\", "\u00e9,"])
def test_strings_with_brackets_and_escapes_do_not_end_an_element(impl: ModuleType, between: bytes, text: str) -> None:
    body = b"[" + element(text) + between + element("b", finishReason="STOP") + b"\n]"
    assert texts_and_failure(impl, "gemini.generate", body) == [([text, "b"], None)]


def test_an_element_comes_out_with_its_last_byte(impl: ModuleType) -> None:
    first = b"[" + element("a")
    body = first + b",\n" + element("b") + b"]"
    decoder = impl.StreamDecoder("gemini.generate")
    at = [(fed, text) for fed in range(len(body)) for text in decoder.feed_text(body[fed : fed + 1])]
    assert at == [(len(first) - 1, "a"), (len(body) - 2, "b")]
    assert (decoder.ended, decoder.close_text()) == ("array-end", [])


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        (b"[]", "array-end"),
        (b"[" + element("a"), "truncated"),
        (b"[" + element("a", finishReason="STOP"), "eof"),
        (b"[" + element("a", finishReason="STOP") + b"," + element("b")[:-1], "eof"),
        (b"[" + element("a") + b"] [" + element("b") + b"]", "array-end"),
        (b'[1, "x ]", null, {}, [], ' + element("a") + b"]", "array-end"),
        (b'[{"error":{"message":"m"}}]', "error"),
    ],
)
def test_an_array_ends_with_its_bracket_or_as_its_choices_have(impl: ModuleType, body: bytes, ended: str) -> None:
    for pieces in splits(body):
        decoder = impl.StreamDecoder("gemini.generate")
        texts = run(decoder, pieces, text=True).items
        assert (decoder.ended, texts) == (ended, ["a"] if b'"a"' in body else [])


@pytest.mark.parametrize("wrong", [b'{"a":}', b"nul", b"{]", b'{"a":1]', b"\x01", b"'x'"])
def test_an_element_that_is_not_valid_json_is_named_by_its_first_byte(impl: ModuleType, wrong: bytes) -> None:
    first = b"[" + element("a") + b", "
    ((texts, failure),) = texts_and_failure(impl, "gemini.generate", first + wrong + b" ,1]")
    assert texts == ["a"]
    assert failure["message"] == f"invalid JSON in the element at byte {len(first)}"
    assert (failure["offset"], failure["frame"]) == (len(first), wrong)


def test_the_limit_counts_an_element(impl: ModuleType) -> None:
    body = b"[" + element("a") + b"," + element("b" * 50) + b"]"
    size = len(element("b" * 50))
    assert texts_and_failure(impl, "gemini.generate", body, max_event_size=size) == [(["a", "b" * 50], None)]
    ((texts, failure),) = texts_and_failure(impl, "gemini.generate", body, max_event_size=size - 1)
    assert (texts, failure["type"]) == (["a"], "EventTooLargeError")
    assert (failure["offset"], failure["frame"]) == (len(element("a")) + 2, element("b" * 50))


@pytest.mark.parametrize(
    "format_", ["gemini.generate", "ollama.chat", "bedrock.converse", "anthropic.messages", "auto"]
)
def test_html_in_place_of_any_framing_is_an_error(impl: ModuleType, format_: str) -> None:
    for pieces in few_ways(b"<html>" + b"x" * 600, 100):
        outcome = run(impl.StreamDecoder(format_), pieces)
        assert outcome.failure is not None
        assert outcome.failure["message"] == "the body is HTML or XML, not an event stream"


@pytest.mark.parametrize("format_", ["openai.chat", "anthropic.messages", "cohere.v2"])
def test_an_array_is_no_framing_of_other_formats(impl: ModuleType, format_: str) -> None:
    decoder = impl.StreamDecoder(format_)
    run(decoder, [b"[1, 2]\n\n"])
    assert (decoder.ended, decoder.seen) == ("truncated", "no frames, beginning with b'[1, 2]\\n\\n'")


@pytest.mark.parametrize(
    ("format", "body"),
    [
        ("gemini.generate", b" [ ]"),
        ("auto", b"[]"),
        ("gemini.generate", b'[{"a":1}]'),
        ("openai.chat", b"data: [DONE]\n\n"),
    ],
)
def test_bytes_behind_the_end_are_not_in_the_description(impl: ModuleType, format: str, body: bytes) -> None:
    expected = impl.StreamDecoder(format)
    expected.feed(body)
    for pieces in splits(body + b"xyz"):
        decoder = impl.StreamDecoder(format)
        for piece in pieces:
            decoder.feed(piece)
        assert (decoder.ended, decoder.seen) == (expected.ended, expected.seen)
