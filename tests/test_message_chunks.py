"""Merging chunks: as in LangChain where LangChain loses nothing, in any grouping, in linear time."""

import pickle
from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core import messages as theirs
from langchain_core.messages.ai import add_usage as their_add_usage

from millstream import messages as ours
from millstream._merge import add_counts
from millstream.messages.ai import add_ai_message_chunks, add_usage, merge_messages, text_chunk
from millstream.messages.tool import tool_call_chunk

Fields = dict[str, Any]

counts = st.integers(0, 50)
usages = st.none() | st.fixed_dictionaries(
    {"input_tokens": counts, "output_tokens": counts, "total_tokens": counts},
    optional={
        "input_token_details": st.dictionaries(st.sampled_from(["audio", "cache_read", "x"]), counts),
        "output_token_details": st.dictionaries(st.sampled_from(["audio", "reasoning"]), counts),
    },
)


def piece(index: int, **fields: Any) -> Any:
    """Return a piece of a call."""
    return {"name": None, "args": None, "id": None, **fields, "index": index}


@st.composite
def call_pieces(draw: st.DrawFn) -> list[Fields]:
    """Return pieces of calls, one per index and with one id per index."""
    made = []
    for index in draw(st.lists(st.integers(0, 2), unique=True, max_size=3)):
        # LangChain doubles a name that is repeated with its id.
        header = draw(st.sampled_from([{}, {"name": "f"}, {"name": ""}, {"id": f"call_{index}", "name": ""}]))
        made.append(piece(index, **header, args=draw(st.sampled_from([None, "", '{"a":', "1", "}", "[", '"x']))))
    return made


details = st.fixed_dictionaries(
    {},
    optional={
        "reasoning_content": st.text(max_size=3),
        "function_call": st.fixed_dictionaries({"arguments": st.text(max_size=3)}),
        "none": st.none() | st.just("told"),
        "items": st.lists(st.integers(), max_size=2),
    },
)
metadata = st.fixed_dictionaries(
    {},
    optional={
        "model_provider": st.just("openai"),
        "logprobs": st.fixed_dictionaries({"content": st.lists(st.fixed_dictionaries({"token": st.text(max_size=2)}))}),
    },
)
text_block = {"type": st.just("text"), "text": st.text(max_size=2)}
blocks: st.SearchStrategy[Any] = st.fixed_dictionaries(text_block, optional={"index": st.integers(0, 2)})


def has_an_index_once(items: Any) -> bool:
    indexes = [item["index"] for item in items if "index" in item]
    return len(indexes) == len(set(indexes))


# In LangChain, the texts after an empty list are lost.
lists: st.SearchStrategy[Any] = st.lists(st.text(max_size=2) | blocks, min_size=1, max_size=3)
contents: st.SearchStrategy[Any] = st.text(max_size=3) | lists.filter(has_an_index_once)
ids = st.sampled_from([None, "", "lc_1", "lc_2", "lc_run--1", "lc_run-2", "chatcmpl-1", "msg-2"])


def chunk_fields(content: st.SearchStrategy[Any]) -> st.SearchStrategy[Fields]:
    return st.fixed_dictionaries(
        {"content": content},
        optional={
            "additional_kwargs": details,
            "response_metadata": metadata,
            "tool_call_chunks": call_pieces(),
            "usage_metadata": usages,
            "id": ids,
            "chunk_position": st.sampled_from([None, "last"]),
        },
    )


def fields_without_calls(chunk: Any) -> Fields:
    """Return a chunk's fields without the calls, since LangChain reads malformed arguments differently."""
    dumped: Fields = chunk.model_dump(exclude={"tool_calls", "invalid_tool_calls"})
    return dumped


def merge_in_groups(chunks: list[Any], sizes: list[int]) -> Any:
    """Merge groups of neighbouring chunks, then the results."""
    groups, rest = [], chunks
    for size in sizes:
        head, rest = rest[:size], rest[size:]
        groups += [reduce(add, head)] if head else []
    return reduce(add, groups + rest)


@settings(max_examples=300, deadline=None)
@given(st.lists(chunk_fields(contents), min_size=1, max_size=6), st.lists(st.integers(1, 3), max_size=4))
def test_chunks_merge_as_in_langchain_in_every_grouping(fields: list[Fields], sizes: list[int]) -> None:
    own = [ours.AIMessageChunk(**one) for one in fields]
    their = [theirs.AIMessageChunk(**one) for one in fields]
    before = [chunk.model_dump() for chunk in own]
    assert fields_without_calls(merge_in_groups(own, sizes)) == fields_without_calls(merge_in_groups(their, sizes))
    assert fields_without_calls(merge_messages(own)) == fields_without_calls(theirs.ai.add_ai_message_chunks(*their))
    assert [chunk.model_dump() for chunk in own] == before


