"""The pytest plugin under which LangChain's tests run as they are: models and parsers are those of the integration."""

from __future__ import annotations

import sys
from typing import Any

import langchain_anthropic
import langchain_anthropic.chat_models
import langchain_core.output_parsers
import langchain_core.output_parsers.json
import langchain_core.output_parsers.string
import langchain_ollama
import langchain_ollama.chat_models
import langchain_openai
import langchain_openai.chat_models.azure
import langchain_openai.chat_models.base
import langchain_openai.llms.base
import pytest

from millstream.integrations import langchain

from .outcomes import deselect


def _substitute() -> None:
    for host in (langchain_openai, langchain_anthropic, langchain_ollama, langchain_core.output_parsers):
        names = [name for name in langchain.__all__ if hasattr(host, name)]
        replaced = {id(getattr(host, name)): getattr(langchain, name) for name in names}
        for module in [module for name, module in sys.modules.items() if f"{name}.".startswith(f"{host.__name__}.")]:
            for name, value in [*vars(module).items()]:
                if id(value) in replaced:
                    setattr(module, name, replaced[id(value)])


_substitute()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    """Deselect the tests that a rule excludes."""
    deselect(config, items, _excluded_by)


@pytest.fixture(autouse=True)
def _key(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if _is_integration(request.node):
        monkeypatch.setenv("OPENAI_API_KEY", "none")


def _excluded_by(item: Any) -> str | None:
    is_recorded = item.get_closest_marker("vcr") is not None
    if item.path.name == "test_check_version.py":
        return "how langchain-openai is released"
    if item.path.name == "test_prompt_caching.py" and "unsupported" in item.name:
        return "counts warnings, which are off here"
    if _is_integration(item) and not is_recorded:
        return "a server of OpenAI's"
    # The class of langchain-openai's has the recording, and runs as well.
    return "recorded for another class" if is_recorded and "own" in item.path.parts else None


def _is_integration(item: Any) -> bool:
    return "integration_tests" in item.path.parts
