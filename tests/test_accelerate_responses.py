"""Streams of the Responses API of an accelerated client: equal to the SDK's, but for streams that end early."""

import asyncio
import json
from types import ModuleType
from typing import Any

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.responses import ResponseStreamEvent

from millstream.errors import StreamTruncatedError
from millstream.integrations._shapes import learn_shape
from millstream.integrations.openai import accelerate, payloads
from millstream.integrations.openai.models import union_builder
from responses_samples import CALL, ITEMS, MESSAGE, REASONING, events_of, message, response, stream_body
from sdk_peer import assert_equal_outcomes, assert_same, client_over, collect, collect_both

both_ways = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
pytestmark = pytest.mark.usefixtures("core")


@pytest.fixture
def core(impl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test over each half of the core."""
    monkeypatch.setattr(payloads, "SSEParser", impl.SSEParser)


@pytest.mark.parametrize("name", ITEMS)
@both_ways
def test_the_events_of_each_item_are_the_sdks(name: str, asynchronous: bool) -> None:
    body = stream_body(with_obfuscation(events_of(ITEMS[name], step=2)))
    assert_equal_outcomes(*collect_both(body[:700], body[700:], api="responses", asynchronous=asynchronous))


def with_obfuscation(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event | {"obfuscation": "x" * place} if "delta" in event else event for place, event in enumerate(events)]


JUNK = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
EVENTS = [event for name in ITEMS for event in events_of(ITEMS[name], step=3)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(EVENTS), st.data())
def test_an_event_with_any_values_is_the_sdks(event: dict[str, Any], data: st.DataObject) -> None:
    changed = {key: data.draw(JUNK) if key != "type" and data.draw(st.booleans()) else event[key] for key in event}
    extra = data.draw(st.dictionaries(st.sampled_from(["obfuscation", "x"]), JUNK, max_size=1))
    stream = stream_body([changed | extra, changed, events_of()[-1]])
    assert_equal_outcomes(*collect_both(stream, api="responses"))


def test_deltas_have_a_shape_that_fits_whatever_their_text_and_number() -> None:
    build = union_builder(ResponseStreamEvent)
    assert build is not None
    deltas = [json.dumps(event) for event in events_of(message('a"b\\c d' * 3), step=1) if "delta" in event]
    shape = learn_shape(deltas[0], build)
    assert shape is not None
    for delta in deltas:
        assert_same(shape.read(delta), build(json.loads(delta)))


@pytest.mark.parametrize("number", ["-1", "01", "1.0", "1e3", "12345678901234567890", '"1"', "null", "1 "])
def test_a_number_of_another_form_does_not_fit_a_shape(number: str) -> None:
    build = union_builder(ResponseStreamEvent)
    assert build is not None
    delta = json.dumps(next(event for event in events_of(MESSAGE) if "delta" in event))
    shape = learn_shape(delta, build)
    assert shape is not None
    sequence = json.loads(delta)["sequence_number"]
    assert shape.read(delta.replace(f'"sequence_number": {sequence}', f'"sequence_number": {number}')) is None


@both_ways
def test_an_error_event_is_the_sdks_object(asynchronous: bool) -> None:
    error = {"type": "error", "code": "c", "message": "m", "param": None, "sequence_number": 9}
    stream = stream_body([*events_of(MESSAGE)[:5], error])
    ours, theirs = collect_both(stream, api="responses", asynchronous=asynchronous)
    assert_equal_outcomes(ours, theirs)
    assert ours[0][-1].message == "m"


@both_ways
def test_an_error_object_raises_as_in_the_sdk(asynchronous: bool) -> None:
    stream = stream_body([*events_of(MESSAGE)[:5], {"type": "error", "error": {"message": "m", "code": "c"}}])
    ours, theirs = collect_both(stream, api="responses", asynchronous=asynchronous)
    assert_equal_outcomes(ours, theirs)
    assert isinstance(ours[1], openai.APIError)


@both_ways
def test_a_failed_response_is_the_sdks_object(asynchronous: bool) -> None:
    failed = {"type": "response.failed", "response": response(status="failed", error={"code": "c", "message": "m"})}
    ours, theirs = collect_both(stream_body([failed]), api="responses", asynchronous=asynchronous)
    assert_equal_outcomes(ours, theirs)
    assert ours[0][0].response.error.message == "m"


@both_ways
def test_a_stream_that_ends_before_its_response_raises(asynchronous: bool) -> None:
    body = stream_body(events_of(MESSAGE)[:-1])
    chunks, error = collect(accelerate(client_over(body, asynchronous=asynchronous)), api="responses")
    assert len(chunks) == len(events_of(MESSAGE)) - 1
    assert isinstance(error, openai.APIConnectionError)
    assert isinstance(error.__cause__, StreamTruncatedError)


def test_the_sdks_helper_reads_an_accelerated_stream() -> None:
    body = stream_body(events_of(REASONING, message('{"name": "cat"}'), CALL))

    def read(client: Any) -> Any:
        with client.responses.stream(model="m", input="p") as stream:
            events = [(event.type, getattr(event, "snapshot", None)) for event in stream]
            return events, stream.get_final_response().to_dict()

    assert read(accelerate(client_over(body))) == read(client_over(body))

    async def aread(client: Any) -> Any:
        async with client, client.responses.stream(model="m", input="p") as stream:
            return [event.type async for event in stream], (await stream.get_final_response()).to_dict()

    ours = asyncio.run(aread(accelerate(client_over(body, asynchronous=True))))
    assert ours == asyncio.run(aread(client_over(body, asynchronous=True)))
