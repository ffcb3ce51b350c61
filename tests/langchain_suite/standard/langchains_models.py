"""LangChain's standard tests for chat models, applied to those of the integration.

The flags and the expected failures are those of langchain-openai's own classes of tests, which are subclassed; the
server is a mock server. Its unit tests run as they are, because the plugin replaces the models that they import.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import httpx
import pytest

from millstream.integrations.langchain import AzureChatOpenAI, ChatOpenAI
from millstream.providers import stream_decoding
from millstream.testing import MockServer

from .answers import PIXEL, answer, with_details

# langchain-openai's tests, which are beside a copy of this module.
_of_openai: Any = import_module("tests.integration_tests.chat_models.test_base_standard")
_of_azure: Any = import_module("tests.integration_tests.chat_models.test_azure_standard")


@pytest.fixture(autouse=True, params=["millstream._core", "millstream._pure"], ids=["rust", "python"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockServer]:
    """Answer the requests, and the downloads of images and documents, for models on one half of the core."""
    monkeypatch.setattr(stream_decoding, "StreamDecoder", import_module(request.param).StreamDecoder)
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(200, content=PIXEL))
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "test")
    with MockServer(answer) as running:
        yield running


class _OnServer:
    @pytest.fixture(autouse=True)
    def _server(self, server: MockServer) -> None:
        self.server = server


class TestChatOpenAI(_OnServer, _of_openai.TestOpenAIStandard):  # type: ignore[misc]
    """The tests of ``ChatOpenAI``."""

    def test_the_model_is_that_of_the_integration(self) -> None:
        """The class that all tests of this class make."""
        assert self.chat_model_class is ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """The arguments of the model, which asks for the usage as it does at OpenAI's own address."""
        return {**super().chat_model_params, "base_url": self.server.url, "stream_usage": True}

    def _with_details(self, *, stream: bool = False) -> Any:
        self.server.script.append(with_details)
        model = ChatOpenAI(**self.chat_model_params)
        if not stream:
            return model.invoke("Hello")
        first, *others = model.stream("Hello")
        return sum(others, first)

    invoke_with_cache_read_input = invoke_with_reasoning_output = _with_details


class _OnAzure(_OnServer):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        """The arguments of the model."""
        deployment = {"deployment_name": "test", "openai_api_version": "2024-10-21"}
        return {"azure_endpoint": self.server.origin, "stream_usage": True, **deployment}


class TestAzureChatOpenAI(_OnAzure, _of_azure.TestAzureOpenAIStandard):  # type: ignore[misc]
    """The tests of ``AzureChatOpenAI``."""

    def test_the_model_is_that_of_the_integration(self) -> None:
        """The class that all tests of this class make."""
        assert self.chat_model_class is AzureChatOpenAI


class TestLegacyAzureChatOpenAI(_OnAzure, _of_azure.TestAzureOpenAIStandardLegacy):  # type: ignore[misc]
    """The tests of ``AzureChatOpenAI`` with a model that calls functions for structured output."""
