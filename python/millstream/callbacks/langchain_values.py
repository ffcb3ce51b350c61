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
from ..outputs.chat_generation import ChatGeneration
from ..prompt_values import PromptValue
from .base_manager import BaseCallbackManager

__all__ = ("manager_to_langchain", "to_langchain")


def to_langchain(value: Any) -> Any:
    """Return ``value`` as LangChain's, also within lists, tuples and dicts; other values are returned as they are."""
    cls = type(value)
    if cls in (list, tuple):
        items = list(map(to_langchain, value))
        return cls(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        values = {key: to_langchain(item) for key, item in value.items()}
        return values if any(values[key] is not item for key, item in value.items()) else value
    for kind, module_name, read_fields in _KINDS:
        if isinstance(value, kind):
            their_class = _their_class(cls, module_name)
            return value if their_class is None else their_class.model_construct(**read_fields(value))
    return value


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


def _their_class(cls: type, module_name: str) -> Any:
    """Return LangChain's class with the name of ``cls``, or of the first of its bases that has one."""
    module = sys.modules.get(module_name)
    names = (base.__name__ for base in cls.__mro__ if base.__module__.startswith("millstream."))
    return next((found for name in names if (found := getattr(module, name, None)) is not None), None)


def _generation_fields(generation: Generation) -> Mapping[str, Any]:
    fields = {"text": generation.text, "generation_info": generation.generation_info, "type": generation.type}
    if isinstance(generation, ChatGeneration):
        fields["message"] = to_langchain(generation.message)
    return fields


def _result_fields(result: LLMResult) -> Mapping[str, Any]:
    module: Any = sys.modules.get("langchain_core.outputs")
    runs = result.run and [module.RunInfo(run_id=run.run_id) for run in result.run]
    generations = [list(map(to_langchain, choices)) for choices in result.generations]
    return {"generations": generations, "llm_output": result.llm_output, "run": runs, "type": "LLMResult"}


def _agent_fields(value: object) -> Mapping[str, Any]:
    return {name: to_langchain(item) for name, item in vars(value).items()}


def _prompt_fields(value: Any) -> Mapping[str, Any]:
    return {name: to_langchain(getattr(value, name)) for name in value._fields}


_KINDS: Sequence[tuple[type, str, Callable[[Any], Mapping[str, Any]]]] = (
    (BaseMessage, "langchain_core.messages", dict),
    (Generation, "langchain_core.outputs", _generation_fields),
    (LLMResult, "langchain_core.outputs", _result_fields),
    (BaseMedia, "langchain_core.documents.base", dict),
    (PromptValue, "langchain_core.prompt_values", _prompt_fields),
    *((kind, "langchain_core.agents", _agent_fields) for kind in (AgentAction, AgentFinish, AgentStep)),
)
"""Our classes, the modules of LangChain's with the same names, and how to read their fields."""
