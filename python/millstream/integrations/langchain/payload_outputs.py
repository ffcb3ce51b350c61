"""``PayloadOutputs``: the processor of LangChain's streams, one output for each payload at most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import StreamError
from ...outputs import LLMResult
from ...providers.stream_decoding import DecodedStream

__all__ = ("PayloadOutputs",)


class PayloadOutputs(DecodedStream):
    """Outputs what :meth:`_make_output` returns for each payload.

    An exception that it raises ends the stream, after the outputs of the payloads before it.
    """

    __slots__ = ("_has_failed",)

    def _start(self) -> None:
        super()._start()
        self._has_failed = False

    def result(self) -> LLMResult:
        """Return nothing: LangChain merges the chunks."""
        raise NotImplementedError

    def _make_output(self, payload: Any) -> Any:
        """Return the output for ``payload``: a text, or a pair of all of it and its text; ``None`` if it has none."""
        raise NotImplementedError

    def _outputs(self, payloads: Sequence[Any]) -> Sequence[Any]:
        outputs: list[Any] = []
        try:
            for payload in payloads:
                output = self._make_output(payload)
                if output is not None:
                    outputs.append(output)
        except Exception as error:
            if not outputs:
                raise
            # The traceback would keep this frame, and with it the processor, which keeps the exception.
            self.error = error.with_traceback(None)
            self._has_failed = True
            self._decoder._finished.append(True)
        return outputs

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        if self._has_failed:
            return (), None
        try:
            return self._outputs(self._decoder._close_payloads()), None
        except StreamError as error:
            return self._outputs(error.items), error

    def _check_end(self) -> StreamError | None:
        # Such a stream is complete without choices: it may have the usage, or Azure's filter results.
        return None if self._decoder.ended == "[DONE]" else super()._check_end()
