"""Version 3 of the events of each provider's model, beside LangChain's for the provider, on one mock server."""

import asyncio
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_anthropic
    import langchain_google_genai
    import langchain_ollama
    import langchain_openai

from events_v3 import aread_stream, read_stream
from millstream import ChatOpenAI
from millstream.providers.anthropic.chat import ChatAnthropic
from millstream.providers.google.chat import ChatGoogleGenerativeAI
from millstream.providers.ollama.chat import ChatOllama
from millstream.testing import MockServer, Reply

_CALLS = [{"name": "f", "args": {"x": 1}, "id": "c1"}, {"name": "g", "args": {}, "id": "c2"}]
REPLIES = {
    "a text": Reply(pieces=["Hel", "lo"]),
    "reasoning": Reply(pieces=["Hel", "lo"], reasoning=("think", "ing")),
    "a call": Reply(pieces=["a"], tool_calls=_CALLS[:1]),
    "two calls": Reply(pieces=["a"], tool_calls=_CALLS),
}
_THINKING = {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}}

Arguments = Callable[[MockServer], dict[str, Any]]
MODELS: dict[str, tuple[Any, Any, Arguments]] = {
    "anthropic": (
        ChatAnthropic,
        langchain_anthropic.ChatAnthropic,
        lambda server: {"model": "claude-3-5-haiku-latest", "api_key": "k", "base_url": server.origin},
    ),
    "anthropic, thinking": (
        ChatAnthropic,
        langchain_anthropic.ChatAnthropic,
        lambda server: {"model": "claude-3-7-sonnet-latest", "api_key": "k", "base_url": server.origin, **_THINKING},
    ),
    "google": (
        ChatGoogleGenerativeAI,
        langchain_google_genai.ChatGoogleGenerativeAI,
        lambda server: {"model": "gemini-2.5-flash", "api_key": "k", "base_url": server.origin},
    ),
    "ollama": (
        ChatOllama,
        langchain_ollama.ChatOllama,
        lambda server: {"model": "m", "base_url": server.origin},
    ),
    "openai, responses": (
        ChatOpenAI,
        langchain_openai.ChatOpenAI,
        lambda server: {"model": "gpt-4o", "api_key": "k", "base_url": server.url, "use_responses_api": True},
    ),
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def without_numbers(value: Any) -> Any:
    """Return a value without the numbers of the mock server's answers."""
    if isinstance(value, str):
        return re.sub(r"mock\d+", "mock", value)
    if isinstance(value, dict):
        return {key: without_numbers(item) for key, item in value.items()}
    return list(map(without_numbers, value)) if isinstance(value, list) else value


def both(which: str, reply: Reply) -> Iterator[tuple[Any, Any]]:
    """Yield what our model and LangChain's have, for sync and for async code."""
    ours, theirs, arguments = MODELS[which]
    with MockServer(reply) as server:
        one, other = (cls(**arguments(server)) for cls in (ours, theirs))
        yield read_stream(one.stream_events("p", version="v3")), read_stream(other.stream_events("p", version="v3"))

        async def main(model: Any) -> Any:
            return await aread_stream(model.astream_events("p", version="v3"))

        yield asyncio.run(main(one)), asyncio.run(main(other))


def _reasoning_counts(found: dict[str, Any]) -> list[int]:
    """Return the reasoning tokens that the last event and the message of a stream have."""
    usages = (found["events"][-1]["usage"], found["output"]["usage_metadata"])
    return [usage["output_token_details"]["reasoning"] for usage in usages]


@pytest.mark.parametrize("kind", REPLIES)
@pytest.mark.parametrize("which", MODELS)
def test_models_have_the_events_of_their_namesakes(which: str, kind: str) -> None:
    for found, expected in both(which, REPLIES[kind]):
        assert_valid_event_stream(found["events"])
        assert found["output"]
        if (which, kind) == ("ollama", "two calls"):
            # LangChain joins the calls, which have one index.
            assert [call["name"] for call in found["whole tool_calls"]] == ["f", "g"]
        elif (which, kind) == ("google", "reasoning"):
            # LangChain's details are those of the last chunk, which counts no reasoning anew.
            assert _reasoning_counts(found) == [2, 2]
            assert _reasoning_counts(expected) == [0, 0]
        else:
            assert without_numbers(found) == without_numbers(expected)
