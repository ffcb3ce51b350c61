"""AWS's event stream: what botocore's parser reads, and what it refuses."""

import json
import struct
import zlib
from types import ModuleType
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from format_strategies import message
from streams import cut, run, splits

FORMAT = "bedrock.converse"
EVENT = {":message-type": "event", ":event-type": "contentBlockDelta", ":content-type": "application/json"}
VALUES: list[tuple[int, Any]] = [
    (0, st.just(b"")),
    (1, st.just(b"")),
    (2, st.binary(min_size=1, max_size=1)),
    (3, st.binary(min_size=2, max_size=2)),
    (4, st.binary(min_size=4, max_size=4)),
    (5, st.binary(min_size=8, max_size=8)),
    (6, st.binary(max_size=9).map(lambda data: struct.pack(">H", len(data)) + data)),
    (7, st.text("ab\u00e9", max_size=5).map(lambda text: struct.pack(">H", len(text.encode())) + text.encode())),
    (8, st.binary(min_size=8, max_size=8)),
    (9, st.binary(min_size=16, max_size=16)),
]
HEADER = st.sampled_from(VALUES).flatmap(lambda kind: st.tuples(st.just(kind[0]), kind[1]))


def delta(text: str, index: int = 0) -> bytes:
    return json.dumps({"contentBlockIndex": index, "delta": {"text": text}}).encode()


def framed(headers: bytes, payload: bytes, *, total: int | None = None, length: int | None = None) -> bytes:
    """Return a message with right checksums, whatever else is wrong with it."""
    whole = 16 + len(headers) + len(payload) if total is None else total
    prelude = struct.pack(">II", whole, len(headers) if length is None else length)
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return head + struct.pack(">I", zlib.crc32(head))


def header(name: str, kind: int, value: bytes) -> bytes:
    return bytes([len(name)]) + name.encode() + bytes([kind]) + value


def texts_of_botocore(body: bytes) -> tuple[list[str], Exception | None]:
    """Return the texts in the messages that botocore reads, and the exception it ends with."""
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    texts: list[str] = []
    try:
        # The generator's texts up to an exception count.
        texts.extend(json.loads(found.payload)["delta"]["text"] for found in buffer)
    except Exception as error:
        return texts, error
    return texts, None


def texts_of(impl: ModuleType, body: bytes, **options: Any) -> tuple[list[str], Any]:
    outcome = run(impl.StreamDecoder(FORMAT, **options), [body], text=True)
    return outcome.items, outcome.failure


@given(
    messages=st.lists(
        st.tuples(
            st.dictionaries(st.text("abc", min_size=1, max_size=4), HEADER, max_size=4),
            st.booleans(),
            st.text("x\u00e9\U0001f600", min_size=1, max_size=5),
        ),
        max_size=4,
    ),
    cuts=st.lists(st.integers(0, 800), max_size=5),
)
def test_messages_with_headers_of_any_kind_are_read_as_botocore_reads_them(
    halves: Any, messages: list[Any], cuts: list[int]
) -> None:
    body = b""
    for others, is_first, text in messages:
        extra = b"".join(header(name, kind, value) for name, (kind, value) in others.items())
        own = b"".join(header(name, 7, struct.pack(">H", len(value)) + value.encode()) for name, value in EVENT.items())
        body += framed(own + extra if is_first else extra + own, delta(text))
    expected = texts_of_botocore(body)
    assert expected[1] is None
    for half in halves:
        outcome = run(half.StreamDecoder(FORMAT), cut(body, cuts), text=True)
        assert (outcome.items, outcome.failure) == expected


def test_a_byte_that_changed_on_the_way_is_noticed_where_botocore_notices_it(impl: ModuleType) -> None:
    messages = [message(EVENT, delta(text)) for text in ("a", "b", "c")]
    body = b"".join(messages)
    starts = [0, len(messages[0]), len(messages[0] + messages[1])]
    for position in range(1, len(body)):
        broken = body[:position] + bytes([body[position] ^ 0x10]) + body[position + 1 :]
        texts, failure = texts_of(impl, broken)
        expected, error = texts_of_botocore(broken)
        assert error is not None
        assert texts == expected
        start = max(start for start in starts if start <= position)
        assert failure["offset"] == start
        checksum = "its checksum" if position >= start + 12 else "the checksum of its prelude"
        assert failure["message"] == f"the message at byte {start} is not valid: {checksum} is wrong"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (framed(b"", b"", total=15), "its length is 15"),
        (framed(b"", b"{}", length=3), "its length is 18"),
        (framed(header("a", 10, b""), b""), "its headers do not fit"),
        (framed(header("a", 7, b"\0\x05ab"), b""), "its headers do not fit"),
        (framed(header("a", 7, b"\0"), b""), "its headers do not fit"),
        (framed(b"\x05ab", b""), "its headers do not fit"),
        (framed(b"\x02ab", b""), "its headers do not fit"),
        (framed(header("a", 9, b"x" * 15), b""), "its headers do not fit"),
    ],
)
def test_a_message_that_does_not_fit_is_an_error_at_every_split(impl: ModuleType, body: bytes, reason: str) -> None:
    first = message(EVENT, delta("a"))
    for pieces in splits(first + body):
        outcome = run(impl.StreamDecoder(FORMAT), pieces, text=True)
        assert outcome.items == ["a"]
        assert outcome.failure is not None
        assert outcome.failure["message"] == f"the message at byte {len(first)} is not valid: {reason}"
        assert outcome.failure["offset"] == len(first)


