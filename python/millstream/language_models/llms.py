"""``LLM``: the base class of models that take a text and return a text."""

import json
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from ..events import EventFilter, LLMEvents, Run, StreamEvent, records, uuid7
from ..events.run import merge_tags
from ..outputs import Generation, GenerationChunk, LLMResult, RunInfo
from ..runnables.base import Runnable, run_in_executor
from ..runnables.config import RunnableConfig, ensure_config
from ..runnables.stream import AsyncStream, Source, Stream, adrive, drive
from .calls import in_groups, run_args, run_ids, run_lists, takes_run_manager
from .fields import Fields
from .parts import ChunkSource, ChunkText, FromThread, ResultSource, ResultText, TextPart
from .prompt_text import LanguageModelInput, to_prompt

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
        return await run_in_executor(self._generate, prompts, stop, run_manager, **kwargs)

    def _stream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[GenerationChunk]:
        """Yield the chunks for ``prompt``."""
        raise NotImplementedError

    def _astream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[GenerationChunk]:
        """Yield the chunks for ``prompt``; by default those of ``_stream``, from a thread."""
        return FromThread(lambda: self._stream(prompt, stop=stop, run_manager=run_manager, **kwargs))

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        """Return what tells this model from another of its class."""
        return {}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the ``ls_*`` metadata of a run: provider, model, temperature, limits."""
        params: dict[str, Any] = {
            "ls_provider": type(self).__name__.removesuffix("LLM").lower(),
            "ls_model_type": "llm",
        }
        if stop:
            params["ls_stop"] = stop
        for key, names, kinds in _LS_FIELDS:
            values = [kwargs.get(names[0]), *(getattr(self, name, None) for name in names)]
            found = next((value for value in values if isinstance(value, kinds)), None)
            if found is not None:
                params[key] = found
        return params

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
        return Stream(drive(*self._text_stream(to_prompt(input), stop, kwargs)))

    def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncStream[str]:
        """Stream the text for one input; one value where the model cannot stream."""
        return AsyncStream(adrive(*self._text_stream(to_prompt(input), stop, kwargs, for_async=True)))

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
            wording = records(version)
        except NotImplementedError as error:
            return AsyncStream(_failing(error))
        full = ensure_config(config)
        source, text = self._text_stream(to_prompt(input), stop, kwargs, for_async=True, keeps=True)
        run = self._begin_run(full, stop, kwargs)
        if version == "v1":
            # Version 1 tells of the root what the call's own configuration says.
            run = Run(run.run_id, run.name, run.run_type, full["tags"], full["metadata"])
        includes = wanted.includes(run.name, run.run_type, run.tags)
        return AsyncStream(adrive(source, LLMEvents(text, wording, run, input, includes=includes)))

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

        Raises :class:`ValueError` where ``prompts`` is no list, or a list of ``run_id`` has another length.
        """
        ids = run_ids(run_id, prompts)
        manager = {"run_manager": None} if takes_run_manager(type(self)._generate) else {}
        result = self._generate(prompts, stop=stop, **manager, **kwargs)
        result.run = [RunInfo(one) for one in ids]
        return result

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
        ids = run_ids(run_id, prompts)
        manager = {"run_manager": None} if takes_run_manager(type(self)._agenerate) else {}
        result = await self._agenerate(prompts, stop=stop, **manager, **kwargs)
        result.run = [RunInfo(one) for one in ids]
        return result

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
        path = Path(file_path)
        if path.suffix != ".json":
            raise ValueError(f"{path} must be a .json file")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.asdict(), indent=4), encoding="utf-8")

    # How a stream is made.

    def _text_stream(
        self,
        prompt: str,
        stop: list[str] | None,
        kwargs: dict[str, Any],
        *,
        for_async: bool = False,
        keeps: bool = False,
    ) -> tuple[Source, TextPart]:
        """Return the source and the part of one stream of text; ``keeps`` what the result will need, if asked."""
        cls = type(self)
        if cls._stream is BaseLLM._stream and not (for_async and cls._astream is not BaseLLM._astream):
            return self._result_stream(prompt, stop, kwargs)
        args: dict[str, Any] = {"stop": stop, "run_manager": None, **kwargs}
        source = ChunkSource(lambda: self._stream(prompt, **args), lambda: self._astream(prompt, **args))
        return source, ChunkText(keeps=keeps)

    def _result_stream(self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any]) -> tuple[Source, TextPart]:
        source = ResultSource(
            lambda: self.generate([prompt], stop, **kwargs), lambda: self.agenerate([prompt], stop, **kwargs)
        )
        return source, ResultText()

    def _begin_run(self, config: RunnableConfig, stop: list[str] | None, kwargs: dict[str, Any]) -> Run:
        """Return a new run of this model, under ``config``."""
        return Run(
            run_id=str(config.get("run_id") or uuid7()),
            name=config.get("run_name") or self.get_name(),
            run_type="llm",
            tags=merge_tags(config["tags"], self.tags),
            metadata={**config["metadata"], **self._get_ls_params(stop=stop, **kwargs), **(self.metadata or {})},
        )


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
        manager = {"run_manager": run_manager} if takes_run_manager(type(self)._call) else {}
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


_LS_FIELDS: tuple[tuple[str, tuple[str, ...], Any], ...] = (
    ("ls_model_name", ("model", "model_name"), str),
    ("ls_temperature", ("temperature",), (int, float)),
    ("ls_max_tokens", ("max_tokens",), int),
)


async def _failing(error: Exception) -> AsyncGenerator[StreamEvent, None]:
    """Raise ``error`` on the first step, where an async generator would."""
    raise error
    yield {}  # which makes it a generator
