"""One definition of valid JSON for both halves, shown by a table of accepted and refused documents."""

import json
import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from cases import load
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


@pytest.mark.parametrize("format_", ["openai.chat", "openai.completions"])
def test_every_payload_is_accepted_or_refused(impl: ModuleType, format_: str) -> None:
    for case in DOCUMENTS:
        document = bytes_of(case, "document")
        for pieces in some_splits(framed(document)):
            failure = run(impl.StreamDecoder(format_), pieces).failure
            assert (failure is None) is case["valid"], case["name"]
            if failure is not None:
                assert failure["message"] == "invalid JSON in the frame at byte 6", case["name"]
                assert failure["frame"] == re.sub(b"\r\n|\r", b"\n", document)[:512], case["name"]


def test_text_only_decoding_accepts_and_refuses_the_same(impl: ModuleType) -> None:
    for case in DOCUMENTS:
        failure = run(impl.StreamDecoder("openai.chat"), [framed(bytes_of(case, "document"))], text=True).failure
        assert (failure is None) is case["valid"], case["name"]


def test_every_body_is_accepted_or_refused(impl: ModuleType) -> None:
    for case in OBJECTS:
        document = bytes_of(case, "document")
        start = document.index(b"{")
        for pieces in some_splits(document):
            failure = run(impl.StreamDecoder("openai.chat"), pieces).failure
            assert (failure is None) is case["valid"], case["name"]
            if failure is not None:
                assert failure["message"] == "invalid JSON in the body", case["name"]
                assert (failure["offset"], failure["frame"]) == (start, document[start:][:512]), case["name"]


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


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_json_too_deep_for_the_interpreter_is_a_decode_error(impl: ModuleType, text: str) -> None:
    with pytest.raises(json.JSONDecodeError, match="JSON nested too deeply"):
        impl.ServerSentEvent(data=text).json()


@pytest.mark.parametrize("data", ['"\ud800"', '"\\ud800"', '{"\udc00": ["\ud83d"]}', '"\ud83d\ude00"'])
def test_lone_surrogates_of_json_become_replacement_characters(impl: ModuleType, data: str) -> None:
    value = impl.ServerSentEvent(data=data).json()
    json.dumps(value, ensure_ascii=False).encode()
    assert "\ufffd" in str(value) or value == "\U0001f600"


@contextmanager
def digits(limit: int) -> Iterator[None]:
    """Set how long an integer the interpreter reads."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(limit)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.thread_unsafe(reason="changes the interpreter's limit")
@pytest.mark.parametrize(("limit", "exact"), [(640, False), (1001, True), (0, True), (4300, True)])
def test_integers_are_exact_as_far_as_the_interpreter_allows_now(impl: ModuleType, limit: int, exact: bool) -> None:
    number = "9" * 1000
    frame = f'data: {{"choices":[],"usage":{{"n":{number}}}}}\n\n'.encode()
    decoder = impl.StreamDecoder("openai.completions")
    (delta,) = decoder.feed(frame)
    assembler = impl.JSONAssembler()
    assembler.feed(f"[{number}")
    with digits(limit):
        right: int | float = int(number) if exact else math.inf
        event = impl.ServerSentEvent(data=number)
        assert [delta.usage["n"], decoder.usage["n"], event.json(), *assembler.value] == [right] * 4
        assert assembler.diff()[0]["value"] == [right]
        assembler.feed("9]")
        # A number that goes on after the limit says the same: infinite.
        assert bool(assembler.diff()) is exact


@pytest.mark.thread_unsafe(reason="changes the interpreter's limit")
def test_without_a_limit_an_integer_of_any_length_is_exact(impl: ModuleType) -> None:
    assembler = impl.JSONAssembler()
    assembler.feed(f"[{'9' * 5000}]")
    assert assembler.value == [math.inf]
    with digits(0):
        assert assembler.value == [10**5000 - 1] == impl.ServerSentEvent(data=f"[{'9' * 5000}]").json()


@pytest.mark.parametrize("field", ["usage", "error", "logprobs"])
@pytest.mark.parametrize("values", ["[]," * 600_000 + "[]", "1," * 1_100_000 + "1"])
def test_an_object_of_very_many_values_is_not_read(impl: ModuleType, field: str, values: str) -> None:
    inner = f'{{"message":"m","x":[{values}]}}'
    body = f'{{"choices":[{{"index":0,"logprobs":{inner}}}]}}' if field == "logprobs" else f'{{"{field}":{inner}}}'
    decoder = impl.StreamDecoder("openai.completions")
    (delta,) = decoder.feed(f"data: {body}\n\n".encode())
    found = getattr(delta, field)
    assert found == {"message": "the provider sent an object of more than 1048576 values, which was not read"}
    if field != "logprobs":
        assert getattr(decoder, field) == found


def test_an_object_of_many_values_is_read(impl: ModuleType) -> None:
    values = "[]," * 300_000 + "[]"
    decoder = impl.StreamDecoder("openai.completions")
    decoder.feed(f'data: {{"usage":{{"x":[{values}]}}}}\n\n'.encode())
    assert len(decoder.usage["x"]) == 300_001
