"""A native stream whose handlers are notified of its start and its end, and of nothing in between.

Handlers that are to receive each chunk need the model's run step by step (:mod:`.run_sources`). Most need not: they
count tokens, measure, or trace. A stream keeps its direct path then, and a chunk costs what it costs without handlers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .._context import InContext
from ..callbacks.llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from ..errors import APIError, StreamError
from ..outputs import LLMResult
from ..runnables.config import child_context
from ..streaming.protocols import ChunkProcessor, ChunkProcessorAround, Source, WireFeed

if TYPE_CHECKING:
    from .model_run import LLMRun, ModelRun

__all__ = ("report_stream",)


def report_stream(
    run: ModelRun, source: Source, chunks: ChunkProcessor[LLMResult]
) -> tuple[Source, ChunkProcessor[LLMResult]]:
    """Return the stream, which reports its start and its end to the handlers of ``run``; it collects its result."""
    may_summarize = all(getattr(one, "_takes_summary", False) for one in run.manager.handlers)
    reported = _ReportedChunks(chunks, may_summarize=may_summarize)
    return _ReportedSource(run, source, reported), reported


class _ReportedChunks(ChunkProcessorAround[LLMResult]):
    """The processor: ``begins_again`` is true while a body is closed in whose place another one is opened.

    Where its handlers take a summary, chunks may be written into a wire without being made.
    """

    __slots__ = ("_may_summarize", "_writes", "begins_again")

    def __init__(self, chunks: ChunkProcessor[LLMResult], *, may_summarize: bool) -> None:
        super().__init__(chunks)
        self._may_summarize = may_summarize
        self._writes = self.begins_again = False

    def write_into(self, writer: Any, *, text_only: bool = False) -> WireFeed | None:
        """Return the inner processor's function, if a summary of the answer is enough."""
        if not self._may_summarize or (found := self._inner.write_into(writer, text_only=text_only)) is None:
            return None
        self._writes = True
        return found

    def result(self) -> LLMResult:
        """Return the result, or the summary."""
        return self._inner.summary() if self._writes else self._inner.result()

    @property
    def has_output(self) -> bool:
        """Whether there was a chunk."""
        return self._inner.content_counter() > 0 if self._writes else self._inner.has_output

    def early_disconnect(self) -> StreamError | None:
        """Return how the body failed, if another one may be opened."""
        failure = self._inner.early_disconnect()
        self.begins_again = failure is not None
        return failure


class _ReportedSource:
    """The source: reports the start of the run before the request is sent, and that no response came.

    The request is sent in the context of the run.
    """

    def __init__(self, run: ModelRun, source: Source, chunks: _ReportedChunks) -> None:
        self._model_run = run
        self._source: Any = source
        self._chunks = chunks
        self._run: Any = None
        self._context: Any = None

    def open(self) -> Any:
        run = self._run = CallbackManagerForLLMRun.of(self._model_run.manager, self._model_run.run_id)
        self._model_run.start(run)
        self._model_run.drop_prompt()
        self._context = child_context(self._model_run.config, run)
        try:
            body = self._context.run(self._source.open)
        except BaseException as error:
            self._model_run.end(run, error)
            raise
        return _ReportedBody(body, self._model_run, run, self._chunks)

    async def aopen(self) -> Any:
        run = self._run = AsyncCallbackManagerForLLMRun.of(self._model_run.manager, self._model_run.run_id)
        if (notified := self._model_run.start(run)) is not None:
            await notified
        self._model_run.drop_prompt()
        self._context = child_context(self._model_run.config, run)
        try:
            body = await InContext(self._context, self._source.aopen())
        except BaseException as error:
            if (notified := self._model_run.end(run, error)) is not None:
                await notified
            raise
        return _ReportedBody(body, self._model_run, run, self._chunks)

    def reopen(self, error: StreamError) -> Any:
        # If this raises, the driver closes the first body once more, which reports it.
        body = self._context.run(self._source.reopen, error)
        return None if body is None else _ReportedBody(body, self._model_run, self._run, self._chunks)

    async def areopen(self, error: StreamError) -> Any:
        body = await InContext(self._context, self._source.areopen(error))
        return None if body is None else _ReportedBody(body, self._model_run, self._run, self._chunks)


class _ReportedBody:
    """The body: reports the end of the run when it is closed for good; all else is the inner body's."""

    def __init__(self, body: Any, model_run: ModelRun, run: LLMRun, chunks: _ReportedChunks) -> None:
        self._body = body
        self._model_run = model_run
        self._run = run
        self._chunks = chunks
        self._is_whole = self._is_over = False
        if (read := getattr(body, "read", None)) is not None:
            # An attribute of this object, so that a read costs nothing more.
            self.read: Callable[[], Any] = read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._body)

    def drain(self) -> None:
        # The driver drains the body once the consumer has received all outputs.
        self._is_whole = True
        self._body.drain()

    async def adrain(self) -> None:
        self._is_whole = True
        await self._body.adrain()

    def close(self) -> None:
        try:
            self._body.close()
        finally:
            if self._ends():
                self._model_run.end_native(self._run, self._chunks, self._find_error())

    async def aclose(self) -> None:
        error = self._find_error()
        try:
            await self._body.aclose()
        finally:
            if self._ends() and (notified := self._model_run.end_native(self._run, self._chunks, error)) is not None:
                await notified
            del error

    def _ends(self) -> bool:
        """Return whether this is the end of the run, which is reported once."""
        if self._chunks.begins_again:
            self._chunks.begins_again = False
            return False
        was_over, self._is_over = self._is_over, True
        return not was_over

    def _find_error(self) -> BaseException | None:
        """Return what ended the stream; ``GeneratorExit`` where the consumer left it, or a step behind it failed."""
        if self._is_whole:
            return None
        error = self._chunks.error or sys.exception()
        is_own = isinstance(error, APIError | StreamError) or not isinstance(error, Exception)
        return error if error is not None and is_own else GeneratorExit()
