"""The processors of completion streams: texts, and generation chunks."""

from collections.abc import Callable, Sequence
from typing import Any

from ..._backend import Delta
from ..._merge import merge_info
from ..._values import read_json
from ...errors import StreamError
from ...outputs import GenerationChunk, LLMResult
from ...streaming.protocols import Recorder
from ..stream_decoding import DecodedStream

__all__ = ("DecodedChunks", "DecodedText")


class DecodedText(DecodedStream):
    """Outputs the texts of choice 0, and keeps nothing else.

    :meth:`result` needs ``collect_result``.
    """

    __slots__ = ()

    yields_text = True

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the decoder's own method, so that a read calls no Python code of ours."""
        return self._decoder.feed_text

    def _last_outputs(self) -> Sequence[Any]:
        """Return an empty chunk for an empty answer."""
        return [self._empty_chunk()] if self._decoder.finish_reason is None and not self._decoder.text else ()

    def _empty_chunk(self) -> Any:
        return ""

    def recorder(self, write: Callable[[Sequence[Any]], bytes]) -> Recorder | None:
        """Return the decoder's own method for records; :meth:`close` still returns text."""
        self._writes_records = True
        return self._decoder.feed_records

    def result(self) -> LLMResult:
        """Return the text, its finish reason, and the usage, if the stream had one."""
        decoder = self._decoder
        info = {"finish_reason": decoder.finish_reason, "logprobs": self._logprobs()}
        return LLMResult([[GenerationChunk(decoder._kept_text, info)]], self.llm_output())

    def summary(self) -> LLMResult:
        """Return the result, which needs no chunk."""
        return self.result()

    def ending(self) -> tuple[str | None, Any] | None:
        """Return the finish reason and the usage, which texts do not have."""
        return self._decoder.finish_reason, self._decoder.usage

    def llm_output(self) -> dict[str, Any] | None:
        """Return the usage, if the stream had one."""
        usage = self._decoder.usage
        return None if usage is None else {"token_usage": usage}

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        try:
            if self._writes_records:
                return _read_texts(self._decoder.close_records(b"", b"\n")), None
            return self._decoder.close_text(), None
        except StreamError as error:
            if self._writes_records:
                error.items = _read_texts(b"".join(error.items))
            return error.items, error

    def _logprobs(self) -> Any:
        return merge_info([{"logprobs": logprobs} for logprobs in self._decoder._kept_logprobs]).get("logprobs")


def _read_texts(lines: bytes) -> list[str]:
    """Return the texts of records that are a string and a line end only."""
    return [read_json(line) for line in lines.splitlines()]


class DecodedChunks(DecodedText):
    """Outputs generation chunks, for ``_stream`` and ``_astream``."""

    __slots__ = ()

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to chunks."""
        decode, outputs = self._decoder.feed, self._outputs
        return lambda data: outputs(decode(data))

    def recorder(self, write: Callable[[Sequence[Any]], bytes]) -> None:
        """Return ``None``: chunks are Python objects anyway."""

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        try:
            return self._outputs(self._decoder.close()), None
        except StreamError as error:
            return self._outputs(error.items), error

    def _outputs(self, deltas: Sequence[Delta]) -> Sequence[Any]:
        chunks, text = [], None
        for delta in deltas:
            if delta.index == 0:
                text, reason, logprobs = delta.text, delta.finish_reason, delta.logprobs
                if text is not None or reason is not None or logprobs is not None:
                    chunks.append(GenerationChunk(text or "", {"finish_reason": reason, "logprobs": logprobs}))
        if not text:
            # The last delta had no content.
            self._check_idle()
        return chunks

    def _empty_chunk(self) -> Any:
        return GenerationChunk("", {"finish_reason": None, "logprobs": None})
