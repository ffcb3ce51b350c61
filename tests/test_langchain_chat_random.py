"""Random payloads: the chunks of our LangChain chat models are langchain-openai's, whatever a server sends."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_chat import body_of, chat_models, describe, outcome
from millstream.testing import Reply

TEXT = st.sampled_from(["", "a", "é😀", " x\n", "\u2028"])
NULLABLE = st.none() | TEXT
FUNCTIONS = st.fixed_dictionaries({"arguments": TEXT}, optional={"name": NULLABLE})
CALLS = st.fixed_dictionaries(
    {"index": st.integers(0, 2), "function": FUNCTIONS},
    optional={"id": st.none() | st.just("call_1"), "type": st.just("function")},
)
DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from([None, "assistant"]),
        "content": NULLABLE,
        "tool_calls": st.none() | st.lists(CALLS, max_size=2),
        "function_call": st.none() | FUNCTIONS,
        "refusal": st.none(),
        "audio": st.none(),
        "more": st.integers(),
    },
)
LOGPROBS = st.fixed_dictionaries({"content": st.none() | st.just([{"token": "a", "logprob": -1.5}])})
USAGE = st.fixed_dictionaries(
    {name: st.integers(0, 9) for name in ("prompt_tokens", "completion_tokens", "total_tokens")},
    optional={"prompt_tokens_details": st.none() | st.just({"cached_tokens": 1}), "more": st.just(1)},
)
CHOICES = st.fixed_dictionaries(
    {"delta": DELTAS},
    optional={
        "index": st.integers(0, 2),
        "logprobs": st.none() | LOGPROBS,
        "finish_reason": st.none(),
        "content_filter_results": st.just({"hate": {"filtered": False}}),
    },
)
PAYLOADS = st.fixed_dictionaries(
    {"choices": st.lists(CHOICES, min_size=1, max_size=2) | st.just([])},
    optional={
        "id": st.just("i"),
        "model": st.sampled_from(["m", "n"]),
        "system_fingerprint": NULLABLE,
        "service_tier": st.sampled_from([None, "flex"]),
        "usage": st.none() | USAGE,
        "obfuscation": TEXT,
    },
)
FINISH = {"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Any, Any, list[bytes]]]:
    """Return both models, and the list whose last item is the body that their server sends."""
    bodies: list[bytes] = []
    with chat_models(lambda request: Reply(body=bodies[-1])) as (model, peer, _):
        yield model, peer, bodies


@given(payloads=st.lists(PAYLOADS, max_size=6))
def test_chunks_are_those_of_langchain_whatever_a_server_sends(
    pair: tuple[Any, Any, list[bytes]], payloads: list[Any]
) -> None:
    model, peer, bodies = pair
    bodies[:] = [body_of([*payloads, FINISH])]
    found, expected = (outcome(lambda: each.stream("p")) for each in (model, peer))  # noqa: B023
    assert found == expected
    messages = model._convert_input("p").to_messages()
    assert describe(list(model._stream(messages))) == describe(list(peer._stream(messages)))
