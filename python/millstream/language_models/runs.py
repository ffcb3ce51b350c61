"""The run of one stream of a model: begun once, ended once, whichever way the stream is left."""

from __future__ import annotations

import contextvars
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..callbacks.manager import AsyncCallbackManagerForLLMRun, BaseRunManager, CallbackManager, CallbackManagerForLLMRun
from ..events.run import Run, uuid7
from ..outputs import GenerationChunk, LLMResult
from ..outputs.generation import sum_chunks
from ..runnables.config import RunnableConfig, patch_config, var_child_runnable_config
from ..runnables.drivers import pass_on
from ..runnables.handover import Handover

if TYPE_CHECKING:
    from .llms import BaseLLM

__all__ = ("ModelRun", "child_config", "child_context", "manager_of")

_END: Any = object()


def manager_of(
    model: BaseLLM,
    callbacks: Any,
    tags: list[str] | None,
    metadata: dict[str, Any] | None,
    params: dict[str, Any],
) -> CallbackManager:
    """Return the callbacks, tags and metadata of one call: the configuration's go to the runs below, no others."""
    own = {**params, **(model.metadata or {})}
    return CallbackManager.configure(callbacks, model.callbacks, model.verbose, tags, model.tags, metadata, own)


def child_config(config: RunnableConfig | None, run: BaseRunManager) -> RunnableConfig:
    """Return what the runs below ``run`` inherit: its configuration, without what is its alone."""
    return patch_config(config, callbacks=run.get_child())


def child_context(config: RunnableConfig | None, run: BaseRunManager) -> contextvars.Context:
    """Return a context for users' code in ``run``: runs that begin in there are below it."""
    context = contextvars.copy_context()
    context.run(var_child_runnable_config.set, child_config(config, run))
    return context


class ModelRun:
    """One run of a model that streams, or is called once, for one prompt.

    Its handlers hear of it here, where the model's own code runs: in the consumer's steps, in a
    thread or in a task. ``line`` is where the chunks go, if that code is driven apart.
    """

    def __init__(
        self,
        model: BaseLLM,
        prompt: str,
        stop: list[str] | None,
        kwargs: dict[str, Any],
        config: RunnableConfig,
        *,
        keeps: bool,
        line: Handover | None,
    ) -> None:
        self.config = config
        self.run_id: UUID = config.get("run_id") or uuid7()
        self.manager = manager_of(
            model,
            config.get("callbacks"),
            config["tags"],
            config["metadata"],
            model._get_ls_params(stop=stop, **kwargs),
        )
        self.line = line
        self._model = model
        self._prompt = prompt
        self._stop = stop
        self._kwargs = kwargs
        self._keeps = keeps or bool(self.manager.handlers)
        self._kept: list[Any] = []
        self._any = False
        self._output: dict[str, Any] | None = None

    @property
    def lockstep(self) -> bool:
        """Whether a handler wants to hear of every chunk before the consumer gets the one before it."""
        return any(getattr(handler, "lockstep", False) for handler in self.manager.handlers)

    def told(self) -> Run:
        """Return the run as its stream events tell it; tags and metadata are copies."""
        manager = self.manager
        name = self.config.get("run_name") or self._model.get_name()
        return Run(str(self.run_id), name, "llm", list(manager.tags), dict(manager.metadata), list(manager.parent_ids))

    def result(self) -> LLMResult:
        """Return the sum of the chunks, or the result of the one call."""
        if self._kept and not hasattr(self._kept[0], "text"):
            result: LLMResult = self._kept[0]
            return result
        return LLMResult([[sum_chunks(self._kept or [GenerationChunk("")])]], self._output)

    # A model that streams.

    def chunks(self) -> Generator[tuple[Any], None, None]:
        """Yield what ``_stream`` yields, one by one; every step of it is in the run's own context."""
        run = CallbackManagerForLLMRun.of(self.manager, self.run_id)
        if run.handlers:
            run.start(self._model._serialized, self._prompt, **self._start())
        context = child_context(self.config, run)
        try:
            items = context.run(self._open, run)
            try:
                while (chunk := context.run(next, items, _END)) is not _END:
                    self._keep(chunk)
                    yield (chunk,)
            finally:
                if (close := getattr(items, "close", None)) is not None:
                    context.run(close)
            self._check()
            self._output = run.llm_output
        except BaseException as error:
            if run.handlers:
                run.on_llm_error(self._reason(error), response=self._arrived())
            raise
        if run.handlers:
            run.on_llm_end(self.result())

    async def perform(self) -> None:
        """Put what ``_astream`` yields into the line; to be run in a task of its own."""
        run = AsyncCallbackManagerForLLMRun.of(self.manager, self.run_id)
        if run.handlers:
            await run.start(self._model._serialized, self._prompt, **self._start())
        var_child_runnable_config.set(child_config(self.config, run))
        assert self.line is not None
        try:
            items = self._model._astream(self._prompt, stop=self._stop, run_manager=run, **self._kwargs)
            await pass_on(items.__aiter__(), self.line, self._keep)
            self._check()
            self._output = run.llm_output
        except BaseException as error:
            if run.handlers:
                await run.on_llm_error(self._reason(error), response=self._arrived())
            raise
        if run.handlers:
            await run.on_llm_end(self.result())

    # A model that does not.

    def call(self) -> Generator[tuple[Any], None, None]:
        """Yield the result of ``generate``, which tells its handlers itself."""
        context = contextvars.copy_context()
        result = context.run(self._model.generate, [self._prompt], self._stop, **self._call_args(), **self._kwargs)
        self._kept.append(result)
        yield (result,)

    async def acall(self) -> None:
        """Put the result of ``agenerate`` into the line; to be run in a task of its own."""
        result = await self._model.agenerate([self._prompt], self._stop, **self._call_args(), **self._kwargs)
        self._kept.append(result)
        assert self.line is not None
        self.line.put(result)

    def _open(self, run: CallbackManagerForLLMRun) -> Iterator[Any]:
        return iter(self._model._stream(self._prompt, stop=self._stop, run_manager=run, **self._kwargs))

    def _keep(self, chunk: Any) -> None:
        if not hasattr(chunk, "text"):
            raise TypeError(f"_stream() must yield GenerationChunk objects, not {type(chunk).__name__}")
        self._any = True
        if self._keeps:
            self._kept.append(chunk)

    def _check(self) -> None:
        if not self._any:
            raise ValueError("No generation chunks were returned")

    def _arrived(self) -> LLMResult:
        return self.result() if self._kept else LLMResult([])

    def _reason(self, error: BaseException) -> BaseException:
        """Return how the consumer left, where it is that what stopped the model."""
        leaving = None if self.line is None else self.line.leaving
        # By name: sync code does without asyncio, and need not wait for its import.
        ours = isinstance(error, GeneratorExit) or type(error).__name__ == "CancelledError"
        return leaving if ours and leaving is not None else error

    def _start(self) -> dict[str, Any]:
        return {
            "invocation_params": {**self._model.asdict(), "stop": self._stop, **self._kwargs},
            "options": {"stop": self._stop},
            "name": self.config.get("run_name"),
            "batch_size": 1,
        }

    def _call_args(self) -> dict[str, Any]:
        return {
            "callbacks": self.config.get("callbacks"),
            "tags": self.config["tags"],
            "metadata": self.config["metadata"],
            "run_name": self.config.get("run_name"),
            "run_id": self.run_id,
        }
