"""The part over one decoder: what all models' streams have in common, and how their ends are judged."""

import time
from collections.abc import Sequence, Sized
from typing import Any

from .._backend import StreamDecoder
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    ProviderError,
    StreamError,
    StreamStalledError,
    StreamTruncatedError,
)
from ..outputs import LLMResult
from ..streaming.protocols import ChunkProcessor

__all__ = ("DecodedStream",)


class DecodedStream(ChunkProcessor[LLMResult]):
    """The part over one :class:`~millstream.StreamDecoder`; a subclass says what it feeds and what comes out.

    ``error`` after :meth:`close` is the honest end: truncated, stalled, the provider's error, or
    what the decoder could not read; each carries the text that had arrived. ``n`` is how many choices
    the request asked for. Only with ``collect_result`` is all of the text kept for a result.
    """

    __slots__ = (
        *(
            "_closed",
            "_decoder",
            "_format",
            "_idle_since",
            "_collects",
            "_idle_limit",
            "_disconnect",
            "_n",
            "_contents_seen",
        ),
        *("error", "done"),
    )

    def __init__(self, format: str, limit: float | None, *, n: int | None, collect_result: bool = False) -> None:
        self._format = format
        self._collects = collect_result
        self._n = n
        self._idle_limit = limit
        self.error: BaseException | None = None
        self._start()

    def _start(self) -> None:
        """Start with a decoder that has read nothing."""
        self._decoder = self._new_decoder()
        if self._collects:
            self._decoder._keep_text()
        self._idle_since: float | None = None
        self._contents_seen = 0
        self._disconnect: Exception | None = None
        self._closed: tuple[Sequence[Any], StreamError | None] | None = None
        self.done: Sized = self._decoder._finished

    def _new_decoder(self) -> StreamDecoder:
        return StreamDecoder(self._format, n=self._n)

    def opened(self, body: Any) -> None:
        """Read the connection itself where the body lets us: its framing and the payloads in one call."""
        if self._closed is not None:
            self._start()
        hand_over = getattr(body, "hand_over", None)
        if hand_over is not None:
            hand_over(self._decoder)

    def on_idle(self) -> bool:
        """Fail if nothing of content has come for as long as the limit says, whatever comments did."""
        # Content is noticed here, by the decoder's own count, so that reads that bring it cost nothing more.
        now = time.monotonic()
        if self._idle_since is None or self._decoder._contents_seen != self._contents_seen:
            self._idle_since, self._contents_seen = now, self._decoder._contents_seen
        if self._idle_limit is None or now - self._idle_since < self._idle_limit:
            return False
        self.error = self._stalled_error(f"nothing but keep-alives arrived for {self._idle_limit:g} s")
        return True

    def _check_idle(self) -> None:
        """End the stream if chunks keep coming, and none with content for as long as the limit says."""
        if not self.done and self.on_idle():
            self._decoder._finished.append(True)

    def on_disconnect(self, error: Exception) -> None:
        """Remember that the body broke off; it matters only if the stream had not ended."""
        self._disconnect = error

    def early_disconnect(self) -> StreamError | None:
        """Return how the connection was lost, where that was before the first delta and by no timeout."""
        self._closed = outputs, failure = self._close()
        if outputs or failure or self.error or self._decoder.ended != "truncated" or not self._disconnected_early():
            return None
        return self._check_end()

    def _disconnected_early(self) -> bool:
        """Return whether the connection was lost before the first delta, and by no timeout."""
        is_lost = isinstance(self._disconnect, APIConnectionError) and not isinstance(self._disconnect, APITimeoutError)
        return is_lost and not self._decoder.deltas_seen

    def close(self) -> Sequence[Any]:
        """Return what was held back, and judge the end."""
        outputs, failure = self._closed or self._close()
        self.error = self.error or failure or self._check_end()
        return outputs

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        """Return what the decoder still held, and what it could not read."""
        raise NotImplementedError

    def _check_end(self) -> StreamError | None:
        """Return what is wrong with the end, if anything is."""
        decoder = self._decoder
        if decoder.ended == "error":
            error = decoder.error or {}
            return ProviderError(str(error.get("message")), error=error, **self._partial_text())
        if decoder.ended != "truncated":
            # An end mark alone is no answer.
            return None if decoder._has_choices else self._truncated_error("the server sent no choices")
        if self._disconnect is None:
            return self._truncated_error(f"the stream ended before its end mark ({decoder.seen})")
        return self._disconnect_error()

    def _disconnect_error(self) -> StreamError:
        """Return what became of the connection, before the end."""
        if isinstance(self._disconnect, APITimeoutError):
            return self._stalled_error(f"the connection timed out in mid-stream: {self._describe_disconnect()}")
        if isinstance(self._disconnect, StreamError):
            vars(self._disconnect).update(self._partial_text())
            return self._disconnect
        return self._truncated_error(f"the connection broke in mid-stream: {self._describe_disconnect()}")

    def _describe_disconnect(self) -> str:
        """Return the transport's words for how the connection was lost, without those for when."""
        words = str(self._disconnect)
        return words.partition(": ")[2] or words

    def _truncated_error(self, what: str) -> StreamTruncatedError:
        failure = StreamTruncatedError(what, **self._partial_text())
        failure.__cause__ = self._find_cause()
        return failure

    def _stalled_error(self, what: str) -> StreamStalledError:
        failure = StreamStalledError(what, **self._partial_text())
        failure.__cause__ = self._find_cause()
        return failure

    def _partial_text(self) -> dict[str, Any]:
        """Return what an error says of the stream before it."""
        decoder = self._decoder
        return {
            "text": decoder.text,
            "text_complete": decoder.text_complete,
            "deltas_seen": decoder.deltas_seen,
        }

    def _find_cause(self) -> BaseException | None:
        """Return the transport's own error, under ours."""
        return None if self._disconnect is None else self._disconnect.__cause__ or self._disconnect
