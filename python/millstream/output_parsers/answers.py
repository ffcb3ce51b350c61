"""Parses a structured answer, and raises if it was refused, cut off or filtered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._backend import JSONAssembler
from ..errors import ContentFilterError, OutputParserException, RefusalError, TruncatedOutputError
from ..messages.conversion import finish_message
from ..messages.finish_reasons import find_finish_reasons, is_cut_off, is_filtered
from ..messages.openai import openai_calls
from .base import generation_of
from .fenced import FencedJSON
from .openai_tools import JsonOutputToolsParser, describe_invalid_call

__all__ = ("parse_answer",)


def parse_answer(parser: Any, answer: Any) -> Any:
    """Return the output of ``parser`` for a message, or for the merged chunks of a stream.

    It is ``None`` if the model called no tool, or only tools other than that of the schema.

    Raises :class:`~millstream.errors.RefusalError` if the model refused,
    :class:`~millstream.errors.TruncatedOutputError` if the answer was cut off (according to its finish
    reason, or because its JSON is incomplete), :class:`~millstream.errors.ContentFilterError` if the
    provider's filter ended it, and the exceptions of the parser.
    """
    message = finish_message(answer)
    if refusal := _find_refusal(message):
        raise RefusalError(str(refusal), raw_message=message)
    text: str = generation_of(message).text
    _check_end(message, text if text.strip() else _first_arguments(answer))
    if isinstance(parser, JsonOutputToolsParser):
        parsed = parser.parse_result([generation_of(message)])
        if parsed is None:
            _check_calls(getattr(message, "invalid_tool_calls", None) or ())
        return parsed
    if not text.strip() and getattr(message, "tool_calls", None):
        # The model called other tools instead.
        return None
    _check_document(text)
    return parser.parse_result([generation_of(message)])


def _details(message: object, name: str) -> Mapping[str, Any]:
    details = getattr(message, name, None)
    return details if isinstance(details, Mapping) else {}


def _find_refusal(message: Any) -> object:
    """Return the model's refusal: beside the content, or a block of it."""
    if refusal := _details(message, "additional_kwargs").get("refusal"):
        return refusal
    content = getattr(message, "content", None)
    blocks = (block for block in (content if isinstance(content, list) else ()) if isinstance(block, dict))
    return next((block["refusal"] for block in blocks if block.get("type") == "refusal" and block.get("refusal")), None)


def _first_arguments(answer: object) -> str:
    """Return the arguments of the first call as text; of a streamed answer, the text that was received."""
    if pieces := getattr(answer, "tool_call_chunks", None):
        return pieces[0]["args"] or ""
    calls = openai_calls(getattr(answer, "tool_calls", ()), getattr(answer, "invalid_tool_calls", ()))
    return calls[0]["function"]["arguments"] or "" if calls else ""


def _check_end(message: object, text: str) -> None:
    for reason in find_finish_reasons(_details(message, "response_metadata")):
        if is_cut_off(reason):
            raise TruncatedOutputError(
                f"the answer was cut off by the limit of tokens (finish reason {reason!r})", text
            )
        if is_filtered(reason):
            raise ContentFilterError(f"the provider's content filter ended the answer (finish reason {reason!r})", text)


def _check_calls(invalid: Any) -> None:
    """Raise the error of the first invalid call, if there is one."""
    for call in invalid:
        arguments = call.get("args") or ""
        json = JSONAssembler(strict=False)
        json.feed(arguments)
        _check_whole(json, arguments)
        raise OutputParserException(describe_invalid_call(call), llm_output=arguments)


def _check_document(text: str) -> None:
    reader = FencedJSON()
    reader.feed(text)
    reader.close()
    _check_whole(reader.document, text)


def _check_whole(json: JSONAssembler, text: str) -> None:
    if json.started and json.failure is None and not json.complete:
        raise TruncatedOutputError("the answer ended before its JSON did", text)
