"""``LLM``: the base class of models that take a text and return a text."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..events import EventFilter, StreamEvent
from ..events.event_records import relayed
from ..outputs import Generation, GenerationChunk, LLMResult
from ..runnables.base import Runnable, run_in_executor
from ..runnables.config import RunnableConfig
from ..runnables.drivers import OwnThread
from ..runnables.handover import Handover
from ..runnables.stream import AsyncStream, Source, Stream, adrive, drive
from .calls import in_groups, ls_fields, run_args, run_lists, takes_run_manager, warn_of_tracing
from .fields import Fields
from .generating import Generating
from .parts import TextPart
from .prompt_text import LanguageModelInput, to_prompt
from .streaming import event_stream, text_stream

if TYPE_CHECKING:
    from pathlib import Path

    from ..events.record_writer import RecordWriter

__all__ = ("LLM", "BaseLLM")


class BaseLLM(Fields, Runnable[LanguageModelInput, str]):
    """The base of models that take texts and return texts, many at a time.

    A subclass writes ``_generate`` and ``_llm_type``; it streams if it writes ``_stream`` or
    ``_astream`` too. Its annotated fields are keyword arguments of its constructor.
    """

    name: str | None = None
    cache: Any = None
    verbose: bool = False
    callbacks: Any = None
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None
    custom_get_token_ids: Any = None

    def _set_fields(self, values: dict[str, Any]) -> None:
        super()._set_fields(values)
        warn_of_tracing()

    # What a subclass writes.

    @property
    @abstractmethod
    def _llm_type(self) -> str:
        """Return a word for the kind of model."""

    @abstractmethod
    def _generate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        """Return the generations for ``prompts``."""

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        """Return the generations for ``prompts``; by default ``_generate``, in the loop's executor."""
        return await run_in_executor(self._generate, prompts, stop, _for_sync(run_manager), **kwargs)

    def _stream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[GenerationChunk]:
        """Yield the chunks for ``prompt``."""
        raise NotImplementedError

    async def _astream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[GenerationChunk]:
        """Yield the chunks for ``prompt``; by default those of ``_stream``, from a thread."""
        manager = _for_sync(run_manager)

        def steps() -> Iterator[tuple[GenerationChunk]]:
            yield from ((chunk,) for chunk in self._stream(prompt, stop=stop, run_manager=manager, **kwargs))

        async with aclosing(OwnThread(steps, Handover())) as batches:
            while batch := await batches.read():
                for chunk in batch[0]:
                    yield chunk

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        """Return what tells this model from another of its class."""
        return {}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the ``ls_*`` metadata of a run: provider, model, temperature, limits."""
        provider = type(self).__name__.removesuffix("LLM").lower()
        return {"ls_provider": provider, "ls_model_type": "llm", **ls_fields(self, stop, kwargs)}

    # Calling.

    def invoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> str:
        """Return the text for one input."""
        return self.generate([to_prompt(input)], stop, **run_args(config), **kwargs).generations[0][0].text

    async def ainvoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> str:
        """Return the text for one input."""
        result = await self.agenerate([to_prompt(input)], stop, **run_args(config), **kwargs)
        return result.generations[0][0].text

    def batch(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the texts in the order of the inputs, from one ``generate`` for all of them.

        With ``max_concurrency`` the inputs go in groups of that size, one after the other. What
        fails, fails for a whole group; ``return_exceptions`` puts the exception in each place.
        """
        outputs: list[Any] = []
        for prompts, configs in in_groups(inputs, config):
            try:
                result = self.generate(list(map(to_prompt, prompts)), **run_lists(configs), **kwargs)
                outputs += [choices[0].text for choices in result.generations]
            except Exception as error:
                if not return_exceptions:
                    raise
                outputs += [error] * len(prompts)
        return outputs

    async def abatch(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the texts in the order of the inputs; see :meth:`batch`."""
        outputs: list[Any] = []
        for prompts, configs in in_groups(inputs, config):
            try:
                result = await self.agenerate(list(map(to_prompt, prompts)), **run_lists(configs), **kwargs)
                outputs += [choices[0].text for choices in result.generations]
            except Exception as error:
                if not return_exceptions:
                    raise
                outputs += [error] * len(prompts)
        return outputs

    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Stream[str]:
        """Stream the text for one input; one value where the model cannot stream."""
        return Stream(drive(*text_stream(self, input, config, stop, kwargs)))

    def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncStream[str]:
        """Stream the text for one input; one value where the model cannot stream."""
        return AsyncStream(adrive(*text_stream(self, input, config, stop, kwargs, for_async=True)))

    def astream_events(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        version: str = "v2",
        include_names: Sequence[str] | None = None,
        include_types: Sequence[str] | None = None,
        include_tags: Sequence[str] | None = None,
        exclude_names: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        exclude_tags: Sequence[str] | None = None,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncStream[StreamEvent]:
        """Stream the run's events: its start, its chunks, its end; dicts as LangChain's, ``version`` 1 or 2."""
        wanted = EventFilter(
            include_names=include_names,
            include_types=include_types,
            include_tags=include_tags,
            exclude_names=exclude_names,
            exclude_types=exclude_types,
            exclude_tags=exclude_tags,
        )
        try:
            return AsyncStream(
                adrive(*event_stream(self, input, config, version, wanted, stop, kwargs, for_async=True))
            )
        except NotImplementedError as error:
            return AsyncStream(_failing(error))

    def stream_events(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        version: str = "v2",
        include_names: Sequence[str] | None = None,
        include_types: Sequence[str] | None = None,
        include_tags: Sequence[str] | None = None,
        exclude_names: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        exclude_tags: Sequence[str] | None = None,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Stream[StreamEvent]:
        """Stream the run's events; the dicts of :meth:`astream_events`, for sync code.

        A user's model runs in a thread meanwhile, so that events come when they happen.
        """
        wanted = EventFilter(
            include_names=include_names,
            include_types=include_types,
            include_tags=include_tags,
            exclude_names=exclude_names,
            exclude_types=exclude_types,
            exclude_tags=exclude_tags,
        )
        return Stream(drive(*event_stream(self, input, config, version, wanted, stop, kwargs)))

    def _records(
        self,
        writer: RecordWriter,
        input: LanguageModelInput,
        config: RunnableConfig | None,
        version: str,
        wanted: EventFilter,
        kwargs: dict[str, Any],
    ) -> AsyncGenerator[bytes, None]:
        if type(self).astream_events is not BaseLLM.astream_events:
            return super()._records(writer, input, config, version, wanted, kwargs)
        stop = kwargs.pop("stop", None)
        try:
            source, events = event_stream(self, input, config, version, wanted, stop, kwargs, for_async=True)
        except NotImplementedError as error:
            return _failing(error)
        return relayed(source, events.records(writer))

    def generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        callbacks: Any = None,
        *,
        tags: Any = None,
        metadata: Any = None,
        run_name: Any = None,
        run_id: UUID | list[UUID | None] | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Return everything the model says about ``prompts``: all choices, usage, details.

        ``callbacks``, ``tags``, ``metadata`` and ``run_name`` are for all prompts, or lists with one
        for each; ``callbacks`` decides which. Raises :class:`ValueError` where ``prompts`` is no
        list, or such a list has another length.
        """
        runs = {"callbacks": callbacks, "tags": tags, "metadata": metadata, "run_name": run_name, "run_id": run_id}
        return Generating(self, prompts, stop, kwargs, **runs).run()

    async def agenerate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        callbacks: Any = None,
        *,
        tags: Any = None,
        metadata: Any = None,
        run_name: Any = None,
        run_id: UUID | list[UUID | None] | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Return everything the model says about ``prompts``; see :meth:`generate`."""
        runs = {"callbacks": callbacks, "tags": tags, "metadata": metadata, "run_name": run_name, "run_id": run_id}
        return await Generating(self, prompts, stop, kwargs, **runs).arun()

    def generate_prompt(self, prompts: Sequence[Any], stop: list[str] | None = None, **kwargs: Any) -> LLMResult:
        """Return everything the model says about prompt values; see :meth:`generate`."""
        return self.generate(list(map(to_prompt, prompts)), stop, **kwargs)

    async def agenerate_prompt(self, prompts: Sequence[Any], stop: list[str] | None = None, **kwargs: Any) -> LLMResult:
        """Return everything the model says about prompt values; see :meth:`generate`."""
        return await self.agenerate(list(map(to_prompt, prompts)), stop, **kwargs)

    def asdict(self) -> dict[str, Any]:
        """Return what identifies the model, and its type."""
        return {**self._identifying_params, "_type": self._llm_type}

    def save(self, file_path: Path | str) -> None:
        """Write :meth:`asdict` to a ``.json`` file."""
        from pathlib import Path

        path = Path(file_path)
        if path.suffix != ".json":
            raise ValueError(f"{path} must be a .json file")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.asdict(), indent=4), encoding="utf-8")

    # How a stream is made.

    @property
    def _serialized(self) -> dict[str, Any]:
        """Return what handlers are told of the model at a run's start."""
        cls = type(self)
        path = [*cls.__module__.split("."), cls.__name__]
        return {"lc": 1, "type": "not_implemented", "id": path, "repr": repr(self), "name": self.get_name()}

    def _own_stream(
        self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], *, for_async: bool, keeps: bool
    ) -> tuple[Source, TextPart] | None:
        """Return the stream that runs no code of users, if this model has one; ``keeps`` what the result needs."""
        return None


