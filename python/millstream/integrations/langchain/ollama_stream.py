"""The processors of Ollama's streams: the chunks of ``_stream``, and the messages of ``stream``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import langchain_ollama
import orjson
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, LLMResult
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks
from ollama import ChatResponse

from .ollama_requests import OllamaRequest
from .payload_outputs import PayloadOutputs
from .text_chunks import generation_maker, merge_metadata, message_maker

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
        read, make, convert = self._decoder.feed_payloads, self._make, self._outputs

        def feed(data: bytes) -> Sequence[Any]:
            payloads = read(data)
            # The most frequent read has one text, the next most frequent one several texts and nothing else.
            if len(payloads) == 1 and type(payloads[0]) is str:
                return (make(payloads[0]),)
            for payload in payloads:
                if type(payload) is not str:
                    return convert(payloads)
            return [*map(make, payloads)]

        return feed

    def _make_output(self, payload: Any) -> Any:
        if type(payload) is str:
            return self._make(payload)
        value = _read(payload[0])
        message = value.get("message") if isinstance(value, dict) else None
        if not isinstance(message, dict):
            return None
        if isinstance(message.get("content"), str):
            message["content"] = payload[1] or ""
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


class OllamaMessages(OllamaGenerations):
    """Outputs the messages of the chunks, with the id ``id``, and an empty last one: what ``stream`` yields.

    Raises :class:`ValueError`, as LangChain does, for a stream without chunks.
    """

    __slots__ = ("_id", "_kept", "_texts")

    _needs_chunks = True

    def __init__(self, request: OllamaRequest, id: str, *, collect_result: bool = False) -> None:
        self._id = id
        # For the result: the chunks with more than text, and the texts since the last one of them.
        self._kept: list[ChatGenerationChunk] = []
        self._texts: list[str] = []
        super().__init__(request, collect_result=collect_result)
        if collect_result:
            self._make = _keeping_maker(self._make, self._texts)

    def _start(self) -> None:
        super()._start()
        self._kept.clear()
        self._texts.clear()

    def _find_maker(self, sample: ChatGenerationChunk) -> Callable[[str], Any]:
        return message_maker(sample.message, self._id)

    def _make_output(self, payload: Any) -> Any:
        if type(payload) is not str:
            self._keep_texts()
        return super()._make_output(payload)

    def _keep_texts(self) -> None:
        if self._texts:
            text = "".join(self._texts)
            self._kept.append(ChatGenerationChunk(message=self._make(text)))
            self._texts.clear()

    def _finish(self, chunk: ChatGenerationChunk) -> Any:
        message: Any = chunk.message
        message.id = self._id
        message.response_metadata = merge_metadata(chunk)
        if self._collects:
            self._kept.append(chunk.model_copy(update={"message": message.model_copy()}))
        return message

    def result(self) -> Any:
        """Return LangChain's result of the run: the merged chunks, without the last one."""
        self._keep_texts()
        merged = merge_chat_generation_chunks(self._kept)
        return LLMResult(generations=[[] if merged is None else [merged]])

    def close(self) -> Sequence[Any]:
        """Return the messages that were held back, and the last one."""
        outputs = super().close()
        if self.error is not None:
            return outputs
        return [*outputs, AIMessageChunk(content="", chunk_position="last", id=self._id)]


def _keeping_maker(make: Callable[[str], Any], texts: list[str]) -> Callable[[str], Any]:
    """Return the function that makes the output of a text, and appends the text to ``texts``."""

    def keep(text: str) -> Any:
        texts.append(text)
        return make(text)

    return keep


def _read(raw: str) -> Any:
    """Return the value of a payload. orjson rejects lone surrogates and NaN."""
    try:
        return orjson.loads(raw)
    except ValueError:
        return json.loads(raw)
