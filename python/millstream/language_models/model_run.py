"""One run of a model: its start and its end are reported once each, however the stream ends."""

from __future__ import annotations

import contextvars
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Generator, Iterable
from types import TracebackType
from typing import Any
from uuid import UUID

from .._context import var_child_runnable_config
from .._uuid7 import uuid7
from ..callbacks.llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from ..events import Run
from ..outputs import LLMResult
from ..runnables.config import RunnableConfig, child_config, child_context
from ..streaming.channel import Channel, is_cancelled
from ..streaming.inputs import NestedIterator, close_iterator
from ..streaming.protocols import ChunkProcessor
from ..streaming.workers import pump
from .chunk_timer import is_last, make_timer, stamp, start_timer
from .generate import select_run_args
from .model_type import Model, ModelCall, announce_model

__all__ = ("ModelRun",)

_END: Any = object()
LLMRun = CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun


class ModelRun:
    """One run of a model for one prompt, streamed or called once.

    It notifies its handlers where the model's own code runs: in the consumer's steps, in a thread or in
    a task. If that code runs in a thread or a task, its chunks go through ``channel``.
    """

    def __init__(
        self,
        model: Model,
        call: ModelCall,
        config: RunnableConfig,
        *,
        collect_result: bool,
        channel: Channel | None,
    ) -> None:
        self.config = config
        self.run_id: UUID = config.get("run_id") or uuid7()
        self.model_type = model_type = model._model_type
        self._all_kwargs = call.kwargs
        kwargs, self._format_info = model_type.split_kwargs(call.kwargs)
        self._call = call._replace(kwargs=kwargs) if kwargs is not call.kwargs else call
        self.manager = model_type.manager(
            model, config.get("callbacks"), config["tags"], config["metadata"], call.stop, kwargs
        )
        self.channel = channel
        self._model = model
        self._collects_chunks = collect_result or bool(self.manager.handlers)
        self._complete = model_type.chunk_completer(model, self.run_id)
        self.timer = make_timer(model, self.manager.handlers)
        self._stamps = model.stream_timing
        self._chunks: list[Any] = []
        self._last_chunk: Any = None
        self._result: LLMResult | None = None
        self._llm_output: dict[str, Any] | None = None

    @property
    def rendezvous(self) -> bool:
        """Whether each chunk waits for the consumer: a handler requires it, or is notified of the parent run too."""
        # In a chain, all steps report a chunk before the next chunk is made, as if each step pulled its input.
        if self.manager.parent_run_id is not None and self.manager.handlers:
            return True
        return any(getattr(handler, "rendezvous", False) for handler in self.manager.handlers)

    def info(self) -> Run:
        """Return the run as its stream events describe it; tags and metadata are copies."""
        manager = self.manager
        name = self.config.get("run_name") or self._model.get_name()
        tags, metadata, parent_ids = list(manager.tags), dict(manager.metadata), list(manager.parent_ids)
        return Run(str(self.run_id), name, self.model_type.run_type, tags, metadata, parent_ids)

    def result(self) -> LLMResult:
        """Return the merged chunks, or the result of the one call."""
        if self._result is not None:
            return self._result
        result = self.model_type.result(self._chunks, self._llm_output)
        if self.timer is not None and self._stamps:
            stamp(result.generations[0][0], self.timer)
        return result

    def ending(self) -> tuple[str | None, Any] | None:
        """Return the finish reason and the token counts of a model whose chunks are texts, without either."""
        if self.model_type.run_type != "llm":
            return None
        if self._result is None:
            info, output = getattr(self._last_chunk, "generation_info", None), self._llm_output
        else:
            info, output = self._result.generations[0][0].generation_info, self._result.llm_output
        usage = (output or {}).get("token_usage")
        return (info or {}).get("finish_reason"), usage

    # A model that streams.

    def chunks(self) -> Generator[tuple[Any], None, None]:
        """Yield the chunks of ``_stream`` one by one; each of its steps runs in the run's own context."""
        run = CallbackManagerForLLMRun.of(self.manager, self.run_id)
        with _Report(self, run):
            context = child_context(self.config, run)
            items = context.run(iter, context.run(self._open, run))
            try:
                while (chunk := context.run(next, items, _END)) is not _END:
                    self._collect(chunk, run)
                    yield (chunk,)
            finally:
                context.run(close_iterator, items)
            if (last := self._closing_chunk()) is not None:
                self._notify(last, run)
                yield (last,)

    async def achunks(self) -> AsyncGenerator[tuple[Any], None]:
        """Yield the chunks of an ``_astream`` of ours one by one: it runs no users' code that needs isolation."""
        run = AsyncCallbackManagerForLLMRun.of(self.manager, self.run_id)
        async with _Report(self, run):
            async with NestedIterator(await self._aopen(run)) as items:
                async for chunk in items:
                    if (notified := self._collect(chunk, run)) is not None:
                        await notified
                    yield (chunk,)
            if (last := self._closing_chunk()) is not None:
                if (notified := self._notify(last, run)) is not None:
                    await notified
                yield (last,)

    async def send_chunks(self) -> None:
        """Send the chunks of ``_astream`` to the channel; runs in a task of its own."""
        run = AsyncCallbackManagerForLLMRun.of(self.manager, self.run_id)
        async with _Report(self, run):
            var_child_runnable_config.set(child_config(self.config, run))
            assert self.channel is not None
            items = await self._aopen(run)
            await pump(items.__aiter__(), self.channel, lambda chunk: self._collect(chunk, run))
            if (last := self._closing_chunk()) is not None:
                if (notified := self._notify(last, run)) is not None:
                    await notified
                self.channel.send(last)
                await _await_received(self.channel)

    def _open(self, run: CallbackManagerForLLMRun) -> Iterable[Any]:
        return self.model_type.open(self._model, self._call, run)

    async def _aopen(self, run: AsyncCallbackManagerForLLMRun) -> AsyncIterable[Any]:
        return await self.model_type.aopen(self._model, self._call, run)

    def _collect(self, chunk: object, run: LLMRun) -> Awaitable[None] | None:
        """Complete a chunk, keep it for the result, and notify the handlers of it."""
        self._complete(chunk)
        self._last_chunk = chunk
        if self.timer is not None:
            self.timer.add(chunk)
            if self._stamps and is_last(chunk):
                stamp(chunk, self.timer)
        if self._collects_chunks:
            self._chunks.append(chunk)
        return self._notify(chunk, run) if run.handlers else None

    def _notify(self, chunk: Any, run: LLMRun) -> Awaitable[None] | None:
        """Notify the handlers of a chunk; the notification of an async run is to be awaited."""
        if run.handlers and (token := self.model_type.callback_token(chunk)) is not None:
            return run.on_llm_new_token(token, chunk=chunk)
        return None

    def _closing_chunk(self) -> Any:
        """Return the chunk that the model's base class adds after the last one, if any.

        Raises :class:`ValueError` for a stream without chunks.
        """
        if self._last_chunk is None:
            raise ValueError("No generation chunks were returned")
        last = self.model_type.closing_chunk(self._last_chunk, self.run_id)
        if last is not None and self.timer is not None and self._stamps:
            stamp(last, self.timer)
        return last

    # A model that does not.

    def call(self) -> Generator[tuple[Any], None, None]:
        """Yield the result of ``generate``, which notifies the handlers itself."""
        model: Any = self._model
        context = contextvars.copy_context()
        self._result = context.run(model.generate, [self._call.prompt], self._call.stop, **self._generate_kwargs())
        yield (self._result,)

    async def send_result(self) -> None:
        """Send the result of ``agenerate`` to the channel; runs in a task of its own."""
        model: Any = self._model
        self._result = await model.agenerate([self._call.prompt], self._call.stop, **self._generate_kwargs())
        assert self.channel is not None
        self.channel.send(self._result)

    def _generate_kwargs(self) -> dict[str, Any]:
        return {**self._all_kwargs, **select_run_args(self.config), "run_id": self.run_id}

    # The start and the end, for handlers. An async run manager returns an awaitable, a sync one ``None``.

    def start(self, run: LLMRun) -> Awaitable[None] | None:
        """Report the start of a run that streams."""
        if self.timer is not None:
            start_timer(self.timer, run)
        if not run.handlers:
            return None
        announce_model(run, self._model)
        call, model_type = self._call, self.model_type
        info = model_type.start_info(self._model, call.stop, call.kwargs, self._format_info, streams=True)
        name = self.config.get("run_name")
        return run.start(self._model._serialized, call.prompt, model_type.run_type, **info, name=name, batch_size=1)

    def end(self, run: LLMRun, error: BaseException | None) -> Awaitable[None] | None:
        """Report the end of a run that streams: its result, or the error that ended it.

        The error is the consumer's reason for leaving, if that stopped the model.
        """
        if error is None:
            self._llm_output = run.llm_output
            return run.on_llm_end(self.result()) if run.handlers else None
        if not run.handlers:
            return None
        if is_cancelled(error) or isinstance(error, GeneratorExit):
            error = (None if self.channel is None else self.channel.leaving) or error
        return run.on_llm_error(error, response=self._partial_result(error))

    def drop_prompt(self) -> None:
        """Forget what the model is asked: a native stream's request has it, and is not kept for the stream's length."""
        self._call = self._call._replace(prompt=None)

    def end_native(
        self, run: LLMRun, chunks: ChunkProcessor[LLMResult], error: BaseException | None
    ) -> Awaitable[None] | None:
        """Report the end of a native stream, whose processor has the result."""
        if self.timer is not None:
            self.timer.see(chunks.content_counter())
        if error is None:
            self._result = chunks.result()
        elif chunks.has_output:
            self._chunks = list(chunks.result().generations[0])
        return self.end(run, error)

    def _partial_result(self, error: BaseException) -> LLMResult:
        return self.model_type.partial_result(self._chunks, error)


class _Report:
    """Reports the start and the end of a run: ``with`` for a sync run manager, ``async with`` for an async one."""

    def __init__(self, model_run: ModelRun, run: LLMRun) -> None:
        self._model_run = model_run
        self._run = run

    def __enter__(self) -> None:
        self._model_run.start(self._run)

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._model_run.end(self._run, error)

    async def __aenter__(self) -> None:
        if (notified := self._model_run.start(self._run)) is not None:
            await notified

    async def __aexit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if (notified := self._model_run.end(self._run, error)) is not None:
            await notified


async def _await_received(channel: Channel) -> None:
    """Wait until a consumer in rendezvous with the model has received the last chunk; the end is reported after it."""
    if channel.is_full:
        channel.paused = True
        await channel.await_writable()
        channel.paused = False
    if channel.closed:
        raise GeneratorExit
