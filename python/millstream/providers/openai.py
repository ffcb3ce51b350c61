"""``OpenAI``: text completions, from OpenAI or whatever speaks its protocol."""

import os
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any

from ..errors import MillstreamError
from ..language_models.fields import SecretStr, field
from ..language_models.llms import BaseLLM
from ..language_models.parts import TextPart
from ..outputs import GenerationChunk, LLMResult
from ..runnables.stream import Source, adrive, drive
from ..transport import AsyncTransport, Request, Transport
from ..transport.httpx2 import HTTPX2Transport
from ._requests import build_body, build_request, environment_headers, user_agent
from .completions import DecodedChunks, DecodedText, DeltaText
from .posts import Answers, Post

__all__ = ("OpenAI",)

_DEFAULT_URL = "https://api.openai.com/v1"
_FORMAT = "openai.completions"
# The order of the OpenAI SDK, so that bodies can be compared as they are.
_ORDER = (
    "model",
    "stream",
    "prompt",
    "best_of",
    "echo",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "n",
    "presence_penalty",
    "seed",
    "stop",
    "stream_options",
    "suffix",
    "temperature",
    "top_p",
    "user",
)


def _from_env(*names: str) -> Callable[[], str | None]:
    """Return what reads the first of the environment variables ``names`` that is set."""
    return lambda: next((os.environ[name] for name in names if os.environ.get(name)), None)


