"""``astream_records`` of a chat model, and ``RecordWriter`` over ``astream_events``: the same bytes."""

import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import each, load_wire
from endings import read_all
from langchain_peer import KEY
from millstream import ChatOpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.errors import StreamError
from millstream.language_models import GenericFakeChatModel
from millstream.messages import AIMessage
from millstream.providers import stream_decoding
from millstream.testing import VERSE, MockServer, Reply
from millstream.testing.memory import MemoryTransport
from strategies import CUTS, JUNK, STRINGS
from streams import Halves, cut, described, few_ways
from test_records import ENDS, FAULTS, FILTERS, RUN, WAYS, Format, check_model, expected_of, ways

WIRE = load_wire("openai.chat")


def model(reads: list[bytes], **arguments: Any) -> ChatOpenAI:
    return ChatOpenAI(api_key=KEY, http_client=MemoryTransport(reads), **arguments)


@ways
@each(WIRE)
def test_every_vector_makes_the_records_of_its_events(
    half: ModuleType, case: dict[str, Any], version: str, format_: Format
) -> None:
    body = case["body"]
    for reads in few_ways(body, 97):
        records = check_model(model(reads), version, format_)
        assert len(records) <= len(reads) + 2


DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "role": st.just("assistant"),
        "content": STRINGS | st.sampled_from(["\u2028", '"\\\x7f', "\u2029\x85", "a", ""]),
        "reasoning_content": STRINGS,
        "refusal": STRINGS,
        "tool_calls": st.lists(
            st.fixed_dictionaries(
                {"index": st.integers(0, 1), "function": st.just({"name": "f", "arguments": '{"a":'})}
            ),
            max_size=1,
        ),
    },
)
CHOICES = st.fixed_dictionaries(
    {"delta": DELTAS},
    optional={"index": st.integers(0, 1), "finish_reason": st.sampled_from([None, "stop", "length"]), "logprobs": JUNK},
)
PAYLOADS = st.fixed_dictionaries(
    {"choices": st.lists(CHOICES, max_size=2)},
    optional={
        "id": STRINGS,
        "model": st.sampled_from(["m", "n"]),
        "system_fingerprint": STRINGS,
        "service_tier": st.sampled_from(["flex", "priority", "default", None]),
        "usage": st.fixed_dictionaries({"prompt_tokens": st.integers(0, 2**70)}),
    },
)


@given(
    payloads=st.lists(PAYLOADS, max_size=6),
    end=st.sampled_from(ENDS),
    cuts=CUTS,
    config=st.fixed_dictionaries({}, optional={"tags": st.lists(STRINGS, max_size=2), "metadata": st.just({})}),
    way=st.sampled_from(WAYS),
    arguments=st.sampled_from([{}, {"functions": []}]),
    native=st.booleans(),
)
def test_any_stream_makes_the_records_of_its_events(
    halves: Halves,
    payloads: list[Any],
    end: bytes,
    cuts: list[int],
    config: Any,
    way: tuple[str, Format],
    arguments: Any,
    native: bool,
) -> None:
    frames = [b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in payloads]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream_decoding, "StreamDecoder", (halves.rust if native else halves.python).StreamDecoder)
        check_model(model(cut(b"".join(frames) + end, cuts)), *way, {**RUN, **config}, **arguments)


@ways
@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_filters_leave_out_the_same_records(version: str, format_: Format, filters: dict[str, list[str]]) -> None:
    check_model(model([WIRE[0]["body"]]), version, format_, {**RUN, "tags": ["t"]}, **filters)


def test_no_object_is_created_for_a_text(impl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class RecordsOnly:
        """A decoder that can do nothing else."""

        def __init__(self, format: str, n: int | None) -> None:
            self._decoder = impl.StreamDecoder(format, n=n)

        def __getattr__(self, name: str) -> Any:
            return None if name in ("feed", "feed_text", "_feed_parts") else getattr(self._decoder, name)

    frames = [b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'] * 10
    monkeypatch.setattr(stream_decoding, "StreamDecoder", RecordsOnly)
    records, error = read_all(model([*frames[:9], b"".join(frames), b"data: [DONE]\n\n"]).astream_records("p"))
    assert error is None
    # The start, one for each read with text, the last chunk and the end.
    assert [record.count(b"event: data\n") for record in records] == [1, *[1] * 9, 10, 2]


@ways
def test_handlers_receive_every_chunk_of_a_stream_of_records(half: ModuleType, version: str, format_: Format) -> None:
    tokens: list[str] = []

    class Listener(BaseCallbackHandler):
        def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
            tokens.append(token)

    (case,) = [case for case in WIRE if case["name"] == "openai-chat-usage.sse"]
    check_model(model([case["body"]]), version, format_, {**RUN, "callbacks": [Listener()]})
    # Once for the events, once for the records.
    assert tokens == ["", "Hi", "", "", ""] * 2


@ways
@pytest.mark.parametrize("arguments", [{}, {"stop": ["s"]}, {"include_names": ["other"]}], ids=str)
def test_users_models_have_records_too(arguments: Any, version: str, format_: Format) -> None:
    class Endless:
        def __iter__(self) -> Any:
            return self

        def __next__(self) -> AIMessage:
            return AIMessage("a \u2028 \ud83d", id="m")

    check_model(GenericFakeChatModel(messages=Endless()), version, format_, **arguments)


@ways
def test_the_records_of_a_bound_model_are_its_own(version: str, format_: Format) -> None:
    bound = model([WIRE[0]["body"]]).bind(stop=["x"]).with_config(tags=["t"])
    assert len(check_model(bound, version, format_)) == 3


@pytest.mark.parametrize(("fault", "error_class"), FAULTS, ids=str)
def test_an_error_is_raised_after_the_records_and_there_is_no_end_record(
    fault: Any, error_class: type[StreamError]
) -> None:
    with MockServer(Reply(fault=fault)) as server:
        chat = ChatOpenAI(base_url=server.url, api_key=KEY, stream_chunk_timeout=0.6)
        records, error = read_all(chat.astream_records("p", RUN))
        expected = expected_of(chat, "sse", "p", RUN)
    assert isinstance(error, error_class)
    assert error.text == "".join(VERSE[:3])
    assert (b"".join(records), described(error)) == expected
    assert b"event: end" not in records[-1]
