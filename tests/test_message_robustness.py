"""Any message of a server or a user is read, or rejected with a ``ValueError`` that says why."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millstream.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    convert_to_messages,
    convert_to_openai_messages,
    get_buffer_string,
)
from millstream.messages.ai import merge_messages
from millstream.messages.openai import to_openai_message

NAMES = """
role content tool_calls id name function arguments refusal audio type text reasoning_content reasoning function_call
index tool_call_id image_url url source extras value input args data base64 mime_type source_type status artifact
"""
WORDS = """
assistant user tool system developer function text image tool_call non_standard reasoning tool_use file audio
input_audio null {} [1] x image_url thinking json base64 url tool_result media guard_content lc_0
"""
KEYS = st.sampled_from(NAMES.split())
TEXTS = st.sampled_from(WORDS.split())
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.just(1.5) | st.just("") | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
RAW = st.dictionaries(KEYS, VALUES, max_size=6)
CALLS = st.lists(VALUES | st.fixed_dictionaries({"id": VALUES, "function": RAW}), max_size=3)
MESSAGES = st.builds(lambda raw, more: {**raw, **more}, RAW, st.fixed_dictionaries({}, optional={"tool_calls": CALLS}))


def check_message(message: BaseMessage) -> None:
    """Call every method of a message that must not raise."""
    message.content_blocks  # noqa: B018
    message.pretty_repr()
    message.model_dump_json()
    get_buffer_string([message] if hasattr(message, "tool_calls") else [])
    assert pickle.loads(pickle.dumps(message)) == copy.deepcopy(message) == message


@settings(max_examples=200, deadline=None)
@given(MESSAGES)
def test_any_message_of_a_user_is_read_or_rejected(raw: dict[str, Any]) -> None:
    try:
        (message,) = convert_to_messages([raw])
    except ValueError:
        return
    check_message(message)
    for convert in (to_openai_message, convert_to_openai_messages):
        try:
            convert(message)
        except ValueError:
            continue


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(RAW, RAW, st.lists(TEXTS | RAW, max_size=3)), min_size=1, max_size=4))
def test_chunks_with_any_content_merge(fields: list[tuple[Any, Any, Any]]) -> None:
    chunks = [
        AIMessageChunk(content, additional_kwargs=kwargs, response_metadata=metadata)
        for kwargs, metadata, content in fields
    ]
    check_message(merge_messages(chunks))


@pytest.mark.parametrize("depth", [129, 500, 900, 100_000])
@pytest.mark.parametrize("whole", [True, False])
def test_arguments_nested_too_deeply_make_an_invalid_call(depth: int, whole: bool) -> None:
    text = '{"a":' * depth + ("1" + "}" * depth if whole else "")
    call = {"id": "1", "function": {"name": "f", "arguments": text}}
    chunk = AIMessageChunk("", tool_call_chunks=[{"name": "f", "args": text, "id": "1", "index": 0}])
    for message in (chunk + chunk, AIMessage("", additional_kwargs={"tool_calls": [call]})):
        assert isinstance(message, AIMessage)
        assert (message.tool_calls, len(message.invalid_tool_calls)) == ([], 1)
        message.model_dump_json()


def test_arguments_may_be_nested_as_deeply_as_payloads() -> None:
    text = '{"a":' * 128 + "1" + "}" * 128
    chunk = AIMessageChunk("", tool_call_chunks=[{"name": "f", "args": text, "id": "1", "index": 0}])
    assert len(chunk.tool_calls) == 1
    assert '{"a":' * 100 in chunk.model_dump_json().replace(" ", "")
