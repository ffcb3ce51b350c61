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
    """The chat endpoint of an Ollama server, with the arguments of ``langchain_ollama.ChatOllama``.

    The server is ``base_url``, or else ``OLLAMA_HOST`` in the environment, or else this machine's port 11434; a user
    in a URL is sent as basic authentication. ``reasoning=True`` lets a model think: its thoughts are in the message's
    ``additional_kwargs`` as ``reasoning_content``. ``http_client`` and ``http_async_client`` accept clients of httpx2
    or httpx, or a :class:`~millstream.transport.Transport`. As with LangChain's, :meth:`invoke` too reads a
    stream. ::

        model = ChatOllama(model="llama3.2", temperature=0)
        for chunk in model.stream("Write me a 1 verse song about sparkling water."):
            print(chunk.content, end="|", flush=True)

    Raises :class:`TypeError` for unknown arguments and values of another type, :class:`ValueError` for arguments
    that contradict each other and, with ``validate_model_on_init``, for a model that the server does not have, and
    :class:`~millstream.errors.UnsupportedError` for arguments of httpx's clients that only such a client can have.
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
