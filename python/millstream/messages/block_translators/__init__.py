"""Translators: each turns the content of one provider's answers into standard blocks.

The provider of an answer is ``response_metadata["model_provider"]``. A package of another provider registers its own.
The module of a provider is imported when its first message is translated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._late import lazy_names

__all__ = ("PROVIDER_TRANSLATORS", "get_translator", "register_translator")

_Translate = Callable[[Any], list[Any]]

PROVIDER_TRANSLATORS: dict[str, dict[str, _Translate]] = {}
"""For each provider the functions that translate its messages and its chunks."""


def register_translator(provider: str, translate_content: _Translate, translate_content_chunk: _Translate) -> None:
    """Set the functions that return the standard blocks of a provider's messages, and of its chunks."""
    PROVIDER_TRANSLATORS[provider] = {
        "translate_content": translate_content,
        "translate_content_chunk": translate_content_chunk,
    }


def get_translator(provider: str) -> dict[str, _Translate] | None:
    """Return the functions for a provider, by the names that :func:`register_translator` has for them, if any."""
    return PROVIDER_TRANSLATORS.get(provider)


def _from_module(provider: str, name: str) -> _Translate:
    """Return a function that calls ``name`` of the module of a provider."""
    kept: dict[str, Any] = {"__name__": __name__}
    load = lazy_names(kept, {name: f".{provider}"})

    def translate(message: Any) -> list[Any]:
        blocks: list[Any] = (kept.get(name) or load(name))(message)
        return blocks

    return translate


for _provider in ("anthropic", "bedrock", "bedrock_converse", "google_genai", "google_vertexai", "groq", "openai"):
    register_translator(
        _provider, _from_module(_provider, "translate_content"), _from_module(_provider, "translate_content_chunk")
    )
