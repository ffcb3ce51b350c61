"""``LLMType``: how runs of completion models are started, reported and merged."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .._secrets import mask_secrets
from ..callbacks.managers import CallbackManager
from ..outputs import GenerationChunk, LLMResult
from ..outputs.generation import merge_generations
from ..runnables.config import child_context, ensure_config
from .model_type import ModelCall, Results, enter_run, takes_run_manager
from .prompt_text import to_prompt

if TYPE_CHECKING:
    from uuid import UUID

    from ..callbacks.base import Callbacks
    from ..callbacks.llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from .model_type import Model

    class TextModel(Model, Protocol):
        """The interface of a completion model that its runs use."""

        verbose: bool
        tags: list[str] | None
        metadata: dict[str, Any] | None

        def asdict(self) -> dict[str, Any]:
            """Return the fields."""

        def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Mapping[str, Any]: ...

        def _generate(self, prompts: list[str], *args: Any, **kwargs: Any) -> LLMResult: ...

        async def _agenerate(self, prompts: list[str], *args: Any, **kwargs: Any) -> LLMResult: ...

        def _stream(self, prompt: str, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]: ...

        def _astream(self, prompt: str, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]: ...


__all__ = ("LLMType",)


class LLMType:
    """Models that accept a text and return a text; ``base`` is their base class."""

    run_type = "llm"

    def __init__(self, base: type[Any]) -> None:
        self._base = base

    def provider(self, name: str) -> dict[str, Any]:
        """Return the name of the class without ``LLM``."""
        return {"ls_provider": name.removesuffix("LLM").lower(), "ls_model_type": "llm"}

    prompt = staticmethod(to_prompt)

    def manager(
        self,
        model: TextModel,
        callbacks: Callbacks,
        tags: list[str] | None,
        metadata: dict[str, Any] | None,
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> CallbackManager:
        """Return the manager. Child runs do not inherit the model's ``ls_*`` metadata."""
        # As in LangChain, a call without any metadata has no `ls_*` metadata either.
        params = {} if metadata is None else model._get_ls_params(stop=stop, **kwargs)
        own = {**params, **(model.metadata or {})}
        return CallbackManager.configure(callbacks, model.callbacks, model.verbose, tags, model.tags, metadata, own)

    def split_kwargs(self, kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return all arguments for the model."""
        return kwargs, {}

    def start_info(
        self,
        model: TextModel,
        stop: list[str] | None,
        kwargs: dict[str, Any],
        format_info: dict[str, Any],
        *,
        streams: bool,
    ) -> dict[str, Any]:
        """Return the parameters; as in LangChain, only those of a stream include the arguments of the call."""
        params = {**model.asdict(), "stop": stop, **(kwargs if streams else {})}
        return {"invocation_params": mask_secrets(params), "options": {"stop": stop}}

    def streams(self, model: TextModel, kwargs: dict[str, Any], *, for_async: bool) -> bool:
        """Return whether the model has a ``_stream``, or for async code an ``_astream``."""
        return (for_async and self.has_own_astream(model)) or type(model)._stream is not self._base._stream

    def has_own_astream(self, model: TextModel) -> bool:
        """Return whether a subclass of the base class implements ``_astream``."""
        return type(model)._astream is not self._base._astream

    def open(self, model: TextModel, call: ModelCall, run: CallbackManagerForLLMRun) -> Iterable[Any]:
        """Call ``_stream``, which reports its chunks to the run manager itself."""
        chunks: Iterable[Any] = model._stream(call.prompt, stop=call.stop, run_manager=run, **call.kwargs)
        return chunks

    async def aopen(self, model: TextModel, call: ModelCall, run: AsyncCallbackManagerForLLMRun) -> AsyncIterable[Any]:
        """Call ``_astream``, which reports its chunks to the run manager itself."""
        return model._astream(call.prompt, stop=call.stop, run_manager=run, **call.kwargs)

    def chunk_completer(self, model: TextModel, run_id: UUID) -> Callable[[Any], None]:
        """Return a function that raises :class:`TypeError` for an object that is not a chunk."""
        return _check_chunk

    def callback_token(self, chunk: GenerationChunk) -> None:
        """Return ``None``: the model's own code notifies the handlers."""

    def closing_chunk(self, chunk: GenerationChunk, run_id: UUID) -> None:
        """Return ``None``: nothing is added."""

    def to_output(self, chunk: GenerationChunk) -> str:
        """Return the text."""
        return chunk.text

    def result(self, chunks: Sequence[Any], llm_output: dict[str, Any] | None) -> LLMResult:
        """Return the merged chunks; without chunks, an empty text."""
        return LLMResult([[merge_generations(chunks or [GenerationChunk("")])]], llm_output)

    def partial_result(self, chunks: Sequence[Any], error: BaseException | None = None) -> LLMResult:
        """Return the merged chunks, or an empty result."""
        return self.result(chunks, None) if chunks else LLMResult([])

    def generate(
        self, model: TextModel, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Call ``_generate``, once for all prompts."""
        manager = {"run_manager": runs[0] if runs else None} if takes_run_manager(type(model)._generate) else {}
        call = child_context(ensure_config(), runs[0]).run if runs else _call
        result = call(model._generate, prompts, stop=stop, **manager, **kwargs)
        return result, result.flatten()

    async def agenerate(
        self, model: TextModel, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Call ``_agenerate``, once for all prompts."""
        manager = {"run_manager": runs[0] if runs else None} if takes_run_manager(type(model)._agenerate) else {}
        with enter_run(runs[0] if runs else None):
            result = await model._agenerate(prompts, stop=stop, **manager, **kwargs)
        return result, result.flatten()


def _check_chunk(chunk: object) -> None:
    if not hasattr(chunk, "text"):
        raise TypeError(f"_stream() must yield GenerationChunk objects, not {type(chunk).__name__}")


def _call(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)
