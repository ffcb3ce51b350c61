"""``PayloadOutputs``: the processor of a LangChain model's stream, one output for each payload at most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar, Protocol

import orjson

from ..._retry_after import copy_retry_after
from ..._values import read_kept
from ...errors import MillstreamError, StreamError
from ...providers.payload_joiner import PayloadJoiner
from ...providers.stream_decoding import DecodedStream

__all__ = ("HostRequest", "PayloadOutputs", "text_feed")


class HostRequest(Protocol):
    """A request whose errors become the exceptions of a model of LangChain's."""

    def to_host_error(self, error: MillstreamError, chunks_received: int = 0) -> Exception:
        """Return the exception that the model raises in place of ``error``, with its cause set."""


class PayloadOutputs(DecodedStream):
    """Outputs what :meth:`_make_output` returns for each payload of the stream that ``request`` opens.

    An exception that it raises ends the stream, after the outputs of the payloads before it. Errors of the stream
    are those of the model. Only the streams that replace LangChain's machinery have a :meth:`result`, which needs
    ``collect_result``; elsewhere LangChain merges the chunks.
    """

    __slots__ = ("_has_chunks", "_has_failed", "_has_finished", "_joiner", "_request")

    _needs_chunks: ClassVar[bool] = False
    """Whether a stream without chunks is an error here, as it is in LangChain's machinery."""

    def __init__(self, format: str, request: HostRequest, limit: float | None, *, n: int, collect_result: bool) -> None:
        self._request = request
        super().__init__(format, limit, n=n, collect_result=collect_result)

    def _start(self) -> None:
        super()._start()
        self._joiner = PayloadJoiner(self._format, _read_payload)
        self._has_failed = False
        # Whether a payload with more than text has become a chunk; the decoder counts those of text.
        self._has_chunks = False
        # Whether a finish reason has arrived.
        self._has_finished = False

    def _response(self, body: Any) -> Any:
        """Return an object with the headers of ``body``, whose names are compared without regard to case."""
        # Only requests of an SDK's client have headers of the SDK's HTTP library.
        request: Any = self._request
        return SimpleNamespace(headers=type(request.sent.headers)(dict(body.headers)))

    def close(self) -> Sequence[Any]:
        """Return the outputs that were held back, and set ``error``, to the model's exception, unless it ended well."""
        outputs = super().close()
        if isinstance(self.error, MillstreamError):
            self.error = self._to_host_error(self.error)
            copy_retry_after(self.error)
        elif self.error is None and self._needs_chunks and not (self._has_chunks or self._decoder._contents_seen):
            self.error = ValueError("No generation chunks were returned")
        return outputs

    def _to_host_error(self, error: MillstreamError) -> Exception:
        """Return the model's exception for ``error``."""
        return self._request.to_host_error(error, self._decoder.deltas_seen)

    def _make_output(self, payload: Any) -> Any:
        """Return the output for ``payload``; ``None`` if it has none.

        It is a text, or a pair: a value of JSON and the text in it, in whole characters.
        """
        raise NotImplementedError

    def _outputs(self, payloads: Sequence[Any]) -> Sequence[Any]:
        outputs: list[Any] = []
        try:
            for payload in payloads:
                if type(payload) is not str:
                    self._add_outputs(self._joiner.read(payload[0]), payload[1], outputs)
                elif (output := self._make_output(payload)) is not None:
                    outputs.append(output)
        except Exception as error:
            if not outputs:
                raise
            # The traceback would keep this frame, and with it the processor, which keeps the exception.
            self.error = error.with_traceback(None)
            self._has_failed = True
            self._decoder._finished.append(True)
        return outputs

    def _add_outputs(self, values: Sequence[Any], text: str | None, outputs: list[Any]) -> None:
        """Add the outputs for ``values``, those of one payload, the last of which has ``text``."""
        last = len(values) - 1
        for at, value in enumerate(values):
            output = self._make_output((value, text if at == last else None))
            if output is not None:
                outputs.append(output)

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        if self._has_failed:
            return (), None
        failure = None
        try:
            payloads = self._decoder.close_payloads()
        except StreamError as error:
            payloads, failure = error.items, error
        outputs = [*self._outputs(payloads)]
        if not self._has_failed:
            self._add_outputs(self._joiner.finish(), None, outputs)
        return outputs, failure

    def _check_end(self) -> StreamError | None:
        # Such a stream is complete without choices: it may have the usage, or Azure's filter results.
        return None if self._decoder.ended == "[DONE]" else super()._check_end()


def _read_payload(raw: str) -> Any:
    """Return the value of a payload. orjson rejects NaN and lone surrogates."""
    try:
        return orjson.loads(raw)
    except ValueError:
        return read_kept(raw)


def text_feed(
    read: Callable[[bytes], Sequence[Any]],
    make: Callable[[str], Any],
    convert: Callable[[Sequence[Any]], Sequence[Any]],
) -> Callable[[bytes], Sequence[Any]]:
    """Return a function from the data of a read to outputs: ``make`` makes those of texts, ``convert`` all others."""

    def feed(data: bytes) -> Sequence[Any]:
        payloads = read(data)
        # The most frequent read has one text, the next most frequent one several texts and nothing else.
        if len(payloads) == 1 and type(payloads[0]) is str:
            return (make(payloads[0]),)
        for payload in payloads:
            if type(payload) is not str:
                return convert(payloads)
        return [*map(make, payloads)]

    return feed
