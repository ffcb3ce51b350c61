"""The properties of a decoder, readable at any time: how the stream ended, its text, its description."""

from typing import Any

from ..errors import StreamError
from .ending import Payloads
from .formats import AUTO
from .turns import Turns

__all__ = ("DecoderState",)


class DecoderState(Turns):
    """The base of the decoder: its properties, which can be read at any time, also while ``feed`` is running."""

    __slots__ = ("_payloads",)

    def __init__(self, payloads: Payloads) -> None:
        super().__init__()
        self._payloads = payloads

    @property
    def format(self) -> str:
        """The name of the stream's format; with ``"auto"`` it is that until the format is found."""
        return self._payloads.family.format

    @property
    def finish_reason(self) -> str | None:
        """Why choice 0 ended, in the provider's word, or ``None`` while it has not."""
        return self._payloads.choices.finish_reason

    @property
    def usage(self) -> dict[str, Any] | None:
        """The last usage object the provider sent, or ``None``."""
        usage = self._payloads.choices.usage
        return None if usage is None else usage.read()

    @property
    def error(self) -> dict[str, Any] | None:
        """The error the provider sent inside the stream, with a ``message`` in every case, or ``None``."""
        error = self._payloads.choices.error
        return None if error is None else error.read()

    @property
    def ended(self) -> str | None:
        """How the stream ended, or ``None`` while it has not.

        ``"[DONE]"`` and ``"error"`` are the provider's words. ``close`` says ``"eof"`` if every
        choice that had begun is finished, and ``"truncated"`` if one is not, or none had begun.
        """
        return self._payloads.ended

    @property
    def done(self) -> bool:
        """Whether nothing more can come out: the stream ended or failed."""
        return self._payloads.done

    @property
    def _finished(self) -> list[bool]:
        return self._payloads.finished

    @property
    def failure(self) -> StreamError | None:
        """The error in the stream's bytes that ended the decoding, or ``None``; later calls raise it."""
        failure: StreamError | None = self._find_failure()
        return failure

    @property
    def text(self) -> str:
        """The text of choice 0 so far: its first ``max_event_size`` UTF-8 bytes, whole characters."""
        return self._payloads.kept_text.text

    @property
    def text_complete(self) -> bool:
        """Whether ``text`` is all of choice 0's text so far."""
        return self._payloads.kept_text.complete

    def _keep_text(self) -> None:
        """Keep all of choice 0's text, and its log probabilities, from now on."""
        self._payloads.kept_text.keeps_all = True

    @property
    def _kept_text(self) -> str:
        """The text of choice 0 as far as it is kept."""
        return self._payloads.kept_text.kept

    @property
    def _kept_logprobs(self) -> list[Any]:
        """The log probabilities of choice 0's deltas, where they are kept."""
        return [delta.logprobs for delta in self._payloads.kept]

    @property
    def _contents_seen(self) -> int:
        """How many deltas had text, reasoning, a refusal, a tool call or audio."""
        return self._payloads.contents_seen

    @property
    def deltas_seen(self) -> int:
        """How many deltas were decoded, those counted too that ``feed_text`` gives no text for."""
        return self._payloads.deltas_seen

    @property
    def seen(self) -> str:
        """A description of the stream in words, for a stream that ended without output.

        The number of frames, the event or the keys of the first one, and, where no frame came, the first
        bytes and what the stream lacks: line ends, or blank lines.
        """
        payloads = self._payloads
        is_named = payloads.deltas_seen == 0 and self.format != AUTO
        return payloads.seen.describe(payloads.frames, self.format if is_named else None)

    @property
    def _has_choices(self) -> bool:
        """Whether a choice has begun."""
        return self._payloads.choices.have_begun

    def _make_failure(self) -> StreamError | None:
        return self._payloads.make_failure()
