"""``BatchProgress``: shows how many inputs of a batch are done."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from .handlers import BaseCallbackHandler
from .progress_report import ProgressReport
from .usage import find_usage

if TYPE_CHECKING:
    from .progress_display import Display

__all__ = ("BatchProgress",)

logger = logging.getLogger("millstream")


class BatchProgress(BaseCallbackHandler):
    """Shows how many inputs of a batch are done.

    It is a context manager, and a handler that is passed as a callback::

        with BatchProgress(total=len(inputs)) as progress:
            chain.batch(inputs, {"callbacks": [progress], "max_concurrency": 8})

    It counts the runs that it is passed to, not their child runs; so it works for ``batch``, ``abatch``,
    ``batch_as_completed`` and single calls of any Runnable, and may be passed to several batches. An input whose run
    ends with an exception has failed, also where ``return_exceptions`` returns the exception.

    Without ``report`` it writes to the standard error stream: on a terminal a line that changes, or the progress bar
    of the package rich if that is installed; elsewhere a line every 10 seconds, and one at the end. ``interval``
    changes these seconds (0.1 on a terminal). With ``report``, that function is called with a
    :class:`ProgressReport` after each input instead, in the thread of its run, one call at a time.

    A batch with this handler calls each input through all steps of a chain, so that an input is done as early as
    possible. Without it, each step is called for all inputs by its own ``batch``.
    """

    run_inline = True
    # The batch methods of Runnables look for this name.
    counts_inputs = True

    def __init__(
        self,
        total: int | None = None,
        *,
        report: Callable[[ProgressReport], object] | None = None,
        interval: float | None = None,
    ) -> None:
        if total is not None and total < 0:
            raise ValueError("total must not be negative")
        if interval is not None and not interval >= 0:
            raise ValueError("interval must not be negative")
        self.total = total
        self._report = report
        self._interval = interval
        # A report may read the counts.
        self._lock = threading.RLock()
        self._display: Display | None = None
        self._open: dict[UUID, bool] = {}
        self._done = self._failed = self._tokens = 0
        self._started: float | None = None
        self._seconds: float | None = None

    def __enter__(self) -> Self:
        """Begin to count and to show; the counts of an earlier ``with`` are dropped."""
        with self._lock:
            self._open.clear()
            self._done = self._failed = self._tokens = 0
            self._started, self._seconds = time.monotonic(), None
            if self._report is None:
                from .progress_display import make_display

                self._display = make_display(self._interval)
                self._show(self._display.start)
        return self

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Show the last counts, and stop."""
        with self._lock:
            self._seconds = self.value.seconds
            if self._display is not None:
                self._show(self._display.stop)
            self._display = None

    @property
    def value(self) -> ProgressReport:
        """The counts so far."""
        with self._lock:
            seconds = self._seconds
            if seconds is None:
                seconds = 0.0 if self._started is None else time.monotonic() - self._started
            return ProgressReport(self._done, self.total, self._failed, self._tokens, seconds)

    # What runs call.

    def on_chain_start(self, *args: Any, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        """Note the start of a run."""
        with self._lock:
            if self._started is None:
                self._started = time.monotonic()
            self._open[run_id] = parent_run_id not in self._open

    def on_chain_end(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """Count an input that is done."""
        self._end(run_id, is_failed=False)

    def on_chain_error(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """Count an input that has failed."""
        self._end(run_id, is_failed=True)

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Count the tokens of an answer, and an input that is done."""
        usage, _ = find_usage(response)
        with self._lock:
            self._tokens += usage["total_tokens"] if usage else 0
        self._end(run_id, is_failed=False)

    on_llm_start = on_chat_model_start = on_tool_start = on_retriever_start = on_chain_start
    on_tool_end = on_retriever_end = on_chain_end
    on_llm_error = on_tool_error = on_retriever_error = on_chain_error

    def _end(self, run_id: UUID, *, is_failed: bool) -> None:
        with self._lock:
            if not self._open.pop(run_id, False):
                return
            self._done += 1
            self._failed += is_failed
            if self._report is not None:
                self._report(self.value)
            elif self._display is not None:
                self._show(self._display.update)

    def _show(self, show: Callable[[ProgressReport], object]) -> None:
        """Show the counts; nothing is shown any more where that fails: the batch does not depend on its display."""
        try:
            show(self.value)
        except (OSError, ValueError) as error:
            self._display = None
            logger.warning("the progress of the batch cannot be shown: %s", error)
