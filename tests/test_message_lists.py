"""Functions over lists of messages, compared with LangChain's: filter, merge, trim, count, format."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core import messages as theirs
from langchain_core.language_models import FakeListChatModel as TheirFake
from langchain_core.messages import utils as their_utils
from langchain_core.runnables import RunnableLambda as TheirLambda

from message_samples import BLOCKS, CALL, USAGE, Made, make_both
from millstream import messages as ours
from millstream.language_models import FakeListChatModel
from millstream.messages import utils as our_utils
from millstream.runnables import RunnableLambda

TEXTS = st.sampled_from(["", "a", "b c", "one\ntwo\n", "\n", "<&\"'>"])
BLOCK = st.one_of(
    TEXTS,
    TEXTS.map(lambda text: {"type": "text", "text": text}),
    st.sampled_from(
        [
            {"type": "image_url", "image_url": {"url": "https://x/y"}},
            {"type": "image", "base64": "AA", "mime_type": "image/png"},
            {"type": "tool_use", "id": "1", "name": "f", "input": {}},
            {"type": "reasoning", "reasoning": "<r>"},
            {"type": "server_tool_call", "id": "s", "name": "web", "args": {"q": "x" * 600}},
            {"type": "server_tool_result", "tool_call_id": "s", "status": "success", "output": [1]},
        ]
    ),
)
CONTENT = TEXTS | st.lists(BLOCK, max_size=4)
COMMON: dict[str, Any] = {
    "content": CONTENT,
    "id": st.none() | st.sampled_from(["1", "2", "lc_run-3"]),
    "name": st.none() | st.sampled_from(["ann", "bob"]),
    "response_metadata": st.sampled_from([{}, {"model_provider": "p"}, {"model_provider": "q", "a": 1}]),
    "additional_kwargs": st.sampled_from([{}, {"k": "v"}, {"function_call": {"name": "f", "arguments": "{}"}}]),
}
CALLS = st.lists(st.sampled_from([{**CALL, "id": "1"}, {**CALL, "id": "2"}, {**CALL, "id": "1" * 70}]), max_size=2)


def made(name: str, **more: Any) -> Any:
    """Return a strategy for a sample of the message class ``name``."""
    return st.fixed_dictionaries({**COMMON, **more}).map(lambda fields: (name, fields))


USAGES = st.none() | st.just(USAGE) | st.just({**USAGE, "total_tokens": 900})
SYSTEM, HUMAN, AI = (
    made("SystemMessage"),
    made("HumanMessage"),
    made("AIMessage", tool_calls=CALLS, usage_metadata=USAGES),
)
SAMPLE = st.one_of(
    *(SYSTEM, HUMAN, HUMAN, AI, AI, made("HumanMessageChunk"), made("AIMessageChunk", tool_calls=CALLS)),
    *(made("ToolMessage", tool_call_id=st.sampled_from(["1", "2"])), made("ChatMessage", role=st.just("critic"))),
)
LISTS = st.lists(SAMPLE, max_size=7)
NAMES = st.none() | st.lists(st.sampled_from(["ann", "bob"]), max_size=1)
IDS = st.none() | st.lists(st.sampled_from(["1", "2"]), max_size=2)
TYPES = st.none() | st.sampled_from(["human", "ai", ["system", "tool"], ["HumanMessageChunk", "chat"], []])


def shown(messages: list[Any]) -> list[Any]:
    # LangChain's filter leaves the pieces of a chunk's excluded calls.
    return [(type(message).__name__, message.model_dump(exclude={"tool_call_chunks"})) for message in messages]


def outcome(call: Any) -> Any:
    """Return the messages that ``call`` returns, or the class of its error."""
    try:
        result = call()
    except (ValueError, KeyError, TypeError) as error:
        return next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "builtins")
    return shown(result) if isinstance(result, list) else result


def compare(name: str, samples: list[Made], **options: Any) -> None:
    """Call a function with equal messages in both libraries; results are equal, and the messages unchanged."""
    both = [make_both(sample) for sample in samples]
    mine, other = [own for own, _ in both], [their for _, their in both]
    before = copy.deepcopy(mine)
    expected = outcome(lambda: getattr(their_utils, name)(other, **options))
    assert outcome(lambda: getattr(our_utils, name)(mine, **options)) == expected
    assert mine == before


@settings(max_examples=150, deadline=None)
@given(LISTS, NAMES, NAMES, TYPES, TYPES, IDS, IDS, st.sampled_from([None, True, False, [], ["1"], ["1", "2"]]))
def test_messages_are_filtered_as_in_langchain(
    samples: list[Made], names: Any, no_names: Any, types: Any, no_types: Any, ids: Any, no_ids: Any, no_calls: Any
) -> None:
    included = {"include_names": names, "include_types": types, "include_ids": ids}
    excluded = {"exclude_names": no_names, "exclude_types": no_types, "exclude_ids": no_ids}
    compare("filter_messages", samples, **included, **excluded, exclude_tool_calls=no_calls)


@settings(max_examples=200, deadline=None)
@given(LISTS, st.sampled_from(["\n", "", "--"]))
def test_runs_of_messages_are_merged_as_in_langchain(samples: list[Made], separator: str) -> None:
    # LangChain drops a text that follows an empty list, and joins response ids of different runs.
    samples = [(name, {**fields, "content": fields["content"] or ""}) for name, fields in samples]
    compare("merge_message_runs", samples, chunk_separator=separator)


def characters(messages: list[Any]) -> int:
    return sum(len(str(message.content)) for message in messages)


@settings(max_examples=300, deadline=None)
@given(
    LISTS,
    st.integers(0, 120),
    st.sampled_from(["first", "last"]),
    st.booleans(),
    TYPES,
    TYPES,
    st.booleans(),
    st.sampled_from([len, characters, "approximate"]),
    st.sampled_from([None, list]),
)
def test_messages_are_trimmed_as_in_langchain(
    samples: list[Made],
    limit: int,
    strategy: str,
    partial: bool,
    end_on: Any,
    start_on: Any,
    system: bool,
    counter: Any,
    splitter: Any,
) -> None:
    limit = limit // 12 if counter is len else limit
    options = {"end_on": end_on, "start_on": start_on, "include_system": system, "text_splitter": splitter}
    compare(
        "trim_messages",
        samples,
        max_tokens=limit,
        token_counter=counter,
        strategy=strategy,
        allow_partial=partial,
        **options,
    )


@settings(max_examples=200, deadline=None)
@given(LISTS, st.booleans(), st.booleans(), st.sampled_from([4.0, 1, 2.5]), st.sampled_from([3.0, 0.5]))
def test_tokens_are_estimated_as_in_langchain(
    samples: list[Made], scaled: bool, named: bool, characters: float, extra: float
) -> None:
    options = {"use_usage_metadata_scaling": scaled, "count_name": named, "tokens_per_image": 10}
    compare(
        "count_tokens_approximately",
        samples,
        chars_per_token=characters,
        extra_tokens_per_message=extra,
        **options,
    )


@settings(max_examples=200, deadline=None)
@given(LISTS, st.sampled_from(["prefix", "xml"]), st.sampled_from(["\n", "|"]))
def test_conversations_are_formatted_as_in_langchain(samples: list[Made], format: str, separator: str) -> None:
    compare("get_buffer_string", samples, format=format, message_separator=separator, human_prefix="Me")


OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("trim_messages", {"max_tokens": 1, "token_counter": len, "strategy": "first", "start_on": "human"}),
    ("trim_messages", {"max_tokens": 1, "token_counter": len, "strategy": "first", "include_system": True}),
    ("trim_messages", {"max_tokens": 1, "token_counter": len, "strategy": "middle"}),
    ("trim_messages", {"max_tokens": 1, "token_counter": "exact"}),
    ("trim_messages", {"max_tokens": 1, "token_counter": 5}),
    ("get_buffer_string", {"format": "yaml"}),
]


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_options_that_do_not_go_together_raise(name: str, options: dict[str, Any]) -> None:
    for module, messages in ((our_utils, [ours.HumanMessage("x")]), (their_utils, [theirs.HumanMessage("x")])):
        with pytest.raises(ValueError):
            getattr(module, name)(messages, **options)


def one_message(message: ours.BaseMessage) -> int:
    return len(message.content)


def named_only(message: "BaseMessage") -> int:  # type: ignore[name-defined]  # noqa: F821
    return len(message.content)


@pytest.mark.parametrize("counter", [one_message, named_only])
def test_a_counter_of_one_message_is_called_for_each(counter: Any) -> None:
    messages = [ours.HumanMessage("abc"), ours.AIMessage("d"), ours.HumanMessage("e")]
    assert ours.trim_messages(messages, max_tokens=2, token_counter=counter) == messages[1:]


def test_a_model_may_count_the_tokens() -> None:
    class Counting(FakeListChatModel):
        def get_num_tokens_from_messages(self, messages: list[Any], tools: Any = None) -> int:
            return 10 * len(messages)

    messages = [ours.HumanMessage("a"), ours.AIMessage("b"), ours.HumanMessage("c")]
    kept = ours.trim_messages(messages, max_tokens=25, token_counter=Counting(responses=[]), start_on=ours.HumanMessage)
    assert kept == messages[2:]


def test_models_functions_classes_and_messages_of_langchain_may_be_passed() -> None:
    class Counting(TheirFake):
        def get_num_tokens_from_messages(self, messages: list[Any], tools: Any = None) -> int:
            assert all(isinstance(message, theirs.BaseMessage) for message in messages)
            return 10 * len(messages)

    human: Any = theirs.HumanMessage
    answer: Any = theirs.AIMessage
    history = [human("a"), answer("b"), human("c")]
    last = [ours.HumanMessage("c")]
    counters: list[Any] = [Counting(responses=[]), lambda messages: 10 * len(messages)]
    for counter in counters:
        assert ours.trim_messages(history, max_tokens=19, token_counter=counter, start_on=human) == last
    approximate = their_utils.count_tokens_approximately
    assert ours.trim_messages(history, max_tokens=6, token_counter=approximate) == last
    assert ours.filter_messages(history, include_types=[answer]) == [ours.AIMessage("b")]
    assert ours.get_buffer_string(history) == theirs.get_buffer_string(history)
    assert ours.merge_message_runs(history[2:] * 2) == [ours.HumanMessage("c\nc")]


def test_a_splitter_object_splits_the_text() -> None:
    class Words:
        def split_text(self, text: str) -> list[str]:
            return [f"{word} " for word in text.split()]

    (part,) = ours.trim_messages(
        [ours.HumanMessage("a bb c")], max_tokens=5, token_counter=characters, allow_partial=True, text_splitter=Words()
    )
    assert part.content == "bb c "


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("filter_messages", {"include_types": ["human"]}),
        ("merge_message_runs", {"chunk_separator": " "}),
        ("trim_messages", {"max_tokens": 2, "token_counter": len}),
    ],
)
@pytest.mark.parametrize("chained", [False, True])
def test_without_messages_the_functions_are_steps_of_chains(name: str, options: dict[str, Any], chained: bool) -> None:
    def run(module: Any, step_type: Any) -> Any:
        step = getattr(module, name)(**options)
        assert isinstance(step, step_type)
        chain = step_type(lambda input: input["history"]) | step if chained else step
        messages = [module.HumanMessage("a"), module.HumanMessage("b"), module.AIMessage("c")]
        return step.get_name(), shown(chain.invoke({"history": messages} if chained else messages))

    assert run(ours, RunnableLambda) == run(theirs, TheirLambda)


def test_the_pieces_of_excluded_calls_are_dropped_too() -> None:
    calls: list[Any] = [{**CALL, "id": "1"}, {**CALL, "id": "2"}]
    (kept,) = ours.filter_messages([ours.AIMessageChunk("", tool_calls=calls)], exclude_tool_calls=["1"])
    assert [piece["id"] for piece in kept.tool_call_chunks] == ["2"]  # type: ignore[attr-defined]


def test_merging_is_linear_and_shares_nothing_with_its_messages() -> None:
    messages = [ours.HumanMessage([{"type": "text", "text": str(number), "x": {"y": []}}]) for number in range(2000)]
    (merged,) = ours.merge_message_runs(messages)
    assert len(merged.content) == 2000
    first: Any = merged.content[0]
    first["x"]["y"].append(1)
    assert messages[0].content[0]["x"] == {"y": []}  # type: ignore[index]


def test_a_message_that_removes_another_has_only_its_id() -> None:
    own, other = ours.RemoveMessage("7", name="n"), theirs.RemoveMessage("7", name="n")
    assert own.model_dump() == other.model_dump()
    assert shown(ours.messages_from_dict(ours.messages_to_dict([own]))) == [("RemoveMessage", other.model_dump())]
    likes: list[Any] = [
        {"role": "remove", "content": "", "id": "7"},
        {"type": "remove", "content": "", "id": "7"},
        {"lc": 1, "type": "constructor", "id": ["RemoveMessage"], "kwargs": {"content": "", "id": "7"}},
    ]
    for like in likes:
        assert ours.convert_to_messages([like]) == [ours.RemoveMessage("7")]
        assert theirs.convert_to_messages([like]) == [theirs.RemoveMessage("7")]
    assert ours.convert_to_messages([other]) == [own]
    assert copy.deepcopy(own) == own
    with pytest.raises(ValueError, match="RemoveMessage does not support 'content' field"):
        ours.RemoveMessage("7", content="x")
    with pytest.raises(ValueError, match="Unrecognized message class"):
        ours.merge_message_runs([own, own])


def test_notifications_are_marked_as_in_langchain() -> None:
    for data in (None, {"task": 1}):
        own, other = (
            module.add_notification_metadata(
                module.HumanMessage("x", id="1", additional_kwargs={"a": 1, "lc_data": 5}), source="s", data=data
            )
            for module in (ours, theirs)
        )
        assert own.model_dump() == other.model_dump()
        assert ours.get_notification_metadata(own) == theirs.get_notification_metadata(other)
    assert ours.get_notification_metadata(ours.HumanMessage("x")) is None


@pytest.mark.parametrize("left", [None, {}, USAGE, {**USAGE, "output_token_details": {"reasoning": 4}}])
@pytest.mark.parametrize("right", [None, {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6}, USAGE])
def test_usages_are_subtracted_as_in_langchain(left: Any, right: Any) -> None:
    from langchain_core.messages.ai import subtract_usage as their_subtract

    from millstream.messages.ai import subtract_usage

    assert subtract_usage(left, right) == their_subtract(left, right)


def test_blocks_are_made_as_in_langchain() -> None:
    from langchain_core.messages import content as their_content

    from millstream.messages import content as our_content

    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("create_text_block", ("x",), {"annotations": [], "id": "1", "more": 1, "none": None}),
        ("create_image_block", (), {"url": "u", "index": 0, "id": "1"}),
        ("create_image_block", (), {"base64": "AA", "id": "1"}),
        ("create_image_block", (), {"mime_type": "x"}),
        ("create_video_block", (), {"base64": "AA"}),
        ("create_audio_block", (), {"base64": "AA", "mime_type": "audio/wav", "id": "1"}),
        ("create_file_block", (), {"file_id": "f", "id": "1", "filename": "n"}),
        ("create_plaintext_block", ("x",), {"title": "t", "id": "1"}),
        ("create_tool_call", ("f", {"a": 1}), {"id": "1", "index": 2}),
        ("create_reasoning_block", (), {"id": "1"}),
        ("create_citation", (), {"url": "u", "start_index": 0, "id": "1"}),
        ("create_non_standard_block", ({"a": 1},), {"id": "1", "index": "i"}),
    ]
    for name, args, options in calls:
        results = [outcome(lambda: getattr(module, name)(*args, **options)) for module in (our_content, their_content)]  # noqa: B023
        assert results[0] == results[1], name
    assert our_content.create_text_block("x")["id"].startswith(ours.LC_AUTO_PREFIX)
    assert ours.ensure_id("a") == "a"
    assert our_content.KNOWN_BLOCK_TYPES == their_content.KNOWN_BLOCK_TYPES


def test_every_name_of_langchains_messages_is_there() -> None:
    assert set(ours.__all__) == set(theirs.__all__)
    for module in (ours, our_utils):
        for name in module.__all__:
            assert getattr(module, name) is not None


def test_blocks_of_users_lists_are_formatted_alike() -> None:
    own, other = ([module.HumanMessage(copy.deepcopy(BLOCKS))] for module in (ours, theirs))
    assert ours.get_buffer_string(own, format="xml") == theirs.get_buffer_string(other, format="xml")


class _Ids(list[str]):
    """Ids in which no message may be searched one by one."""

    def __contains__(self, id: object) -> bool:
        raise AssertionError


@pytest.mark.parametrize("name", ["include_ids", "exclude_ids", "exclude_tool_calls"])
def test_a_long_list_of_ids_is_not_searched_for_each_message(name: str) -> None:
    calls: Any = [{"name": "f", "args": {}, "id": f"call-{i}"} for i in range(3)]
    messages = [ours.HumanMessage("a", id="1"), ours.AIMessage("", tool_calls=calls, id="2")]
    conditions: Any = {name: _Ids(["1", "call-1"])}
    assert len(ours.filter_messages(messages, **conditions)) == (2 if name == "exclude_tool_calls" else 1)
