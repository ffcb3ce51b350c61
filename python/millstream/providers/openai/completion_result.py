"""``MergedResult``: the responses to groups of prompts, merged into one result."""

from collections.abc import Mapping
from typing import Any

from ...errors import StreamTruncatedError
from ...outputs import Generation, LLMResult
from ..whole_response import WholeResponse, merge_finish

__all__ = ("MergedResult",)

_USAGE_KEYS = ("completion_tokens", "prompt_tokens", "total_tokens")


class MergedResult:
    """Merges the responses to groups of prompts into one result; ``n`` is the number of choices per prompt."""

    def __init__(self, n: int, model_name: str) -> None:
        self._n = n
        self._model_name = model_name
        self._choices: list[Generation] = []
        self._usage: dict[str, int] = {}
        self._fingerprint: str | None = None

    def add_response(self, response: WholeResponse) -> None:
        """Add the choices and the usage of one whole response."""
        for deltas in response.choices():
            text = "".join(delta if isinstance(delta, str) else delta.text or "" for delta in deltas)
            self._choices.append(Generation(text, merge_finish(deltas)))
        self._add_usage(response.usage)
        self._fingerprint = self._fingerprint or response.metadata[2]

    def add_result(self, result: LLMResult) -> None:
        """Add the text and the usage of one stream."""
        chunk = result.generations[0][0]
        self._choices.append(Generation(chunk.text, chunk.generation_info))
        self._add_usage((result.llm_output or {}).get("token_usage"))

    def result(self, prompts: int) -> LLMResult:
        """Return the result for so many prompts.

        Raises :class:`~millstream.errors.StreamTruncatedError` if a prompt has no choice.
        """
        choices = [self._choices[place * self._n : (place + 1) * self._n] for place in range(prompts)]
        if not self._choices:
            raise StreamTruncatedError("the server sent no choices")
        if not all(choices):
            raise StreamTruncatedError(f"the server sent {len(self._choices)} choices for {prompts} prompts")
        output: dict[str, Any] = {"token_usage": self._usage, "model_name": self._model_name}
        if self._fingerprint:
            output["system_fingerprint"] = self._fingerprint
        return LLMResult(choices, output)

    def _add_usage(self, usage: object) -> None:
        for key in _USAGE_KEYS:
            if isinstance(usage, Mapping) and isinstance(count := usage.get(key), int):
                self._usage[key] = self._usage.get(key, 0) + count
