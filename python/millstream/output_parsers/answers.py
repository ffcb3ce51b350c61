"""One answer in the form of a schema: what it says, and whether it may count as whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._backend import JSONAssembler
from ..errors import ContentFilterError, OutputParserException, RefusalError, TruncatedOutputError
from ..messages.conversion import finish_message
from ..messages.openai import openai_calls
from .base import generation_of
from .fenced import FencedJSON
from .openai_tools import JsonOutputToolsParser, describe_invalid_call

__all__ = ("parse_answer",)

# What providers call the limit of tokens, and the filter, in lower case.
_CUT_OFF = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "incomplete:max_output_tokens"})
_FILTERED = frozenset(
    {
        *("content_filter", "content_filtered", "incomplete:content_filter", "guardrail_intervened"),
        *("safety", "recitation", "blocklist", "prohibited_content", "spii"),
    }
)


def parse_answer(parser: Any, answer: Any) -> Any:
    """Return what ``parser`` says of a message, or of the sum of a stream's chunks.

    It is ``None`` where the model does not call the tool that stands for the schema, or calls others.

    Raises :class:`~millstream.errors.RefusalError` where the model refused,
    :class:`~millstream.errors.TruncatedOutputError` where the answer was cut off (its finish reason says
    so, or its JSON has no end), :class:`~millstream.errors.ContentFilterError` where the provider's
    filter ended it, and otherwise what the parser raises.
    """
    message = finish_message(answer)
    if refusal := _details(message, "additional_kwargs").get("refusal"):
        raise RefusalError(str(refusal))
    text: str = generation_of(message).text
    _check_end(message, text if text.strip() else _first_arguments(answer))
    if isinstance(parser, JsonOutputToolsParser):
        parsed = parser.parse_result([generation_of(message)])
        if parsed is None:
            _check_calls(getattr(message, "invalid_tool_calls", None) or ())
        return parsed
    if not text.strip() and getattr(message, "tool_calls", None):
        # The model calls other tools instead.
        return None
    _check_document(text)
    return parser.parse_result([generation_of(message)])


def _details(message: Any, name: str) -> Mapping[str, Any]:
    details = getattr(message, name, None)
    return details if isinstance(details, Mapping) else {}


def _first_arguments(answer: Any) -> str:
    """Return the arguments of the first call, as text: what came, where the answer was streamed."""
    if pieces := getattr(answer, "tool_call_chunks", None):
        return pieces[0]["args"] or ""
    calls = openai_calls(getattr(answer, "tool_calls", ()), getattr(answer, "invalid_tool_calls", ()))
    return calls[0]["function"]["arguments"] or "" if calls else ""


def _check_end(message: Any, said: str) -> None:
    metadata = _details(message, "response_metadata")
    reasons = [metadata.get(name) for name in ("finish_reason", "stop_reason", "done_reason")]
    for reason in reasons:
        known = reason.lower() if isinstance(reason, str) else ""
        if known in _CUT_OFF:
            raise TruncatedOutputError(
                f"the answer was cut off by the limit of tokens (finish reason {reason!r})", said
            )
        if known in _FILTERED or known.startswith("blocked:"):
            raise ContentFilterError(f"the provider's content filter ended the answer (finish reason {reason!r})", said)


def _check_calls(invalid: Any) -> None:
    """Raise what is wrong with the arguments of the first call that cannot be read."""
    for call in invalid:
        arguments = call.get("args") or ""
        json = JSONAssembler(strict=False)
        json.feed(arguments)
        _check_whole(json, arguments)
        raise OutputParserException(describe_invalid_call(call), llm_output=arguments)


def _check_document(text: str) -> None:
    found = FencedJSON()
    found.feed(text)
    found.close()
    _check_whole(found.document, text)


def _check_whole(json: JSONAssembler, text: str) -> None:
    if json.started and json.failure is None and not json.complete:
        raise TruncatedOutputError("the answer ended before its JSON did", text)
