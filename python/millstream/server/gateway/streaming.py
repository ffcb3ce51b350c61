"""A gateway's streams: an upstream's bytes as a client's wire, without an object per chunk, and their accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import StreamError
from ...providers.openai.chat_stream import DecodedMessages
from ...providers.openai.completion_stream import DecodedText
from ...providers.stream_decoding import DecodedStream
from ...wires.chunk_writer import ChunkWriter
from ...wires.names import WireOptions
from ...wires.record_stream import RecordStream
from ...wires.wire_records import WireRecords
from .upstreams import UpstreamError, is_failure

if TYPE_CHECKING:
    from .accounting import Account
    from .failover import FailoverSource
    from .upstreams import Upstream

__all__ = ("relay_stream",)


def relay_stream(
    source: FailoverSource, body: Mapping[str, Any], account: Account, options: WireOptions, *, is_chat: bool
) -> RecordStream:
    """Return the stream of an answer in a wire. It can be opened once: it does not keep the request."""
    n = _count_choices(body)
    answer: Any = _ChatAnswer("openai.chat", None, n=n, id=None)
    if not is_chat:
        answer = _TextAnswer("openai.completions", None, n=n)
    sources = [source]
    writer = ChunkWriter(options, "")
    account.measure(writer.core._measure())

    def make(writer: ChunkWriter) -> Any:
        return sources.pop(), AccountedRecords(answer, writer, account)

    return RecordStream(make, writer)


def _count_choices(body: Mapping[str, Any]) -> int | None:
    """Return how many choices a request asks for; ``None`` for several prompts, which have so many each."""
    n = body.get("n")
    if isinstance(body.get("prompt"), list):
        return None
    return n if type(n) is int and n > 0 else 1


class _FailingEarly(DecodedStream):
    """An answer that fails before any content may come from another upstream: the client was sent nothing."""

    __slots__ = ()

    def early_disconnect(self) -> StreamError | None:
        """Return the error of an answer without content, whatever it is: also one in the stream, and a stall."""
        outputs, failure = self._end()
        failed: Any = self.error or failure or self._check_end()
        if outputs or self._decoder._contents_seen or not isinstance(failed, StreamError):
            failed, self._closed = None, (outputs, failure)
        else:
            # It is another answer's turn, or this is the error of the stream.
            self.error, self._closed = None, (outputs, failed)
        return failed  # type: ignore[no-any-return]


class _ChatAnswer(_FailingEarly, DecodedMessages):
    __slots__ = ()


class _TextAnswer(_FailingEarly, DecodedText):
    __slots__ = ()


class AccountedRecords(WireRecords):
    """The records of an answer. How it went is noted in its account, and in the circuit of its upstream."""

    __slots__ = ("_account", "_is_noted", "_upstream")

    def __init__(self, answer: DecodedStream, writer: ChunkWriter, account: Account) -> None:
        super().__init__(answer, writer)
        self._account = account
        self._upstream: Upstream | None = None
        self._is_noted = False

    def opened(self, body: object) -> bytes:
        """Note which upstream answers."""
        upstream = self._account.asked
        assert upstream is not None
        self._upstream, self._is_noted = upstream, False
        self._answer._idle_limit = upstream.config.timeout
        return super().opened(body)

    def early_disconnect(self) -> StreamError | None:
        """Return the error of an answer without content, which the source notes."""
        failure = super().early_disconnect()
        self._is_noted = failure is not None
        return failure

    @property
    def error(self) -> BaseException | None:
        """The upstream's error, without its words."""
        error = self._inner.error
        return error if error is None or self._upstream is None else UpstreamError(self._upstream, error)

    def close(self) -> bytes:
        """Return the last records; an answer that ended well is one."""
        records = super().close()
        if self._inner.error is None:
            self._account.outcome = "ok"
        return records

    def release(self) -> None:
        """Note how the answer went, however it ended."""
        decoder = self._answer._decoder
        self._account.count(decoder.usage, decoder._contents_seen)
        if self._upstream is not None and not self._is_noted:
            error = self._inner.error
            if error is not None and is_failure(error):
                self._upstream.circuit.fail()
            elif error is None and (decoder._contents_seen or self._account.outcome == "ok"):
                self._upstream.circuit.succeed()
        super().release()

    @property
    def _answer(self) -> DecodedStream:
        inner: Any = self._inner
        return inner  # type: ignore[no-any-return]
