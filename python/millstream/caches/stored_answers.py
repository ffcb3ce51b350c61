"""Answers as JSON, for caches outside of the process. No pickles: a file that others can write runs no code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..messages import messages_from_dict
from ..messages.base import message_to_dict
from ..outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk

__all__ = ("dump_answer", "load_answer")

_TEXTS = {cls.__name__: cls for cls in (Generation, GenerationChunk)}
_CHATS = {cls.__name__: cls for cls in (ChatGeneration, ChatGenerationChunk)}


def dump_answer(answer: Sequence[Generation]) -> str:
    """Return the generations as JSON; :class:`ValueError` if :func:`load_answer` would return something else."""
    try:
        text = json.dumps([_dump(generation) for generation in answer])
        is_same = load_answer(text) == list(answer)
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"the answer cannot be written as JSON: {error}") from error
    if not is_same:
        raise ValueError("the answer cannot be written as JSON: it has values that JSON changes")
    return text


def load_answer(text: str) -> list[Generation]:
    """Return the generations that :func:`dump_answer` has written; :class:`ValueError` for any other text."""
    try:
        items = json.loads(text)
        if not isinstance(items, list):
            raise TypeError("it is not a list")
        return [_load(item) for item in items]
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"the text is not an answer of a cache: {error!r}") from error


def _dump(generation: Generation) -> dict[str, Any]:
    item: dict[str, Any] = {"class": type(generation).__name__, "generation_info": generation.generation_info}
    if isinstance(generation, ChatGeneration):
        return {**item, "message": message_to_dict(generation.message)}
    return {**item, "text": generation.text}


def _load(item: Mapping[str, Any]) -> Generation:
    name, info = item["class"], item["generation_info"]
    if info is not None and not isinstance(info, dict):
        raise TypeError("its generation_info is not an object")
    if (cls := _TEXTS.get(name)) is not None:
        if not isinstance(item["text"], str):
            raise TypeError("its text is not a string")
        return cls(item["text"], info)
    return _CHATS[name](messages_from_dict([item["message"]])[0], info)
