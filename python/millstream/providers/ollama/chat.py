"""``ChatOllama``: the chat endpoint of an Ollama server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from ...language_models.model_type import ModelCall
from ...outputs.chat_generation import ChatResult
from ...streaming.inputs import NestedIterator
from ..chat_model import HTTPChatModel
from ..http.arguments import refuse_in_call
from ..http.request import PendingRequest
from ..message_reader import MessageReader
from .fields import OllamaFields
from .reader import OllamaReader
from .request import build_params
from .streams import MergedAnswer, OllamaGenerations, OllamaMessages

if TYPE_CHECKING:
    from ...language_models.prompt_text import LanguageModelInput
    from ...language_models.schemas import Schema, SchemaClass, SchemaMethod, StructuredAnswer, Tool
    from ...messages.ai import AIMessage
    from ...messages.base import BaseMessage
    from ...runnables.runnable import Runnable
    from .constructors import OllamaChatArguments

__all__ = ("ChatOllama",)


class ChatOllama(OllamaFields, HTTPChatModel):
    """Chat models of an Ollama server.

    The arguments, methods and results are those of ``langchain_ollama.ChatOllama``. ::

        from millstream import ChatOllama

        model = ChatOllama(model="llama3.2", temperature=0)
        for chunk in model.stream("Write me a 1 verse song about sparkling water."):
            print(chunk.text, end="|", flush=True)

    As with LangChain's, :meth:`invoke` too reads a stream.

    All arguments are keywords. The answer:

    ``model``
        the model's name; with ``validate_model_on_init=True`` the constructor asks the server whether it has it.
    ``reasoning``
        ``True``, ``False`` or an effort lets a model think, or not: its thoughts are in the message's
        ``additional_kwargs`` as ``reasoning_content``.
    ``temperature``, ``top_k``, ``top_p``, ``tfs_z``, ``seed``, ``repeat_penalty``, ``repeat_last_n``
        how tokens are chosen.
    ``mirostat``, ``mirostat_eta``, ``mirostat_tau``
        the same, by Mirostat sampling.
    ``num_predict``, ``stop``
        the most tokens of the answer, and texts before which it ends.
    ``logprobs``, ``top_logprobs``
        request the log probabilities of tokens, and of so many alternatives.
    ``format``
        ``"json"`` or a JSON schema, to which the answer is confined.
    ``num_ctx``, ``num_gpu``, ``num_thread``, ``keep_alive``
        tokens of context, layers on the GPU, threads, and how long the server keeps the model in memory.
    ``model_kwargs``, ``extra_body``
        other parameters of the request.

    The server:

    ``base_url``
        a URL, or a host with or without a port; by default ``OLLAMA_HOST`` of the environment, or else port 11434 of
        this machine. A user in a URL is sent as basic authentication. A key is ``OLLAMA_API_KEY`` of the environment.
    ``client_kwargs``, ``sync_client_kwargs``, ``async_client_kwargs``
        ``headers``, ``timeout``, ``proxy``, ``auth`` and ``cookies`` of requests.
    ``default_headers``, ``default_query``
        are added to each request.
    ``http_client``, ``http_async_client``
        a client of httpx2 or httpx, or a :class:`~millstream.transport.Transport`, that sends the requests.
    ``transport``
        ``"native"`` or ``"httpx2"``; by default the package's own transport, where it can send the request.

    Waits and retries:

    ``stream_chunk_timeout``
        the longest wait for content in a stream, in seconds, whatever keep-alives arrive. ``None``: no limit.
    ``total_timeout``
        the seconds for a whole answer, all tries and the waits between them included.
    ``max_retries``
        how often a request is sent again after a failed connection, a timeout, 408, 409, 429 or 5xx.
    ``max_response_size``
        the most bytes of an answer without streaming.

    Messages and runs:

    ``name``, ``tags``, ``metadata``, ``callbacks``, ``verbose``
        what handlers and traces receive of each run, and handlers of this model.
    ``cache``, ``rate_limiter``
        a cache of answers (``False``: none), and an object whose ``acquire`` is called before each request.
    ``streaming``, ``disable_streaming``
        let :meth:`invoke` read a stream, so that handlers receive its chunks; let :meth:`stream` yield one whole
        message.
    ``stream_timing``
        add ``first_chunk_seconds`` and ``chunks_per_second`` to the ``response_metadata`` of streams.
    ``output_version``
        ``"v1"`` makes the content of answers standard blocks.
    ``profile``, ``custom_get_token_ids``
        a description of the model, and a function that counts tokens by returning them.

    Raises :class:`TypeError` for unknown arguments and values of another type, :class:`ValueError` for arguments that
    contradict each other and, with ``validate_model_on_init``, for a model that the server does not have, and
    :class:`~millstream.errors.UnsupportedError` for arguments of httpx's clients that only such a client can have.
    Calls raise the errors of :mod:`millstream.errors`: :class:`~millstream.APIConnectionError`,
    :class:`~millstream.StreamTruncatedError` and the others.
    """

    _stream_format = "ollama.chat"

    if TYPE_CHECKING:

        def __init__(self, **arguments: Unpack[OllamaChatArguments]) -> None: ...

    def __post_init__(self) -> None:
        """Check the fields against each other, and that the server has the model, if that is asked for."""
        super().__post_init__()
        if self.validate_model_on_init:
            from .validation import validate_model

            validate_model(self)

    @property
    def _llm_type(self) -> str:
        return "chat-ollama"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        params = self._get_invocation_params(stop=stop, **kwargs)
        ls_params = {
            "ls_provider": "ollama",
            "ls_model_name": params.get("model", self.model),
            "ls_model_type": "chat",
            "ls_temperature": params.get("temperature", self.temperature),
        }
        if stop_texts := stop or params.get("stop") or self.stop:
            ls_params["ls_stop"] = stop_texts
        return ls_params

    # Requests and responses.

    def _build_pending(self, call: ModelCall, *, stream: bool) -> PendingRequest:
        kwargs = {"stream": True, **call.kwargs}
        refuse_in_call(self, kwargs)
        stream = bool(kwargs.pop("stream"))
        params = build_params(self, self._model_type.prompt(call.prompt), call.stop, kwargs, stream=stream)
        return PendingRequest(self, "/api/chat", params, self.stream_chunk_timeout or None)

    def _create_reader(self, pending: PendingRequest, *, stream: bool) -> MessageReader:
        return OllamaReader(reasoning=pending.params.get("think"))

    def _read_generations(self, pending: PendingRequest) -> OllamaGenerations:
        reader = partial(self._create_reader, pending, stream=True)
        return OllamaGenerations(self._stream_format, self.stream_chunk_timeout or None, reader, n=1)

    def _read_messages(self, pending: PendingRequest, id: str, *, collect_result: bool) -> OllamaMessages:
        reader, limit = partial(self._create_reader, pending, stream=True), self.stream_chunk_timeout or None
        return OllamaMessages(self._stream_format, limit, reader, n=1, id=id, collect_result=collect_result)

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        pending = self._build_pending(ModelCall(messages, stop, kwargs), stream=True)
        answer = MergedAnswer(self.max_response_size)
        with closing(self._read_chunks(pending, run_manager)) as chunks:
            for chunk in chunks:
                answer.add(chunk)
        return answer.create_result()

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        pending = self._build_pending(ModelCall(messages, stop, kwargs), stream=True)
        answer = MergedAnswer(self.max_response_size)
        async with NestedIterator(self._aread_chunks(pending, run_manager)) as chunks:
            async for chunk in chunks:
                answer.add(chunk)
        return answer.create_result()

    # Tools.

    def bind_tools(
        self, tools: Sequence[Tool], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model with ``tools`` that it may call.

        A tool is a function with annotations and a docstring, a pydantic class, a ``TypedDict``, or a dict that
        describes one. ``tool_choice`` is ignored: Ollama has no such parameter.
        """
        from .tools import build_tools

        return self.bind(tools=build_tools(tools), **kwargs)

    @overload
    def with_structured_output(
        self,
        schema: type[SchemaClass],
        *,
        method: SchemaMethod = ...,
        include_raw: Literal[False] = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, SchemaClass]: ...
    @overload
    def with_structured_output(
        self, schema: type[SchemaClass], *, method: SchemaMethod = ..., include_raw: Literal[True], **kwargs: Any
    ) -> Runnable[LanguageModelInput, StructuredAnswer[SchemaClass]]: ...
    @overload
    def with_structured_output(
        self,
        schema: Schema = None,
        *,
        method: SchemaMethod = ...,
        include_raw: Literal[False] = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any]]: ...
    @overload
    def with_structured_output(
        self, schema: Schema = None, *, method: SchemaMethod = ..., include_raw: Literal[True], **kwargs: Any
    ) -> Runnable[LanguageModelInput, StructuredAnswer[dict[str, Any]]]: ...
    @overload
    def with_structured_output(
        self, schema: Any = None, *, method: SchemaMethod = ..., include_raw: bool, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]: ...
    def with_structured_output(
        self, schema: Any = None, *, method: str = "json_schema", include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a Runnable whose output fits ``schema``: a pydantic class, a ``TypedDict``, a JSON schema.

        ``method`` is ``"json_schema"``, which sends the schema as ``format``, ``"function_calling"`` or
        ``"json_mode"``. Streams yield the partial object each time it grows. With ``include_raw`` the output is a dict
        of the message (``raw``), the object (``parsed``) and the error, if parsing failed (``parsing_error``).

        Raises :class:`~millstream.errors.TruncatedOutputError` for an answer that was cut off, and
        :class:`~millstream.exceptions.OutputParserException` for one that does not fit; a stream raises at its end.
        """
        from .structured_output import build_structured_model

        return build_structured_model(self, schema, method=method, include_raw=include_raw, kwargs=kwargs)
