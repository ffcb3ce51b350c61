"""The documents of whole answers, one function for each API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..._backend import WireWriter
from ..._merge import add_counts
from .answers import Answer
from .request import AnswerRequest

__all__ = ("DOCUMENTS", "read_response")


def _chat(asked: AnswerRequest, answers: Sequence[Answer], id: str, created: int) -> dict[str, Any]:
    head = {"id": f"chatcmpl-{id}", "object": "chat.completion", "created": created, "model": asked.model}
    return head | _describe_choices(answers, [{"message": _message(answer)} for answer in answers])


def _message(answer: Answer) -> dict[str, Any]:
    is_empty = answer.tool_calls or answer.function_call or answer.refusal or answer.audio
    message: dict[str, Any] = {
        "role": "assistant",
        "content": (answer.text or None) if is_empty else answer.text,
        "refusal": answer.refusal,
    }
    optional = {
        "reasoning_content": answer.reasoning,
        "tool_calls": answer.tool_calls,
        "function_call": answer.function_call,
        "audio": answer.audio,
    }
    return message | {name: value for name, value in optional.items() if value}


def _completions(asked: AnswerRequest, answers: Sequence[Answer], id: str, created: int) -> dict[str, Any]:
    head = {"id": f"cmpl-{id}", "object": "text_completion", "created": created, "model": asked.model}
    texts = [answer.text for answer in answers]
    if asked.echo:
        texts = [f"{asked.inputs[index // asked.n]}{text}" for index, text in enumerate(texts)]
    return head | _describe_choices(answers, [{"text": text} for text in texts])


def _describe_choices(answers: Sequence[Answer], contents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the choices of a document, with the ``contents`` of the answers, and what follows the choices."""
    choices = [
        {"index": index, **content, "logprobs": answer.logprobs, "finish_reason": answer.reason}
        for index, (answer, content) in enumerate(zip(answers, contents, strict=True))
    ]
    usage = add_counts(answer.usage for answer in answers) or None
    return {"choices": choices, "usage": usage, "system_fingerprint": answers[0].fingerprint}


def _responses(asked: AnswerRequest, answers: Sequence[Answer], id: str, created: int) -> dict[str, Any]:
    """Return the response as the last event of a stream has it, with what the request said."""
    answer = answers[0]
    writer = WireWriter("openai.responses", id, created, model=asked.model)
    response = read_response(writer.write(answer.as_delta()) + writer.close(), asked.shown)
    if answer.logprobs:
        _add_logprobs(response, answer.logprobs)
    return response


def read_response(events: bytes, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole response that the last of a stream's events has; ``shown`` is what the request said."""
    response: dict[str, Any] = orjson.loads(events.rstrip().rpartition(b"data: ")[2])["response"]
    return {**response, **_UNSET, **shown}


# Members that a whole response has beside those of the last event.
_UNSET = {
    **{"background": False, "max_output_tokens": None, "previous_response_id": None, "store": False},
    **{"reasoning": {"effort": None, "summary": None}, "text": {"format": {"type": "text"}}, "truncation": "disabled"},
}


def _add_logprobs(response: dict[str, Any], logprobs: Mapping[str, Any]) -> None:
    """Put log probabilities into the text of a response."""
    for item in response["output"]:
        for part in item.get("content") or ():
            if part["type"] == "output_text":
                part["logprobs"] = logprobs.get("content") or []


DOCUMENTS = {"chat": _chat, "completions": _completions, "responses": _responses}
"""The functions from a request, its answers, an id and a time to the document of a response."""
