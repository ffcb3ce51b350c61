"""``DecodedStream``: the processor over one decoder, and how it decides what ended a stream."""

import time
from collections.abc import Callable, Sequence, Sized
from typing import Any

from .._backend import Delta, StreamDecoder
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    ProviderError,
    StreamError,
    StreamStalledError,
    StreamTruncatedError,
)
from ..outputs import LLMResult
from ..streaming.protocols import ChunkProcessor, WireFeed

__all__ = ("DecodedStream", "disconnect_error")

# A finish reason that a format has for answers with and without calls of tools alike, as a word of which a wire
# knows this.
_WORDS: dict[tuple[str, str | None], str] = {("ollama.chat", "stop"): "end_turn"}


class DecodedStream(ChunkProcessor[LLMResult]):
    """The processor over one :class:`~millstream.StreamDecoder`; a subclass defines ``feed`` and the outputs.

    A stream ends well only if the provider says so. Otherwise :meth:`close` sets ``error``, with the text
    received so far in its attributes:

    * the decoder's own error, for data that it could not read;
    * :class:`~millstream.errors.ProviderError`, for an error object in the stream;
    * :class:`~millstream.errors.StreamTruncatedError`, if the body ended, or the connection broke, before
      the end mark, or if the server sent an end mark but no choices;
    * :class:`~millstream.errors.StreamStalledError`, if the connection timed out, or for ``limit`` seconds no
      delta had content, whatever comments arrived.

    ``n`` is the number of choices requested. The text is kept for a result only with ``collect_result``.
    ``max_event_size`` is the decoder's limit, by default its own.
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
            "_max_event_size",
            "_n",
            "_contents_seen",
            "_wire",
            "_writes_records",
        ),
        *("error", "done"),
    )

    def __init__(
        self,
        format: str,
        limit: float | None,
        *,
        n: int | None,
        collect_result: bool = False,
        max_event_size: int | None = None,
    ) -> None:
        self._max_event_size = max_event_size
        self._format = format
        self._collects = collect_result
        self._n = n
        self._idle_limit = limit
        # Whether the function that :meth:`recorder` returned is called in place of ``feed``.
        self._writes_records = False
        # The writer, and whether it writes the text alone, where :meth:`write_into` was called.
        self._wire: tuple[Any, bool] | None = None
        self.error: BaseException | None = None
        self._start()

    def _start(self) -> None:
        """Reset the state, with a new decoder: also called when a request is sent again."""
        options: dict[str, Any] = {} if self._max_event_size is None else {"max_event_size": self._max_event_size}
        self._decoder = StreamDecoder(self._format, n=self._n, **options)
        if self._collects:
            self._decoder._keep_text()
        self._idle_since: float | None = None
        self._contents_seen = 0
        self._disconnect: Exception | None = None
        self._closed: tuple[Sequence[Any], StreamError | None] | None = None
        self.done: Sized = self._decoder._finished

    @property
    def text(self) -> str:
        """The text of choice 0 so far; of a very long one, its beginning."""
        text: str = self._decoder.text
        return text

    @property
    def content_counter(self) -> Callable[[], int]:
        """The function that returns how many deltas of this body had content."""
        decoder = self._decoder
        return lambda: decoder._contents_seen

    @property
    def has_output(self) -> bool:
        """Whether there was a delta."""
        return self._decoder.deltas_seen > 0

    def opened(self, body: Any) -> None:
        """Hand the decoder to the body, if it can decode while it reads: framing and payloads in one call."""
        if self._closed is not None:
            self._start()
        hand_over = getattr(body, "hand_over", None)
        if hand_over is not None:
            hand_over(self._decoder)

    def on_idle(self) -> bool:
        """Set ``error`` and return ``True`` if no delta had content for as long as the limit, whatever arrived."""
        # Content is detected here, by the decoder's own count, so that reads with content cost nothing more.
        now = time.monotonic()
        if self._idle_since is None or self._decoder._contents_seen != self._contents_seen:
            self._idle_since, self._contents_seen = now, self._decoder._contents_seen
        if self._idle_limit is None or now - self._idle_since < self._idle_limit:
            return False
        self.error = self._stalled_error(f"nothing but keep-alives arrived for {self._idle_limit:g} s")
        return True

    def _check_idle(self) -> None:
        """End the stream if deltas keep arriving, but none with content for as long as the limit."""
        if not self.done and self.on_idle():
            self._decoder._finished.append(True)

    def on_disconnect(self, error: Exception) -> None:
        """Keep the error of a connection that broke; it is reported only if the stream had not ended."""
        self._disconnect = error

    def early_disconnect(self) -> StreamError | None:
        """Return the error if the connection broke before the first delta, and not by a timeout.

        In this one case the request may be sent again, since the consumer has received nothing. ``None`` is
        returned if there is any output, or another error. What :meth:`_close` returned is kept for :meth:`close`.
        """
        self._closed = outputs, failure = self._end()
        if outputs or failure or self.error or self._decoder.ended != "truncated" or not self._disconnected_early():
            return None
        return self._check_end()

    def _disconnected_early(self) -> bool:
        """Return whether the connection broke before the first delta, and not by a timeout."""
        is_lost = isinstance(self._disconnect, APIConnectionError) and not isinstance(self._disconnect, APITimeoutError)
        return is_lost and not self._decoder.deltas_seen

    def write_into(self, writer: Any, *, text_only: bool = False) -> WireFeed | None:
        """Return the decoder's method that writes into the core's writer of a wire; no chunk is made."""
        self._wire = writer, text_only
        return self._decoder._feed_wire, text_only

    def summary(self) -> LLMResult:
        """Return a message with what the decoder knows of the answer: why it ended, and its token counts."""
        from .wire_summary import summarize

        return summarize(self._decoder)

    def close(self) -> Sequence[Any]:
        """Return the outputs that were held back and the last ones; set ``error`` unless the stream ended well."""
        outputs, failure = self._closed or self._end()
        self.error = self.error or failure or self._check_end()
        if self.error is not None or self._wire is not None:
            return outputs
        return [*outputs, *self._last_outputs()]

    def release(self) -> None:
        """Drop the exceptions, whose frames know whoever read the stream."""
        self.error = self._disconnect = self._closed = None

    def _close_wire(self, writer: Any, text_only: bool) -> bytes:
        """Close the decoder, and return the records that were held back."""
        decoder = self._decoder
        records: bytes = decoder._close_wire(writer, text_only)
        word = _WORDS.get((decoder.format, decoder.finish_reason))
        return records if word is None or text_only else records + writer.write(Delta(0, finish_reason=word))

    def _last_outputs(self) -> Sequence[Any]:
        """Return the outputs behind the decoder's, of a stream that ended well; a wire has none of them."""
        return ()

    def _end(self) -> tuple[Sequence[Any], StreamError | None]:
        """Close the decoder, as a decoder of outputs or of a wire's records; return what :meth:`_close` returns."""
        if self._wire is None:
            return self._close()
        try:
            records = self._close_wire(*self._wire)
        except StreamError as error:
            return error.items, error
        return [records] if records else [], None

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        """Close the decoder; return the outputs that were held back, and its error for data that it could not read."""
        raise NotImplementedError

    def _check_end(self) -> StreamError | None:
        """Return the error that describes the end, or ``None`` if the stream ended well."""
        decoder = self._decoder
        if decoder.ended == "error":
            error = decoder.error or {}
            return ProviderError(str(error.get("message")), error=error, **self._partial_text())
        if decoder.ended != "truncated":
            # An end mark without choices is not an answer.
            return None if decoder._has_choices else self._truncated_error("the server sent no choices")
        if self._disconnect is None:
            return self._truncated_error(f"the stream ended before its end mark ({decoder.seen})")
        return self._disconnect_error()

    def _disconnect_error(self) -> StreamError:
        """Return the error for a connection that broke before the end."""
        assert self._disconnect is not None
        return disconnect_error(self._disconnect, " in mid-stream", self._partial_text())

    def _truncated_error(self, what: str) -> StreamTruncatedError:
        failure = StreamTruncatedError(what, **self._partial_text())
        failure.__cause__ = self._find_cause()
        return failure

    def _stalled_error(self, what: str) -> StreamStalledError:
        failure = StreamStalledError(what, **self._partial_text())
        failure.__cause__ = self._find_cause()
        return failure

    def _partial_text(self) -> dict[str, Any]:
        """Return the attributes of an error that describe the stream before it."""
        decoder = self._decoder
        return {
            "text": decoder.text,
            "text_complete": decoder.text_complete,
            "deltas_seen": decoder.deltas_seen,
        }

    def _find_cause(self) -> BaseException | None:
        return None if self._disconnect is None else self._disconnect.__cause__ or self._disconnect


def disconnect_error(error: Exception, when: str, before: dict[str, Any]) -> StreamError:
    """Return how a stream failed whose connection broke with ``error``.

    ``when`` follows the verb in the message; ``before`` are the attributes that describe the stream until then.
    """
    if isinstance(error, StreamError):
        vars(error).update(before)
        return error
    # Without the transport's prefix, which says when it happened.
    words = str(error).partition(": ")[2] or str(error)
    if isinstance(error, APITimeoutError):
        failure: StreamError = StreamStalledError(f"the connection timed out{when}: {words}", **before)
    else:
        failure = StreamTruncatedError(f"the connection broke{when}: {words}", **before)
    failure.__cause__ = error.__cause__ or error
    return failure
