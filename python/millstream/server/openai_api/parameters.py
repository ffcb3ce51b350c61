"""Binds the parameters of a request to the model that takes them, and refuses those that would be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...language_models.base import BaseLanguageModel
from ...language_models.chat_models import BaseChatModel
from ...providers.openai.arguments import CHAT, COMPLETIONS
from ...providers.openai.base_chat import BaseChatOpenAI
from ...providers.openai.completions import OpenAI
from ...runnables.foreign import as_runnable
from ...runnables.runnable import Runnable
from .errors import RequestError
from .fields import unsupported_tool
from .request import LENGTHS, AnswerRequest
from .served import ModelStep, ServedModel, bound_arguments

__all__ = ("bind_parameters",)


def _differs(*values: object) -> Callable[[Any], bool]:
    return lambda value: value not in values


# Parameters without which the answer would be another than the one that was asked for, and when that is so.
_MEANINGFUL: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("tools", "stop", "logit_bias"), bool),
    **{
        "tool_choice": _differs("none", "auto"),
        "logprobs": lambda value: value is not False,
        "suffix": bool,
        "audio": bool,
        "web_search_options": bool,
    },
    **{"top_logprobs": bool, "store": bool, "best_of": _differs(1), "modalities": _differs([], ["text"])},
    "response_format": lambda value: value.get("type") != "text",
}
# Arguments of a call that have another meaning in Millstream: they are sent in the body beside the others.
_IN_BODY = frozenset({"metadata"})


def bind_parameters(
    served: ServedModel,
    asked: AnswerRequest,
    body: Mapping[str, Any],
    *,
    max_tokens: int | None = None,
    seed: int | None = None,
) -> Runnable[Any, Any]:
    """Return the Runnable that honours the parameters of a request.

    ``max_tokens`` is the most tokens of an answer. ``seed`` replaces that of the request.

    Raises :class:`RequestError` for a parameter that it cannot honour and that changes what an answer means;
    others are ignored then, as servers with OpenAI's protocol do.
    """
    runnable: Runnable[Any, Any] = served.runnable
    found = ModelStep.find(runnable)
    parameters = dict(asked.parameters)
    if seed is not None:
        parameters["seed"] = seed
    if found is None:
        _refuse_lost(parameters, parameters)
        return runnable
    _check_tools(parameters, found)
    step, taken = found.step, _taken(found.model, for_chat=asked.api != "completions")
    _name_length(parameters, taken)
    if parameters.get("tools") and "tools" not in taken and served.allows("tools"):
        step = _bind_tools(step, parameters)
    lost = [name for name in parameters if name not in taken or not served.allows(name)]
    _refuse_lost(parameters, lost)
    for name in lost:
        del parameters[name]
    if max_tokens is not None:
        _limit_length(parameters, found.model, taken, max_tokens)
    arguments = {name: value for name, value in parameters.items() if name not in _IN_BODY}
    extra = {name: parameters[name] for name in _IN_BODY if name in parameters}
    extra |= {name: body[name] for name in served.extra_parameters if name in body}
    if extra:
        arguments["extra_body"] = {**_extra_body(found.model, step), **extra}
    speaks = _speaks_openai(found.model)
    if isinstance(arguments.get("stop"), str) and not speaks:
        arguments["stop"] = [arguments["stop"]]
    if speaks and asked.stream and asked.include_usage:
        arguments |= _ask_for_usage(found.model)
    return found.replace(step.bind(**arguments)) if arguments or step is not found.step else runnable


def _ask_for_usage(model: Any) -> dict[str, Any]:
    """Return the argument by which a stream has its usage, unless the model was made without it: not all servers do."""
    is_ours = isinstance(model, BaseLanguageModel)
    made_with = model._fields_set if is_ours else model.model_fields_set
    if "stream_usage" in made_with and model.stream_usage is False:
        return {}
    return {"stream_usage": True} if is_ours else {"stream_options": {"include_usage": True}}


def _extra_body(model: Any, step: Any) -> Mapping[str, Any]:
    """Return the members of the body that the model, or a binding of it, adds itself."""
    own = getattr(model, "extra_body", None)
    return {**(own or {}), **(bound_arguments(step).get("extra_body") or {})}


def _refuse_lost(parameters: Mapping[str, Any], lost: Iterable[str]) -> None:
    for name in lost:
        if name == "tools" and parameters.get("tool_choice") == "none":
            continue
        if name in _MEANINGFUL and _MEANINGFUL[name](parameters[name]):
            raise _unsupported(name, "this model does not support it")


def _unsupported(name: str, reason: str) -> RequestError:
    return RequestError(f"Unsupported parameter: '{name}': {reason}.", param=name, code="unsupported_parameter")


def _check_tools(parameters: Mapping[str, Any], found: ModelStep) -> None:
    tools = parameters.get("tools") or ()
    if tools and not found.is_last:
        raise _unsupported("tools", "the model's output is not the answer of this chain, which runs tools itself")
    for place, tool in enumerate(tools):
        if tool.get("type", "function") != "function" or not isinstance(tool.get("function"), dict):
            raise unsupported_tool(tool, f"tools[{place}]")


def _taken(model: Any, *, for_chat: bool) -> frozenset[str]:
    """Return the parameters that a model takes, under their names in a request."""
    speaks = _speaks_openai(model)
    # The log probabilities of a completion have another form than those of a chat completion.
    if speaks == "chat":
        return frozenset(CHAT) if for_chat else frozenset(CHAT) - {"logprobs"}
    if speaks == "completions":
        names = frozenset(COMPLETIONS)
        return names - {"logprobs"} if for_chat else names
    sampling = {"temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", *LENGTHS}
    return frozenset({"stop", *(sampling & _fields_of(model))})


def _name_length(parameters: dict[str, Any], taken: frozenset[str]) -> None:
    """Give the number of tokens the name that the model has for it."""
    given = [name for name in LENGTHS if name in parameters]
    known = next((name for name in (*given, *LENGTHS) if name in taken), None)
    values = [parameters.pop(name) for name in given]
    if values and known is not None:
        parameters[known] = values[0]


def _limit_length(parameters: dict[str, Any], model: Any, taken: frozenset[str], limit: int) -> None:
    """Lower the number of tokens, the request's or the model's own, to the limit."""
    name = next((name for name in LENGTHS if name in parameters), None)
    if name is None and (name := next((name for name in LENGTHS if name in taken), None)) is None:
        return
    own = parameters.get(name, getattr(model, "max_tokens", None))
    parameters[name] = min(own, limit) if isinstance(own, int) and own >= 0 else limit


def _speaks_openai(model: Any) -> str:
    """Return the protocol of OpenAI's that a model speaks; an empty text if it is another one."""
    if isinstance(model, BaseChatOpenAI):
        return "chat"
    if isinstance(model, OpenAI):
        return "completions"
    names = {cls.__name__ for cls in type(model).__mro__ if cls.__module__.startswith("langchain_openai.")}
    return "chat" if "BaseChatOpenAI" in names else "completions" if "BaseOpenAI" in names else ""


def _fields_of(model: Any) -> frozenset[str]:
    own = getattr(type(model), "__millstream_names__", None)
    if own is None:
        return frozenset(getattr(type(model), "model_fields", ()))
    return frozenset(own)


def _bind_tools(step: Any, parameters: dict[str, Any]) -> Any:
    """Return a model of another provider with the tools of a request, which it converts itself."""
    tools, choice = parameters.pop("tools"), parameters.pop("tool_choice", None)
    if choice == "none":
        return step
    owner = getattr(step, "runnable", step)
    bind = getattr(type(owner), "bind_tools", None)
    if not hasattr(step, "bind_tools") or bind is BaseChatModel.bind_tools:
        raise _unsupported("tools", "this model does not support it")
    if isinstance(choice, dict):
        choice = (choice.get("function") or {}).get("name")
    elif choice == "required":
        choice = "any"
    try:
        bound = step.bind_tools(tools, **({} if choice in (None, "auto") else {"tool_choice": choice}))
    except NotImplementedError:
        raise _unsupported("tools", "this model does not support it") from None
    return as_runnable(bound) or bound
