"""Values for LangChain's handlers: messages, results, documents, prompt values and actions of its own classes.

Its tracers and handlers ask for instances of these classes. The classes are those of the modules that LangChain has
loaded; this module imports nothing of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..agents import AgentAction, AgentFinish, AgentStep
from ..documents.base import BaseMedia
from ..messages.base import BaseMessage
from ..outputs import Generation, LLMResult
from ..outputs.chat_generation import ChatResult
from ..prompt_values import PromptValue
from ..streaming.accumulate import AddableDict
from .base_manager import BaseCallbackManager

__all__ = ("manager_to_langchain", "their_class", "to_langchain")

FieldsOf = Callable[[Any], Mapping[str, Any]]
"""Returns the fields of a value, as LangChain's class has them."""


def to_langchain(value: Any) -> Any:
    """Return ``value`` as LangChain's, also within lists, tuples and dicts; other values are returned as they are."""
    cls = type(value)
    if cls is str:
        return value
    if (convert := _converters.get(cls)) is not None:
        return convert(value)
    if cls is list or cls is tuple:
        items = list(map(to_langchain, value))
        return cls(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        values = {key: to_langchain(item) for key, item in value.items()}
        if cls is AddableDict and (module := sys.modules.get("langchain_core.runnables.utils")) is not None:
            return module.AddableDict(values)
        return values if any(values[key] is not item for key, item in value.items()) else value
    convert = _find_converter(cls)
    return value if convert is None else convert(value)


def manager_to_langchain(manager: object) -> Any:
    """Return a callback manager of ours as LangChain's, which asks for its own class in a list of them."""
    module = sys.modules.get("langchain_core.callbacks.manager")
    if module is None or not isinstance(manager, BaseCallbackManager):
        return manager
    return module.CallbackManager(
        list(manager.handlers),
        list(manager.inheritable_handlers),
        manager.parent_run_id,
        tags=list(manager.tags),
        inheritable_tags=list(manager.inheritable_tags),
        metadata=dict(manager.metadata),
        inheritable_metadata=dict(manager.inheritable_metadata),
    )


_converters: dict[type, Callable[[Any], Any]] = {}
"""The functions that convert values, by classes of ours, once LangChain has loaded its class."""


def their_class(cls: type) -> Any:
    """Return LangChain's class for ``cls``, a class of our values; ``None`` for another class."""
    found = (_their_class(cls, module_name) for kind, module_name, _ in _KINDS if issubclass(cls, kind))
    return next(found, None)


def _find_converter(cls: type) -> Callable[[Any], Any] | None:
    """Return the function for values of ``cls``; ``None`` if LangChain has no such class, or has not loaded it."""
    for kind, module_name, read_fields in _KINDS:
        if issubclass(cls, kind):
            theirs = _their_class(cls, module_name)
            if theirs is None:
                return None
            convert = _converters[cls] = _converter_to(cls, theirs, read_fields)
            return convert
    return None


def _converter_to(cls: type, theirs: Any, read_fields: FieldsOf | None) -> Callable[[Any], Any]:
    if read_fields is not None:
        return lambda value: theirs.model_construct(**read_fields(value))
    # A program without LangChain need not load it.
    from .messages_to_langchain import generation_converter, message_converter

    return (
        message_converter(cls, theirs) if issubclass(cls, BaseMessage) else generation_converter(theirs, to_langchain)
    )


def _their_class(cls: type, module_name: str) -> Any:
    """Return LangChain's class with the name of ``cls``, or of the first of its bases that has one."""
    module = sys.modules.get(module_name)
    names = (base.__name__ for base in cls.__mro__ if base.__module__.startswith("millstream."))
    return next((found for name in names if (found := getattr(module, name, None)) is not None), None)


def _result_fields(result: LLMResult) -> Mapping[str, Any]:
    module: Any = sys.modules.get("langchain_core.outputs")
    runs = result.run and [module.RunInfo(run_id=run.run_id) for run in result.run]
    generations = [list(map(to_langchain, choices)) for choices in result.generations]
    return {"generations": generations, "llm_output": result.llm_output, "run": runs, "type": "LLMResult"}


def _chat_result_fields(result: ChatResult) -> Mapping[str, Any]:
    return {"generations": list(map(to_langchain, result.generations)), "llm_output": result.llm_output}


def _agent_fields(value: object) -> Mapping[str, Any]:
    return {name: to_langchain(item) for name, item in vars(value).items()}


def _prompt_fields(value: Any) -> Mapping[str, Any]:
    return {name: to_langchain(getattr(value, name)) for name in value._fields}


_KINDS: Sequence[tuple[type, str, FieldsOf | None]] = (
    (BaseMessage, "langchain_core.messages", None),
    (Generation, "langchain_core.outputs", None),
    (LLMResult, "langchain_core.outputs", _result_fields),
    (ChatResult, "langchain_core.outputs", _chat_result_fields),
    (BaseMedia, "langchain_core.documents.base", dict),
    (PromptValue, "langchain_core.prompt_values", _prompt_fields),
    *((kind, "langchain_core.agents", _agent_fields) for kind in (AgentAction, AgentFinish, AgentStep)),
)
"""Our classes, the modules of LangChain's with the same names, and how to read their fields where it is done here."""