def test_a_message_past_the_limit_is_too_large_before_it_has_come(impl: ModuleType) -> None:
    first, second = message(EVENT, delta("a")), message(EVENT, delta("b" * 100))
    limit = len(second) - 1
    for pieces in splits(first + second[:12]):
        outcome = run(impl.StreamDecoder(FORMAT, max_event_size=limit), pieces, text=True)
        assert outcome.items == ["a"]
        assert outcome.failure is not None
        assert outcome.failure["type"] == "EventTooLargeError"
        assert (outcome.failure["offset"], outcome.failure["frame"]) == (len(first), second[:12])
    assert texts_of(impl, first + second, max_event_size=len(second)) == (["a", "b" * 100], None)


@pytest.mark.parametrize(
    ("headers", "payload", "error"),
    [
        (
            {":message-type": "exception", ":exception-type": "throttlingException"},
            b'{"message":"Too many requests"}',
            {"type": "throttlingException", "message": "Too many requests"},
        ),
        (
            {":message-type": "exception", ":exception-type": "modelStreamErrorException"},
            b'{"Message":"\xc3\xa9","originalStatusCode":500}',
            {"type": "modelStreamErrorException", "message": "\u00e9"},
        ),
        ({":message-type": "exception"}, b"oops", {"message": "oops"}),
        (
            {":message-type": "exception", ":exception-type": "x"},
            b"",
            {"type": "x", "message": "the provider sent an error without a message (x)"},
        ),
        (
            {":message-type": "error", ":error-code": "500", ":error-message": "internal"},
            b"",
            {"type": "500", "message": "internal"},
        ),
    ],
)
def test_an_exception_is_the_providers_error(
    impl: ModuleType, headers: dict[str, str], payload: bytes, error: dict[str, str]
) -> None:
    body = message(EVENT, delta("a")) + message(headers, payload) + message(EVENT, delta("b"))
    for pieces in splits(body):
        decoder = impl.StreamDecoder(FORMAT)
        assert run(decoder, pieces, text=True).items == ["a"]
        assert (decoder.error, decoder.ended) == (error, "error")


def test_a_message_of_another_kind_or_without_a_payload_is_passed_over(impl: ModuleType) -> None:
    body = message({":message-type": "news"}, b"{") + message({":event-type": "initial-response"}, b"")
    body += message({":event-type": "contentBlockDelta"}, delta("a"))
    decoder = impl.StreamDecoder(FORMAT)
    assert decoder.feed_text(body) == ["a"]
    decoder.close_text()
    assert decoder.ended == "truncated"


def test_a_payload_that_is_not_json_is_named_by_its_message(impl: ModuleType) -> None:
    first = message(EVENT, delta("a"))
    texts, failure = texts_of(impl, first + message(EVENT, b"{"))
    assert (texts, failure["message"], failure["frame"]) == (
        ["a"],
        f"invalid JSON in the message at byte {len(first)}",
        b"{",
    )


@pytest.mark.parametrize("data", ["IA", "I A=", "====", "\u00e9AA="])
def test_a_chunk_that_is_not_base64_is_not_valid(impl: ModuleType, data: str) -> None:
    body = message({":event-type": "chunk"}, json.dumps({"bytes": data}).encode())
    outcome = run(impl.StreamDecoder("bedrock.anthropic"), [body])
    assert outcome.failure is not None
    assert outcome.failure["message"] == "the message at byte 0 is not valid: its bytes are not base64"


def test_a_body_cut_inside_a_message_is_truncated(impl: ModuleType) -> None:
    body = message(EVENT, delta("a")) + message(EVENT, delta("b"))[:-1]
    decoder = impl.StreamDecoder(FORMAT)
    assert decoder.feed_text(body) + decoder.close_text() == ["a"]
    assert decoder.ended == "truncated"
