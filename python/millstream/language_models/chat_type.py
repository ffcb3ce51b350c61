"""``ChatModelType``: how runs of chat models are started, reported and merged."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import UUID

from .._back_off import sharing_back_off
from .._secrets import mask_secrets
from ..callbacks.dispatch import takes_chunks
from ..callbacks.managers import CallbackManager
from ..callbacks.protocol_handlers import receives_events
from ..function_calling.formats import describe_format
from ..messages.base import run_message_id
from ..messages.conversion import convert_to_messages, finish_message
from ..outputs import LLMResult
from ..outputs.chat_generation import ChatGeneration, ChatResult, merge_chat_generation_chunks
from ..runnables.config import child_context, ensure_config
from ..streaming.drive import adrive, drive
from .chat_calls import (
    complete_message,
    complete_result,
    disables_streaming,
    make_last_chunk,
    model_input,
)
from .chunk_timer import ChunkTimer, TimedList, begin_timer, time_stream
from .model_type import ModelCall, Results, enter_run, takes_run_manager
from .prompt_text import LanguageModelInput

if TYPE_CHECKING:
    from ..caches import BaseCache
    from ..callbacks.base import Callbacks
    from ..callbacks.llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from ..messages.base import BaseMessage
    from ..outputs import ChatGenerationChunk
    from ..rate_limiters import BaseRateLimiter
    from ..streaming.protocols import ChunkProcessor, Source
    from .model_type import LLMRun, Model

    class ChatModel(Model, Protocol):
        """The interface of a chat model that its runs use."""

        verbose: bool
        tags: list[str] | None
        metadata: dict[str, Any] | None
        rate_limiter: BaseRateLimiter | None
        disable_streaming: bool | Literal["tool_calling"]
        output_version: str | None

        @property
        def _fields_set(self) -> Collection[str]: ...

        def _find_cache(self) -> BaseCache | None: ...

        def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Mapping[str, Any]: ...

        def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]: ...

        def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None]) -> dict[str, Any]: ...

        def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult: ...

        async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult: ...

        def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]: ...

        def _astream(
            self, messages: list[BaseMessage], *args: Any, **kwargs: Any
        ) -> AsyncIterator[ChatGenerationChunk]: ...


__all__ = ("ChatModelType",)

_INTEGRATION = {"ls_integration": "langchain_chat_model"}


class ChatModelType:
    """Models that accept messages and return a message; ``base`` is their base class."""

    run_type = "chat_model"

    def __init__(self, base: type[Any]) -> None:
        self._base = base

    def provider(self, name: str) -> dict[str, Any]:
        """Return the name of the class without ``Chat``."""
        name = name.removeprefix("Chat") if name.startswith("Chat") else name.removesuffix("Chat")
        return {"ls_provider": name.lower(), "ls_model_type": "chat"}

    def prompt(self, input: LanguageModelInput) -> Any:
        """Return the messages of the input.

        Raises :class:`ValueError` for an input that is not a text, a sequence of messages or a prompt value.
        """
        is_known = isinstance(input, str | Sequence) and not isinstance(input, bytes | bytearray | memoryview)
        if not is_known and not hasattr(input, "to_messages"):
            raise ValueError(
                f"Invalid input type {type(input)}: a model accepts a str, a list of messages or a prompt value."
            )
        return convert_to_messages(input)

    def manager(
        self,
        model: ChatModel,
        callbacks: Callbacks,
        tags: list[str] | None,
        metadata: dict[str, Any] | None,
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> CallbackManager:
        """Return the manager. As in LangChain, child runs inherit the model's ``ls_*`` metadata."""
        inherited = {**(metadata or {}), **model._get_ls_params(stop=stop, **kwargs), **_INTEGRATION}
        return CallbackManager.configure(
            callbacks, model.callbacks, model.verbose, tags, model.tags, inherited, model.metadata
        )

    def split_kwargs(self, kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments without the structured-output format, and that format for the start event."""
        kwargs = dict(kwargs)
        format = kwargs.pop("ls_structured_output_format", None) or kwargs.pop("structured_output_format", None)
        return kwargs, {} if format is None else describe_format(format)

    def start_info(
        self,
        model: ChatModel,
        stop: list[str] | None,
        kwargs: dict[str, Any],
        format_info: dict[str, Any],
        *,
        streams: bool,
    ) -> dict[str, Any]:
        """Return the parameters and the options; those of a stream include the arguments of the call."""
        params = model._get_invocation_params(stop=stop, **kwargs)
        own = {key: params[key] for key in kwargs if key in params} if streams else {}
        options = {"stop": stop, **mask_secrets(own), **format_info}
        return {"invocation_params": mask_secrets(params), "options": options}

    def streams(self, model: ChatModel, kwargs: dict[str, Any], *, for_async: bool) -> bool:
        """Return whether ``stream`` yields chunks: the model can stream, and streaming is not disabled."""
        return self.can_stream(model, for_async=for_async) and not disables_streaming(model, {**kwargs, "stream": True})

    def can_stream(self, model: ChatModel, *, for_async: bool) -> bool:
        """Return whether a subclass of the base class implements ``_stream``, or in async code ``_astream``."""
        return (for_async and self.has_own_astream(model)) or type(model)._stream is not self._base._stream

    def _call_streams(self, model: ChatModel, kwargs: dict[str, Any], run: LLMRun | None, *, for_async: bool) -> bool:
        """Return whether a call uses a stream: an argument or a field requires it, or a stream-event handler."""
        if not self.can_stream(model, for_async=for_async) or disables_streaming(model, kwargs):
            return False
        if kwargs.get("stream") or ("streaming" in model._fields_set and getattr(model, "streaming", None) is True):
            return True
        handlers = run.handlers if run is not None else ()
        return any(getattr(handler, "streams", False) or hasattr(handler, "tap_output_aiter") for handler in handlers)

    def has_own_astream(self, model: ChatModel) -> bool:
        """Return whether a subclass of the base class implements ``_astream``."""
        return type(model)._astream is not self._base._astream

    def open(self, model: ChatModel, call: ModelCall, run: CallbackManagerForLLMRun) -> Iterable[Any]:
        """Call ``_stream``, without a run manager: the caller reports the chunks."""
        if model.rate_limiter is not None:
            model.rate_limiter.acquire(blocking=True)
        chunks: Iterable[Any] = model._stream(model_input(call.prompt), stop=call.stop, **call.kwargs)
        return chunks

    async def aopen(self, model: ChatModel, call: ModelCall, run: AsyncCallbackManagerForLLMRun) -> AsyncIterable[Any]:
        """Call ``_astream``, without a run manager: the caller reports the chunks."""
        if model.rate_limiter is not None:
            await model.rate_limiter.aacquire(blocking=True)
        return model._astream(model_input(call.prompt), stop=call.stop, **call.kwargs)

    def chunk_completer(self, model: ChatModel, run_id: UUID) -> Callable[[Any], None]:
        """Return a function that completes the messages of chunks; see :func:`complete_message`."""
        complete = partial(complete_message, id=run_message_id(run_id))
        if model.output_version != "v1":
            return complete
        from .standard_content import BlockNumbering

        return BlockNumbering(complete)

    def callback_token(self, chunk: ChatGenerationChunk) -> Any:
        """Return the content of the message; of the last one that was added, an empty text in any case."""
        message = chunk.message
        is_end = not message.content and getattr(message, "chunk_position", None) == "last"
        # A provider's own last message has metadata.
        return "" if is_end and not message.response_metadata else message.content

    def closing_chunk(self, chunk: ChatGenerationChunk, run_id: UUID) -> ChatGenerationChunk | None:
        """Return an empty chunk marked as the last one, unless ``chunk`` is marked so."""
        return make_last_chunk(chunk)

    def to_output(self, chunk: ChatGenerationChunk) -> Any:
        """Return the message."""
        return chunk.message

    def result(self, chunks: Sequence[Any], llm_output: dict[str, Any] | None) -> LLMResult:
        """Return the merged chunks, without an added closing chunk."""
        return LLMResult([[merge_chat_generation_chunks(chunks)]])

    def partial_result(self, chunks: Sequence[Any], error: BaseException | None = None) -> LLMResult:
        """Return the merged chunks, and a list of the provider's answer to a request that failed, if there is one."""
        from .error_response import generate_response_from_error

        answer = [] if error is None else generate_response_from_error(error)
        return LLMResult([[merge_chat_generation_chunks(chunks)], answer] if chunks else [answer])

    # One whole result per prompt.

    def generate(
        self, model: ChatModel, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Request the answers one after the other."""
        config = ensure_config()
        results = [
            child_context(config, run).run(self._generate_one, model, ModelCall(prompt, stop, kwargs), run)
            for prompt, run in zip(prompts, runs, strict=True)
        ]
        return _join_results(model, results)

    async def agenerate(
        self, model: ChatModel, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Request all answers concurrently."""

        async def one(prompt: object, run: AsyncCallbackManagerForLLMRun) -> ChatResult:
            with enter_run(run):
                return await self._agenerate_one(model, ModelCall(prompt, stop, kwargs), run)

        if len(prompts) == 1:
            return _join_results(model, [await one(prompts[0], runs[0])])
        import asyncio

        with sharing_back_off():
            tasks = [asyncio.ensure_future(one(*pair)) for pair in zip(prompts, runs, strict=True)]
        try:
            return _join_results(model, await asyncio.gather(*tasks))
        except BaseException:
            # The first failure is raised after the other requests have been cancelled and have ended.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    def _generate_one(self, model: ChatModel, call: ModelCall, run: CallbackManagerForLLMRun) -> ChatResult:
        if (cache := model._find_cache()) is None:
            return self._request(model, call, run)
        from .caching import CachedChatCall

        cached = CachedChatCall(cache, model, call)
        if (result := cached.lookup()) is None:
            result = self._request(model, call, run)
            cached.update(result)
        elif receives_events(run, model):
            from .event_calls import replay_events

            replay_events(model, call, run, result)
        return result

    async def _agenerate_one(self, model: ChatModel, call: ModelCall, run: AsyncCallbackManagerForLLMRun) -> ChatResult:
        if (cache := model._find_cache()) is None:
            return await self._arequest(model, call, run)
        from .caching import CachedChatCall

        cached = CachedChatCall(cache, model, call)
        if (result := await cached.alookup()) is None:
            result = await self._arequest(model, call, run)
            await cached.aupdate(result)
        elif receives_events(run, model):
            from .event_calls import areplay_events

            await areplay_events(model, call, run, result)
        return result

    def _request(self, model: ChatModel, call: ModelCall, run: CallbackManagerForLLMRun) -> ChatResult:
        if receives_events(run, model):
            from .event_calls import call_with_events

            if (result := call_with_events(model, call, run)) is not None:
                return complete_result(model, result, run.run_id)
        if self._call_streams(model, call.kwargs, run, for_async=False):
            timer = begin_timer(model, run)
            native = self._native_stream(model, call, run, timer, for_async=False)
            if native is not None:
                for _ in drive(*native):
                    pass
                return self._to_chat_result(model, native[1].result(), run)
            chunks = TimedList(timer, stamps=model.stream_timing)
            complete = self.chunk_completer(model, run.run_id)
            for chunk in self.open(model, call, run):
                complete(chunk)
                chunks.append(chunk)
                run.on_llm_new_token(self.callback_token(chunk), chunk=chunk)
            if chunks and (last := self.closing_chunk(chunks[-1], run.run_id)) is not None:
                chunks.append(last)
                run.on_llm_new_token(self.callback_token(last), chunk=last)
            return self._to_chat_result(model, self.result(chunks, None), run)
        if model.rate_limiter is not None:
            model.rate_limiter.acquire(blocking=True)
        manager = {"run_manager": run} if takes_run_manager(type(model)._generate) else {}
        return complete_result(
            model, model._generate(model_input(call.prompt), stop=call.stop, **manager, **call.kwargs), run.run_id
        )

    async def _arequest(self, model: ChatModel, call: ModelCall, run: AsyncCallbackManagerForLLMRun) -> ChatResult:
        if receives_events(run, model):
            from .event_calls import acall_with_events

            if (result := await acall_with_events(model, call, run)) is not None:
                return complete_result(model, result, run.run_id)
        if self._call_streams(model, call.kwargs, run, for_async=True):
            timer = begin_timer(model, run)
            native = self._native_stream(model, call, run, timer, for_async=True)
            if native is not None:
                async for _ in adrive(*native):
                    pass
                return self._to_chat_result(model, native[1].result(), run)
            chunks = TimedList(timer, stamps=model.stream_timing)
            complete = self.chunk_completer(model, run.run_id)
            async for chunk in await self.aopen(model, call, run):
                complete(chunk)
                chunks.append(chunk)
                await run.on_llm_new_token(self.callback_token(chunk), chunk=chunk)
            if chunks and (last := self.closing_chunk(chunks[-1], run.run_id)) is not None:
                chunks.append(last)
                await run.on_llm_new_token(self.callback_token(last), chunk=last)
            return self._to_chat_result(model, self.result(chunks, None), run)
        if model.rate_limiter is not None:
            await model.rate_limiter.aacquire(blocking=True)
        manager = {"run_manager": run} if takes_run_manager(type(model)._agenerate) else {}
        result = await model._agenerate(model_input(call.prompt), stop=call.stop, **manager, **call.kwargs)
        return complete_result(model, result, run.run_id)

    def _native_stream(
        self, model: ChatModel, call: ModelCall, run: LLMRun, timer: ChunkTimer | None, *, for_async: bool
    ) -> tuple[Source, ChunkProcessor[LLMResult]] | None:
        """Return the native stream, if there are no handlers to notify of its chunks."""
        if any(map(takes_chunks, run.handlers)) or not model._streams_natively(call, for_async=for_async):
            return None
        return time_stream(model, model._native_stream(call, collect_result=True, run_id=run.run_id), timer)

    def _to_chat_result(self, model: ChatModel, streamed: LLMResult, run: LLMRun) -> ChatResult:
        """Return the merged chunks of a stream as the result of ``_generate`` would be."""
        generation: Any = streamed.generations[0][0]
        if generation is None:
            raise ValueError("No generations found in stream.")
        message = finish_message(generation.message)
        return complete_result(model, ChatResult([ChatGeneration(message, generation.generation_info)]), run.run_id)


def _join_results(model: ChatModel, results: Sequence[ChatResult]) -> Results:
    """Return the results as one, and the result to report for each run."""
    output = model._combine_llm_outputs([result.llm_output for result in results])
    parts = [LLMResult([result.generations], result.llm_output) for result in results]
    return LLMResult([result.generations for result in results], output), parts