@settings(max_examples=300, deadline=None)
@given(st.lists(chunk_fields(st.text(max_size=3)), min_size=1, max_size=6), st.lists(st.integers(1, 3), max_size=4))
def test_the_grouping_of_chunks_of_text_does_not_matter(fields: list[Fields], sizes: list[int]) -> None:
    chunks = [ours.AIMessageChunk(**{**one, "id": one.get("id") or None}) for one in fields]
    whole = merge_messages(chunks)
    assert merge_in_groups(chunks, sizes) == whole == add_ai_message_chunks(*chunks)
    assert chunks[0] + chunks[1:] == chunks[0] + tuple(chunks[1:]) == whole == sum(chunks)
    assert pickle.loads(pickle.dumps(whole)) == whole


@settings(max_examples=100, deadline=None)
@given(usages, usages)
def test_usage_is_summed_as_in_langchain(left: Any, right: Any) -> None:
    assert add_usage(left, right) == their_add_usage(left, right)


KINDS: list[tuple[str, Fields]] = [
    ("HumanMessageChunk", {}),
    ("SystemMessageChunk", {}),
    ("ToolMessageChunk", {"tool_call_id": "1"}),
    ("ChatMessageChunk", {"role": "r"}),
    ("FunctionMessageChunk", {"name": "f"}),
]


@pytest.mark.parametrize(("name", "fields"), KINDS)
@settings(max_examples=30, deadline=None)
@given(st.lists(contents, min_size=1, max_size=4), details, metadata, ids)
def test_chunks_of_every_class_merge_as_in_langchain(
    name: str, fields: Fields, texts: list[Any], kwargs: Fields, metadata: Fields, id: str | None
) -> None:
    common = {**fields, "additional_kwargs": kwargs, "response_metadata": metadata, "id": id}
    own, their = (reduce(add, [getattr(module, name)(text, **common) for text in texts]) for module in (ours, theirs))
    assert (type(own).__name__, own.model_dump()) == (type(their).__name__, their.model_dump())


def test_chunks_of_two_classes_merge_to_the_class_of_the_first() -> None:
    assert ours.AIMessageChunk("a", id="1") + ours.HumanMessageChunk("b") == ours.AIMessageChunk("ab", id="1")
    assert add(ours.HumanMessageChunk("a"), [ours.AIMessageChunk("b")]) == ours.HumanMessageChunk("ab")
    assert ours.ChatMessageChunk("a", role="r") + ours.AIMessageChunk("b") == ours.ChatMessageChunk("ab", role="r")


WRONG: list[tuple[Any, Any, type[Exception], str]] = [
    (
        ours.AIMessageChunk("a"),
        ours.AIMessage("b"),
        TypeError,
        'unsupported operand type(s) for +: "AIMessageChunk" and "AIMessage"',
    ),
    (ours.AIMessageChunk("a"), "b", TypeError, 'unsupported operand type(s) for +: "AIMessageChunk" and "str"'),
    (
        ours.HumanMessageChunk("a"),
        ["b"],
        TypeError,
        'unsupported operand type(s) for +: "HumanMessageChunk" and "list"',
    ),
    (
        ours.ChatMessageChunk("a", role="r"),
        ours.ChatMessageChunk("b", role="s"),
        ValueError,
        "Cannot concatenate ChatMessageChunks with different roles.",
    ),
    (
        ours.FunctionMessageChunk("a", name="f"),
        ours.FunctionMessageChunk("b", name="g"),
        ValueError,
        "Cannot concatenate FunctionMessageChunks with different names.",
    ),
    (
        ours.ToolMessageChunk("a", tool_call_id="1"),
        ours.ToolMessageChunk("b", tool_call_id="2"),
        ValueError,
        "Cannot concatenate ToolMessageChunks with different tool_call_ids.",
    ),
    (1, ours.AIMessageChunk("b"), TypeError, "unsupported operand type(s) for +: 'int' and 'AIMessageChunk'"),
]


