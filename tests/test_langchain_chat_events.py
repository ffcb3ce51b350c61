"""Events of our LangChain chat models in all versions, sync and async, beside langchain-openai's."""

from collections.abc import AsyncIterator
from inspect import isawaitable
from typing import Any

import pytest

from langchain_chat import aoutcome, body_of, chat_models, outcome
from millstream.testing import Reply
from test_langchain_chat import BODIES

NAMES = ("openai", "a role with each piece", "a tool call", "logprobs", "azure", "no choices", "only usage", "nothing")


def events(model: Any, version: str) -> list[Any]:
    """Return the events of a run, and the exception that ends it."""

    async def read() -> AsyncIterator[Any]:
        stream = model.astream_events("p", version=version)
        async for event in await stream if isawaitable(stream) else stream:
            yield event

    return aoutcome(read)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_events_are_those_of_langchain(name: str) -> None:
    with chat_models(Reply(body=body_of(BODIES[name])), stream_usage=True) as (model, peer, _):
        for version in ("v1", "v2", "v3"):
            assert events(model, version) == events(peer, version)
        found, expected = (
            outcome(lambda: each.stream_events("p", version="v3"))  # noqa: B023
            for each in (model, peer)
        )
        assert found == expected


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("status", [200, 429])
def test_events_of_failures_are_those_of_langchain(status: int) -> None:
    body = body_of([*BODIES["openai"][:2], {"error": {"message": "busy"}}])
    with chat_models(Reply(body=body, status=status, headers={"x-request-id": "r"})) as (model, peer, _):
        for version in ("v1", "v2", "v3"):
            assert events(model, version) == events(peer, version)
