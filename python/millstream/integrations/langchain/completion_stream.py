"""The processors of completion streams: the chunks of ``_stream``, and the texts of ``stream`` without handlers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.outputs import GenerationChunk, LLMResult
from langchain_core.utils._merge import merge_dicts
from openai.types import CompletionChoice

from ..._pydantic_object import make_object
from .completion_requests import CompletionRequest
from .payload_outputs import PayloadOutputs

__all__ = ("CompletionChunks", "CompletionTexts", "build_chunk")

# Another version of LangChain may have other fields: then its constructor makes the chunks.
_IS_KNOWN = tuple(GenerationChunk.model_fields) == ("text", "generation_info", "type")
_TYPE = GenerationChunk.model_fields["type"].default if _IS_KNOWN else ""
_NO_INFO: dict[str, Any] = {"finish_reason": None, "logprobs": None}


def build_chunk(text: str, info: dict[str, Any] | None) -> GenerationChunk:
    """Return the chunk that LangChain makes of one payload, without validation."""
    given: dict[str, Any] = {"text": text} if info is None else {"text": text, "generation_info": info}
    if not _IS_KNOWN:
        return GenerationChunk(**given)
    fields = {"text": text, "generation_info": info, "type": _TYPE}
    return make_object(GenerationChunk, fields, set(given), None)  # type: ignore[no-any-return]


class CompletionChunks(PayloadOutputs):
    """Outputs a generation chunk for each payload, as langchain-openai's ``_stream`` does.

    In contrast to that, a stream that ends early is an error, the halves of a character that arrive in two payloads
    are joined, only choice 0 is read if there are several, and a finish reason counts once.
    """

    __slots__ = ()

    def __init__(self, request: CompletionRequest, *, collect_result: bool = False) -> None:
        super().__init__("openai.completions", request, None, n=request.n, collect_result=collect_result)

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to outputs."""
        read, convert = self._decoder.feed_payloads, self._outputs
        return lambda data: convert(read(data))

    def _make_output(self, payload: Any) -> Any:
        if type(payload) is str:
            return self._build(payload, dict(_NO_INFO))
        found = self._read(*payload)
        if found is None:
            return None
        self._has_chunks = True
        return self._build(*found)

    def _read(self, payload: Any, text: str | None) -> tuple[str, dict[str, Any] | None] | None:
        """Return the text and the info of a payload; ``None`` if it has other choices only."""
        choices = payload.get("choices")
        if not choices:
            return "", None
        choice = choices[0] if self._n == 1 else next((each for each in choices if not each.get("index")), None)
        if choice is None:
            return None
        reason, logprobs = choice.get("finish_reason"), choice.get("logprobs")
        if reason:
            reason = None if self._has_finished else reason
            self._has_finished = True
        if logprobs is not None:
            logprobs = CompletionChoice.construct(**choice).model_dump().get("logprobs")
        return text or "", {"finish_reason": reason, "logprobs": logprobs}

    def _build(self, text: str, info: dict[str, Any] | None) -> Any:
        """Return the output for one payload."""
        return build_chunk(text, info)


class CompletionTexts(CompletionChunks):
    """Outputs the text of each payload; a stream without a payload is LangChain's :class:`ValueError`."""

    __slots__ = ("_infos",)

    _needs_chunks = True

    def _start(self) -> None:
        super()._start()
        # For the result: what payloads have besides their text. The decoder keeps the text.
        self._infos: list[dict[str, Any]] = []

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to texts."""
        read, convert = self._decoder.feed_payloads, self._outputs

        def feed(data: bytes) -> Sequence[Any]:
            payloads = read(data)
            # Most reads have one text, or several texts and nothing else.
            for payload in payloads:
                if type(payload) is not str:
                    return convert(payloads)
            return payloads

        return feed

    def result(self) -> Any:
        """Return LangChain's result of the run: the chunks merged into one."""
        text = self._decoder._kept_text
        # Payloads without choices have no info.
        info = merge_dicts(dict(_NO_INFO), *self._infos) if text or self._infos else None
        return LLMResult(generations=[[GenerationChunk(text=text, generation_info=info)]])

    def _build(self, text: str, info: dict[str, Any] | None) -> Any:
        if info is not None and self._collects:
            self._infos.append(info)
        return text