@pytest.mark.parametrize(("left", "right", "error", "message"), WRONG)
def test_chunks_that_cannot_be_merged_raise(left: Any, right: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        left + right
    assert str(caught.value) == message


def test_tool_messages_merge_their_artifacts_and_keep_the_worse_status() -> None:
    def chunk(content: str, **fields: Any) -> ours.ToolMessageChunk:
        return ours.ToolMessageChunk(content, tool_call_id="1", **fields)

    assert chunk("a", artifact={"k": "a"}) + chunk("b", artifact={"k": "b"}, status="error") == chunk(
        "ab", artifact={"k": "ab"}, status="error"
    )
    for first, second, merged in (
        ("a", "b", "ab"),
        ([1], [2], [1, 2]),
        (None, 5, 5),
        (5, "x", "x"),
        (None, None, None),
    ):
        assert (chunk("", artifact=first) + chunk("", artifact=second)).artifact == merged  # type: ignore[attr-defined]


def test_values_that_name_or_date_a_response_are_never_joined() -> None:
    metadata = {
        "finish_reason": "stop",
        "model_name": "m",
        "system_fingerprint": "fp",
        "service_tier": "default",
        "id": "x",
    }
    chunks = [
        ours.AIMessageChunk("a", response_metadata=metadata),
        ours.AIMessageChunk("b", response_metadata=metadata),
    ]
    assert merge_messages(chunks).response_metadata == metadata
    later = ours.AIMessageChunk("", response_metadata={"finish_reason": "length", "model_name": None})
    assert merge_messages([*chunks, later]).response_metadata == {**metadata, "finish_reason": "length"}
    their = [theirs.AIMessageChunk(content="a", response_metadata=metadata)] * 2
    assert reduce(add, their).response_metadata["finish_reason"] == "stopstop"


def test_metadata_of_different_types_does_not_end_a_stream() -> None:
    chunks = [ours.AIMessageChunk("", additional_kwargs={"a": value}) for value in (1, "x", {"b": True}, {"b": False})]
    assert merge_messages(chunks).additional_kwargs == {"a": {"b": False}}


def test_a_text_after_an_empty_list_is_kept() -> None:
    assert (ours.AIMessageChunk([]) + ours.AIMessageChunk("x")).content == ["x"]
    assert (theirs.AIMessageChunk(content=[]) + theirs.AIMessageChunk(content="x")).content == []


def test_arguments_without_an_id_continue_the_latest_call_of_their_index() -> None:
    begun = [piece(0, id="a", name="f", args=""), piece(0, args="{}"), piece(0, id="b", name="g", args="")]
    chunks = [ours.AIMessageChunk("", tool_call_chunks=[one]) for one in (*begun, piece(0, args='{"x":1}'))]
    calls = [(call["name"], call["args"], call["id"]) for call in merge_messages(chunks).tool_calls]
    assert calls == [("f", {}, "a"), ("g", {"x": 1}, "b")]


def test_repeated_ids_and_names_make_one_call() -> None:
    texts = ("{", '"a":', "1}")
    chunks = [ours.AIMessageChunk("", tool_call_chunks=[piece(0, id="a", name="f", args=text)]) for text in texts]
    assert merge_messages(chunks).tool_calls == [{"name": "f", "args": {"a": 1}, "id": "a", "type": "tool_call"}]


def test_pieces_of_a_call_in_one_chunk_are_merged_too() -> None:
    chunk = ours.AIMessageChunk("", tool_call_chunks=[piece(0, id="a", name="f", args="{"), piece(0, args='"a":')])
    whole = chunk + ours.AIMessageChunk("", tool_call_chunks=[piece(0, args="1}")])
    assert whole.tool_calls == [{"name": "f", "args": {"a": 1}, "id": "a", "type": "tool_call"}]


def test_non_standard_blocks_are_merged_into_standard_ones() -> None:
    begun = [{"type": "text", "text": "a", "index": 0}, {"type": "non_standard", "value": {"k": "a"}, "index": 1}]
    more = [
        {"type": "non_standard", "value": {"type": "t", "sig": "s"}, "index": 0},
        {"type": "non_standard", "value": {"type": "t", "k": "b"}, "index": 1},
    ]
    own, their = ((m.AIMessageChunk(begun) + m.AIMessageChunk(more)).content for m in (ours, theirs))
    assert own == their


def test_calls_are_read_on_first_access() -> None:
    chunk = ours.AIMessageChunk("", tool_call_chunks=[piece(0, name="f", args='{"a": [1, "x')])
    assert chunk._tool_calls is None
    assert chunk.tool_calls == [{"name": "f", "args": {"a": [1, "x"]}, "id": None, "type": "tool_call"}]
    chunk.tool_call_chunks = [tool_call_chunk(name="g", args="[", id="1")]
    assert chunk.tool_calls == []
    assert chunk.invalid_tool_calls[0]["name"] == "g"
    chunk.tool_calls, chunk.invalid_tool_calls = [], []
    assert (chunk.tool_calls, chunk.invalid_tool_calls) == ([], [])


def test_a_text_chunk_equals_a_chunk_made_by_the_constructor() -> None:
    assert text_chunk("x", "i") == ours.AIMessageChunk("x", id="i")
    chunk = text_chunk("x")
    assert (chunk.additional_kwargs, chunk.tool_calls, chunk.tool_call_chunks) == ({}, [], [])
    chunk.additional_kwargs["k"] = 1
    assert (chunk + text_chunk("y")).additional_kwargs == {"k": 1}
    assert ours.AIMessageChunk.model_construct(content="x", id="i") == text_chunk("x", "i")


def test_an_empty_text_never_replaces_a_value() -> None:
    metadata = {"finish_reason": "stop", "model_name": "m", "id": "x", "text": "a"}
    chunks = [
        ours.AIMessageChunk("a", response_metadata=metadata, id="msg-1", tool_call_chunks=[piece(0, id="call_1")])
    ]
    empty: Fields = {**dict.fromkeys(metadata, ""), "list": ""}
    chunks.append(ours.AIMessageChunk("", response_metadata=empty, id="", tool_call_chunks=[piece(0, id="", name="")]))
    whole = merge_messages(chunks)
    assert (whole.response_metadata, whole.id) == ({**metadata, "list": ""}, "msg-1")
    assert whole.tool_call_chunks == [tool_call_chunk(id="call_1", name="", index=0)]
    details = [ours.AIMessageChunk("", additional_kwargs={"a": value}) for value in ([1], "", {"b": 2}, "")]
    assert merge_messages(details).additional_kwargs == {"a": {"b": 2}}


def test_a_name_grows_unless_it_is_repeated_with_its_id() -> None:
    def named(*pieces: Fields) -> Any:
        chunks = [ours.AIMessageChunk("", tool_call_chunks=[piece(0, **one)]) for one in pieces]
        assert merge_in_groups(chunks, [1, len(chunks)]) == merge_messages(chunks)
        return merge_messages(chunks).tool_calls[0]["name"]

    assert named({"id": "a", "name": "f"}, {"id": "a", "name": "f"}, {"id": "a", "name": "f"}) == "f"
    assert named({"id": "a", "name": "f"}, {"name": "f"}) == "ff"
    assert named({"id": "a", "name": "f"}, {"id": "a", "name": "g"}) == "fg"
    assert named({"name": "f"}, {"name": "f"}) == "ff"


@st.composite
def calls_of_a_stream(draw: st.DrawFn) -> list[Fields]:
    """Return pieces as a decoder returns them: an index has one id, in its first piece or in each."""
    made = []
    for index in range(draw(st.integers(1, 3))):
        id = draw(st.sampled_from([f"call_{index}", None, ""]))
        first = piece(index, id=id, name=f"f{index}", args=draw(st.sampled_from(["", "{", None])))
        again = draw(st.booleans()) and bool(id)
        rest = {"id": id, "name": first["name"]} if again else draw(st.sampled_from([{}, {"id": "", "name": ""}]))
        args = draw(st.lists(st.sampled_from(["", None, '"a":', "1", "}"]), max_size=3))
        made += [first, *(piece(index, **rest, args=text) for text in args)]
    return made


@settings(max_examples=300, deadline=None)
@given(calls_of_a_stream(), st.lists(st.integers(1, 3), max_size=5))
def test_the_grouping_of_a_streams_calls_does_not_matter(pieces: list[Any], sizes: list[int]) -> None:
    chunks = [ours.AIMessageChunk("", tool_call_chunks=[one]) for one in pieces]
    whole = merge_messages(chunks)
    assert merge_in_groups(chunks, sizes) == whole
    assert [call["name"] for call in whole.tool_call_chunks] == [
        f"f{place}" for place in range(len(whole.tool_call_chunks))
    ]


def test_unknown_usage_counts_are_summed_too() -> None:
    one: Any = {
        "input_tokens": 1,
        "output_tokens": 2,
        "total_tokens": 3,
        "input_token_details": {"cache_read": 1, "flex": 2, "by_part": {"image": 1}},
        "searches": 1,
    }
    usages = [one, {**one, "input_token_details": {"flex": 3, "by_part": {"image": 2, "file": 1}}}, None]
    chunks = [ours.AIMessageChunk("", usage_metadata=usage) for usage in usages]
    whole = merge_messages(chunks).usage_metadata
    assert whole == their_add_usage(*usages[:2])
    assert whole["input_token_details"] == {"cache_read": 1, "flex": 5, "by_part": {"image": 3, "file": 1}}


@pytest.mark.parametrize("wrong", [5, [1], "text", {"input_tokens": {"deep": "x"}}])
def test_counts_that_are_none_are_ignored(wrong: Any) -> None:
    assert add_counts([{"a": 1}, wrong, {"a": 2}])["a"] == 3
