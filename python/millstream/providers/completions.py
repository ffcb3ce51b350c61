"""The text of one completions stream: what an LLM's ``stream`` runs on."""

import time
from collections.abc import Callable, Sequence, Sized
from typing import Any

from .._backend import Delta, StreamDecoder
from .._values import read_json
from ..errors import APITimeoutError, ProviderError, StreamError, StreamStalledError, StreamTruncatedError
from ..events.event_records import Recorder
from ..outputs import GenerationChunk, LLMResult
from ..outputs._merge import merge_info

__all__ = ("DecodedChunks", "DecodedText", "DeltaText")


class DecodedText:
    """The part over one :class:`~millstream.StreamDecoder`: text of choice 0 comes out, nothing is kept beside it.

    ``failure`` after :meth:`finish` is the honest end: truncated, stalled, the provider's error, or
    what the decoder could not read; each carries the text that had arrived.
    """

    __slots__ = ("_decoder", "_idle_since", "_limit", "_lost", "_records", "_seen", "failure", "over")

    streams = True
    mixed = False

    def __init__(self, format: str, limit: float | None) -> None:
        self._decoder = StreamDecoder(format)
        self._limit = limit
        self._idle_since: float | None = None
        self._seen = 0
        self._lost: Exception | None = None
        self._records = False
        self.failure: BaseException | None = None
        self.over: Sized = self._decoder._over

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the decoder's own method: no call of ours per read."""
        return self._decoder.feed_text

    def recorder(self) -> Recorder | None:
        """Return the decoder's own method for records; :meth:`finish` still returns text."""
        self._records = True
        return self._decoder.feed_records

    def begin(self) -> Sequence[Any]:
        """Return nothing."""
        return ()

    def idle(self) -> bool:
        """Fail if nothing of content has come for as long as the limit says, whatever comments did."""
        # Content is noticed here, by the decoder's own count, so that reads that bring it cost nothing more.
        now = time.monotonic()
        if self._idle_since is None or self._decoder.deltas_seen != self._seen:
            self._idle_since, self._seen = now, self._decoder.deltas_seen
        if self._limit is None or now - self._idle_since < self._limit:
            return False
        self.failure = self._stalled(f"nothing but keep-alives arrived for {self._limit:g} s")
        return True

    def lost(self, error: Exception) -> None:
        """Remember that the body broke off; it matters only if the stream had not ended."""
        self._lost = error

    def finish(self) -> Sequence[Any]:
        """Return the text that was held back, and judge the end."""
        texts, failure = self._close()
        self.failure = self.failure or failure or self._judged()
        return texts

    def broken(self, error: BaseException) -> None:
        """Note nothing."""

    def result(self) -> LLMResult:
        """Return the text, its finish reason and the usage, where the stream had one."""
        decoder = self._decoder
        info = {"finish_reason": decoder.finish_reason, "logprobs": self._logprobs()}
        return LLMResult([[GenerationChunk(decoder.text, info)]], self.llm_output())

    def llm_output(self) -> dict[str, Any] | None:
        """Return the usage, where the stream had one."""
        usage = self._decoder.usage
        return None if usage is None else {"token_usage": usage}

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        try:
            if self._records:
                return _texts(self._decoder.close_records(b"", b"\n")), None
            return self._decoder.close_text(), None
        except StreamError as error:
            if self._records:
                error.items = _texts(b"".join(error.items))
            return error.items, error

    def _logprobs(self) -> Any:
        return None

    def _judged(self) -> StreamError | None:
        """Return what is wrong with the end, if anything is."""
        decoder = self._decoder
        if decoder.ended == "error":
            error = decoder.error or {}
            return ProviderError(
                str(error.get("message")), error=error, text=decoder.text, deltas_seen=decoder.deltas_seen
            )
        if decoder.ended != "truncated":
            return None
        if isinstance(self._lost, APITimeoutError):
            return self._stalled("nothing arrived any more, the connection timed out")
        if isinstance(self._lost, StreamError):
            self._lost.text, self._lost.deltas_seen = decoder.text, decoder.deltas_seen
            return self._lost
        failure = StreamTruncatedError(
            "the stream ended before its end mark" if self._lost is None else "the connection broke in mid-stream",
            text=decoder.text,
            deltas_seen=decoder.deltas_seen,
        )
        failure.__cause__ = self._reason()
        return failure

    def _stalled(self, what: str) -> StreamStalledError:
        failure = StreamStalledError(what, text=self._decoder.text, deltas_seen=self._decoder.deltas_seen)
        failure.__cause__ = self._reason()
        return failure

    def _reason(self) -> BaseException | None:
        """Return the transport's own error, under ours."""
        return None if self._lost is None else self._lost.__cause__ or self._lost


def _texts(lines: bytes) -> list[str]:
    """Return the texts of records that are nothing but a string and a line end."""
    return [read_json(line) for line in lines.splitlines()]


class DeltaText(DecodedText):
    """:class:`DecodedText` where log probabilities are asked for: they come with deltas, and are kept."""

    __slots__ = ("_kept",)

    def __init__(self, format: str, limit: float | None) -> None:
        super().__init__(format, limit)
        self._kept: list[dict[str, Any]] = []

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return what turns a read into outputs."""
        return lambda data: self._outputs(self._decoder.feed(data))

    def recorder(self) -> None:
        """Return nothing: deltas are needed, for what is kept of them."""

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        try:
            return self._outputs(self._decoder.close()), None
        except StreamError as error:
            return self._outputs(error.items), error

    def _outputs(self, deltas: Sequence[Delta]) -> Sequence[Any]:
        chunks = [delta for delta in deltas if delta.index == 0]
        self._kept += [{"logprobs": delta.logprobs} for delta in chunks if delta.logprobs is not None]
        return [delta.text or "" for delta in chunks if delta.text is not None or delta.finish_reason is not None]

    def _logprobs(self) -> Any:
        return merge_info(self._kept).get("logprobs")


class DecodedChunks(DeltaText):
    """The part that makes generation chunks: what ``_stream`` and ``_astream`` hand out.

    Only with ``keeps`` are the log probabilities kept for :meth:`result` too.
    """

    __slots__ = ("_keeps",)

    def __init__(self, format: str, limit: float | None, *, keeps: bool = False) -> None:
        super().__init__(format, limit)
        self._keeps = keeps

    def _outputs(self, deltas: Sequence[Delta]) -> Sequence[Any]:
        if self._keeps:
            super()._outputs(deltas)
        return [
            GenerationChunk(delta.text or "", {"finish_reason": delta.finish_reason, "logprobs": delta.logprobs})
            for delta in deltas
            if delta.index == 0 and (delta.text, delta.finish_reason, delta.logprobs) != (None, None, None)
        ]
