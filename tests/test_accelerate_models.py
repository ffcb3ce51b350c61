"""Objects of an accelerated client: they are equal in all respects to those that the SDK builds."""

import json
import math
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._models import BaseModel, construct_type
from openai.types import Completion
from openai.types.chat import ChatCompletionChunk

from millstream.integrations._shapes import learn_shape
from millstream.integrations.openai import models
from millstream.integrations.openai.models import builder
from sdk_peer import assert_same, describe

STRINGS = st.sampled_from(
    ["", "a", "Hello", " wörld", '\n\t"\\', "\U0001f600", "\ud83d", "\x00", "stop", "function", "0", "1.5", "true"]
)
NUMBERS = st.sampled_from([0, 1, -1, 2**31, 2**63, 2**64, 10**30, 0.0, 1.5, -0.0, 1e300, math.inf, math.nan])
SCALARS = st.none() | st.booleans() | NUMBERS | STRINGS
JUNK: Any = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "id", "index", "text"]), inner, max_size=2)
    ),
    max_leaves=4,
)
EXTRAS = st.sampled_from(
    ["obfuscation", "reasoning_content", "x_extra", "_fields_set", "_BaseModel__cls", "self", "ünicode", "model_config"]
)


def sometimes(strategy: Any, odds: int = 14) -> Any:
    """Return ``strategy`` with a value of any type now and then."""
    return st.integers(0, odds).flatmap(lambda dice: JUNK if dice == 0 else strategy)


def objects(**fields: Any) -> Any:
    """Return JSON objects with most of ``fields``, and others, in any order."""
    made = st.fixed_dictionaries({}, optional={name: sometimes(field) for name, field in fields.items()})
    extra = st.dictionaries(EXTRAS, JUNK, max_size=1)
    both = st.tuples(made, st.integers(0, 5).flatmap(lambda dice: extra if dice == 0 else st.just({})))
    return both.flatmap(lambda pair: st.permutations([*pair[0].items(), *pair[1].items()]).map(dict))


TEXT = st.none() | STRINGS
COUNT = st.integers(0, 9)
FUNCTION = objects(name=TEXT, arguments=TEXT)
CALL = objects(index=COUNT, id=TEXT, type=st.sampled_from(["function", "custom", None]), function=FUNCTION)
TOKEN = objects(
    token=STRINGS,
    logprob=st.sampled_from([-0.5, -1, 0.0]),
    bytes=st.none() | st.lists(COUNT, max_size=2),
    top_logprobs=st.lists(objects(token=STRINGS, logprob=st.just(-1.5), bytes=st.none()), max_size=1),
)
DELTA = objects(
    content=TEXT,
    role=st.sampled_from(["assistant", "tool", "other", None]),
    refusal=TEXT,
    tool_calls=st.none() | st.lists(CALL, max_size=2),
    function_call=st.none() | FUNCTION,
    reasoning_content=TEXT,
    audio=st.none() | objects(id=TEXT, data=TEXT, expires_at=COUNT),
)
FINISH = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "odd", "", None])
FILTER: Any = st.none() | st.just({}) | st.just({"hate": {"filtered": False, "severity": "safe"}})
LOGPROBS = st.none() | objects(
    content=st.none() | st.lists(TOKEN, max_size=2), refusal=st.none() | st.lists(TOKEN, max_size=1)
)
CHOICE = objects(index=COUNT, delta=DELTA, finish_reason=FINISH, logprobs=LOGPROBS, content_filter_results=FILTER)
DETAILS = objects(reasoning_tokens=COUNT, cached_tokens=COUNT, audio_tokens=st.none())
USAGE = st.none() | objects(
    prompt_tokens=COUNT,
    completion_tokens=COUNT,
    total_tokens=COUNT,
    completion_tokens_details=DETAILS,
    prompt_tokens_details=DETAILS,
)
MODERATION = objects(input=objects(type=st.just("error"), code=STRINGS, message=STRINGS), output=st.none())
COMMON: dict[str, Any] = {
    "id": STRINGS,
    "created": COUNT,
    "model": STRINGS,
    "system_fingerprint": TEXT,
    "service_tier": st.sampled_from(["default", "flex", "odd", None]),
    "usage": USAGE,
    "obfuscation": STRINGS,
}
CHUNK = objects(
    object=st.just("chat.completion.chunk"),
    choices=st.lists(CHOICE, min_size=1, max_size=2),
    moderation=st.none() | MODERATION,
    **COMMON,
)
TEXT_CHOICE = objects(
    index=COUNT,
    text=STRINGS,
    finish_reason=FINISH,
    content_filter_results=FILTER,
    logprobs=st.none()
    | objects(
        text_offset=st.lists(COUNT, max_size=1),
        token_logprobs=st.lists(st.sampled_from([-1.5, -1, None]), max_size=2),
        tokens=st.lists(STRINGS, max_size=2),
        top_logprobs=st.none() | st.lists(st.dictionaries(STRINGS, st.just(-0.5), max_size=1), max_size=1),
    ),
)
COMPLETION = objects(object=st.just("text_completion"), choices=st.lists(TEXT_CHOICE, min_size=1, max_size=2), **COMMON)