class OpenAI(BaseLLM):
    """Text completions over OpenAI's protocol; takes the arguments of ``langchain_openai.OpenAI``.

    Beside those: ``stream_usage=True`` asks for the usage of streams, ``stream_chunk_timeout`` is the
    longest wait for content in a stream, in seconds, whatever comments keep coming (``None``: no
    limit), and ``http_client`` and ``http_async_client`` take clients of httpx2 or httpx, or a
    :class:`~millstream.transport.Transport`. Arguments that are no field go to the request's body,
    with a warning. ::

        llm = OpenAI(model="gpt-3.5-turbo-instruct", temperature=0, max_tokens=512)
        for chunk in llm.stream("Write me a 1 verse song about sparkling water."):
            print(chunk, end="|", flush=True)

    Raises :class:`ValueError` for arguments that contradict each other, and
    :class:`~millstream.errors.MillstreamError` where no API key is known.
    """

    client: Any = field(default=None, repr=False)
    async_client: Any = field(default=None, repr=False)
    model_name: str = field(default="gpt-3.5-turbo-instruct", alias="model")
    temperature: float = 0.7
    max_tokens: int = 256
    top_p: float = 1
    frequency_penalty: float = 0
    presence_penalty: float = 0
    n: int = 1
    best_of: int = 1
    model_kwargs: dict[str, Any] = field(default_factory=dict)
    openai_api_key: Any = field(default_factory=_from_env("OPENAI_API_KEY"), alias="api_key", repr=False)
    openai_api_base: str | None = field(
        default_factory=_from_env("OPENAI_API_BASE", "OPENAI_BASE_URL"), alias="base_url"
    )
    openai_organization: str | None = field(
        default_factory=_from_env("OPENAI_ORG_ID", "OPENAI_ORGANIZATION"), alias="organization"
    )
    openai_proxy: str | None = field(default_factory=_from_env("OPENAI_PROXY"))
    batch_size: int = 20
    request_timeout: Any = field(default=None, alias="timeout")
    logit_bias: dict[str, float] | None = None
    max_retries: int = 2
    seed: int | None = None
    logprobs: int | None = None
    streaming: bool = False
    allowed_special: Any = field(default_factory=set)
    disallowed_special: Any = "all"
    tiktoken_model_name: str | None = None
    default_headers: Mapping[str, str] | None = field(default=None, repr=False)
    default_query: Mapping[str, object] | None = field(default=None, repr=False)
    http_client: Any = None
    http_async_client: Any = None
    extra_body: Mapping[str, Any] | None = None
    stream_usage: bool = False
    stream_chunk_timeout: float | None = 120.0
    _environment_headers: dict[str, str] = field(default_factory=environment_headers)

    def __init__(self, **kwargs: Any) -> None:
        """Take fields by both of their names, and whatever else the body may hold."""
        super().__init__(**kwargs)

    def __post_init__(self) -> None:
        """Check the fields against each other."""
        if self.n < 1:
            raise ValueError("n must be at least 1.")
        if self.streaming and self.n > 1:
            raise ValueError("Cannot stream results when n > 1.")
        if self.streaming and self.best_of > 1:
            raise ValueError("Cannot stream results when best_of > 1.")
        if self.client is not None or self.async_client is not None:
            raise TypeError("client and async_client are the OpenAI SDK's: give http_client and http_async_client")
        for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty"):
            setattr(self, name, _as_float(getattr(self, name)))
        if isinstance(self.openai_api_key, str):
            self.openai_api_key = SecretStr(self.openai_api_key)
        names = {name.lower() for name in self.default_headers or ()}
        if self.openai_api_key is None and "authorization" not in names:
            raise MillstreamError(
                "no API key: give api_key=…, or set the environment variable OPENAI_API_KEY"
                ' (a server that asks for none takes any text: api_key="none")'
            )

    def _take_unknown(self, unknown: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        """Move what no field knows into ``model_kwargs``, with a warning."""
        extra = dict(values.get("model_kwargs") or {})
        for name, value in unknown.items():
            if name in extra:
                raise ValueError(f"Found {name} supplied twice.")
            warnings.warn(
                f"WARNING! {name} is not default parameter. {name} was transferred to model_kwargs. "
                f"Please confirm that {name} is what you intended.",
                stacklevel=4,
            )
            extra[name] = value
        return {**values, "model_kwargs": extra}

    def _set_fields(self, values: dict[str, Any]) -> None:
        """Take out of ``model_kwargs`` what a field knows, with a warning."""
        extra = dict(values.get("model_kwargs") or {})
        names = self.__millstream_names__
        known = sorted(extra.keys() & names.keys())
        if twice := [name for name in known if names[name] in values]:
            raise ValueError(f"Found {twice[0]} supplied twice.")
        if known:
            warnings.warn(
                f"Parameters {set(known)} should be specified explicitly. "
                "Instead they were passed in as part of `model_kwargs` parameter.",
                stacklevel=4,
            )
        super()._set_fields({**values, **{names[name]: extra.pop(name) for name in known}, "model_kwargs": extra})

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
                answers.add_body(self._post(group, self._params(stop, kwargs)).read())
        return answers.result(len(prompts))

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        answers = Answers(self._params(stop, kwargs).get("n") or 1, self.model_name)
        for group in self._groups(prompts):
            if self.streaming:
                answers.add_result(await self._astreamed(group[0], stop, kwargs, run_manager))
            else:
                answers.add_body(await self._post(group, self._params(stop, kwargs)).aread())
        return answers.result(len(prompts))

    def _stream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[GenerationChunk]:
        return self._chunks(prompt, stop, kwargs, run_manager, DecodedChunks(_FORMAT, self.stream_chunk_timeout))

    def _astream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[GenerationChunk]:
        return self._achunks(prompt, stop, kwargs, run_manager, DecodedChunks(_FORMAT, self.stream_chunk_timeout))

    def _streamed(self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], run_manager: Any) -> LLMResult:
        """Return what one stream brings, as chunks only where somebody wants to hear of them."""
        if _heard(run_manager):
            chunks = DecodedChunks(_FORMAT, self.stream_chunk_timeout, keeps=True)
            for _ in self._chunks(prompt, stop, kwargs, run_manager, chunks):
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
            chunks = DecodedChunks(_FORMAT, self.stream_chunk_timeout, keeps=True)
            async with aclosing(self._achunks(prompt, stop, kwargs, run_manager, chunks)) as outputs:
                async for _ in outputs:
                    pass
            return chunks.result()
        source, text = self._decoded_stream(prompt, stop, kwargs)
        async for _ in adrive(source, text):
            pass
        return text.result()

    def _chunks(
        self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], run_manager: Any, chunks: DecodedChunks
    ) -> Generator[GenerationChunk, None, None]:
        """Yield the chunks of one stream, each after its handlers have heard of it."""
        heard = _heard(run_manager)
        with closing(drive(self._stream_post(prompt, stop, kwargs), chunks)) as outputs:
            for chunk in outputs:
                if heard:
                    run_manager.on_llm_new_token(chunk.text, **self._told(chunk))
                yield chunk
        if run_manager is not None:
            run_manager.llm_output = chunks.llm_output()

    async def _achunks(
        self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], run_manager: Any, chunks: DecodedChunks
    ) -> AsyncGenerator[GenerationChunk, None]:
        """Yield the chunks of one stream, each after its handlers have heard of it."""
        heard = _heard(run_manager)
        async with aclosing(adrive(self._stream_post(prompt, stop, kwargs), chunks)) as outputs:
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
        self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], *, for_async: bool, keeps: bool
    ) -> tuple[Source, TextPart] | None:
        cls = type(self)
        if cls._astream is not OpenAI._astream if for_async else cls._stream is not OpenAI._stream:
            return None
        return self._decoded_stream(prompt, stop, kwargs, keeps=keeps)

    def _decoded_stream(
        self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any], *, keeps: bool = True
    ) -> tuple[Source, TextPart]:
        post = self._stream_post(prompt, stop, kwargs)
        # Only a stream whose result is asked for keeps the log probabilities.
        kind = DeltaText if keeps and post.params.get("logprobs") is not None else DecodedText
        return post, kind(_FORMAT, self.stream_chunk_timeout)

    def _stream_post(self, prompt: str, stop: list[str] | None, kwargs: dict[str, Any]) -> Post:
        params = {**self._params(stop, kwargs), "stream": True}
        if params.pop("stream_usage", self.stream_usage) and "stream_options" not in params:
            params["stream_options"] = {"include_usage": True}
        return self._post(prompt, params, idle=self.stream_chunk_timeout)

    def _params(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of one call."""
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

    def _post(self, prompt: str | Sequence[str], params: dict[str, Any], idle: float | None = None) -> Post:
        """Return the request in waiting: it is made when it is sent, with the key of that moment."""
        params.pop("stream_usage", None)

        def request(key: str | None) -> Request:
            headers = {**self._headers(key), **self._environment_headers}
            more = {**(self.default_headers or {}), **(params.get("extra_headers") or {})}
            base, mark, query = (self.openai_api_base or _DEFAULT_URL).partition("?")
            return build_request(
                f"{base.rstrip('/')}/completions{mark}{query}",
                headers,
                self.default_query,
                {**params, "extra_headers": more},
                build_body({**params, "prompt": prompt}, _ORDER),
                timeout=self.request_timeout,
                idle=idle,
            )

        return Post(
            request,
            params,
            self.openai_api_key,
            lambda: _sync_transport(self.http_client),
            lambda: _async_transport(self.http_async_client, self.http_client),
            self.max_retries,
        )

    def _headers(self, key: str | None) -> dict[str, str]:
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": user_agent(),
        }
        if self.openai_organization:
            headers["OpenAI-Organization"] = self.openai_organization
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        return headers


def _heard(run_manager: Any) -> bool:
    return run_manager is not None and bool(run_manager.handlers)


def _as_float(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _sync_transport(client: Any) -> Transport:
    if client is not None and hasattr(client, "open") and not hasattr(client, "build_request"):
        return client  # type: ignore[no-any-return]
    if client is not None and (hasattr(client, "aclose") or not hasattr(client, "build_request")):
        raise TypeError(f"http_client must be a sync client of httpx2 or httpx, or a Transport, not {client!r}")
    return HTTPX2Transport(client)


def _async_transport(client: Any, sync_client: Any) -> AsyncTransport:
    if client is None and hasattr(sync_client, "aopen"):
        return sync_client  # type: ignore[no-any-return]
    if client is not None and hasattr(client, "aopen"):
        return client  # type: ignore[no-any-return]
    if client is not None and not (hasattr(client, "aclose") and hasattr(client, "build_request")):
        raise TypeError(f"http_async_client must be an async client of httpx2 or httpx, or a Transport, not {client!r}")
    return HTTPX2Transport(async_client=client)
