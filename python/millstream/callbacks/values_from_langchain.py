"""Values of LangChain's classes as ours: messages, results, documents, prompt values and actions.

The counterpart of :mod:`~millstream.callbacks.values_to_langchain`. LangChain's classes are known by their modules and
names; this module imports nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from .. import agents, messages, outputs, prompt_values
from ..documents import base as documents_base
from ..messages.ai import AIMessageChunk, text_chunk
from ..messages.base import BaseMessage
from ..outputs.chat_generation import ChatGeneration, ChatResult
from ..streaming.accumulate import AddableDict

__all__ = ("from_langchain", "our_class")

Converter: TypeAlias = Callable[[Any], Any]


def from_langchain(value: Any) -> Any:
    """Return ``value`` as ours, also within lists, tuples and dicts; other values are returned as they are."""
    cls = type(value)
    if cls is str:
        return value
    if cls is list or cls is tuple:
        items = list(map(from_langchain, value))
        return cls(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        values = {key: from_langchain(item) for key, item in value.items()}
        if cls.__name__ == "AddableDict" and cls.__module__.startswith("langchain_core."):
            return AddableDict(values)
        return values if any(values[key] is not item for key, item in value.items()) else value
    convert = _converters[cls] if cls in _converters else _find_converter(cls)
    return value if convert is None else convert(value)


_converters: dict[type, Converter | None] = {}
"""The functions that convert values, by classes; ``None`` for classes whose values stay as they are."""


def _find_converter(cls: type) -> Converter | None:
    """Return the function for values of ``cls``, or of the first of its bases that is here too; ``None`` for others."""
    found = (_converter_of_base(base) for base in cls.__mro__ if base.__module__.startswith("langchain_core."))
    convert = _converters[cls] = next(filter(None, found), None)
    return convert


def _converter_of_base(base: type) -> Converter | None:
    ours = our_class(base)
    return None if ours is None else _converter_to(ours)


def our_class(theirs: type) -> Any:
    """Return our class for one of LangChain's values; ``None`` for another class."""
    if theirs.__module__.startswith("langchain_core."):
        for module in (messages, outputs, documents_base, prompt_values, agents):
            ours = getattr(module, theirs.__name__, None)
            if isinstance(ours, type) and any(issubclass(ours, kind) for kind, _ in _MAKERS):
                return ours
    return None


def _converter_to(ours: Any) -> Converter | None:
    for kind, make in _MAKERS:
        if issubclass(ours, kind):
            return lambda value: make(ours, value)
    return None


def _fields_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a pydantic object, and the other attributes that it was made with."""
    return iter(value)


def _make_chunk(ours: type[AIMessageChunk], value: Any) -> AIMessageChunk:
    fields: dict[str, Any] = value.__dict__
    has_more = len(fields) > _FIELD_COUNT or any(map(fields.get, _BEYOND_TEXT)) or value.__pydantic_extra__
    if has_more or type(value.content) is not str:
        return ours.model_construct(**dict(_fields_of(value)))
    return text_chunk(value.content, value.id, value.response_metadata)


_BEYOND_TEXT = (
    *("name", "additional_kwargs", "tool_calls", "invalid_tool_calls", "tool_call_chunks"),
    *("usage_metadata", "chunk_position"),
)
# A subclass may have more.
_FIELD_COUNT = len(AIMessageChunk._fields)


def _make_message(ours: type[BaseMessage], value: Any) -> BaseMessage:
    return ours.model_construct(**dict(_fields_of(value)))


def _make_generation(ours: type[outputs.Generation], value: Any) -> outputs.Generation:
    content: Any = from_langchain(value.message) if issubclass(ours, ChatGeneration) else value.text
    return ours(content, value.generation_info)


def _make_chat_result(ours: type[ChatResult], value: Any) -> ChatResult:
    return ours(list(map(from_langchain, value.generations)), value.llm_output)


def _make_result(ours: type[outputs.LLMResult], value: Any) -> outputs.LLMResult:
    runs = value.run and [outputs.RunInfo(run.run_id) for run in value.run]
    return ours([list(map(from_langchain, choices)) for choices in value.generations], value.llm_output, runs)


def _make_media(ours: Any, value: Any) -> Any:
    return ours(**{name: item for name, item in _fields_of(value) if name != "type"})


def _make_prompt(ours: Any, value: Any) -> Any:
    return ours(**{name: from_langchain(getattr(value, name)) for name in ours._fields})


def _make_agent_part(ours: Any, value: Any) -> Any:
    fields: Mapping[str, Any] = vars(value)
    return ours(**{name: from_langchain(item) for name, item in fields.items() if name != "type"})


_MAKERS: tuple[tuple[type, Callable[[Any, Any], Any]], ...] = (
    (AIMessageChunk, _make_chunk),
    (BaseMessage, _make_message),
    (outputs.Generation, _make_generation),
    (ChatResult, _make_chat_result),
    (outputs.LLMResult, _make_result),
    (documents_base.BaseMedia, _make_media),
    (prompt_values.PromptValue, _make_prompt),
    *((kind, _make_agent_part) for kind in (agents.AgentAction, agents.AgentFinish, agents.AgentStep)),
)
"""Our classes, and how to make one of an object of LangChain's class with the same name."""
