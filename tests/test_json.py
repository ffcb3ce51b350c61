"""One definition of valid JSON for both halves, shown by a table of accepted and refused documents."""

import re
from types import ModuleType
from typing import Any

import pytest

from cases import Case, each, load
from millstream import RecordWriter
from streams import bytes_of, run, splits

DOCUMENTS = load("json")
OBJECTS = [case for case in DOCUMENTS if bytes_of(case, "document").lstrip(b" \t\r\n").startswith(b"{")]


def framed(document: bytes) -> bytes:
    """Return ``document`` as the data of one frame: its line ends, white space to JSON, become those of the stream."""
    return b"".join(b"data: " + line + b"\n" for line in re.split(b"\r\n|\r|\n", document)) + b"\n"


def some_splits(body: bytes, size: int = 300) -> list[list[bytes]]:
    """Return every split of a short body, and of a long one whole and byte by byte."""
    ways = splits(body)
    return list(ways) if len(body) <= size else [next(ways), next(ways)]


@each(DOCUMENTS)
def test_a_payload_is_accepted_or_refused(impl: ModuleType, case: Case) -> None:
    document = bytes_of(case, "document")
    for format_ in ("openai.chat", "openai.completions"):
        for pieces in some_splits(framed(document)):
            failure = run(impl.StreamDecoder(format_), pieces).failure
            assert (failure is None) is case["valid"]
            if failure is not None:
                assert failure["message"] == "invalid JSON in the frame at byte 6"
                assert failure["frame"] == re.sub(b"\r\n|\r", b"\n", document)[:512]


@each(DOCUMENTS)
def test_text_only_decoding_accepts_and_refuses_the_same(impl: ModuleType, case: Case) -> None:
    failure = run(impl.StreamDecoder("openai.chat"), [framed(bytes_of(case, "document"))], text=True).failure
    assert (failure is None) is case["valid"]


@each(OBJECTS)
def test_a_body_is_accepted_or_refused(impl: ModuleType, case: Case) -> None:
    document = bytes_of(case, "document")
    start = document.index(b"{")
    for pieces in some_splits(document):
        failure = run(impl.StreamDecoder("openai.chat"), pieces).failure
        assert (failure is None) is case["valid"]
        if failure is not None:
            assert failure["message"] == "invalid JSON in the body"
            assert (failure["offset"], failure["frame"]) == (start, document[start:][:512])


@pytest.mark.parametrize("shape", [b"[", b'{"a":', b'[{"a":', b'{"choices":[', b'{"choices":[{"logprobs":'])
def test_a_million_levels_are_refused_at_once(impl: ModuleType, shape: bytes) -> None:
    document = shape * (1_000_000 // len(shape))
    outcome = run(impl.StreamDecoder("openai.chat"), [b"data: ", document, b"\n\n"])
    assert outcome.failure is not None
    assert outcome.failure["message"] == "invalid JSON in the frame at byte 6"


def test_words_for_numbers_are_read_where_they_stand(impl: ModuleType) -> None:
    words = b'{"content": [NaN, Infinity, -Infinity]}'
    body = b'data: {"choices": [{"text": "a", "logprobs": %s}], "usage": {"n": NaN}}\n\n' % words
    decoder = impl.StreamDecoder("openai.completions")
    text, usage = decoder.feed(body)
    assert repr(text.logprobs) == "{'content': [nan, inf, -inf]}"
    assert repr(usage.usage) == repr(decoder.usage) == "{'n': nan}"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_json_assembler_refuses_words_for_numbers(impl: ModuleType, word: str) -> None:
    for document in (word, f"[{word}]", f'{{"a": {word}}}'):
        assembler = impl.JSONAssembler()
        assembler.feed(document)
        with pytest.raises(ValueError, match="^invalid JSON at character"):
            assembler.close()


@pytest.mark.parametrize("format_", ["sse", "ndjson"])
def test_words_for_numbers_leave_as_null_in_records(format_: Any) -> None:
    event = {"data": [float("nan"), float("inf"), -float("inf"), {"lone": "\ud800", 2: float("nan")}]}
    record = RecordWriter(format=format_).write(event)
    assert record.partition(b'{"data":')[2].startswith(b'[null,null,null,{"lone":"\xef\xbf\xbd","2":null}]}')


@pytest.mark.parametrize("field", ["usage", "error"])
def test_integers_too_long_for_the_interpreter_are_read(impl: ModuleType, field: str) -> None:
    digits = "9" * 6000
    body = f'data: {{"{field}": {{"message": "m", "n": {digits}, "m": -{digits}}}}}\n\n'.encode()
    decoder = impl.StreamDecoder("openai.chat")
    (delta,) = decoder.feed(body)
    assert getattr(delta, field) == {"message": "m", "n": float("inf"), "m": float("-inf")}
    assert getattr(decoder, field) == getattr(delta, field)
