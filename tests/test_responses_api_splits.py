"""The bytes of a stream of the Responses API, split and mixed in any way, on both halves of the core."""

from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millstream.providers import stream_decoding
from millstream.providers.openai.responses_reader import ResponsesReader
from millstream.providers.payload_stream import PayloadMessages
from responses_samples import CALL, ITEMS, MESSAGE, REASONING, events_of, message, stream_body
from test_responses_api_events import VERSIONS, read_theirs

pytestmark = pytest.mark.usefixtures("core")
anything = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def core(impl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test over each half of the core."""
    monkeypatch.setattr(stream_decoding, "StreamDecoder", impl.StreamDecoder)


def read(reads: list[bytes], version: str | None = None, *, collect_result: bool = False) -> tuple[list[Any], Any]:
    """Return the messages of a stream that arrives in ``reads``, and its processor."""
    stream = PayloadMessages(
        "openai.responses",
        None,
        lambda: ResponsesReader(version=version),
        n=1,
        id="run",
        collect_result=collect_result,
    )
    stream.opened(None)
    messages = [made for data in reads for made in stream.feed(data)]
    messages += stream.close()
    assert stream.error is None
    return messages, stream


def dump(messages: list[Any]) -> list[Any]:
    return [{key: value for key, value in one.model_dump().items() if key != "type"} for one in messages]


def expected_of(events: list[dict[str, Any]], version: str | None) -> list[Any]:
    """Return langchain-openai's messages, with the id of a run where they have none."""
    messages = [chunk.message for chunk in read_theirs(events, version)]
    for one in messages:
        one.id = one.id or "run"
    return dump(messages)


OUTPUT: list[Any] = [REASONING, CALL, MESSAGE, message('ä"\\\n😀', "two", id="msg_7"), ITEMS["cited"], ITEMS["refusal"]]


def test_every_split_gives_the_same_messages() -> None:
    body = stream_body(events_of(*OUTPUT))
    expected = dump(read([body])[0])
    for size in (1, 7, 100, 1001):
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        assert dump(read(pieces)[0]) == expected


def test_line_ends_and_names_of_events_may_differ() -> None:
    body = stream_body(events_of(*OUTPUT))
    expected = dump(read([body])[0])
    unnamed = b"".join(line + b"\n" for line in body.splitlines() if not line.startswith(b"event:"))
    for other in (body.replace(b"\n", b"\r\n"), unnamed.replace(b"data: ", b"data:")):
        assert dump(read([other])[0]) == expected


@anything
@given(st.data())
def test_items_that_grow_at_the_same_time_are_those_of_langchain(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(["message", "cited", "call", "reasoning", "phased"]), max_size=4))
    version = data.draw(st.sampled_from(VERSIONS))
    first, *rest = events_of(*({**ITEMS[name], "id": f"item_{place}"} for place, name in enumerate(names)), step=3)
    queues: list[list[Any]] = [[event for event in rest if event.get("output_index") == at] for at in range(len(names))]
    mixed = [first]
    while any(queues):
        queue = data.draw(st.sampled_from([queue for queue in queues if queue]))
        mixed.append(queue.pop(0))
    events = [*mixed, rest[-1]]
    body = stream_body(events)
    cut = data.draw(st.integers(0, len(body)))
    messages, _ = read([body[:cut], body[cut:]], version)
    assert dump(messages) == expected_of(events, version)


@anything
@given(st.lists(st.sampled_from(sorted(ITEMS)), max_size=4), st.sampled_from(VERSIONS), st.integers(2, 9))
def test_the_result_is_the_merged_messages(names: list[str], version: str | None, step: int) -> None:
    body = stream_body(events_of(*(ITEMS[name] for name in names), step=step))
    messages, stream = read([body], version, collect_result=True)
    merged = messages[0] + messages[1:]
    found: Any = stream.result().generations[0][0]
    assert dump([found.message]) == dump([merged])
