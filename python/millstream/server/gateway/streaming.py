"""A gateway's streams: an upstream's bytes as a client's wire, without an object per chunk, and their accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import APIConnectionError, APITimeoutError
from ...providers.openai.chat_stream import DecodedMessages
from ...providers.openai.completion_stream import DecodedText
from ...providers.stream_decoding import DecodedStream
from ...wires.chunk_writer import ChunkWriter
from ...wires.names import WireOptions
from ...wires.public_error import describe_error
from ...wires.record_stream import RecordStream
from ...wires.wire_records import WireRecords
from .accounting import Usage

if TYPE_CHECKING:
    from ...streaming.protocols import Recorder
    from .accounting import Account
    from .failover import FailoverSource

__all__ = ("note_error", "relay_stream")


def relay_stream(
    source: FailoverSource, body: Mapping[str, Any], account: Account, options: WireOptions, *, is_chat: bool
) -> RecordStream:
    """Return the stream of an answer in a wire."""
    n = body.get("n")
    n = n if isinstance(n, int) and not isinstance(n, bool) and n > 0 else 1
    answer: Any = _ChatAnswer("openai.chat", None, n=n, id=None)
    if not is_chat:
        answer = _TextAnswer("openai.completions", None, n=n)

    def make(writer: ChunkWriter) -> Any:
        return source, AccountedRecords(answer, writer, source, account)

    return RecordStream(make, ChunkWriter(options, account.model))


class _BrokenEarly(DecodedStream):
    """An answer that breaks off before any content may come from another upstream: the client was sent nothing."""

    __slots__ = ()

    def _disconnected_early(self) -> bool:
        is_lost = isinstance(self._disconnect, APIConnectionError) and not isinstance(self._disconnect, APITimeoutError)
        return is_lost and not self._decoder._contents_seen


class _ChatAnswer(_BrokenEarly, DecodedMessages):
    __slots__ = ()


class _TextAnswer(_BrokenEarly, DecodedText):
    __slots__ = ()


class AccountedRecords(WireRecords):
    """The records of an answer; its account is closed when the stream ends, however it ends."""

    __slots__ = ("_account", "_source")

    def __init__(self, answer: Any, writer: ChunkWriter, source: FailoverSource, account: Account) -> None:
        super().__init__(answer, writer)
        self._source = source
        self._account = account

    def opened(self, body: object) -> bytes:
        """Note which upstream answers."""
        self._note_upstream()
        return super().opened(body)

    @property
    def recorder(self) -> Recorder:
        """The function that returns the records of a raw item; the first records are the first chunk."""
        record, account = super().recorder, self._account

        def record_first(raw: Any, prefix: bytes, suffix: bytes) -> Any:
            records = record(raw, prefix, suffix)
            if records:
                account.note_first_chunk()
            return records

        return record_first

    def close(self) -> bytes:
        """Return the last records; an answer that ended well is one."""
        records = super().close()
        error = self.error
        if error is None:
            self._account.outcome = "ok"
        else:
            note_error(self._account, error)
        return records

    def release(self) -> None:
        """Close the account."""
        decoder = self._inner._decoder  # type: ignore[attr-defined]
        self._account.usage = Usage.of(decoder.usage, decoder._contents_seen)
        self._note_upstream()
        if self._source.failure is not None:
            note_error(self._account, self._source.failure)
        self._source.release()
        super().release()
        self._account.close()

    def _note_upstream(self) -> None:
        candidate = self._source.candidate
        self._account.upstream = None if candidate is None else candidate.upstream.name
        self._account.tried = self._source.tried


def note_error(account: Account, error: BaseException) -> None:
    """Note in an account how a request failed."""
    public = describe_error(error)
    account.outcome, account.error, account.status = "error", public.type, public.status
