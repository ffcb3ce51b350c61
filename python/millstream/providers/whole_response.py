"""``WholeResponse``: a response without streaming of a format of OpenAI's, as the deltas of its choices."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._backend import Delta, StreamDecoder
from .._merge import merge_info
from .._values import read_json
from ..errors import StreamError
from .whole_body import WholeBody

__all__ = ("WholeResponse", "merge_finish")


class WholeResponse(WholeBody):
    """A processor without outputs: it collects the ``deltas`` of each choice, the usage and the metadata.

    ``metadata`` is the id of the response, the model, the system fingerprint and the service tier.
    """

    __slots__ = ("_others", "deltas", "metadata", "usage")

    def _start(self) -> None:
        super()._start()
        # `_feed_parts` returns choice 0 only; a second decoder reads the other choices, if there may be any.
        self._others = None if self._n == 1 else self._new_decoder()
        self.deltas: dict[int, list[Delta | str]] = {}
        self.metadata: tuple[str | None, ...] = (None, None, None, None)
        self.usage: Mapping[str, Any] | None = None

    def _new_decoder(self) -> StreamDecoder:
        return StreamDecoder(self._format, n=self._n, max_event_size=self._size)

    def _collect(self, data: bytes) -> None:
        self._collect_parts(self._decoder._feed_parts(data))
        if self._others is not None and not self._others.done:
            self._collect_others(self._others.feed(data))

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        failure: StreamError | None = None
        try:
            self._collect_parts(self._decoder._close_parts())
        except StreamError as error:
            self._collect_parts(error.items)
            failure = error
        if self._others is not None:
            try:
                self._collect_others(self._others.close())
            except StreamError as error:
                self._collect_others(error.items)
        try:
            return (), failure
        finally:
            del failure

    def _collect_parts(self, parts: Sequence[Any]) -> None:
        for part in parts:
            if type(part) is tuple:
                self.metadata = part
            elif type(part) is str:
                self._add(0, part)
            elif part.usage is not None:
                self.usage = part.usage
            elif part.error is None:
                self._add(0, part)

    def _collect_others(self, deltas: Sequence[Delta]) -> None:
        for delta in deltas:
            if delta.index and delta.usage is None and delta.error is None:
                self._add(delta.index, delta)

    def _add(self, index: int, delta: Delta | str) -> None:
        self.deltas.setdefault(index, []).append(delta)

    def choices(self) -> list[list[Delta | str]]:
        """Return the deltas of each choice, ordered by index; an empty list if the server sent no choices."""
        found = [self.deltas[index] for index in sorted(self.deltas)]
        return found or ([[]] if self._decoder._has_choices else [])

    def document(self) -> Mapping[str, Any]:
        """Return the JSON document, for fields that deltas do not have; empty if it is larger than ``raw``."""
        try:
            body = read_json(self.raw.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}


def merge_finish(deltas: list[Delta | str]) -> dict[str, Any]:
    """Return the generation info of a choice: its finish reason, and its merged log probabilities."""
    full = [delta for delta in deltas if not isinstance(delta, str)]
    reasons = [delta.finish_reason for delta in full if delta.finish_reason is not None]
    logprobs = merge_info([{"logprobs": delta.logprobs} for delta in full if delta.logprobs is not None])
    return {"finish_reason": reasons[-1] if reasons else None, "logprobs": logprobs.get("logprobs")}
