"""LangChain's standard tests for chat models, applied to Millstream's, and to a user's model that is lenient."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, ClassVar

import httpx
import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import ConfigDict

from millstream import AzureChatOpenAI, ChatOpenAI
from millstream.language_models import GenericFakeChatModel, SecretStr
from millstream.messages import AIMessage
from millstream.testing import MockServer

from .answers import PIXEL, answer, with_details

_ChatParrotLink: Any = import_module("tests.unit_tests.custom_chat_model").ChatParrotLink
_KEY = SecretStr("api_key")
_DETAILS = ("audio_input", "audio_output", "reasoning_output", "cache_read_input")


class TestChatOpenAIUnit(ChatModelUnitTests):
    """The tests without a server."""

    chat_model_class: Any = ChatOpenAI
    init_from_env_params: Any = (
        {
            "OPENAI_API_KEY": "api_key",
            "OPENAI_ORG_ID": "org_id",
            "OPENAI_API_BASE": "http://127.0.0.1:9/v1",
            "OPENAI_PROXY": "http://127.0.0.1:8",
        },
        {},
        {
            "openai_api_key": _KEY,
            "openai_organization": "org_id",
            "openai_api_base": "http://127.0.0.1:9/v1",
            "openai_proxy": "http://127.0.0.1:8",
        },
    )

    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "test")


class TestAzureChatOpenAIUnit(ChatModelUnitTests):
    """The tests without a server."""

    chat_model_class: Any = AzureChatOpenAI
    chat_model_params: ClassVar[Any] = {
        "azure_deployment": "test",
        "azure_endpoint": "http://127.0.0.1:9",
        "openai_api_version": "2024-10-21",
    }
    init_from_env_params: Any = (
        {
            "AZURE_OPENAI_API_KEY": "api_key",
            "AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:9",
            "OPENAI_API_VERSION": "2024-10-21",
            "OPENAI_ORG_ID": "org_id",
        },
        {},
        {
            "openai_api_key": _KEY,
            "azure_endpoint": "http://127.0.0.1:9",
            "openai_api_version": "2024-10-21",
            "openai_organization": "org_id",
        },
    )

    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "test")


class TestChatOpenAI(ChatModelIntegrationTests):
    """The tests with a server, of which OpenAI's refuses images and files in the results of tools."""

    chat_model_class: Any = ChatOpenAI
    supports_json_mode = True
    supports_image_inputs = True
    supports_image_urls = True
    supports_pdf_inputs = True
    supports_audio_inputs = True
    supports_anthropic_inputs = True
    model_override_value = "gpt-5"
    supported_usage_metadata_details: ClassVar[Any] = {"invoke": _DETAILS, "stream": _DETAILS}

    @pytest.fixture(autouse=True)
    def _server(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        # The tests download the images, sounds and documents that they send.
        monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(200, content=PIXEL))
        with MockServer(answer) as self.server:
            yield

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """The arguments of the model."""
        return {"model": "gpt-5-mini", "base_url": self.server.url, "api_key": "test", "stream_usage": True}

    def invoke_with_audio_input(self, *, stream: bool = False) -> Any:
        """Return a message with all details of the usage."""
        self.server.script.append(with_details)
        model = ChatOpenAI(**self.chat_model_params)
        if not stream:
            return model.invoke("Hello")
        first, *others = model.stream("Hello")
        return sum(others, first)

    invoke_with_audio_output = invoke_with_audio_input
    invoke_with_reasoning_output = invoke_with_audio_input
    invoke_with_cache_read_input = invoke_with_audio_input


class TestChatOpenAIOverResponses(TestChatOpenAI):
    """The tests with a server, over the Responses API, which takes images and files in the results of tools too."""

    supports_audio_inputs = False
    supports_image_tool_message = True
    supports_pdf_tool_message = True
    supported_usage_metadata_details: ClassVar[Any] = {"invoke": [], "stream": []}

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """The arguments of the model."""
        params = {"model": "gpt-5-mini", "base_url": self.server.url, "api_key": "test"}
        return {**params, "use_responses_api": True}


class TestGenericFakeChatModel(ChatModelIntegrationTests):
    """The tests for a model without usage and tools."""

    chat_model_class: Any = GenericFakeChatModel
    returns_usage_metadata = False

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """The arguments of the model."""
        return {"messages": iter([AIMessage("Hello! How are you?")] * 2)}


class ChatParrotLink(_ChatParrotLink):  # type: ignore[misc]
    """LangChain's example of a user's model, which takes arguments that are none of its fields, as pydantic does."""

    model_config = ConfigDict(extra="ignore")


class TestChatParrotLinkUnit(ChatModelUnitTests):
    """The tests of LangChain's example, which pass an API key."""

    chat_model_class: Any = ChatParrotLink
    chat_model_params: ClassVar[Any] = {"model": "bird-brain-001", "temperature": 0, "parrot_buffer_length": 50}
