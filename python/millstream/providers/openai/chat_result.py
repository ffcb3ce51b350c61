"""``build_chat_result``: the result of a whole response of chat completions."""

from collections.abc import Sequence
from typing import Any

from ..._backend import Delta
from ...errors import StreamTruncatedError
from ...messages.ai import AIMessage, merge_messages, text_chunk
from ...messages.conversion import finish_message
from ...outputs.chat_generation import ChatGeneration, ChatResult
from ..usage_metadata import create_usage_metadata
from ..whole_response import WholeResponse, merge_finish
from .chat_stream import make_delta_chunk

__all__ = ("build_chat_result",)


def build_chat_result(
    response: WholeResponse, model_name: str | None, *, legacy: bool, with_headers: bool
) -> ChatResult:
    """Return the result of ``response``, with one generation per choice.

    With ``legacy``, the request used OpenAI's first form of function calls; with ``with_headers``, the result
    includes the response's headers. Raises :class:`~millstream.errors.StreamTruncatedError` for a response
    without choices.
    """
    choices = response.choices()
    if not choices:
        raise StreamTruncatedError("the server sent no choices")
    id, model, fingerprint, tier = response.metadata
    output: dict[str, Any] = {
        "token_usage": response.usage,
        "model_provider": "openai",
        "model_name": model or model_name,
        "system_fingerprint": fingerprint,
        "id": id,
    }
    if tier:
        output["service_tier"] = tier
    headers = {"headers": dict(response.headers)} if with_headers else {}
    generations = []
    for index, deltas in enumerate(choices):
        message = _merge_message(deltas, legacy=legacy or _has_first_form(response, index, deltas))
        if response.usage is not None:
            message.usage_metadata = create_usage_metadata(response.usage, tier)
        generations.append(ChatGeneration(message, {**headers, **merge_finish(deltas)}))
    return ChatResult(generations, output)


def _has_first_form(response: WholeResponse, index: int, deltas: Sequence[Delta | str]) -> bool:
    """Return whether a choice calls a function in OpenAI's first form, though the request did not use that form."""
    calls = [call for delta in deltas if not isinstance(delta, str) for call in delta.tool_calls]
    if len(calls) != 1 or calls[0].id is not None:
        return False
    choices = response.document().get("choices")
    try:
        message = choices[index]["message"]  # type: ignore[index]
        return not message.get("tool_calls") and bool(message.get("function_call"))
    except (TypeError, IndexError, KeyError, AttributeError):
        return False


def _merge_message(deltas: list[Delta | str], *, legacy: bool) -> AIMessage:
    chunks = [
        text_chunk(delta, None) if isinstance(delta, str) else make_delta_chunk(delta, None, legacy=legacy)
        for delta in deltas
    ]
    message: AIMessage = finish_message(merge_messages([text_chunk("", None), *chunks]))
    # As in LangChain, the key is there without a refusal too.
    message.additional_kwargs.setdefault("refusal", None)
    return message