class LLM(BaseLLM):
    """The simple base of a custom model: write ``_call`` and ``_llm_type``.

    ``stream`` and ``astream`` then yield one value, the whole text; with ``_stream`` (or
    ``_astream``), which yields :class:`~millstream.outputs.GenerationChunk`, they stream. ``_acall``
    is what ``ainvoke`` runs; by default ``_call``, in the loop's executor. ::

        class Echo(LLM):
            size: int = 5

            def _call(self, prompt, stop=None, run_manager=None, **kwargs):
                return prompt[: self.size]

            @property
            def _llm_type(self):
                return "echo"
    """

    @abstractmethod
    def _call(self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> str:
        """Return the text for ``prompt``."""

    async def _acall(self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> str:
        """Return the text for ``prompt``; by default ``_call``, in the loop's executor."""
        manager = {"run_manager": _for_sync(run_manager)} if takes_run_manager(type(self)._call) else {}
        return await run_in_executor(self._call, prompt, stop=stop, **manager, **kwargs)

    def _generate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        manager = {"run_manager": run_manager} if takes_run_manager(type(self)._call) else {}
        return LLMResult([[Generation(self._call(prompt, stop=stop, **manager, **kwargs))] for prompt in prompts])

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        manager = {"run_manager": run_manager} if takes_run_manager(type(self)._acall) else {}
        return LLMResult(
            [[Generation(await self._acall(prompt, stop=stop, **manager, **kwargs))] for prompt in prompts]
        )


def _for_sync(run_manager: Any) -> Any:
    return run_manager.get_sync() if hasattr(run_manager, "get_sync") else run_manager


async def _failing(error: Exception) -> AsyncGenerator[Any, None]:
    """Raise ``error`` on the first step, where an async generator would."""
    raise error
    yield {}  # which makes it a generator
