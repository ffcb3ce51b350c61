"""Values in LangServe's JSON: messages, documents, prompt values and results are objects with a ``type``.

JSON is data here. A ``type`` is looked up in one table of classes of ours, which have fields and do nothing else;
no import, no constructor and no environment variable is named by data. An object with ``lc``, by which LangChain
names constructors, stays a dict.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import orjson

__all__ = ("read_values", "write_values")


def write_values(value: object) -> bytes:
    """Return ``value`` as JSON: messages, documents and the like are objects with a ``type``.

    Raises :class:`TypeError` for a value that JSON has no form for.
    """
    try:
        return orjson.dumps(value, _as_data, orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS)
    except TypeError as error:
        if isinstance(error.__cause__, _NoForm):
            raise TypeError(str(error.__cause__)) from None
        import json

        # orjson rejects lone surrogates and large integers.
        return json.dumps(value, default=_as_data, separators=(",", ":"), allow_nan=False).encode()


class _NoForm(TypeError):
    """JSON has no form for a value."""


def _as_data(value: Any) -> Any:
    cls = type(value)
    if (dump := getattr(cls, "model_dump", None)) is not None:
        return dump(value)
    if dataclasses.is_dataclass(cls):
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(cls)}
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise _NoForm(f"{cls.__name__} cannot be sent: a remote Runnable takes JSON, messages, documents and prompt values")


def read_values(data: Any) -> Any:
    """Return decoded JSON with the values that its objects stand for.

    An object whose ``type`` is not known, or whose other fields do not fit, stays a dict, as does JSON that is
    nested too deeply.
    """
    try:
        return _read(data)
    except RecursionError:
        return data


def _read(data: Any) -> Any:
    if type(data) is dict:
        fields = {key: _read(value) for key, value in data.items()}
        if (kind := fields.get("type")).__class__ is str and (make := _makers().get(kind)) is not None:
            try:
                return make(fields)
            except (ValueError, TypeError, KeyError):
                return fields
        return fields
    return list(map(_read, data)) if type(data) is list else data


Maker = Callable[[Mapping[str, Any]], Any]
"""Returns the value that the fields of an object stand for; raises ``ValueError``, ``TypeError`` or ``KeyError``."""


@cache
def _makers() -> dict[str, Maker]:
    from ...agents import AgentAction, AgentActionMessageLog, AgentFinish
    from ...documents import Document
    from ...messages.base import BaseMessage, BaseMessageChunk
    from ...prompt_values import ChatPromptValueConcrete, StringPromptValue

    action: dict[str, Any] = {"tool": str, "tool_input": str | dict, "log": str}
    messages = ("ai", "human", "chat", "system", "function", "tool")
    chunks = [f"{name}MessageChunk" for name in ("AI", "Human", "Chat", "System", "Function", "Tool")]
    return {
        **dict.fromkeys(messages, BaseMessage.model_validate),
        **dict.fromkeys(chunks, BaseMessageChunk.model_validate),
        "Document": Document.model_validate,
        "StringPromptValue": StringPromptValue._validate,
        "ChatPromptValueConcrete": ChatPromptValueConcrete._validate,
        "AgentAction": partial(_make_checked, AgentAction, action),
        "AgentActionMessageLog": partial(_make_checked, AgentActionMessageLog, {**action, "message_log": list}),
        "AgentFinish": partial(_make_checked, AgentFinish, {"return_values": dict, "log": str}),
        **_result_makers(),
    }


def _result_makers() -> dict[str, Maker]:
    from ...messages.base import BaseMessage
    from ...outputs import ChatGeneration, ChatGenerationChunk, Generation, LLMResult

    one: dict[str, Any] = {"text": str, "generation_info": dict | None}
    answer: dict[str, Any] = {"message": BaseMessage, "generation_info": dict | None}
    return {
        "Generation": partial(_make_checked, Generation, one),
        "ChatGeneration": partial(_make_checked, ChatGeneration, answer),
        "ChatGenerationChunk": partial(_make_checked, ChatGenerationChunk, answer),
        "LLMResult": partial(_make_checked, LLMResult, {"generations": list, "llm_output": dict | None}),
    }


def _make_checked(cls: Any, types: Mapping[str, Any], fields: Mapping[str, Any]) -> Any:
    """Return an object of ``cls`` with the fields in ``types``; those that may be ``None`` may be missing."""
    values = {name: fields.get(name) for name in types}
    for name, expected in types.items():
        if not isinstance(values[name], expected):
            raise ValueError(f"{cls.__name__}: {name} is of the wrong type")
    return cls(**values)
