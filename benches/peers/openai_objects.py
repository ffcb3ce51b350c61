"""The OpenAI SDK's chunks, made without its machinery: what they cost before anybody does anything with them."""

from collections.abc import Callable
from typing import Any

import orjson
from openai.types import Completion
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel

from ..fixtures import Reads

__all__ = ("chunks",)

_SET_VALUES, _SET_GIVEN, _SET_EXTRA, _SET_PRIVATE = (
    vars(BaseModel)[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def chunks(kind: str, reads: Reads) -> Callable[[], list[Any]]:
    """Return what makes a chunk for each payload of the reads: a copy of one made by the SDK, with another text."""
    payloads = [read.strip().removeprefix(b"data: ") for read in reads]
    documents = [orjson.loads(payload) for payload in payloads if payload != b"[DONE]"]
    model: Any = Completion if kind == "completions" else ChatCompletionChunk
    example = model.construct(**documents[1])
    choice = example.choices[0]

    def make_completion(document: Any) -> Any:
        text = document["choices"][0]["text"]
        return _copy(example, {"choices": [_copy(choice, {"text": text})]})

    def make_chat(document: Any) -> Any:
        delta = _copy(choice.delta, {"content": document["choices"][0]["delta"].get("content")})
        return _copy(example, {"choices": [_copy(choice, {"delta": delta})]})

    make = make_completion if kind == "completions" else make_chat
    return lambda: [make(document) for document in documents]


def _copy(example: Any, values: dict[str, Any]) -> Any:
    kind = type(example)
    made = kind.__new__(kind)
    _SET_VALUES(made, {**example.__dict__, **values})
    _SET_GIVEN(made, example.__pydantic_fields_set__.copy())
    _SET_EXTRA(made, {})
    _SET_PRIVATE(made, None)
    return made
