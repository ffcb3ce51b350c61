"""The processors of chat streams: message chunks, and generation chunks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..._backend import Delta
from ..._merge import merge_info, merge_lists
from ...errors import StreamError
from ...messages.ai import AIMessageChunk, merge_messages, text_chunk
from ...messages.tool_calls import ToolCallChunk
from ...outputs import LLMResult
from ...outputs.chat_generation import ChatGenerationChunk
from ...streaming.protocols import Recorder
from ..stream_decoding import DecodedStream
from ..usage_metadata import create_usage_metadata

__all__ = ("PROVIDER", "DecodedGenerations", "DecodedMessages", "make_delta_chunk")

PROVIDER = {"model_provider": "openai"}
"""The metadata of every message about its origin."""


class DecodedMessages(DecodedStream):
    """Outputs the message chunks of choice 0, one per delta, and an empty last chunk marked as the last.

    All chunks have the id ``id``. The usage is one chunk at the end, if the stream ended well: servers send
    totals on the way, not increments. :meth:`result` needs ``collect_result``. With ``legacy``, the request
    used OpenAI's first form of function calls.
    """

    __slots__ = ("_has_non_text", "_id", "_infos", "_kept", "_legacy", "_metadata", "_usage", "_write")

    def __init__(
        self,
        format: str,
        limit: float | None,
        *,
        n: int | None,
        id: str | None,
        collect_result: bool = False,
        legacy: bool = False,
    ) -> None:
        super().__init__(format, limit, n=n, collect_result=collect_result)
        self._id = id
        self._legacy = legacy
        # For the result: the generation infos, and the deltas that the message needs. The decoder keeps the text.
        self._infos: list[dict[str, Any]] = []
        self._kept: list[Delta] = []
        # Whether a delta with more than text has arrived.
        self._has_non_text = False
        self._usage: Mapping[str, Any] | None = None
        self._metadata: tuple[str | None, ...] = (None, None, None, None)

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to chunks."""
        read, id, convert = self._decoder._feed_parts, self._id, self._outputs

        def feed(data: bytes) -> Sequence[Any]:
            parts = read(data)
            # The most frequent read has one text, the next most frequent one several texts and nothing else.
            if len(parts) == 1 and type(parts[0]) is str:
                return (text_chunk(parts[0], id, {"model_provider": "openai"}),)
            for part in parts:
                if type(part) is not str:
                    return convert(parts)
            return [text_chunk(text, id, {"model_provider": "openai"}) for text in parts]

        return feed

    def recorder(self, write: Callable[[Sequence[Any]], bytes]) -> Recorder:
        """Return the decoder's method that returns text as records; other chunks are encoded by ``write``."""
        self._write = write
        return self._decoder._feed_record_parts

    def joined(self, parts: list[Any]) -> bytes:
        """Return the records of parts."""
        return b"".join(map(self._to_record, parts))

    def _to_record(self, part: object) -> bytes:
        if type(part) is bytes:
            return part
        return self._write(outputs) if (outputs := self._outputs((part,))) else b""

    def plain(self, text: str) -> Any:
        """Return a chunk of ``text``."""
        return text_chunk(text, self._id, {"model_provider": "openai"})

    def _last_outputs(self) -> Sequence[Any]:
        """Return the usage and the last chunk."""
        # An empty answer is a valid answer: one empty chunk.
        ends: list[Any] = [] if self._has_non_text or self._decoder.text else [self.plain("")]
        if self._usage is not None:
            ends.append(self._usage_chunk(self._usage))
        last = text_chunk("", self._id)
        last.chunk_position = "last"
        return [*ends, last]

    def result(self) -> LLMResult:
        """Return the merged chunks, without the last one."""
        info = merge_info(self._infos)
        message = text_chunk(self._decoder._kept_text, self._id, {**PROVIDER, **info})
        chunks = [make_delta_chunk(delta, self._id, legacy=self._legacy) for delta in self._kept]
        for chunk in chunks:
            chunk.content = ""
        if self.error is None and self._usage is not None:
            chunks.append(self._usage_chunk(self._usage))
        if chunks:
            message = merge_messages([message, *chunks])
        return LLMResult([[ChatGenerationChunk(message, info or None)]])

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        try:
            return self._outputs(self._decoder._close_parts()), None
        except StreamError as error:
            return self._outputs(error.items), error

    def _usage_chunk(self, usage: Mapping[str, Any]) -> AIMessageChunk:
        chunk = text_chunk("", self._id)
        chunk.usage_metadata = create_usage_metadata(usage, self._metadata[3])
        return chunk

    def _outputs(self, parts: Sequence[Any]) -> Sequence[Any]:
        outputs = []
        has_text = False
        for part in parts:
            if type(part) is str:
                has_text = True
                outputs.append(self.plain(part))
            elif type(part) is tuple:
                self._metadata = part
            elif part.usage is not None:
                self._usage = part.usage
            elif part.error is None:
                outputs.append(self._convert(part))
        if outputs and not has_text:
            self._check_idle()
        return outputs

    def _convert(self, delta: Delta) -> Any:
        """Return the chunk of a delta that has more than text.

        Its metadata begins with the generation info: finish reason, the model's metadata, log probabilities.
        """
        self._has_non_text = True
        info: dict[str, Any] = {}
        if delta.finish_reason is not None:
            info["finish_reason"] = delta.finish_reason
            names = ("model_name", "system_fingerprint", "service_tier")
            info |= {name: value for name, value in zip(names, self._metadata[1:], strict=True) if value}
        if delta.logprobs is not None:
            info["logprobs"] = delta.logprobs
        chunk = make_delta_chunk(delta, self._id, {**info, **PROVIDER}, legacy=self._legacy)
        if self._collects:
            self._infos.append(info)
            if chunk._additional_kwargs or chunk._tool_call_chunks:
                self._kept.append(delta)
        return chunk


