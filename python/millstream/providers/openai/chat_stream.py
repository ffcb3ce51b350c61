"""The messages of one chat stream: what a chat model's ``stream`` runs on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..._backend import Delta
from ..._merge import merge_lists
from ...errors import StreamError
from ...messages.ai import AIMessageChunk, merge_messages, text_chunk
from ...messages.tool_calls import ToolCallChunk
from ...outputs import LLMResult
from ...outputs.chat_generation import ChatGenerationChunk
from ...streaming.protocols import Recorder
from ..stream_decoding import DecodedStream
from .usage import usage_metadata

__all__ = ("PROVIDER", "DecodedGenerations", "DecodedMessages", "make_delta_chunk")

PROVIDER = {"model_provider": "openai"}
"""What every message says of where it comes from."""


class DecodedMessages(DecodedStream):
    """Message chunks of choice 0 come out, one per delta; the last one is empty and says that it is the last.

    ``id`` is that of all of them. The usage comes when the stream has ended well, as one chunk: what
    servers say of it on the way are totals, not parts. Only with ``collect_result`` is there a
    :meth:`result`. ``legacy`` says that function calls were asked for in OpenAI's first form.
    """

    __slots__ = ("_collected", "_has_non_text", "_id", "_legacy", "_response", "_usage", "_write")

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
        self._collected: list[AIMessageChunk] = []
        # Whether a delta came that has more than text.
        self._has_non_text = False
        self._usage: Mapping[str, Any] | None = None
        self._response: tuple[str | None, ...] = (None, None, None, None)

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return what turns a read into chunks."""
        read, id, rest = self._decoder._feed_parts, self._id, self._outputs

        def feed(data: bytes) -> Sequence[Any]:
            parts = read(data)
            # A read that brings one text is what there is most of, then one that brings nothing but text.
            if len(parts) == 1 and type(parts[0]) is str:
                return (text_chunk(parts[0], id, {"model_provider": "openai"}),)
            for part in parts:
                if type(part) is not str:
                    return rest(parts)
            return [text_chunk(text, id, {"model_provider": "openai"}) for text in parts]

        return feed

    def recorder(self, write: Callable[[Sequence[Any]], bytes]) -> Recorder:
        """Return the decoder's own method: text comes as records, and other chunks are written by ``write``."""
        self._write = write
        return self._decoder._feed_record_parts

    def joined(self, parts: list[Any]) -> bytes:
        """Return the records of parts."""
        return b"".join(map(self._to_record, parts))

    def _to_record(self, part: Any) -> bytes:
        if type(part) is bytes:
            return part
        return self._write(outputs) if (outputs := self._outputs((part,))) else b""

    def plain(self, text: str) -> Any:
        """Return a chunk of ``text``."""
        return text_chunk(text, self._id, {"model_provider": "openai"})

    def close(self) -> Sequence[Any]:
        """Return what was held back, the usage and the last chunk, and judge the end."""
        outputs = super().close()
        if self.error is not None:
            return outputs
        return [*outputs, *self._closing_chunks()]

    def result(self) -> LLMResult:
        """Return the sum of the chunks, the last one left out."""
        message = merge_messages([self.plain(self._decoder._kept_text), *self._collected])
        info = {key: value for key, value in message.response_metadata.items() if key not in PROVIDER}
        return LLMResult([[ChatGenerationChunk(message, info or None)]])

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        try:
            return self._outputs(self._decoder._close_parts()), None
        except StreamError as error:
            return self._outputs(error.items), error

    def _closing_chunks(self) -> list[Any]:
        """Return what comes behind the last delta."""
        # An answer in which nothing is said is an answer all the same.
        ends = [] if self._has_non_text or self._decoder.text else [self._to_chunk("")]
        if self._usage is not None:
            chunk = text_chunk("", self._id)
            chunk.usage_metadata = usage_metadata(self._usage, self._response[3])
            self._collect(chunk)
            ends.append(self._wrap(chunk, {}))
        return ends + self._last_chunks()

    def _last_chunks(self) -> list[Any]:
        last = text_chunk("", self._id)
        last.chunk_position = "last"
        return [last]

    def _outputs(self, parts: Sequence[Any]) -> Sequence[Any]:
        outputs = []
        has_text = False
        for part in parts:
            if type(part) is str:
                has_text = True
                outputs.append(self._to_chunk(part))
            elif type(part) is tuple:
                self._response = part
            elif part.usage is not None:
                self._usage = part.usage
            elif part.error is None:
                outputs.append(self._convert(part))
        if outputs and not has_text:
            self._check_idle()
        return outputs

    def _to_chunk(self, text: str) -> Any:
        return self.plain(text)

    def _convert(self, delta: Delta) -> Any:
        """Return the chunk of a delta that has more than text."""
        self._has_non_text = True
        info = self._info(delta)
        chunk = make_delta_chunk(delta, self._id, {**info, **PROVIDER}, legacy=self._legacy)
        if self._collects and (info or chunk._additional_kwargs or chunk._tool_call_chunks):
            self._collect(chunk)
        return self._wrap(chunk, info)

    def _collect(self, chunk: AIMessageChunk) -> None:
        # The text is the decoder's to keep.
        if self._collects:
            self._collected.append(chunk.model_copy(update={"content": ""}) if chunk.content else chunk.model_copy())

    def _wrap(self, chunk: AIMessageChunk, info: dict[str, Any]) -> Any:
        return chunk

    def _info(self, delta: Delta) -> dict[str, Any]:
        """Return what the provider says of a chunk: the finish, with what made the answer, and log probabilities."""
        info: dict[str, Any] = {}
        if delta.finish_reason is not None:
            info["finish_reason"] = delta.finish_reason
            names = ("model_name", "system_fingerprint", "service_tier")
            info.update((name, told) for name, told in zip(names, self._response[1:], strict=True) if told)
        if delta.logprobs is not None:
            info["logprobs"] = delta.logprobs
        return info


