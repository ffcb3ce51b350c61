"""Chooses how a Runnable's input is made of the messages, or of the prompt, of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...language_models.base import BaseLanguageModel
from ...messages.base import BaseMessage
from ...messages.human import HumanMessage
from ...runnables.foreign import ForeignRunnable

__all__ = ("InputBuilder", "choose_input")

InputBuilder = Callable[[Any], Any]
"""Returns the input for messages, or for a prompt."""

_MESSAGES = "messages"
# Names under which prompts have the conversation so far.
_HISTORIES = (_MESSAGES, "chat_history", "history")


def choose_input(first: Any) -> InputBuilder:
    """Return the function that makes the input of ``first``, a chain's first step.

    Raises :class:`ValueError` for an input of several texts: a request has one.
    """
    if isinstance(first, BaseLanguageModel):
        return _whole
    if isinstance(first, ForeignRunnable):
        first = first.runnable
    if isinstance(getattr(first, "input_variables", None), list):
        return _for_variables(first, first.input_variables, _placeholders(first))
    schema = _read_schema(first)
    properties = schema.get("properties")
    # A dict of steps that take the whole input has one property of that name in its schema.
    if schema.get("type") == "string" or (isinstance(properties, Mapping) and list(properties) == ["root"]):
        return _text
    if schema.get("type") != "object" or not isinstance(properties, Mapping) or not properties:
        return _whole
    if _MESSAGES in properties:
        return lambda value: {_MESSAGES: _as_messages(value)}
    names = schema.get("required") or list(properties)
    return _for_variables(first, names, [name for name in names if name in _HISTORIES])


def _read_schema(first: Any) -> Mapping[str, Any]:
    """Return the JSON schema of a Runnable's input; an empty one if it has none."""
    try:
        if first.InputType is str:
            return {"type": "string"}
        schema = first.get_input_jsonschema()
        if "$ref" in schema:
            schema = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    except Exception:
        # Types that pydantic cannot describe, or users' schemas that raise: nothing is known of the input.
        return {}
    return schema if isinstance(schema, Mapping) else {}


def _placeholders(prompt: Any) -> list[str]:
    """Return the variables of a prompt that are messages."""
    parts = getattr(prompt, "messages", None) or ()
    return [part.variable_name for part in parts if type(part).__name__ == "MessagesPlaceholder"]


def _for_variables(first: Any, names: Sequence[str], histories: Sequence[str]) -> InputBuilder:
    texts = [name for name in names if name not in histories]
    if len(texts) > 1:
        shown = ", ".join(map(repr, texts))
        raise ValueError(
            f"{type(first).__name__} takes several texts ({shown}), and a request has one:"
            " pass ServedModel(runnable, build_input=…)"
        )
    if not texts:
        return lambda value: dict.fromkeys(histories[:1], _as_messages(value))

    def build(value: Any) -> dict[str, Any]:
        messages = _as_messages(value)
        last = _last_of_user(messages)
        rest = [message for message in messages if message is not last]
        return {**dict.fromkeys(histories, rest), texts[0]: "" if last is None else last.text}

    return build


def _whole(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    last = _last_of_user(_as_messages(value))
    return "" if last is None else last.text


def _as_messages(value: Any) -> list[BaseMessage]:
    return [HumanMessage(value)] if isinstance(value, str) else value


def _last_of_user(messages: Sequence[BaseMessage]) -> BaseMessage | None:
    return next((message for message in reversed(messages) if isinstance(message, HumanMessage)), None)
