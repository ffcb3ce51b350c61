"""LangChain's standard tests for chat models, applied to Anthropic's: that of the integration, and ours, converted."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import httpx
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_tests.integration_tests import ChatModelIntegrationTests
    from langchain_tests.unit_tests import ChatModelUnitTests
    from pydantic import SecretStr

from anthropic_peer import KEY, MODEL, forget_clients
from millstream.integrations.langchain import ChatAnthropic, to_langchain
from millstream.providers.anthropic import ChatAnthropic as OwnChatAnthropic
from millstream.testing import ErrorStatus, MockServer, RecordedRequest, Reply

from .answers import PIXEL

JOKE = {"setup": "Why was the cat sitting on the computer?", "punchline": "It kept an eye on the mouse."}
ARGUMENTS = {"input": 3, "answer_style": "pirate", "location": "San Francisco, CA", **JOKE}
VALUES = {"integer": 1, "number": 1.5, "boolean": True}


def answer(request: RecordedRequest) -> Reply:
    """Return the reply: a call of a tool, JSON or text, as the request asks for; an error for an orphaned result."""
    body = request.body
    called: set[str] = set()
    for turn in body["messages"]:
        blocks = turn["content"] if isinstance(turn["content"], list) else []
        called |= {block["id"] for block in blocks if block["type"] == "tool_use"}
        if any(block["type"] == "tool_result" and block["tool_use_id"] not in called for block in blocks):
            return Reply(fault=ErrorStatus(400, "unexpected `tool_use_id` found in `tool_result` blocks"))
    if (tool := tool_to_call(body)) is not None:
        return Reply(tool_calls=[{"name": tool["name"], "args": values_for(tool["input_schema"], body)}])
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    text = json.dumps(values_for(schema, body)) if schema else "Hello! How are you?"
    return Reply(pieces=[text[:9], text[9:], ""])


def tool_to_call(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the tool that the request asks for, or the first one; none where its result ends the messages."""
    tools = {tool["name"]: tool for tool in body.get("tools") or ()}
    choice = body.get("tool_choice") or {}
    if choice.get("type") == "tool":
        found: Mapping[str, Any] = tools[choice["name"]]
        return found
    last = body["messages"][-1]["content"]
    has_result = isinstance(last, list) and any(block["type"] == "tool_result" for block in last)
    return None if not tools or (choice.get("type") != "any" and has_result) else next(iter(tools.values()))


def values_for(schema: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for every property of ``schema``; a text that is not known is the last message of the user."""
    asked = next(turn["content"] for turn in reversed(body["messages"]) if turn["role"] == "user")
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    return {name: ARGUMENTS.get(name, VALUES.get(str(one.get("type")), asked)) for name, one in properties.items()}


class _OnServer:
    @pytest.fixture(autouse=True)
    def _server(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(200, content=PIXEL))
        forget_clients()
        with MockServer(answer) as self.server:
            yield

    supports_image_inputs = supports_image_urls = supports_pdf_inputs = supports_image_tool_message = True
    supports_pdf_tool_message = supports_anthropic_inputs = True
    # Answers of the mock server have no cached tokens, and no reasoning that can be asked for by a parameter here.
    supported_usage_metadata_details: ClassVar[Any] = {"invoke": [], "stream": []}


class TestUnit(ChatModelUnitTests):
    chat_model_class = ChatAnthropic
    chat_model_params: ClassVar[Any] = {"model": MODEL}
    init_from_env_params: Any = (
        {"ANTHROPIC_API_KEY": "api_key", "ANTHROPIC_API_URL": "http://127.0.0.1:9"},
        {"model": MODEL},
        {"anthropic_api_key": "api_key", "anthropic_api_url": "http://127.0.0.1:9"},
    )

    @pytest.mark.xfail(reason="compares with a file, which langchain-anthropic's own tests have for its class")
    def test_serdes(self, model: Any, snapshot: Any) -> None:
        super().test_serdes(model, snapshot)

    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "test")


class TestOfLangChain(_OnServer, ChatModelIntegrationTests):
    chat_model_class = ChatAnthropic

    @property
    def chat_model_params(self) -> Any:
        return {"model": MODEL, "api_key": SecretStr(KEY), "base_url": self.server.origin}


class TestConverted(_OnServer, ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> Any:
        return type(to_langchain(OwnChatAnthropic(model=MODEL, api_key=KEY)))

    @property
    def chat_model_params(self) -> Any:
        return {"runnable": OwnChatAnthropic(model=MODEL, api_key=KEY, base_url=self.server.origin)}
