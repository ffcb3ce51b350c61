"""``OpenAIRequest``, a request as the app's hooks see it, and ``AnswerRequest``, the answers that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...messages.base import BaseMessage

__all__ = ("API", "LENGTHS", "AnswerRequest", "OpenAIRequest")

API = Literal["chat", "completions", "responses", "models"]
"""The endpoints: ``"models"`` are the two that describe models."""

LENGTHS = ("max_completion_tokens", "max_tokens")
"""The names of the number of tokens, the newer one first."""


@dataclass(frozen=True, slots=True)
class OpenAIRequest:
    """A request to the app: which endpoint, the model's name, the JSON body, the headers (names in lower case).

    ``caller`` is the value that ``authenticate`` returned.
    """

    api: API
    model: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    caller: Any = None


@dataclass(slots=True)
class AnswerRequest:
    """The answers that a request asks for.

    ``inputs`` are the conversations or, of a completion, the prompts; each has ``n`` answers. ``parameters`` have the
    names of chat completions, or of completions if ``api`` is that. With ``echo``, the prompt precedes
    each answer. ``shown`` are fields of the request that a whole answer repeats.
    """

    api: API
    model: str
    inputs: list[list[BaseMessage]] | list[str]
    parameters: dict[str, Any]
    n: int = 1
    stream: bool = False
    include_usage: bool = False
    echo: bool = False
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def seeds(self) -> list[int | None]:
        """The seed of each of the answers to one input: different ones, or all would be the same answer."""
        seed = self.parameters.get("seed")
        return [seed if seed is None else seed + place for place in range(self.n)]

    @property
    def choices(self) -> int:
        """The number of answers."""
        return len(self.inputs) * self.n
