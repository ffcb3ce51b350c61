"""Answers from a cache: models look an answer up before a request, under LangChain's keys, and keep a new one.

Calls that return whole answers do so, streams do not. The cache may be one of LangChain's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._secrets import mask_secrets
from ..messages.ai import AIMessage
from ..messages.conversion import convert_to_messages
from ..outputs import LLMResult
from ..outputs.chat_generation import ChatGeneration, ChatResult
from .generate import GenerateCall, RunArgs, are_per_prompt, check_lengths, make_run_ids
from .model_type import ModelCall

__all__ = ("CachedCall", "CachedChatCall", "dump_messages", "params_key")


def params_key(params: Mapping[str, Any]) -> str:
    """Return the key's part for the model and its parameters."""
    return str(sorted(mask_secrets(dict(params)).items()))


class CachedChatCall:
    """One call of a chat model for one list of messages, and its place in the cache."""

    def __init__(self, cache: Any, model: Any, call: ModelCall) -> None:
        self._cache = cache
        self._key = dump_messages(call.prompt), model._get_llm_string(stop=call.stop, **call.kwargs)

    def lookup(self) -> ChatResult | None:
        """Return the answer, if the cache has it."""
        return _read_answer(self._cache.lookup(*self._key))

    async def alookup(self) -> ChatResult | None:
        """Return the answer, if the cache has it."""
        return _read_answer(await self._cache.alookup(*self._key))

    def update(self, result: ChatResult) -> None:
        """Keep an answer."""
        self._cache.update(*self._key, _copy_generations(result))

    async def aupdate(self, result: ChatResult) -> None:
        """Keep an answer."""
        await self._cache.aupdate(*self._key, _copy_generations(result))


class CachedCall:
    """One call of a completion model for many prompts, of which the cache may have the answers to some.

    Only the others have runs.
    """

    def __init__(
        self, cache: Any, model: Any, prompts: list[str], stop: list[str] | None, kwargs: dict[str, Any], args: RunArgs
    ) -> None:
        self._ids = make_run_ids(args.run_id, prompts)
        if are_per_prompt(args.callbacks):
            check_lengths(args, len(prompts))
        self._cache = cache
        self._model = model
        self._prompts = prompts
        self._stop = stop
        self._kwargs = kwargs
        self._args = args._replace(run_id=[*self._ids])
        self._params = params_key({**model.asdict(), "stop": stop, **kwargs})
        self._answers: dict[int, Sequence[Any]] = {}

    def run(self) -> LLMResult:
        """Look all prompts up, request the answers to the others, and keep them."""
        for place, prompt in enumerate(self._prompts):
            self._take(place, self._cache.lookup(prompt, self._params))
        if (rest := self._rest()) is None:
            return self._result(None)
        result = rest.run()
        for prompt, generations in self._take_rest(result):
            self._cache.update(prompt, self._params, generations)
        return self._result(result)

    async def arun(self) -> LLMResult:
        """Look all prompts up, request the answers to the others, and keep them."""
        for place, prompt in enumerate(self._prompts):
            self._take(place, await self._cache.alookup(prompt, self._params))
        if (rest := self._rest()) is None:
            return self._result(None)
        result = await rest.arun()
        for prompt, generations in self._take_rest(result):
            await self._cache.aupdate(prompt, self._params, generations)
        return self._result(result)

    def _take(self, place: int, found: object) -> None:
        if isinstance(found, list):
            self._answers[place] = found

    def _missing(self) -> list[int]:
        return [place for place in range(len(self._prompts)) if place not in self._answers]

    def _rest(self) -> GenerateCall | None:
        """Return the call for the prompts without an answer; ``None`` if there are none."""
        missing = self._missing()
        if self._prompts and not missing:
            return None

        args = self._args
        if are_per_prompt(args.callbacks):
            lists: Any = args
            args = RunArgs(*(values and [values[place] for place in missing] for values in lists))
        else:
            args = args._replace(run_id=[self._ids[place] for place in missing])
        return GenerateCall(self._model, [self._prompts[place] for place in missing], self._stop, self._kwargs, args)

    def _take_rest(self, result: LLMResult) -> list[tuple[str, list[Any]]]:
        """Note the answers of the call; return those to keep, each with its prompt."""
        missing = self._missing()
        for place, generations in zip(missing, result.generations, strict=True):
            self._answers[place] = generations
        return [(self._prompts[place], list(self._answers[place])) for place in missing]

    def _result(self, result: LLMResult | None) -> LLMResult:
        generations = [list(self._answers[place]) for place in range(len(self._prompts))]
        if result is None:
            return LLMResult(generations, {})
        return LLMResult(generations, result.llm_output, run=result.run)


def _read_answer(found: object) -> ChatResult | None:
    """Return an answer from a cache as a result of ours; an answer has cost nothing this time."""
    return ChatResult(list(map(_read_generation, found))) if isinstance(found, list) else None


def _read_generation(found: Any) -> ChatGeneration:
    """Return a generation, of a chat model or not, of ours or of LangChain's, as a new one of ours."""
    if not hasattr(found, "message"):
        return ChatGeneration(AIMessage(found.text), found.generation_info)
    message: Any = convert_to_messages([found.message])[0]
    update: dict[str, Any] = {}
    if isinstance(message, AIMessage):
        update = {"usage_metadata": {**(message.usage_metadata or {}), "total_cost": 0}}
    return ChatGeneration(message.model_copy(update=update), found.generation_info)


def _copy_generations(result: ChatResult) -> list[ChatGeneration]:
    """Return copies to keep, since users' code may change the messages that it receives."""
    return [type(one)(one.message.model_copy(), one.generation_info) for one in result.generations]


# The key's part for the messages: the JSON that LangChain's ``dumps`` writes.


def dump_messages(messages: Sequence[Any]) -> str:
    """Return messages, without their ids, as JSON in LangChain's format of serialized objects."""
    return json.dumps([_dump_message(message) for message in messages])


def _dump_message(message: Any) -> dict[str, Any]:
    values = {name: _dump_value(value) for name, value in message if name in message._fields and _is_shown(name, value)}
    if isinstance(message, AIMessage):
        values.setdefault("tool_calls", [])
        values.setdefault("invalid_tool_calls", [])
    path = ["langchain", "schema", "messages", type(message).__name__]
    return {"lc": 1, "type": "constructor", "id": path, "kwargs": values}


def _is_shown(name: str, value: object) -> bool:
    if name == "id" or value is None:
        return False
    return name == "content" or not isinstance(value, dict | list) or bool(value)


def _dump_value(value: Any) -> Any:
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, list | tuple):
        return list(map(_dump_value, value))
    is_plain = isinstance(value, dict) and all(isinstance(key, str | int | float | None) for key in value)
    if not is_plain:
        path = [*type(value).__module__.split("."), type(value).__name__]
        return {"lc": 1, "type": "not_implemented", "id": path, "repr": repr(value)}
    if "lc" in value or value.keys() == {"__lc_escaped__"}:
        # A user's dict that looks like a serialized object.
        return {"__lc_escaped__": value}
    return {key: _dump_value(item) for key, item in value.items()}
