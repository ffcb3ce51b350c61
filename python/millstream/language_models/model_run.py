"""The run of one stream of a model: begun once, ended once, whichever way the stream is left."""

from __future__ import annotations

import contextvars
from collections.abc import AsyncGenerator, Awaitable, Generator
from typing import Any
from uuid import UUID

from .._context import var_child_runnable_config
from .._uuid7 import uuid7
from ..callbacks.manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from ..events.run import Run
from ..outputs import LLMResult
from ..runnables.config import RunnableConfig, child_config, child_context
from ..streaming.channel import Channel, is_cancelled
from ..streaming.inputs import NestedIterator, close_iterator
from ..streaming.workers import pump
from .model_type import Model, ModelCall

__all__ = ("ModelRun",)

_END: Any = object()


class ModelRun:
    """One run of a model that streams, or is called once, for one prompt.

    Its handlers hear of it here, where the model's own code runs: in the consumer's steps, in a
    thread or in a task. ``channel`` is where the chunks go, if that code is driven apart.
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
        self._chunks: list[Any] = []
        self._last_chunk: Any = None
        self._result: LLMResult | None = None
        self._llm_output: dict[str, Any] | None = None

    @property
    def rendezvous(self) -> bool:
        """Whether the model is not to run ahead of its consumer: a handler wants it so, or hears of other runs too."""
        # In a chain, handlers hear of each chunk in one step after the other, as where steps pull.
        if self.manager.parent_run_id is not None and self.manager.handlers:
            return True
        return any(getattr(handler, "rendezvous", False) for handler in self.manager.handlers)

    def info(self) -> Run:
        """Return the run as its stream events show it; tags and metadata are copies."""
        manager = self.manager
        name = self.config.get("run_name") or self._model.get_name()
        told = list(manager.tags), dict(manager.metadata), list(manager.parent_ids)
        return Run(str(self.run_id), name, self.model_type.run_type, *told)

    def result(self) -> LLMResult:
        """Return the sum of the chunks, or the result of the one call."""
        return self.model_type.result(self._chunks, self._llm_output) if self._result is None else self._result

    # A model that streams.

    def chunks(self) -> Generator[tuple[Any], None, None]:
        """Yield what ``_stream`` yields, one by one; every step of it is in the run's own context."""
        run = CallbackManagerForLLMRun.of(self.manager, self.run_id)
        if run.handlers:
            run.start(self._model._serialized, self._call.prompt, self.model_type.run_type, **self._start_info())
        context = child_context(self.config, run)
        try:
            chunks = context.run(self.model_type.open, self._model, self._call, run)
            items = context.run(iter, chunks)
            try:
                while (chunk := context.run(next, items, _END)) is not _END:
                    self._collect(chunk)
                    if run.handlers and (token := self.model_type.callback_token(chunk)) is not None:
                        run.on_llm_new_token(token, chunk=chunk)
                    yield (chunk,)
            finally:
                context.run(close_iterator, items)
            if (last := self._closing_chunk()) is not None:
                if run.handlers:
                    run.on_llm_new_token(self.model_type.callback_token(last), chunk=last)
                yield (last,)
            self._llm_output = run.llm_output
        except BaseException as error:
            if run.handlers:
                run.on_llm_error(self._end_error(error), response=self.model_type.partial_result(self._chunks))
            raise
        if run.handlers:
            run.on_llm_end(self.result())

    async def achunks(self) -> AsyncGenerator[tuple[Any], None]:
        """Yield what an ``_astream`` of ours yields, one by one: there is no users' code to be kept apart."""
        run = AsyncCallbackManagerForLLMRun.of(self.manager, self.run_id)
        if run.handlers:
            await run.start(self._model._serialized, self._call.prompt, self.model_type.run_type, **self._start_info())
        try:
            async with NestedIterator(await self.model_type.aopen(self._model, self._call, run)) as items:
                async for chunk in items:
                    self._collect(chunk)
                    if run.handlers and (token := self.model_type.callback_token(chunk)) is not None:
                        await run.on_llm_new_token(token, chunk=chunk)
                    yield (chunk,)
            if (last := self._closing_chunk()) is not None:
                if run.handlers:
                    await run.on_llm_new_token(self.model_type.callback_token(last), chunk=last)
                yield (last,)
            self._llm_output = run.llm_output
        except BaseException as error:
            if run.handlers:
                await run.on_llm_error(self._end_error(error), response=self.model_type.partial_result(self._chunks))
            raise
        if run.handlers:
            await run.on_llm_end(self.result())

    async def send_chunks(self) -> None:
        """Put what ``_astream`` yields into the line; to be run in a task of its own."""
        run = AsyncCallbackManagerForLLMRun.of(self.manager, self.run_id)
        if run.handlers:
            await run.start(self._model._serialized, self._call.prompt, self.model_type.run_type, **self._start_info())
        var_child_runnable_config.set(child_config(self.config, run))
        assert self.channel is not None

        def keep(chunk: Any) -> Awaitable[None] | None:
            self._collect(chunk)
            if run.handlers and (token := self.model_type.callback_token(chunk)) is not None:
                return run.on_llm_new_token(token, chunk=chunk)
            return None

        try:
            items = await self.model_type.aopen(self._model, self._call, run)
            await pump(items.__aiter__(), self.channel, keep)
            if (last := self._closing_chunk()) is not None:
                if run.handlers:
                    await run.on_llm_new_token(self.model_type.callback_token(last), chunk=last)
                self.channel.send(last)
                await _await_received(self.channel)
            self._llm_output = run.llm_output
        except BaseException as error:
            if run.handlers:
                await run.on_llm_error(self._end_error(error), response=self.model_type.partial_result(self._chunks))
            raise
        if run.handlers:
            await run.on_llm_end(self.result())

    # A model that does not.

    def call(self) -> Generator[tuple[Any], None, None]:
        """Yield the result of ``generate``, which tells its handlers itself."""
        model: Any = self._model
        context = contextvars.copy_context()
        self._result = context.run(model.generate, [self._call.prompt], self._call.stop, **self._generate_kwargs())
        yield (self._result,)

    async def send_result(self) -> None:
        """Put the result of ``agenerate`` into the line; to be run in a task of its own."""
        model: Any = self._model
        self._result = await model.agenerate([self._call.prompt], self._call.stop, **self._generate_kwargs())
        assert self.channel is not None
        self.channel.send(self._result)

    def _collect(self, chunk: Any) -> None:
        self.model_type.complete_chunk(chunk, self.run_id)
        self._last_chunk = chunk
        if self._collects_chunks:
            self._chunks.append(chunk)

    def _closing_chunk(self) -> Any:
        """Return what the base of the model adds behind its last chunk; there must have been one."""
        if self._last_chunk is None:
            raise ValueError("No generation chunks were returned")
        return self.model_type.closing_chunk(self._last_chunk, self.run_id)

    def _end_error(self, error: BaseException) -> BaseException:
        """Return how the consumer left, where it is that what stopped the model."""
        if not is_cancelled(error) and not isinstance(error, GeneratorExit):
            return error
        return (None if self.channel is None else self.channel.leaving) or error

    def _start_info(self) -> dict[str, Any]:
        told = self.model_type.start_info(
            self._model, self._call.stop, self._call.kwargs, self._format_info, streams=True
        )
        return {**told, "name": self.config.get("run_name"), "batch_size": 1}

    def _generate_kwargs(self) -> dict[str, Any]:
        return {
            **self._all_kwargs,
            "callbacks": self.config.get("callbacks"),
            "tags": self.config["tags"],
            "metadata": self.config["metadata"],
            "run_name": self.config.get("run_name"),
            "run_id": self.run_id,
        }


async def _await_received(channel: Channel) -> None:
    """Wait until a consumer with whom the model keeps step has taken the last chunk: the end is told after that."""
    if channel.is_full:
        channel.paused = True
        await channel.await_writable()
        channel.paused = False
    if channel.closed:
        raise GeneratorExit
