"""Messages, compared with LangChain's: construction, printing, equality, dumps, pickles, conversion."""

import copy
import pickle
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core import messages as theirs

from message_samples import CALL, PNG, SAMPLES, SENT, USAGE, Made, make_both
from millstream import RecordWriter
from millstream import messages as ours


@pytest.mark.parametrize("sample", SAMPLES)
def test_messages_print_and_dump_as_in_langchain(sample: Made) -> None:
    own, their = make_both(sample)
    assert own.model_dump() == their.model_dump()
    assert list(own.model_dump()) == list(their.model_dump())
    assert own.model_dump_json() == their.model_dump_json()
    assert (repr(own), str(own), own.text) == (repr(their), str(their), their.text)
    assert own.pretty_repr() == their.pretty_repr()
    assert own.pretty_repr(html=True) == their.pretty_repr(html=True)
    assert dict(own) == dict(their)
    assert own.model_dump(exclude={"content"}) == their.model_dump(exclude={"content"})
    assert own.model_dump(include={"content", "id"}) == their.model_dump(include={"content", "id"})
    assert own.model_dump(exclude_none=True) == their.model_dump(exclude_none=True)
    assert own.model_dump(mode="json") == their.model_dump(mode="json")


@pytest.mark.parametrize("sample", SAMPLES)
def test_messages_survive_pickles_copies_and_dicts(sample: Made) -> None:
    own, _ = make_both(sample)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(own, protocol)) == own
    for other in (copy.copy(own), copy.deepcopy(own), own.model_copy(), own.copy(), type(own)(**own.model_dump())):
        assert other == own
        assert repr(other) == repr(own)
        assert type(other) is type(own)
    if own.type != "q":
        assert ours.messages_from_dict(ours.messages_to_dict([own])) == [own]


@pytest.mark.parametrize("sample", SAMPLES)
def test_records_contain_the_fields_of_langchains_dump(sample: Made) -> None:
    own, their = make_both(sample)
    writer = RecordWriter()
    assert writer.write({"data": {"chunk": own}}) == writer.write({"data": {"chunk": their.model_dump()}})


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample[0] != "BaseMessage"])
def test_messages_of_langchain_are_converted_to_ours(sample: Made) -> None:
    own, their = make_both(sample)
    (converted,) = ours.convert_to_messages([their])
    assert type(converted) is type(own)
    extra = {"foo", "example"}
    assert converted.model_dump(exclude=extra) == own.model_dump(exclude=extra)


def test_a_message_copies_its_arguments() -> None:
    blocks: list[Any] = ["a", {"type": "text", "text": "b"}]
    kwargs: Any = {"a": 1}
    call: Any = {"name": "f", "args": {"a": 1}, "id": "1"}
    usage: Any = {**USAGE}
    message = ours.AIMessage(blocks, additional_kwargs=kwargs, tool_calls=[call], usage_metadata=usage)
    before = message.model_dump()
    blocks[1]["text"], kwargs["a"], usage["input_tokens"] = "z", 2, 9
    call["args"]["a"] = 2
    blocks.append("q")
    assert message.model_dump() == before
    before["content"].append("z")
    before["tool_calls"][0]["args"]["b"] = 1
    assert message.model_dump() != before


def test_messages_are_equal_by_class_and_fields() -> None:
    assert ours.AIMessage("x") == ours.AIMessage("x", additional_kwargs={}, tool_calls=[])
    assert ours.AIMessage("x") != ours.AIMessage("x", id="1")
    assert ours.AIMessage("x") != ours.AIMessageChunk("x")
    assert ours.HumanMessage("x", foo=1) != ours.HumanMessage("x")
    with pytest.raises(TypeError, match="unhashable"):
        hash(ours.HumanMessage("x"))


def test_attributes_may_be_set() -> None:
    message = ours.HumanMessage("x")
    message.content, message.id, message.additional_kwargs["k"] = "y", "7", 1
    message.foo = 4  # type: ignore[attr-defined]
    assert message == ours.HumanMessage("y", id="7", additional_kwargs={"k": 1}, foo=4)
    copied = message.model_copy(update={"content": "z", "bar": 1})
    assert (copied.content, copied.model_dump()["bar"], message.content) == ("z", 1, "y")
    answer = ours.AIMessage("")
    answer.tool_calls.append(ours.ToolCall(name="f", args={}, id="1"))
    answer.usage_metadata = ours.UsageMetadata(input_tokens=1, output_tokens=1, total_tokens=2)
    assert answer.tool_calls[0]["name"] == "f"
    answer.tool_calls = []
    assert not answer.tool_calls


def test_the_text_of_a_message_can_still_be_called() -> None:
    message = ours.HumanMessage([{"type": "text", "text": "a"}, "b", {"type": "image"}])
    assert message.text == "ab"
    with pytest.warns(DeprecationWarning, match="read message.text"):
        assert message.text() == "ab"


