"""A base URL without its path, or with one that requests add, is named by the error for the status 404."""

import asyncio
import re
from typing import Any

import pytest

from millstream import ChatAnthropic, ChatGoogleGenerativeAI, ChatOllama, ChatOpenAI, NotFoundError, OpenAI
from millstream.testing import ErrorStatus, MockServer, Reply

MODELS: dict[str, Any] = {
    "openai": lambda url: ChatOpenAI(model="m", api_key="k", base_url=url),
    "completions": lambda url: OpenAI(model="m", api_key="k", base_url=url),
    "anthropic": lambda url: ChatAnthropic(model="m", api_key="k", base_url=url),
    "google": lambda url: ChatGoogleGenerativeAI(model="m", api_key="k", base_url=url),
    "ollama": lambda url: ChatOllama(model="m", base_url=url),
}
MISTAKES = [
    ("openai", "", "base_url has no path: .* need /v1 at its end"),
    ("openai", "/", "base_url has no path: .* need /v1 at its end"),
    ("completions", "", "base_url has no path: .* need /v1 at its end"),
    ("openai", "/v1/chat/completions", "base_url must not end in /chat/completions"),
    ("completions", "/v1/completions/", "base_url must not end in /completions"),
    ("anthropic", "/v1", "base_url must not end in /v1"),
    ("anthropic", "/v1/messages", "base_url must not end in /v1/messages"),
    ("google", "/v1beta", "base_url must not end in /v1beta"),
    ("ollama", "/v1", "base_url must not end in /v1"),
    ("ollama", "/api", "base_url must not end in /api"),
]
RIGHT = [
    *(("openai", "/v1"), ("openai", "/openai/v1?key=canary"), ("completions", "/api/v1")),
    *(("anthropic", ""), ("anthropic", "/anthropic"), ("google", ""), ("google", "/gemini"), ("ollama", "")),
]


def refuse(name: str, path: str, *, asynchronous: bool = False) -> str:
    with MockServer(Reply(fault=ErrorStatus(404, "not found"))) as server:
        model = MODELS[name](server.origin + path)
        with pytest.raises(NotFoundError) as caught:
            asyncio.run(model.ainvoke("Hi")) if asynchronous else model.invoke("Hi")
    return str(caught.value)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("name", "path", "message"), MISTAKES)
def test_the_mistake_is_named(name: str, path: str, message: str, asynchronous: bool) -> None:
    text = refuse(name, path, asynchronous=asynchronous)
    assert text.startswith("Error code: 404 - not found (")
    assert re.search(message, text)


@pytest.mark.parametrize(("name", "path"), RIGHT)
def test_nothing_is_said_of_a_url_that_may_be_right(name: str, path: str) -> None:
    assert refuse(name, path) == "Error code: 404 - not found"
