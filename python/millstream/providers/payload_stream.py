"""The processors of streams that a :class:`MessageReader` reads: generation chunks, and message chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from ..errors import StreamError
from ..messages.ai import text_chunk
from ..outputs import LLMResult
from ..outputs.chat_generation import ChatGenerationChunk, merge_chat_generation_chunks
from ..streaming.protocols import WireFeed
from .message_reader import MessageReader, read_values
from .payload_joiner import PayloadJoiner
from .stream_decoding import DecodedStream

__all__ = ("PayloadGenerations", "PayloadMessages")


class PayloadGenerations(DecodedStream):
    """Outputs a generation chunk for each payload, for ``_stream`` and ``_astream``.

    The base class of chat models sets the ids of their messages, adds the generation info to their metadata,
    and adds the last chunk.
    """

    __slots__ = ("_joiner", "_make_reader", "_reader")

    def __init__(
        self, format: str, limit: float | None, make_reader: Callable[[], MessageReader], *, n: int | None
    ) -> None:
        self._make_reader = make_reader
        super().__init__(format, limit, n=n)

    def _start(self) -> None:
        super()._start()
        self._reader = self._make_reader()
        self._joiner = PayloadJoiner(self._format)

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to chunks."""
        read, plain, outputs = self._decoder.feed_payloads, self._plain, self._outputs

        def feed(data: bytes) -> Sequence[Any]:
            payloads = read(data)
            # The most frequent read has one text, the next most frequent one several texts and nothing else.
            if len(payloads) == 1 and type(payloads[0]) is str:
                return (plain(payloads[0]),)
            for payload in payloads:
                if type(payload) is not str:
                    return outputs(payloads)
            return [*map(plain, payloads)]

        return feed

    @property
    def _plain(self) -> Callable[[str], Any]:
        """The function that returns the chunk of a text."""
        text = self._reader.text
        return lambda piece: ChatGenerationChunk(text(piece))

    def _outputs(self, payloads: Sequence[Any]) -> Sequence[Any]:
        outputs: list[Any] = []
        has_text = False
        plain = self._plain
        for payload in payloads:
            if type(payload) is str:
                has_text = True
                outputs.append(plain(payload))
            else:
                outputs += map(self._take, read_values(self._reader, self._joiner.read(payload[0]), payload[1]))
        if outputs and not has_text:
            self._check_idle()
        return outputs

    def _take(self, chunk: ChatGenerationChunk) -> Any:
        """Return the output for a chunk that is more than text."""
        return chunk

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        failure = None
        try:
            outputs = [*self._outputs(self._decoder.close_payloads())]
        except StreamError as error:
            failure = error
            outputs = [*self._outputs(error.items)]
        outputs += map(self._take, read_values(self._reader, self._joiner.finish(), None))
        return outputs, failure

    def _last_outputs(self) -> Sequence[Any]:
        return [*map(self._take, self._reader.finish())]


class PayloadMessages(PayloadGenerations):
    """Outputs the messages of the chunks, with the id ``id``, and an empty last one: what ``stream`` yields.

    :meth:`result` needs ``collect_result``.
    """

    __slots__ = ("_deltas_then", "_has_last", "_id", "_is_list", "_keeps", "_kept", "_texts")

    def __init__(
        self,
        format: str,
        limit: float | None,
        make_reader: Callable[[], MessageReader],
        *,
        n: int | None,
        id: str,
        collect_result: bool = False,
    ) -> None:
        self._id = id
        self._keeps = collect_result
        super().__init__(format, limit, make_reader, n=n)

    def _start(self) -> None:
        super()._start()
        self._reader.id = self._id
        # Whether the provider's last chunk is marked so.
        self._has_last = False
        # Whether the content of the last message was a list, and how many deltas there were when this was known.
        self._is_list = False
        self._deltas_then = 0
        # For the result: the chunks, and the texts that have arrived since the last one of them.
        self._kept: list[ChatGenerationChunk] = []
        self._texts: list[str] = []

    @property
    def _plain(self) -> Callable[[str], Any]:
        """The function that returns the chunk of a text."""
        text = self._reader.text
        if not self._keeps:
            return text
        texts = self._texts

        def keep(piece: str) -> Any:
            texts.append(piece)
            return text(piece)

        return keep

    @property
    def has_output(self) -> bool:
        """Whether there was a chunk; with ``collect_result``."""
        return bool(self._kept or self._texts)

    def _outputs(self, payloads: Sequence[Any]) -> Sequence[Any]:
        outputs: list[Any]
        if self._keeps and any(type(payload) is not str for payload in payloads):
            # The text so far is of the block that a payload may end.
            outputs = []
            for payload in payloads:
                if type(payload) is not str:
                    self._keep_texts()
                outputs += super()._outputs((payload,))
        else:
            outputs = [*super()._outputs(payloads)]
        if outputs:
            self._is_list = isinstance(outputs[-1].content, list)
            self._deltas_then = self._decoder.deltas_seen
        return outputs

    def _keep_texts(self) -> None:
        """Keep the texts as one chunk, while the reader is in their block."""
        if self._texts:
            self._kept.append(ChatGenerationChunk(self._reader.text("".join(self._texts))))
            self._texts.clear()

    def _take(self, chunk: ChatGenerationChunk) -> Any:
        message: Any = chunk.message
        if message.id is None:
            message.id = self._id
        if chunk.generation_info:
            message.response_metadata = {**chunk.generation_info, **message.response_metadata}
        self._has_last = message.chunk_position == "last"
        if self._keeps:
            # The consumer may change the message.
            self._kept.append(ChatGenerationChunk(copy(message), chunk.generation_info))
        return message

    def write_into(self, writer: Any, *, text_only: bool = False) -> WireFeed | None:
        """Return the decoder's method, unless its deltas have reasoning that the messages leave out."""
        is_whole = text_only or self._reader.keeps_reasoning
        return super().write_into(writer, text_only=text_only) if is_whole else None

    def _last_outputs(self) -> Sequence[Any]:
        """Return what the reader adds, and the last chunk."""
        self._keep_texts()
        outputs = super()._last_outputs()
        if self._has_last:
            return outputs
        before = outputs[-1] if outputs else None
        if before is None and self._decoder.deltas_seen != self._deltas_then:
            # The last outputs were plain text.
            before = self._reader.text("")
        last = text_chunk("", self._id)
        if self._is_list if before is None else isinstance(before.content, list):
            # As in LangChain, chunks of one form can be added up.
            last.content = []
        last.chunk_position = "last"
        return [*outputs, last]

    def result(self) -> LLMResult:
        """Return the merged chunks, without an added last one."""
        self._keep_texts()
        if not self._kept:
            self._kept.append(ChatGenerationChunk(self._reader.text("")))
        return LLMResult([[merge_chat_generation_chunks(self._kept)]])
