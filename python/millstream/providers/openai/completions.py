"""``OpenAI``: text completions, from OpenAI or whatever speaks its protocol."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..._fields import field
from ...language_models.llms import BaseLLM
from ...outputs import GenerationChunk, LLMResult
from ...streaming.drive import adrive, drive
from ...streaming.inputs import Inside
from ...streaming.protocols import ChunkProcessor, Source
from ..http.request import Answers, Post
from ..whole_answer import WholeAnswer
from .arguments import COMPLETIONS, refuse_in_call
from .completion_stream import DecodedChunks, DecodedText
from .endpoint import OpenAIAccess, as_float

__all__ = ("OpenAI",)

_FORMAT = "openai.completions"


class OpenAI(OpenAIAccess, BaseLLM):
    """Text completions over OpenAI's protocol; takes the arguments of ``langchain_openai.OpenAI``.

    Beside those: ``stream_usage=True`` asks for the usage of streams, ``stream_chunk_timeout`` is the
    longest wait for content in a stream, in seconds, whatever comments keep coming (``None``: no
    limit), ``http_client`` and ``http_async_client`` take clients of httpx2 or httpx, or a
    :class:`~millstream.transport.Transport`, and ``transport`` forces ``"native"`` or ``"httpx2"``
    (see :mod:`millstream.transport`). The endpoint's parameters that have no field go to the request's
    body, with a warning; what only other servers know is given as ``extra_body``. ::

        llm = OpenAI(model="gpt-3.5-turbo-instruct", temperature=0, max_tokens=512)
        for chunk in llm.stream("Write me a 1 verse song about sparkling water."):
            print(chunk, end="|", flush=True)

    Raises :class:`TypeError` for arguments and values that are not known, :class:`ValueError` for
    those that contradict each other, and :class:`~millstream.errors.MillstreamError` where no API key is known.
    """

    if TYPE_CHECKING:

        def __init__(self, **kwargs: Any) -> None: ...

    _endpoint = COMPLETIONS

    model_name: str = field(default="gpt-3.5-turbo-instruct", alias="model")
    temperature: float = 0.7
    max_tokens: int = 256
    top_p: float = 1
    frequency_penalty: float = 0
    presence_penalty: float = 0
    n: int = 1
    best_of: int = 1
    batch_size: int = 20
    logit_bias: dict[str, float] | None = None
    seed: int | None = None
    logprobs: int | None = None
    streaming: bool = False
    allowed_special: Any = field(default_factory=set)
    disallowed_special: Any = "all"
    stream_usage: bool = False
    stream_chunk_timeout: float | None = 120.0

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        if self.n < 1:
            raise ValueError("n must be at least 1.")
        if self.streaming and self.n > 1:
            raise ValueError("Cannot stream results when n > 1.")
        if self.streaming and self.best_of > 1:
            raise ValueError("Cannot stream results when best_of > 1.")
        if self.stream_chunk_timeout is not None and self.stream_chunk_timeout < 0:
            raise ValueError("stream_chunk_timeout must not be negative; None means no limit.")
        for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty"):
            setattr(self, name, as_float(getattr(self, name)))
        super().__post_init__()

    @property
    def _llm_type(self) -> str:
        return "openai"

    @property
    def _default_params(self) -> dict[str, Any]:
        """Return the parameters of every call."""
        params: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "frequency_penalty": self.frequency_penalty,
            "presence_penalty": self.presence_penalty,
            "n": self.n,
            "seed": self.seed,
            "logprobs": self.logprobs,
        }
        if self.logit_bias is not None:
            params["logit_bias"] = self.logit_bias
        if self.max_tokens is not None:
            params["max_tokens"] = self.max_tokens
        if self.extra_body is not None:
            params["extra_body"] = self.extra_body
        if self.best_of > 1:
            params["best_of"] = self.best_of
        return {**params, **self.model_kwargs}

    @property
    def _invocation_params(self) -> dict[str, Any]:
        return {"model": self.model_name, **self._default_params}

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model_name": self.model_name, **self._default_params}

    def _generate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        answers = Answers(self._params(stop, kwargs).get("n") or 1, self.model_name)
        for group in self._groups(prompts):
            if self.streaming:
                answers.add_result(self._streamed(group[0], stop, kwargs, run_manager))
            else:
                post, answer = self._answer_post(group, stop, kwargs)
                post.read(answer)
                answers.add_answer(answer)
        return answers.result(len(prompts))

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        answers = Answers(self._params(stop, kwargs).get("n") or 1, self.model_name)
        for group in self._groups(prompts):
            if self.streaming:
                answers.add_result(await self._astreamed(group[0], stop, kwargs, run_manager))
            else:
                post, answer = self._answer_post(group, stop, kwargs)
                await post.aread(answer)
                answers.add_answer(answer)
        return answers.result(len(prompts))

    def _stream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[GenerationChunk]:
        post = self._stream_post(prompt, stop, kwargs)
        return self._chunks(post, run_manager, self._generations(post))

    def _astream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[GenerationChunk]:
        post = self._stream_post(prompt, stop, kwargs)
        return self._achunks(post, run_manager, self._generations(post))

    def _streamed(self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], run_manager: Any) -> LLMResult:
        """Return what one stream brings, as chunks only where somebody wants to hear of them."""
        if _heard(run_manager):
            post = self._stream_post(prompt, stop, kwargs)
            chunks = self._generations(post, keeps=True)
            for _ in self._chunks(post, run_manager, chunks):
                pass
            return chunks.result()
        source, text = self._decoded_stream(prompt, stop, kwargs)
        for _ in drive(source, text):
            pass
        return text.result()

    async def _astreamed(
        self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], run_manager: Any
    ) -> LLMResult:
        """Return what one stream brings, as chunks only where somebody wants to hear of them."""
        if _heard(run_manager):
            post = self._stream_post(prompt, stop, kwargs)
            chunks = self._generations(post, keeps=True)
            async with Inside(self._achunks(post, run_manager, chunks)) as outputs:
                async for _ in outputs:
                    pass
            return chunks.result()
        source, text = self._decoded_stream(prompt, stop, kwargs)
        async for _ in adrive(source, text):
            pass
        return text.result()

    def _generations(self, post: Post, *, keeps: bool = False) -> DecodedChunks:
        return DecodedChunks(_FORMAT, self.stream_chunk_timeout, n=post.n, keeps=keeps)

    def _chunks(self, post: Post, run_manager: Any, chunks: DecodedChunks) -> Generator[GenerationChunk, None, None]:
        """Yield the chunks of one stream, each after its handlers have heard of it."""
        heard = _heard(run_manager)
        with closing(drive(post, chunks)) as outputs:
            for chunk in outputs:
                if heard:
                    run_manager.on_llm_new_token(chunk.text, **self._told(chunk))
                yield chunk
        if run_manager is not None:
            run_manager.llm_output = chunks.llm_output()

    async def _achunks(
        self, post: Post, run_manager: Any, chunks: DecodedChunks
    ) -> AsyncGenerator[GenerationChunk, None]:
        """Yield the chunks of one stream, each after its handlers have heard of it."""
        heard = _heard(run_manager)
        async with Inside(adrive(post, chunks)) as outputs:
            async for chunk in outputs:
                if heard:
                    await run_manager.on_llm_new_token(chunk.text, **self._told(chunk))
                yield chunk
        if run_manager is not None:
            run_manager.llm_output = chunks.llm_output()

    def _told(self, chunk: GenerationChunk) -> dict[str, Any]:
        """Return what handlers are told of a chunk beside its text."""
        return {"chunk": chunk, "verbose": self.verbose, "logprobs": (chunk.generation_info or {}).get("logprobs")}

    def _own_stream(
        self,
        prompt: str,
        stop: list[str] | None,
        kwargs: dict[str, Any],
        *,
        for_async: bool,
        keeps: bool,
        run_id: UUID | None = None,
    ) -> tuple[Source, ChunkProcessor[LLMResult]] | None:
        if not self._streams_itself(for_async=for_async):
            return None
        return self._decoded_stream(prompt, stop, kwargs, keeps=keeps)

    def _own_chunks(
        self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], *, for_async: bool, run_id: UUID
    ) -> tuple[Source, ChunkProcessor[LLMResult]] | None:
        if not self._streams_itself(for_async=for_async):
            return None
        post = self._stream_post(prompt, stop, kwargs)
        return post, self._generations(post, keeps=True)

    def _streams_itself(self, *, for_async: bool) -> bool:
        """Return whether no subclass has written the stream anew."""
        cls = type(self)
        return cls._astream is OpenAI._astream if for_async else cls._stream is OpenAI._stream

    def _decoded_stream(
        self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], *, keeps: bool = True
    ) -> tuple[Source, ChunkProcessor[LLMResult]]:
        post = self._stream_post(prompt, stop, kwargs)
        return post, DecodedText(_FORMAT, self.stream_chunk_timeout, n=post.n, keeps=keeps)

    def _answer_post(
        self, prompts: Sequence[str], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[Post, WholeAnswer]:
        """Return the request for whole answers, and the part that reads them."""
        params = self._params(stop, kwargs)
        # The answer is read whole, whatever the call says.
        params.pop("stream", None)
        post = self._prompt_post(prompts, params)
        n = post.n if len(prompts) == 1 else None
        return post, WholeAnswer(_FORMAT, n=n, size=self.max_response_size)

    def _stream_post(self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any]) -> Post:
        params = self._params(stop, kwargs)
        params["stream"] = True
        if params.pop("stream_usage", self.stream_usage) and "stream_options" not in params:
            params["stream_options"] = {"include_usage": True}
        return self._prompt_post(prompt, params, idle=self.stream_chunk_timeout)

    def _prompt_post(self, prompt: str | Sequence[str], params: dict[str, Any], idle: float | None = None) -> Post:
        params.pop("stream_usage", None)
        params["prompt"] = prompt
        return self._post("/completions", params, idle)

    def _params(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of one call."""
        refuse_in_call(self, self._endpoint, kwargs)
        params = {**self._invocation_params, **kwargs}
        if stop is not None:
            params["stop"] = stop
        if params.get("max_tokens") == -1:
            # As many as the model has room for: that is what servers do when the field is left out.
            del params["max_tokens"]
        return params

    def _groups(self, prompts: list[str]) -> Iterator[list[str]]:
        """Yield the prompts in groups of ``batch_size``, one request each."""
        for start in range(0, len(prompts), self.batch_size):
            group = prompts[start : start + self.batch_size]
            if self.streaming and len(group) > 1:
                raise ValueError("Cannot stream results with multiple prompts.")
            yield group


def _heard(run_manager: Any) -> bool:
    return run_manager is not None and bool(run_manager.handlers)
