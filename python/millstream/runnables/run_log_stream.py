"""The log of any Runnable's stream, by way of a callback handler that all its runs inherit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..callbacks.managers import CallbackManager
from ..events import EventFilter
from ..events.run_log import Operation, RunLog, RunLogPatch, diff
from ..events.run_log_handler import LogOperations, RunLogHandler
from ..streaming.channel import Channel
from ..streaming.isolation import IsolatedSource, PassThrough
from ..streaming.protocols import Processor, Source
from .config import ensure_config
from .event_stream import EventProducer

__all__ = ("run_log_stream",)


def run_log_stream(
    runnable: EventProducer,
    input: object,
    config: Mapping[str, Any] | None,
    wanted: EventFilter,
    kwargs: dict[str, Any],
    *,
    patches: bool,
    lists_chunks: bool,
) -> tuple[Source, Processor[Any]]:
    """Return the source and the processor of the log of one stream of ``runnable``, which runs in a worker.

    They make patches, or with ``patches=False`` the whole log after each. ``lists_chunks`` says whether the log
    lists the chunks beside their sum.
    """
    full = ensure_config(config)
    channel = Channel()
    callbacks = CallbackManager.configure(full["callbacks"])
    callbacks.add_handler(RunLogHandler(wanted, channel))
    full["callbacks"] = callbacks
    source = IsolatedSource(
        channel,
        lambda: runnable._stream_inline(input, full, kwargs),
        lambda: runnable._astream_inline(input, full, kwargs),
    )
    return source, _LogProcessor(patches=patches, lists_chunks=lists_chunks)


class _LogProcessor(PassThrough):
    """The processor of a log: it makes patches of the handler's operations, and of the chunks of the stream's own run.

    The sum of the chunks is kept by ``+``, since each patch shows it whole: a text that grows is replaced.
    """

    def __init__(self, *, patches: bool, lists_chunks: bool) -> None:
        super().__init__()
        self._lists_chunks = lists_chunks
        self._sum: Any = None
        self._log: RunLog | None = None if patches else RunLog(state=None)

    def _read(self, items: Sequence[Any]) -> list[RunLogPatch]:
        logs: list[RunLogPatch] = []
        for item in items:
            patch = RunLogPatch(*(item if type(item) is LogOperations else self._chunk_operations(item)))
            if self._log is not None:
                patch = self._log = self._log + patch
            logs.append(patch)
        return logs

    def _chunk_operations(self, chunk: object) -> list[Operation]:
        before = self._sum
        if before is None:
            self._sum = chunk
        else:
            try:
                self._sum = before + chunk
            except TypeError:
                before, self._sum = None, chunk
        listed: list[Operation] = [{"op": "add", "path": "/streamed_output/-", "value": chunk}]
        return (listed if self._lists_chunks else []) + diff(before, self._sum, "/final_output")
