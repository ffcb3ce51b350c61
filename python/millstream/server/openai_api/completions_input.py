"""Reads requests of completions: their prompts, and their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...providers.openai.arguments import COMPLETIONS
from .errors import RequestError
from .fields import check_fields, read_list, wrong_type
from .request import AnswerRequest

__all__ = ("read_completions",)

_PARAMETERS = frozenset(COMPLETIONS) - {"model", "stream", "prompt", "n", "stream_options", "echo"}


def read_completions(body: Mapping[str, Any]) -> AnswerRequest:
    """Return the answers that the body of a request asks for: for each prompt ``n``, which have consecutive indexes."""
    fields = check_fields("completions", body)
    if fields.get("echo") and fields.get("logprobs") is not None:
        raise RequestError("'logprobs' is not supported with 'echo'.", param="logprobs", code="unsupported_parameter")
    parameters = {name: value for name, value in fields.items() if name in _PARAMETERS}
    if parameters.get("best_of") in (1, fields.get("n", 1)):
        # No more answers are generated than are returned.
        del parameters["best_of"]
    return AnswerRequest(
        "completions",
        fields["model"],
        _read_prompts(fields.get("prompt", "")),
        parameters,
        n=fields.get("n", 1),
        stream=fields.get("stream", False),
        include_usage=bool(fields.get("stream_options", {}).get("include_usage")),
        echo=fields.get("echo", False),
    )


def _read_prompts(prompt: object) -> list[str]:
    if isinstance(prompt, str):
        return [prompt]
    prompts = read_list(prompt, "prompt")
    if all(isinstance(one, str) for one in prompts):
        return prompts
    raise wrong_type("prompt", "a string or a list of strings; tokens are not supported")