class DecodedGenerations(DecodedMessages):
    """The part that makes generation chunks: what ``_stream`` and ``_astream`` hand out.

    The base of chat models gives their messages ids, puts in the details, and adds the last chunk.
    ``with_headers`` puts the response's headers into the details of the first one.
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
        """Return what turns a read into chunks."""
        read, outputs = self._decoder._feed_parts, self._outputs
        return lambda data: outputs(read(data))

    def opened(self, body: Any) -> None:
        """Note the headers, where they are asked for."""
        super().opened(body)
        if self._with_headers:
            self._header_info = {"headers": dict(body.headers)}

    def _to_chunk(self, text: str) -> Any:
        return self._wrap(text_chunk(text, None, dict(PROVIDER)), {})

    def _convert(self, delta: Delta) -> Any:
        generation = super()._convert(delta)
        generation.message._response_metadata = dict(PROVIDER)
        return generation

    def _wrap(self, chunk: AIMessageChunk, info: dict[str, Any]) -> Any:
        first, self._header_info = self._header_info, None
        info = {**(first or {}), **info}
        # The chunk of the usage has details that are empty, as LangChain's.
        return ChatGenerationChunk(chunk, info if info or chunk.usage_metadata else None)

    def _last_chunks(self) -> list[Any]:
        return []


def make_delta_chunk(
    delta: Delta, id: str | None, metadata: dict[str, Any] | None = None, *, legacy: bool
) -> AIMessageChunk:
    """Return the chunk of a delta that has more than text.

    What has no field of a message's is in ``additional_kwargs``: reasoning, refusals, audio, and with
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
        # One payload may have several pieces of one call.
        chunk._tool_call_chunks = pieces if len(pieces) == 1 else merge_lists([pieces])
    chunk._additional_kwargs = kwargs or None
    return chunk


def _to_tool_call_chunk(call: Any) -> ToolCallChunk:
    return {"name": call.name, "args": call.args, "id": call.id, "index": call.index, "type": "tool_call_chunk"}
