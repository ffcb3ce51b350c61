"""Bedrock's events as boto3 hands them out, objects with one member named as the event, beside the bytes they were."""

import json
from types import ModuleType, SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.eventstream import EventStream, EventStreamError
from botocore.parsers import EventStreamJSONParser

from cases import load_wire
from format_payloads import EVENTS
from format_strategies import as_lines, as_messages, as_sse
from streams import few_ways, run

FORMAT = "bedrock.converse"
STYLE = (True, False)
SHAPE = (
    botocore.session.get_session()
    .get_service_model("bedrock-runtime")
    .operation_model("ConverseStream")
    .get_event_stream_output()
)
BODIES = [case["body"] for case in load_wire(FORMAT) if case["body"].startswith(b"\0")]
BODIES.append(as_messages(EVENTS[FORMAT], STYLE))


def events_of_botocore(body: bytes) -> list[tuple[str, Any]]:
    """Return the events that ``converse_stream(…)["stream"]`` iterates over for ``body``, without names beside them."""
    response = SimpleNamespace(stream=lambda: iter([body]))
    stream = EventStream(response, SHAPE, EventStreamJSONParser(), "ConverseStream")
    events: list[tuple[str, Any]] = []
    try:
        events.extend(("", event) for event in stream)
    except EventStreamError as error:
        # botocore raises it; the SDKs of other languages hand it out.
        sent = error.response["Error"]
        events.append(("", {sent["Code"]: {"message": sent["Message"]}}))
    return events


def payloads_of(impl: ModuleType, pieces: list[bytes]) -> list[Any]:
    """Return what ``feed_payloads`` does, each payload parsed and without the padding that botocore drops."""
    decoder = impl.StreamDecoder(FORMAT)
    found = [item for piece in pieces for item in decoder.feed_payloads(piece)] + decoder.close_payloads()
    parsed = [item if isinstance(item, str) else (json.loads(item[0]), item[1]) for item in found]
    return [
        item if isinstance(item, str) else ({key: item[0][key] for key in item[0] if key != "p"}, item[1])
        for item in parsed
    ]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("format_", [FORMAT, "auto"])
def test_botocores_events_are_read_as_the_bytes_that_they_were(impl: ModuleType, body: bytes, format_: str) -> None:
    events = events_of_botocore(body)
    assert all(len(event) == 1 for _, event in events)
    decoder = impl.StreamDecoder(FORMAT)
    expected = run(decoder, [body])
    assert expected.items
    framed = [
        as_sse(events, STYLE, b"\n", False, b" "),
        *([as_lines(events, STYLE, b"\n")] if format_ == "auto" else []),
    ]
    for again in framed:
        for pieces in few_ways(again, 60):
            other = impl.StreamDecoder(format_)
            assert run(other, pieces).items == expected.items
            assert (other.format, other.ended, other.error) == (FORMAT, decoder.ended, decoder.error)
            assert (other.usage, other.finish_reason) == (decoder.usage, decoder.finish_reason)


@pytest.mark.parametrize("body", BODIES)
def test_payloads_come_out_without_the_object_around_them(impl: ModuleType, body: bytes) -> None:
    again = as_sse(events_of_botocore(body), STYLE, b"\n", False, b" ")
    for pieces in few_ways(again, 60):
        assert payloads_of(impl, pieces) == payloads_of(impl, [body])


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"throttlingException": {"message": "slow down"}}, "slow down"),
        ({"modelStreamErrorException": {"Message": "\u00e9", "originalStatusCode": 500}}, "\u00e9"),
        ({"validationException": {}}, "{}"),
    ],
)
def test_an_exception_among_the_events_is_the_providers_error(
    impl: ModuleType, event: dict[str, Any], message: str
) -> None:
    text = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "a"}}}
    decoder = impl.StreamDecoder(FORMAT)
    body = as_sse([("", text), ("", event), ("", text)], STYLE, b"\n", False, b" ")
    assert run(decoder, [body], text=True).items == ["a"]
    assert (decoder.error, decoder.ended) == ({"type": next(iter(event)), "message": message}, "error")


@pytest.mark.parametrize(
    "payload",
    [
        {"contentBlockDelta": {"delta": {"text": "a"}}, "messageStop": {}},
        {"contentBlockDelta": {"delta": {"text": "a"}}, "type": "x"},
        {"contentBlockDelta": [{"delta": {"text": "a"}}]},
        {"contentBlockDelta": {"contentBlockDelta": {"delta": {"text": "a"}}}},
        {"news": {"delta": {"text": "a"}}},
        {"throttlingException": "a"},
    ],
)
def test_any_other_object_is_passed_over(impl: ModuleType, payload: dict[str, Any]) -> None:
    decoder = impl.StreamDecoder(FORMAT)
    assert decoder.feed(as_sse([("", payload)], STYLE, b"\n", False, b" ")) == []
    assert decoder.error is None


def test_an_event_that_has_a_name_is_not_looked_into(impl: ModuleType) -> None:
    body = as_sse([("metadata", {"contentBlockDelta": {"delta": {"text": "a"}}})], STYLE, b"\n", True, b" ")
    decoder = impl.StreamDecoder(FORMAT)
    assert (decoder.feed(body), decoder.ended) == ([], "event")


def test_metadata_alone_says_nothing_of_the_format(impl: ModuleType) -> None:
    decoder = impl.StreamDecoder("auto")
    decoder.feed(b'data: {"metadata": {"a": 1}}\n\n')
    assert decoder.format == "auto"


def test_a_stream_of_another_format_names_bedrocks(impl: ModuleType) -> None:
    outcome = run(impl.StreamDecoder("openai.chat"), [b'data: {"messageStart": {"role": "assistant"}}\n\n'])
    assert outcome.failure is not None
    assert outcome.failure["message"] == "the stream's format is bedrock.converse, not openai.chat"
