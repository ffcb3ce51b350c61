"""The message chunks of a stream in any provider's format, without the provider's model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .._backend import Delta
from .._merge import merge_info
from ..messages.ai import AIMessageChunk, merge_messages, text_chunk
from ..outputs import LLMResult
from ..outputs.chat_generation import ChatGenerationChunk
from .openai.chat_stream import DecodedMessages, make_delta_chunk
from .usage_metadata import read_usage

__all__ = ("Source", "SourceMessages", "describe_source")


class Source(NamedTuple):
    """What a format is the stream of."""

    run_type: str
    """``"chat_model"`` or ``"llm"``."""
    name: str
    """The name of LangChain's class of models."""
    provider: str | None = None
    """The provider's name in the metadata of messages."""


_SOURCES = {
    "anthropic.messages": Source("chat_model", "ChatAnthropic", "anthropic"),
    "auto": Source("chat_model", "ChatModel"),
    "bedrock.anthropic": Source("chat_model", "ChatBedrock", "bedrock"),
    "bedrock.converse": Source("chat_model", "ChatBedrockConverse", "bedrock_converse"),
    "cohere.v2": Source("chat_model", "ChatCohere", "cohere"),
    "gemini.generate": Source("chat_model", "ChatGoogleGenerativeAI", "google_genai"),
    "llamacpp.completion": Source("llm", "LlamaCpp"),
    "ollama.chat": Source("chat_model", "ChatOllama", "ollama"),
    "ollama.generate": Source("llm", "OllamaLLM"),
    "openai.chat": Source("chat_model", "ChatOpenAI", "openai"),
    "openai.completions": Source("llm", "OpenAI"),
    "openai.responses": Source("chat_model", "ChatOpenAI", "openai"),
    "tgi.generate": Source("llm", "HuggingFaceEndpoint"),
}

_UNKNOWN = Source("chat_model", "ChatModel")


def describe_source(format: str) -> Source:
    """Return what ``format``, one of :class:`~millstream.StreamDecoder`, is the stream of."""
    return _SOURCES.get(format, _UNKNOWN._replace(provider=format.partition(".")[0]))


class SourceMessages(DecodedMessages):
    """Outputs the message chunks of a stream in any provider's format.

    Text is their content, and reasoning is in ``additional_kwargs``, whatever the provider's model makes of its blocks.
    """

    __slots__ = ("_origin",)

    def __init__(
        self, format: str, limit: float | None, *, n: int | None, id: str | None, collect_result: bool = False
    ) -> None:
        super().__init__(format, limit, n=n, id=id, collect_result=collect_result)
        provider = describe_source(format).provider
        # The metadata of every message about its origin.
        self._origin = {} if provider is None else {"model_provider": provider}

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to chunks."""
        read, convert = self._decoder._feed_parts, self._outputs
        return lambda data: convert(read(data))

    def plain(self, text: str) -> Any:
        """Return a chunk of ``text``."""
        return text_chunk(text, self._id, dict(self._origin))

    def result(self) -> LLMResult:
        """Return the merged chunks, without the last one."""
        info = merge_info(self._infos)
        message = text_chunk(self._decoder._kept_text, self._id, {**self._origin, **info})
        chunks = [make_delta_chunk(delta, self._id, legacy=False) for delta in self._kept]
        for chunk in chunks:
            chunk.content = ""
        if self.error is None and self._usage is not None:
            chunks.append(self._usage_chunk(self._usage))
        return LLMResult([[ChatGenerationChunk(merge_messages([message, *chunks]), info or None)]])

    def _outputs(self, parts: Sequence[Any]) -> Sequence[Any]:
        # Some providers send the counts of the input first, and those of the output last.
        usage = self._usage or {}
        for part in parts:
            if type(part) not in (str, tuple) and part.usage is not None:
                usage = {**usage, **part.usage}
        outputs = super()._outputs(parts)
        self._usage = usage or self._usage
        return outputs

    def _convert(self, delta: Delta) -> Any:
        chunk = super()._convert(delta)
        chunk._response_metadata.pop("model_provider")
        chunk._response_metadata.update(self._origin)
        return chunk

    def _usage_chunk(self, usage: Mapping[str, Any]) -> AIMessageChunk:
        chunk = text_chunk("", self._id)
        chunk.usage_metadata = read_usage(usage, self._metadata[3])
        return chunk
