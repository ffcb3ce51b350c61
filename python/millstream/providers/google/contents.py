"""``convert_messages``: messages as the contents and the system instruction of a request."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ...messages.ai import AIMessage
from ...messages.base import BaseMessage
from ...messages.content import is_data_content_block
from ...messages.function import FunctionMessage
from ...messages.human import HumanMessage
from ...messages.openai_blocks import is_openai_data_block
from ...messages.system import SystemMessage
from ...messages.tool import ToolMessage
from .media import Part, encode_data
from .models import is_gemini_3_or_later
from .parts import PartConverter
from .replay import convert_answer

__all__ = ("SIGNATURES", "Content", "convert_messages")

logger = logging.getLogger("millstream")

Content = dict[str, Any]

SIGNATURES = "__gemini_function_call_thought_signatures__"
"""The key in ``additional_kwargs`` of the signatures of function calls, by the id of the call."""
# Says that a function call comes from elsewhere; Gemini 3 rejects one that has neither a signature nor this.
_NO_SIGNATURE = "skip_thought_signature_validator"


def convert_messages(
    messages: Sequence[BaseMessage], converter: PartConverter, model: str | None, *, system_to_human: bool = False
) -> tuple[Content | None, list[Content]]:
    """Return the system instruction (``None`` without one) and the contents for ``messages``.

    The results of tools follow the answer that called them, wherever their messages are. Raises
    :class:`ValueError` for a message or a block that has no form in Gemini.
    """
    if system_to_human:
        warnings.warn(
            "The 'convert_system_message_to_human' parameter is deprecated and will be removed in a future version."
            " Use system instructions instead.",
            DeprecationWarning,
            stacklevel=2,
        )
    results = [message for message in messages if isinstance(message, ToolMessage)]
    others = [message for message in messages if not isinstance(message, ToolMessage)]
    system: Content | None = None
    contents: list[Content] = []
    for place, message in enumerate(others):
        if isinstance(message, SystemMessage):
            parts = converter.convert(message.content)
            system = {"parts": [*system["parts"], *parts] if system else parts}
        elif isinstance(message, AIMessage):
            contents += _convert_answer(message, place, results, converter)
        elif isinstance(message, HumanMessage):
            parts = converter.convert(message.content)
            if place == 1 and system_to_human and system:
                parts, system = [*system["parts"], *parts], None
            contents.append({"parts": parts, "role": "user"})
        elif isinstance(message, FunctionMessage):
            contents.append({"parts": _convert_result(message, None, converter), "role": "user"})
        else:
            raise ValueError(f"Unexpected message with type {type(message)} at the position {place}.")
    if is_gemini_3_or_later(model):
        _mark_unsigned_calls(contents)
    return system, contents


def _convert_answer(
    message: AIMessage, place: int, results: Sequence[ToolMessage], converter: PartConverter
) -> list[Content]:
    if message.tool_calls:
        parts = convert_answer(message, converter, exclude_calls=True)
        parts += _convert_calls(message)
        answers = _convert_results(message, results, converter)
        contents = [{"parts": parts, "role": "model"}]
        return [*contents, {"parts": answers, "role": "user"}] if answers else contents
    if legacy := message.additional_kwargs.get("function_call"):
        parts = [{"functionCall": {"args": json.loads(legacy["arguments"]), "name": legacy["name"]}}]
    else:
        parts = convert_answer(message, converter, exclude_calls=False)
    if not parts:
        logger.warning("the answer at place %d has no content that Gemini has a form for; an empty text is sent", place)
        parts = [{"text": ""}]
    return [{"parts": parts, "role": "model"}]


def _convert_calls(message: AIMessage) -> list[Part]:
    by_id: Mapping[Any, Any] = message.additional_kwargs.get(SIGNATURES, {})
    by_place = _list_signatures(message)
    parts: list[Part] = []
    for place, call in enumerate(message.tool_calls):
        part: Part = {"functionCall": {"args": call["args"], "name": call["name"]}}
        signature = by_id.get(call.get("id")) or by_place.get(place)
        if signature and (encoded := encode_data(signature)):
            part["thoughtSignature"] = encoded
        parts.append(part)
    return parts


def _list_signatures(message: AIMessage) -> dict[int, Any]:
    """Return the signatures of function calls in the content, an older form, by the place of the call."""
    provider = message.response_metadata.get("model_provider")
    if provider not in (None, "google_genai", "google_vertexai") or not isinstance(message.content, list):
        return {}
    found: dict[int, Any] = {}
    count = 0
    for block in message.content:
        if not isinstance(block, Mapping) or block.get("type") != "function_call_signature":
            continue
        signature = block.get("signature")
        if isinstance(signature, str | bytes) and signature:
            found[block.get("index", count)] = signature
            count += 1
    return found


def _convert_results(message: AIMessage, results: Sequence[ToolMessage], converter: PartConverter) -> list[Part]:
    """Return the first result of each call of an answer, in the order of the results."""
    calls = {call["id"]: call for call in message.tool_calls}
    parts: list[Part] = []
    for result in results:
        if (call := calls.pop(result.tool_call_id, None)) is not None:
            parts += _convert_result(result, call.get("name"), converter)
    return parts


def _convert_result(message: ToolMessage | FunctionMessage, name: str | None, converter: PartConverter) -> list[Part]:
    """Return the media in the result of a tool, and the result itself."""
    name = message.name or name or message.additional_kwargs.get("name")
    parts: list[Part] = []
    if isinstance(message.content, list):
        media = [block for block in message.content if _is_media(block)]
        parts = converter.convert(media)
        result: Any = [block for block in message.content if not _is_media(block)]
    else:
        result = _read_json(message.content)
    response = result if isinstance(result, dict) else {"output": result}
    named = {"name": name} if name is not None else {}
    return [*parts, {"functionResponse": {**named, "response": response}}]


def _is_media(block: object) -> bool:
    return isinstance(block, dict) and (is_data_content_block(block) or is_openai_data_block(block))


def _read_json(text: str) -> Any:
    """Return the value of a JSON text; any other text as it is."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not valid JSON")


def _mark_unsigned_calls(contents: Sequence[Content]) -> None:
    """Mark the first function call of each answer since the user's last turn, if it has no signature.

    Gemini 3 requires signatures there, which calls of other models and of older conversations do not have:
    https://ai.google.dev/gemini-api/docs/thought-signatures
    """
    for content in reversed(contents):
        if content["role"] == "user":
            if _begins_turn(content["parts"]):
                return
            continue
        first = next((part for part in content["parts"] if "functionCall" in part), None)
        if first is not None and not first.get("thoughtSignature"):
            first["thoughtSignature"] = _NO_SIGNATURE


def _begins_turn(parts: Sequence[Part]) -> bool:
    """Return whether the parts are a turn of the user, not only the results of tools."""
    has_content = any(part.get("text") or "inlineData" in part for part in parts)
    return has_content and not any("functionResponse" in part for part in parts)