class DecodedGenerations(DecodedMessages):
    """Outputs generation chunks, for ``_stream`` and ``_astream``.

    The base class of chat models sets the ids of their messages, adds the generation info to their metadata,
    and adds the last chunk. ``with_headers`` puts the response's headers into the info of the first chunk.
    """

    __slots__ = ("_header_info", "_with_headers")

    def __init__(
        self, format: str, limit: float | None, *, n: int | None, legacy: bool = False, with_headers: bool = False
    ) -> None:
        super().__init__(format, limit, n=n, id=None, legacy=legacy)
        self._with_headers = with_headers
        self._header_info: dict[str, Any] | None = None

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to chunks."""
        read, outputs = self._decoder._feed_parts, self._outputs
        return lambda data: outputs(read(data))

    def opened(self, body: Any) -> None:
        """Keep the headers, if they are requested."""
        super().opened(body)
        if self._with_headers:
            self._header_info = {"headers": dict(body.headers)}

    def plain(self, text: str) -> Any:
        """Return a chunk of ``text``."""
        return self._wrap(super().plain(text), {})

    def _convert(self, delta: Delta) -> Any:
        chunk = super()._convert(delta)
        info = {key: value for key, value in chunk._response_metadata.items() if key not in PROVIDER}
        chunk._response_metadata = dict(PROVIDER)
        return self._wrap(chunk, info)

    def _wrap(self, chunk: AIMessageChunk, info: dict[str, Any]) -> Any:
        header_info, self._header_info = self._header_info, None
        info = {**(header_info or {}), **info}
        # As in LangChain, the chunk of the usage has an empty info.
        return ChatGenerationChunk(chunk, info if info or chunk.usage_metadata else None)

    def _last_outputs(self) -> Sequence[Any]:
        """Return the usage; the base class of chat models adds the last chunk."""
        return super()._last_outputs()[:-1]

    def _usage_chunk(self, usage: Mapping[str, Any]) -> Any:
        return self._wrap(super()._usage_chunk(usage), {})


def make_delta_chunk(
    delta: Delta, id: str | None, metadata: dict[str, Any] | None = None, *, legacy: bool
) -> AIMessageChunk:
    """Return the chunk of a delta that has more than text.

    Data without a field in a message is in ``additional_kwargs``: reasoning, refusals, audio, and with
    ``legacy`` calls in OpenAI's first form.
    """
    chunk = text_chunk(delta.text or "", id, metadata)
    kwargs: dict[str, Any] = {}
    if delta.reasoning is not None:
        kwargs["reasoning_content"] = delta.reasoning
    if delta.refusal is not None:
        kwargs["refusal"] = delta.refusal
    if delta.audio is not None:
        kwargs["audio"] = dict(delta.audio)
    if legacy and delta.tool_calls:
        call = delta.tool_calls[0]
        kwargs["function_call"] = {"arguments": call.args, "name": call.name or ""}
    elif delta.tool_calls:
        pieces = [_to_tool_call_chunk(call) for call in delta.tool_calls]
        # One payload may contain several pieces of one call.
        chunk._tool_call_chunks = pieces if len(pieces) == 1 else merge_lists([pieces])
    chunk._additional_kwargs = kwargs or None
    return chunk


def _to_tool_call_chunk(call: Any) -> ToolCallChunk:
    return {"name": call.name, "args": call.args, "id": call.id, "index": call.index, "type": "tool_call_chunk"}
