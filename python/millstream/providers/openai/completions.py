"""``OpenAI``: text completions of OpenAI, or of any server with its protocol."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Unpack
from uuid import UUID

from ..._fields import field
from ...callbacks.dispatch import takes_chunks
from ...language_models.chunk_timer import begin_timer, time_stream
from ...language_models.llms import BaseLLM
from ...language_models.model_type import ModelCall
from ...outputs import GenerationChunk, LLMResult
from ...streaming.drive import adrive, drive
from ...streaming.inputs import NestedIterator
from ...streaming.protocols import ChunkProcessor, Source
from ..http.arguments import refuse_in_call
from ..http.endpoint import as_float
from ..http.request import PendingRequest
from ..whole_response import WholeResponse
from .arguments import COMPLETIONS
from .completion_result import MergedResult
from .completion_stream import DecodedChunks, DecodedText
from .endpoint import OpenAIEndpoint

if TYPE_CHECKING:
    from .constructors import CompletionArguments

__all__ = ("OpenAI",)

_FORMAT = "openai.completions"


class OpenAI(OpenAIEndpoint, BaseLLM):
    """Text completions over OpenAI's protocol, of OpenAI's models and of other servers.

    The arguments, methods and results are those of ``langchain_openai.OpenAI``: a prompt is a text, and so is the
    answer. ::

        from millstream import OpenAI

        llm = OpenAI(model="gpt-3.5-turbo-instruct", temperature=0, max_tokens=512)
        for chunk in llm.stream("Write me a 1 verse song about sparkling water."):
            print(chunk, end="|", flush=True)

    All arguments are keywords. The answer:

    ``model``, ``model_name``
        the model's name.
    ``temperature``, ``top_p``, ``presence_penalty``, ``frequency_penalty``, ``logit_bias``, ``seed``
        how tokens are chosen.
    ``max_tokens``
        the most tokens of the answer, 256 by default; -1 stands for as many as fit.
    ``n``, ``best_of``
        the number of answers to a prompt, and of those among which the server chooses; both are 1 with ``streaming``.
    ``logprobs``
        request the log probabilities of so many alternatives of each token.
    ``model_kwargs``, ``extra_body``
        other parameters of the request: those of OpenAI's API, and those of other servers. The first ones (``stop``,
        ``suffix``, ``echo``, ``user``) may be arguments of the constructor too, with a warning.

    The server:

    ``api_key``, ``openai_api_key``
        a text, a ``SecretStr``, or a function that returns the key for each request; by default ``OPENAI_API_KEY`` of
        the environment.
    ``base_url``, ``openai_api_base``
        the address, with its ``/v1``; by default ``OPENAI_API_BASE`` or ``OPENAI_BASE_URL`` of the environment, or else
        OpenAI's.
    ``organization``, ``openai_organization``, ``openai_proxy``
        the organization that pays, and a proxy's address.
    ``default_headers``, ``default_query``
        are added to each request.
    ``http_client``, ``http_async_client``
        a client of httpx2 or httpx, or a :class:`~millstream.transport.Transport`, that sends the requests.
    ``transport``
        ``"native"`` or ``"httpx2"``; by default the package's own transport, where it can send the request.

    Waits and retries:

    ``timeout``, ``request_timeout``
        the seconds for the connection, for the response's head and for each read; ``(connect, read)``, or an
        ``httpx.Timeout``. By default 5 for the connection, and 600.
    ``stream_chunk_timeout``
        the longest wait for content in a stream, in seconds, whatever keep-alives arrive. ``None``: no limit.
    ``total_timeout``
        the seconds for a whole answer, all tries and the waits between them included.
    ``max_retries``
        how often a request is sent again after a failed connection, a timeout, 408, 409, 429 or 5xx.
    ``max_response_size``
        the most bytes of an answer without streaming.

    Streams and runs:

    ``stream_usage``
        request the token counts of streams.
    ``stream_timing``
        add ``first_chunk_seconds`` and ``chunks_per_second`` to the ``generation_info`` of streams.
    ``streaming``
        let :meth:`invoke` read a stream, so that handlers receive its chunks.
    ``batch_size``
        how many prompts of :meth:`generate` one request has.
    ``name``, ``tags``, ``metadata``, ``callbacks``, ``verbose``
        what handlers and traces receive of each run, and handlers of this model.
    ``cache``
        a cache of answers (``False``: none).
    ``custom_get_token_ids``
        a function that counts tokens by returning them.

    ``allowed_special``, ``disallowed_special`` and ``tiktoken_model_name`` are accepted, and change nothing; ``client``
    and ``async_client`` must be ``None``.

    Raises :class:`TypeError` for unknown arguments and values of another type, :class:`ValueError` for arguments that
    contradict each other, and :class:`~millstream.errors.MillstreamError` without an API key. Calls raise the errors of
    :mod:`millstream.errors`: :class:`~millstream.RateLimitError`, :class:`~millstream.APITimeoutError`,
    :class:`~millstream.StreamTruncatedError` and the others.
    """

    if TYPE_CHECKING:

        def __init__(self, **arguments: Unpack[CompletionArguments]) -> None: ...

    _endpoint_params = COMPLETIONS

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
        merged = MergedResult(self._call_params(stop, kwargs).get("n") or 1, self.model_name)
        for group in self._batch_prompts(prompts):
            if self.streaming:
                merged.add_result(self._generate_by_stream(group[0], stop, kwargs, run_manager))
            else:
                request, response = self._whole_request(group, stop, kwargs)
                request.read(response)
                merged.add_response(response)
        return merged.result(len(prompts))

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        merged = MergedResult(self._call_params(stop, kwargs).get("n") or 1, self.model_name)
        for group in self._batch_prompts(prompts):
            if self.streaming:
                merged.add_result(await self._agenerate_by_stream(group[0], stop, kwargs, run_manager))
            else:
                request, response = self._whole_request(group, stop, kwargs)
                await request.aread(response)
                merged.add_response(response)
        return merged.result(len(prompts))

    def _stream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[GenerationChunk]:
        request = self._stream_request(ModelCall(prompt, stop, kwargs))
        chunks = self._decode_generations(request)
        return self._read_chunks(request, run_manager, chunks, chunks)

    def _astream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[GenerationChunk]:
        request = self._stream_request(ModelCall(prompt, stop, kwargs))
        chunks = self._decode_generations(request)
        return self._aread_chunks(request, run_manager, chunks, chunks)

    def _generate_by_stream(
        self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], run_manager: Any
    ) -> LLMResult:
        """Return the result of one stream; chunks are made only if there are handlers to notify of them."""
        call, timer = ModelCall(prompt, stop, kwargs), begin_timer(self, run_manager)
        if _takes_chunks(run_manager):
            request = self._stream_request(call)
            chunks = self._decode_generations(request, collect_result=True)
            source, timed = time_stream(self, (request, chunks), timer)
            for _ in self._read_chunks(source, run_manager, chunks, timed):
                pass
            return timed.result()
        source, text = time_stream(self, self._native_stream(call, collect_result=True), timer)
        for _ in drive(source, text):
            pass
        return text.result()

    async def _agenerate_by_stream(
        self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], run_manager: Any
    ) -> LLMResult:
        """:meth:`_generate_by_stream` for async code."""
        call, timer = ModelCall(prompt, stop, kwargs), begin_timer(self, run_manager)
        if _takes_chunks(run_manager):
            request = self._stream_request(call)
            chunks = self._decode_generations(request, collect_result=True)
            source, timed = time_stream(self, (request, chunks), timer)
            async with NestedIterator(self._aread_chunks(source, run_manager, chunks, timed)) as outputs:
                async for _ in outputs:
                    pass
            return timed.result()
        source, text = time_stream(self, self._native_stream(call, collect_result=True), timer)
        async for _ in adrive(source, text):
            pass
        return text.result()

    def _decode_generations(self, request: PendingRequest, *, collect_result: bool = False) -> DecodedChunks:
        return DecodedChunks(_FORMAT, self.stream_chunk_timeout, n=request.n, collect_result=collect_result)

    def _read_chunks(
        self, source: Source, run_manager: Any, chunks: DecodedChunks, processor: ChunkProcessor[LLMResult]
    ) -> Generator[GenerationChunk, None, None]:
        """Yield the chunks of one stream, each after the handlers have been notified of it.

        ``processor`` is ``chunks``, or what times them.
        """
        notifies = _takes_chunks(run_manager)
        with closing(drive(source, processor)) as outputs:
            for chunk in outputs:
                if notifies:
                    run_manager.on_llm_new_token(chunk.text, **self._token_info(chunk))
                yield chunk
        if run_manager is not None:
            run_manager.llm_output = chunks.llm_output()

    async def _aread_chunks(
        self, source: Source, run_manager: Any, chunks: DecodedChunks, processor: ChunkProcessor[LLMResult]
    ) -> AsyncGenerator[GenerationChunk, None]:
        """:meth:`_read_chunks` for async code."""
        notifies = _takes_chunks(run_manager)
        async with NestedIterator(adrive(source, processor)) as outputs:
            async for chunk in outputs:
                if notifies:
                    await run_manager.on_llm_new_token(chunk.text, **self._token_info(chunk))
                yield chunk
        if run_manager is not None:
            run_manager.llm_output = chunks.llm_output()

    def _token_info(self, chunk: GenerationChunk) -> dict[str, Any]:
        return {"chunk": chunk, "verbose": self.verbose, "logprobs": (chunk.generation_info or {}).get("logprobs")}

    def _streams_natively(self, call: ModelCall, *, for_async: bool) -> bool:
        cls = type(self)
        return cls._astream is OpenAI._astream if for_async else cls._stream is OpenAI._stream

    def _native_stream(
        self, call: ModelCall, *, collect_result: bool, run_id: UUID | None = None
    ) -> tuple[Source, ChunkProcessor[LLMResult]]:
        request = self._stream_request(call)
        limit = self.stream_chunk_timeout
        return request, DecodedText(_FORMAT, limit, n=request.n, collect_result=collect_result)

    def _native_generations(self, call: ModelCall, *, run_id: UUID) -> tuple[Source, ChunkProcessor[LLMResult]]:
        request = self._stream_request(call)
        return request, self._decode_generations(request, collect_result=True)

    def _whole_request(
        self, prompts: Sequence[str], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[PendingRequest, WholeResponse]:
        """Return the request for a whole response, and the processor that reads it."""
        params = {**self._call_params(stop, kwargs), "prompt": prompts}
        # The response is not streamed, whatever the arguments say.
        for name in ("stream", "stream_usage"):
            params.pop(name, None)
        request = PendingRequest(self, "/completions", params, None)
        n = request.n if len(prompts) == 1 else None
        return request, WholeResponse(_FORMAT, n=n, size=self.max_response_size)

    def _stream_request(self, call: ModelCall) -> PendingRequest:
        params = self._call_params(call.stop, call.kwargs)
        params["stream"] = True
        if params.pop("stream_usage", self.stream_usage) and "stream_options" not in params:
            params["stream_options"] = {"include_usage": True}
        params["prompt"] = call.prompt
        return PendingRequest(self, "/completions", params, self.stream_chunk_timeout)

    def _call_params(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of one call."""
        if kwargs:
            refuse_in_call(self, kwargs)
        params = {**self._invocation_params, **kwargs}
        if stop is not None:
            params["stop"] = stop
        if params.get("max_tokens") == -1:
            # -1 means as many tokens as fit: servers do that if the field is missing.
            del params["max_tokens"]
        return params

    def _batch_prompts(self, prompts: list[str]) -> Iterator[list[str]]:
        """Yield the prompts in groups of ``batch_size``, one request each."""
        for start in range(0, len(prompts), self.batch_size):
            group = prompts[start : start + self.batch_size]
            if self.streaming and len(group) > 1:
                raise ValueError("Cannot stream results with multiple prompts.")
            yield group


def _takes_chunks(run_manager: Any) -> bool:
    return run_manager is not None and any(map(takes_chunks, run_manager.handlers))
