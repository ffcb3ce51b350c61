"""The SDKs read in the wire vectors what our decoder reads; where one is wrong, a test says why."""

import json

import pytest

from cases import Case, each
from formats import wire_cases
from millstream.testing import MockServer, Reply
from sdk_eyes import EYES, Eyes, Seen
from streams import Halves
from test_sdk_eyes import decoded, normal

# Mistral's SDK is not installed: its format is OpenAI's, and so is the client.
SDKS = {"mistral": "openai"}
# What stops an SDK in the middle of a stream that is whole.
STOPS = {
    "openai-chat-retry-control.sse": "a block without data is an event with the data '', which is parsed as JSON",
    "anthropic-compatible-done-tail.sse": "the '[DONE]' that compatible endpoints append is parsed as JSON",
}
# What an SDK passes over.
LOSES = {
    "openrouter-chat-error-midstream.sse": "a chunk with an error raises before its choices, and their finish reason",
}
CASES = [case for case in wire_cases() if case["sdk"] is not None]


def eyes_of(case: Case) -> Eyes:
    """Return the client of a vector's format."""
    sdk = SDKS.get(case["sdk"], case["sdk"])
    return next(eyes for eyes in EYES if (eyes.sdk, eyes.format) == (sdk, case["format"]))


def mine(halves: Halves, case: Case) -> list[Seen]:
    """Return what each half reads in a vector."""
    return [decoded(half, case["format"], case["body"], **case["options"]) for half in halves]


@each([case for case in CASES if case["file"] not in {**STOPS, **LOSES}])
def test_an_sdk_reads_in_a_vector_what_our_decoder_reads(halves: Halves, case: Case) -> None:
    with MockServer(Reply(body=case["body"])) as server:
        seen = eyes_of(case).stream(server.origin)
    for own in mine(halves, case):
        assert normal(seen) == normal(own)


@each([case for case in CASES if case["file"] in STOPS])
def test_an_sdk_that_parses_what_is_no_json_stops_before_our_decoder(halves: Halves, case: Case) -> None:
    seen = Seen()
    with MockServer(Reply(body=case["body"])) as server, pytest.raises(json.JSONDecodeError):
        eyes_of(case).stream(server.origin, seen)
    for own in mine(halves, case):
        assert own.error is None
        assert own.choices["0"]["finish_reason"] is not None
        assert own.choices["0"]["text"].startswith(seen.choice()["text"])


@each([case for case in CASES if case["file"] in LOSES])
def test_an_sdk_that_raises_for_a_chunk_loses_its_finish_reason(halves: Halves, case: Case) -> None:
    with MockServer(Reply(body=case["body"])) as server:
        seen = eyes_of(case).stream(server.origin)
    for own in mine(halves, case):
        assert own.choices["0"]["finish_reason"] == "error"
        own.choices["0"]["finish_reason"] = None
        assert normal(seen) == normal(own)


def test_every_exception_is_a_vector_of_an_sdk() -> None:
    assert {*STOPS, *LOSES} <= {case["file"] for case in CASES}
