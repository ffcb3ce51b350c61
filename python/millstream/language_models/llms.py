"""``LLM``: the base class of models that accept a text and return a text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn, overload
from uuid import UUID

from .._context import run_in_executor
from .._late import lazy_names
from ..outputs import Generation, GenerationChunk, LLMResult
from ..runnables.config import RunnableConfig
from ..streaming.workers import iterate_in_thread
from .base import BaseLanguageModel
from .generate import GenerateCall, RunArgs, group_inputs, list_run_args
from .llm_type import LLMType
from .model_type import get_sync_manager, takes_run_manager
from .prompt_text import LanguageModelInput, to_prompt

if TYPE_CHECKING:
    from pathlib import Path

    from .caching import CachedCall
    from .retry_decorator import create_base_retry_decorator

__all__ = ("LLM", "BaseLLM", "create_base_retry_decorator")

__getattr__ = lazy_names(globals(), {"create_base_retry_decorator": "millstream.language_models.retry_decorator"})


class BaseLLM(BaseLanguageModel[str]):
    """The base class of models that accept texts and return texts, many at a time.

    A subclass implements ``_generate`` and ``_llm_type``. It streams if it also implements ``_stream`` or
    ``_astream``. Its annotated fields are keyword arguments of its constructor.
    """

    @property
    def OutputType(self) -> Any:
        """A text."""
        return str

    # The methods of a subclass.

    @abstractmethod
    def _generate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        """Return the generations for ``prompts``."""

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        """Return the generations for ``prompts``; by default ``_generate``, in the loop's executor."""
        return await run_in_executor(None, self._generate, prompts, stop, get_sync_manager(run_manager), **kwargs)

    def _stream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[GenerationChunk]:
        """Yield the chunks for ``prompt``."""
        raise NotImplementedError

    def _astream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[GenerationChunk]:
        """Yield the chunks for ``prompt``; by default those of ``_stream``, from a thread."""
        manager = get_sync_manager(run_manager)
        return iterate_in_thread(lambda: self._stream(prompt, stop=stop, run_manager=manager, **kwargs))

    # Calling.

    @overload
    def batch(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[False] = False,
        **kwargs: Any,
    ) -> list[str]: ...
    @overload
    def batch(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[True],
        **kwargs: Any,
    ) -> list[str | Exception]: ...
    @overload
    def batch(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool,
        **kwargs: Any,
    ) -> list[str] | list[str | Exception]: ...
    def batch(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the texts in the order of the inputs, from one call of ``generate`` for all of them.

        With ``max_concurrency`` the inputs are split into groups of that size, called one after the other.
        If a group's call raises, ``return_exceptions`` returns the exception for each input of the group.
        """
        outputs: list[Any] = []
        for prompts, configs in group_inputs(inputs, config):
            try:
                result = self.generate(list(map(to_prompt, prompts)), **list_run_args(configs), **kwargs)
                outputs += [choices[0].text for choices in result.generations]
            except Exception as error:
                if not return_exceptions:
                    raise
                outputs += [error] * len(prompts)
        return outputs

    @overload
    async def abatch(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[False] = False,
        **kwargs: Any,
    ) -> list[str]: ...
    @overload
    async def abatch(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: Literal[True],
        **kwargs: Any,
    ) -> list[str | Exception]: ...
    @overload
    async def abatch(
        self,
        inputs: Sequence[LanguageModelInput],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool,
        **kwargs: Any,
    ) -> list[str] | list[str | Exception]: ...
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
        for prompts, configs in group_inputs(inputs, config):
            try:
                result = await self.agenerate(list(map(to_prompt, prompts)), **list_run_args(configs), **kwargs)
                outputs += [choices[0].text for choices in result.generations]
            except Exception as error:
                if not return_exceptions:
                    raise
                outputs += [error] * len(prompts)
        return outputs

    def generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        callbacks: Any = None,
        *,
        tags: list[str] | list[list[str]] | None = None,
        metadata: dict[str, Any] | list[dict[str, Any]] | None = None,
        run_name: str | list[str] | None = None,
        run_id: UUID | list[UUID | None] | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Return the whole result for each of ``prompts``: all choices, usage, details.

        ``callbacks``, ``tags``, ``metadata`` and ``run_name`` apply to all prompts. If ``callbacks`` is a
        list with one item per prompt, the others are such lists too. Raises :class:`ValueError` if
        ``prompts`` is not a list, or if such a list has another length.
        """
        args = RunArgs(callbacks, tags, metadata, run_name, run_id)
        return self._generate_call(prompts, stop, kwargs, args).run()

    async def agenerate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        callbacks: Any = None,
        *,
        tags: list[str] | list[list[str]] | None = None,
        metadata: dict[str, Any] | list[dict[str, Any]] | None = None,
        run_name: str | list[str] | None = None,
        run_id: UUID | list[UUID | None] | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Return the whole result for each of ``prompts``; see :meth:`generate`."""
        args = RunArgs(callbacks, tags, metadata, run_name, run_id)
        return await self._generate_call(prompts, stop, kwargs, args).arun()

    def _generate_call(
        self, prompts: list[str], stop: list[str] | None, kwargs: dict[str, Any], args: RunArgs
    ) -> GenerateCall | CachedCall:
        if (cache := self._find_cache()) is None:
            return GenerateCall(self, prompts, stop, kwargs, args)
        from .caching import CachedCall

        return CachedCall(cache, self, prompts, stop, kwargs, args)

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Any:
        """Raise :class:`NotImplementedError`; models whose answers can follow a schema override it."""
        raise NotImplementedError(f"{type(self).__name__} has no structured output: use a chat model, or a parser")

    def save(self, file_path: Path | str) -> None:
        """Write :meth:`asdict` to a ``.json`` file."""
        from pathlib import Path

        path = Path(file_path)
        if path.suffix != ".json":
            raise ValueError(f"{path} must be a .json file")
        path.parent.mkdir(parents=True, exist_ok=True)
        import json

        path.write_text(json.dumps(self.asdict(), indent=4), encoding="utf-8")

    def _protocol_events(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError('Events of version "v3" are those of chat models: a completion model has "v2".')


BaseLLM._model_type = LLMType(BaseLLM)


class LLM(BaseLLM):
    """A simple base class for a custom model: implement ``_call`` and ``_llm_type``.

    ``stream`` and ``astream`` then yield one chunk, the whole text. With ``_stream`` (or ``_astream``),
    which yields :class:`~millstream.outputs.GenerationChunk`, they stream. ``ainvoke`` calls ``_acall``;
    by default that runs ``_call`` in the loop's executor. ::

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
        manager = {"run_manager": get_sync_manager(run_manager)} if takes_run_manager(type(self)._call) else {}
        return await run_in_executor(None, self._call, prompt, stop=stop, **manager, **kwargs)

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
