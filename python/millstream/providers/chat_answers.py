"""Whole answers of chat completions, as results."""

from collections.abc import Mapping
from typing import Any

from ..errors import StreamTruncatedError
from ..messages.ai import AIMessage
from ..messages.openai import from_openai_message
from ..outputs.chat_generation import ChatGeneration, ChatResult
from .chat_usage import usage_metadata

__all__ = ("chat_result",)


def chat_result(body: Mapping[str, Any], model_name: str | None, headers: Mapping[str, str] | None) -> ChatResult:
    """Return the answer that ``body`` holds: a generation for each choice.

    Raises :class:`~millstream.errors.StreamTruncatedError` where there is none.
    """
    choices = body.get("choices")
    answers = [one for one in choices if isinstance(one, Mapping)] if isinstance(choices, list) else []
    generations = [_generation(one, body, headers) for one in answers if isinstance(one.get("message"), Mapping)]
    if not generations:
        raise StreamTruncatedError("the server sent no choices")
    output: dict[str, Any] = {
        "token_usage": body.get("usage"),
        "model_provider": "openai",
        "model_name": body.get("model", model_name),
        "system_fingerprint": body.get("system_fingerprint"),
        "id": body.get("id"),
    }
    if body.get("service_tier"):
        output["service_tier"] = body["service_tier"]
    return ChatResult(generations, output)


def _generation(
    choice: Mapping[str, Any], body: Mapping[str, Any], headers: Mapping[str, str] | None
) -> ChatGeneration:
    message = from_openai_message(choice["message"])
    usage = body.get("usage")
    if isinstance(message, AIMessage):
        # That there was no refusal is told too, as in LangChain.
        message.additional_kwargs.setdefault("refusal", None)
        if isinstance(usage, Mapping):
            message.usage_metadata = usage_metadata(usage, body.get("service_tier"))
    info = {"headers": dict(headers)} if headers is not None else {}
    return ChatGeneration(
        message, {**info, "finish_reason": choice.get("finish_reason"), "logprobs": choice.get("logprobs")}
    )
