"""LangChain's names for the inputs, outputs and metadata of models, for annotations."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

from ..messages.base import BaseMessage
from ..runnables.runnable import Runnable
from .prompt_text import LanguageModelInput

__all__ = ("LangSmithParams", "LanguageModelLike", "LanguageModelOutput")

LanguageModelOutput: TypeAlias = BaseMessage | str
"""A message of a chat model, or the text of a completion model."""

LanguageModelLike: TypeAlias = Runnable[LanguageModelInput, LanguageModelOutput]
"""A model, or a Runnable with its inputs and outputs."""


class LangSmithParams(TypedDict, total=False):
    """The ``ls_*`` metadata of a model's runs."""

    ls_provider: str
    ls_model_name: str
    ls_model_type: Literal["chat", "llm"]
    ls_temperature: float | None
    ls_max_tokens: int | None
    ls_stop: list[str] | None
    ls_integration: str
