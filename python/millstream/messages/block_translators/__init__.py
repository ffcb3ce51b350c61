"""Translators: each turns the content of one provider's answers into standard blocks.

The provider of an answer is ``response_metadata["model_provider"]``. A package of another provider registers its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import anthropic, bedrock, bedrock_converse, google_genai, google_vertexai, groq, openai

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


for _provider, _module in {
    "anthropic": anthropic,
    "bedrock": bedrock,
    "bedrock_converse": bedrock_converse,
    "google_genai": google_genai,
    "google_vertexai": google_vertexai,
    "groq": groq,
    "openai": openai,
}.items():
    register_translator(_provider, _module.translate_content, _module.translate_content_chunk)