WRONG: list[tuple[Made, str]] = [
    (("HumanMessage", {}), "HumanMessage: content must be a str or a list of str and dict, not NoneType"),
    (("HumanMessage", {"content": 5}), "HumanMessage: content must be a str or a list of str and dict, not int"),
    (("HumanMessage", {"content": [1]}), "HumanMessage: a block of content must be a str or a dict, not int"),
    (("HumanMessage", {"content": "x", "type": "ai"}), "HumanMessage: type must be 'human', not 'ai'"),
    (("BaseMessage", {"content": "x"}), "BaseMessage: type must be 'a str', not None"),
    (("HumanMessage", {"content": "x", "name": 4}), "HumanMessage: name must be a str, not int"),
    (
        ("HumanMessage", {"content": "x", "additional_kwargs": 4}),
        "HumanMessage: additional_kwargs must be a dict, not int",
    ),
    (
        ("AIMessage", {"content": "x", "tool_calls": [{**CALL, "args": "{}"}]}),
        "AIMessage: a tool call's args must be a dict, not str",
    ),
    (
        ("AIMessage", {"content": "x", "usage_metadata": {"input_tokens": 1}}),
        "AIMessage: usage_metadata['output_tokens'] must be an int, not NoneType",
    ),
    (("AIMessage", {"content": "x", "usage_metadata": 1}), "AIMessage: usage_metadata must be a dict, not int"),
    (("ToolMessage", {"content": "x", "tool_call_id": None}), "ToolMessage: tool_call_id must be a str, not NoneType"),
    (
        ("ToolMessage", {"content": "x", "tool_call_id": "1", "status": "bad"}),
        "ToolMessage: status must be 'success' or 'error', not 'bad'",
    ),
    (
        ("AIMessageChunk", {"content": "x", "chunk_position": "first"}),
        "AIMessageChunk: chunk_position must be 'last' or None, not 'first'",
    ),
    (("ChatMessage", {"content": "x", "role": 5}), "ChatMessage: role must be a str, not int"),
]


@pytest.mark.parametrize(("sample", "message"), WRONG)
def test_fields_of_a_wrong_type_are_rejected_where_langchain_rejects_them(sample: Made, message: str) -> None:
    name, fields = sample
    with pytest.raises(ValueError) as caught:
        getattr(ours, name)(**fields)
    assert str(caught.value) == message
    with pytest.raises(ValueError):
        getattr(theirs, name)(**fields)


def drop_generated_ids(value: Any) -> Any:
    if isinstance(value, dict):
        made_up = str(value.get("id")).startswith("lc_")
        return {key: drop_generated_ids(item) for key, item in value.items() if not (made_up and key == "id")}
    return [drop_generated_ids(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "sample",
    [
        *SAMPLES[:-1],
        *(
            ("HumanMessage", {"content": content})
            for content in SENT
            # Blocks of other providers are converted once their models exist.
            if not re.search("source'|thinking", str(content))
        ),
        ("AIMessage", {"content": "x", "additional_kwargs": {"reasoning_content": "r"}, "tool_calls": [CALL]}),
        (
            "AIMessage",
            {"content": "x", "response_metadata": {"model_provider": "openai"}, "tool_calls": [{**CALL, "id": None}]},
        ),
        ("AIMessage", {"content": [{"type": "text", "text": "x"}], "response_metadata": {"output_version": "v1"}}),
        (
            "AIMessageChunk",
            {
                "content": "x",
                "response_metadata": {"model_provider": "openai"},
                "tool_call_chunks": [{"name": "f", "args": "{", "id": "1", "index": 0}],
            },
        ),
        (
            "AIMessageChunk",
            {
                "content": "x",
                "tool_call_chunks": [{"name": "f", "args": "{", "id": "1", "index": 0}],
                "chunk_position": "last",
            },
        ),
        ("HumanMessage", {"content": [{"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}]}),
        ("HumanMessage", {"content": [{"type": "image", "source_type": "url", "url": "https://x"}]}),
    ],
)
def test_content_has_langchains_standard_blocks(sample: Made) -> None:
    own, their = make_both(sample)
    assert own.content_blocks == drop_generated_ids(their.content_blocks)


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["HumanMessage", "AIMessage", "SystemMessage", "AIMessageChunk", "HumanMessageChunk"]),
    st.text() | st.lists(st.text() | st.dictionaries(st.text(), VALUES)),
    st.dictionaries(st.text().filter(lambda key: key != "tool_calls"), VALUES),
    st.none() | st.text() | st.integers(),
)
def test_any_message_dumps_and_prints_as_in_langchain(name: str, content: Any, details: Any, id: Any) -> None:
    fields = {"content": content, "additional_kwargs": details, "response_metadata": details, "id": id}
    own, their = make_both((name, fields))
    assert own.model_dump() == their.model_dump()
    assert repr(own) == repr(their)
    assert pickle.loads(pickle.dumps(own)) == own
