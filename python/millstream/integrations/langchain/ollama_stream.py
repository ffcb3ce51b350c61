"""The processors of Ollama's streams: the chunks of ``_stream``, and the messages of ``stream``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import langchain_ollama
from langchain_core.outputs import ChatGenerationChunk
from ollama import ChatResponse

from .message_outputs import MessageOutputs, keeping_maker
from .ollama_requests import OllamaRequest
from .payload_outputs import PayloadOutputs, text_feed
from .text_chunks import generation_maker, message_maker

__all__ = ("OllamaGenerations", "OllamaMessages")

_EMPTY = {"message": {"role": "assistant", "content": ""}, "done": False}


class OllamaGenerations(PayloadOutputs):
    """Outputs a generation chunk for each payload, as langchain-ollama's ``_stream`` does.

    A payload that is a piece of text becomes a chunk without the SDK's objects. Different are: a stream that ends
    early is an error; the halves of a character that arrive in two payloads are joined; a line separator in a text
    does not end the line.
    """

    __slots__ = ("_make", "_model")

    _request: OllamaRequest

    def __init__(self, request: OllamaRequest, *, collect_result: bool = False) -> None:
        # What of a model langchain-ollama's own converter reads.
        self._model: Any = SimpleNamespace(reasoning=request.reasoning)
        sample = self._convert(dict(_EMPTY))
        assert sample is not None
        self._make: Callable[[str], Any] = self._find_maker(sample)
        super().__init__("ollama.chat", request, None, n=1, collect_result=collect_result)

    def _find_maker(self, sample: ChatGenerationChunk) -> Callable[[str], Any]:
        """Return the function that makes the output of a piece of text."""
        return generation_maker(sample)

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to chunks."""
        return text_feed(self._decoder.feed_payloads, self._make, self._outputs)

    def _make_output(self, payload: Any) -> Any:
        if type(payload) is str:
            return self._make(payload)
        value, text = payload
        message = value.get("message") if isinstance(value, dict) else None
        if not isinstance(message, dict):
            return None
        if isinstance(message.get("content"), str):
            message["content"] = text or ""
        chunk = self._convert(value)
        if chunk is None:
            return None
        self._has_chunks = True
        return self._finish(chunk)

    def _convert(self, value: dict[str, Any]) -> ChatGenerationChunk | None:
        """Return the chunk of a payload, by langchain-ollama's converter; ``None`` if that makes none of it."""
        self._model._create_chat_stream = lambda *args, **kwargs: (ChatResponse(**value),)
        return next(langchain_ollama.ChatOllama._iterate_over_stream(self._model, []), None)

    def _finish(self, chunk: ChatGenerationChunk) -> Any:
        """Return the output for ``chunk``."""
        return chunk


class OllamaMessages(MessageOutputs, OllamaGenerations):
    """Outputs the messages of the chunks, with the id ``id``, and an empty last one."""

    __slots__ = ("_has_last", "_id", "_kept", "_texts")

    def __init__(self, request: OllamaRequest, id: str, *, collect_result: bool = False) -> None:
        self._id, self._texts = id, []
        super().__init__(request, collect_result=collect_result)
        if collect_result:
            self._make = keeping_maker(self._make, self._texts)

    def _find_maker(self, sample: ChatGenerationChunk) -> Callable[[str], Any]:
        return message_maker(sample.message, self._id)