def build_theirs(payload: str, model: Any) -> Any:
    try:
        return construct_type(value=json.loads(payload), type_=model)
    except Exception as error:
        return type(error), str(error)


def build_ours(payload: str, model: Any) -> Any:
    try:
        return builder(model)(json.loads(payload))
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize(
    ("model", "payloads"), [(ChatCompletionChunk, CHUNK), (Completion, COMPLETION)], ids=["chat", "completions"]
)
@given(data=st.data())
def test_an_object_is_the_one_that_the_sdk_constructs(model: Any, payloads: Any, data: st.DataObject) -> None:
    payload = json.dumps(data.draw(payloads))
    assert_same(build_ours(payload, model), build_theirs(payload, model))


def replace_strings(value: Any, text: str) -> Any:
    """Return ``value`` with ``text`` in the fields that carry a model's text."""
    if isinstance(value, list):
        return [replace_strings(item, text) for item in value]
    if not isinstance(value, dict):
        return value
    texts = ("content", "text", "arguments", "obfuscation", "reasoning_content", "refusal")
    return {
        key: text if key in texts and isinstance(item, str) else replace_strings(item, text)
        for key, item in value.items()
    }


@pytest.mark.parametrize(
    ("model", "payloads"), [(ChatCompletionChunk, CHUNK), (Completion, COMPLETION)], ids=["chat", "completions"]
)
@given(data=st.data())
def test_an_object_of_a_known_shape_is_the_one_that_the_sdk_constructs(
    model: Any, payloads: Any, data: st.DataObject
) -> None:
    first = data.draw(payloads)
    ascii = data.draw(st.booleans())
    try:
        shape = learn_shape(json.dumps(first), builder(model))
    except Exception:
        return
    if shape is not None:
        payload = json.dumps(replace_strings(first, data.draw(STRINGS)), ensure_ascii=ascii)
        made = shape.read(payload)
        if made is not None:
            assert_same(made, build_theirs(payload, model))
            assert describe(shape.read(payload)) == describe(made)


USUAL = {
    "id": "c",
    "choices": [{"index": 0, "delta": {"content": "a", "tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}}],
    "usage": {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "prompt_tokens_details": {"audio_tokens": 0},
    },
}


def test_a_usual_object_is_built_without_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**arguments: Any) -> None:
        raise AssertionError("the SDK was asked")

    build = builder(ChatCompletionChunk)
    monkeypatch.setattr(models, "construct_type", refuse)
    assert build(USUAL).choices[0].delta.tool_calls[0].function.arguments == "{"
    with pytest.raises(AssertionError, match="was asked"):
        build(USUAL | {"usage": {"prompt_tokens": "1"}})


class Validated(BaseModel):
    text: str
    count: int = 0

    @pydantic.field_validator("count")
    @classmethod
    def check(cls, count: int) -> int:
        return count + 1


class Renamed(BaseModel):
    text: str = pydantic.Field(alias="Text")


class Listed(BaseModel):
    items: list[int] = pydantic.Field(default=[])


class Outer(BaseModel):
    validated: Validated | None = None
    renamed: Renamed | None = None
    listed: Listed | None = None


def test_a_model_that_is_not_an_ordinary_one_is_left_to_the_sdk() -> None:
    values: Any = {"validated": {"text": "a", "count": 1}, "renamed": {"Text": "b"}, "listed": {}}
    assert_same(builder(Outer)(values), construct_type(value=values, type_=Outer))
    assert builder(Outer)(values).validated.count == 2
    for model, payload in ((Renamed, {"Text": "b"}), (Listed, {}), (Listed, {"items": [1]})):
        assert_same(builder(model)(payload), construct_type(value=payload, type_=model))
