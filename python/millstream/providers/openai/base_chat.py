"""``BaseChatOpenAI``: chat completions and responses of servers with OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast, overload

from ...language_models.model_type import ModelCall
from ...messages.openai import to_openai_message
from ...outputs import LLMResult
from ...outputs.chat_generation import ChatResult
from ...streaming.protocols import ChunkProcessor
from ..chat_model import HTTPChatModel
from ..http.arguments import refuse_in_call
from ..http.request import PendingRequest
from ..whole_body import WholeBody
from ..whole_response import WholeResponse
from .arguments import RESPONSES_PATH, refuse_responses_params, uses_responses
from .chat_params import ChatFields
from .chat_result import build_chat_result
from .chat_stream import DecodedGenerations, DecodedMessages

if TYPE_CHECKING:
    from ...language_models.prompt_text import LanguageModelInput
    from ...language_models.schemas import Schema, SchemaClass, SchemaMethod, StructuredAnswer, Tool
    from ...messages.ai import AIMessage
    from ...runnables.runnable import Runnable
    from .constructors import ChatArguments
    from .responses_request import ResponsesRequest

__all__ = ("BaseChatOpenAI",)


class BaseChatOpenAI(ChatFields, HTTPChatModel):
    """Chat models over OpenAI's protocol: the base class of :class:`ChatOpenAI`, for models of other providers."""

    _stream_format = "openai.chat"
    _output_versions = ("v0", "v1", "responses/v1")

    if TYPE_CHECKING:

        def __init__(self, **arguments: Unpack[ChatArguments]) -> None: ...

    def __post_init__(self) -> None:
        """Check the fields against each other, and say if they decide for the Responses API."""
        super().__post_init__()
        if self.use_responses_api is None and self._use_responses_api({}):
            self.use_responses_api = True

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        params = super()._get_invocation_params(stop=stop)
        params = {"model": self.model_name, **params, **self._default_params, **kwargs}
        if isinstance(tools := params.get("tools"), list):
            params["tools"] = list(map(_redact, tools))
        return params

    # Responses.

    def _read_generations(self, pending: PendingRequest) -> ChunkProcessor[LLMResult]:
        if pending.path == RESPONSES_PATH:
            return cast("ResponsesRequest", pending).read_generations()
        return DecodedGenerations(
            self._stream_format,
            self.stream_chunk_timeout or None,
            n=pending.n,
            legacy="functions" in pending.params,
            with_headers=self.include_response_headers,
        )

    def _read_messages(self, pending: PendingRequest, id: str, *, collect_result: bool) -> ChunkProcessor[LLMResult]:
        if pending.path == RESPONSES_PATH:
            return cast("ResponsesRequest", pending).read_messages(id, collect_result=collect_result)
        limit, legacy = self.stream_chunk_timeout or None, "functions" in pending.params
        return DecodedMessages(
            self._stream_format, limit, n=pending.n, id=id, collect_result=collect_result, legacy=legacy
        )

    def _read_whole(self, pending: PendingRequest) -> WholeBody:
        if pending.path == RESPONSES_PATH:
            return cast("ResponsesRequest", pending).read_whole()
        return WholeResponse(self._stream_format, n=pending.n, size=self.max_response_size)

    def _create_result(self, pending: PendingRequest, body: Any) -> ChatResult:
        if pending.path == RESPONSES_PATH:
            return cast("ResponsesRequest", pending).create_result(body)
        return self._create_chat_result(body, legacy="functions" in pending.params)

    def _create_chat_result(self, response: WholeResponse, *, legacy: bool) -> ChatResult:
        return build_chat_result(response, self.model_name, legacy=legacy, with_headers=self.include_response_headers)

    def _opens_own_stream(self, call: ModelCall, *, for_async: bool) -> bool:
        return not self.include_response_headers and super()._opens_own_stream(call, for_async=for_async)

    # Requests.

    def _use_responses_api(self, payload: Mapping[str, Any]) -> bool:
        """Return whether a call with the parameters ``payload`` uses the Responses API."""
        return uses_responses(self, payload)

    def _build_pending(self, call: ModelCall, *, stream: bool) -> PendingRequest:
        # Set explicitly: the model's own `streaming` may be switched off for this call.
        kwargs = {**call.kwargs, "stream": stream}
        stream_usage = kwargs.pop("stream_usage", None)
        idle = (self.stream_chunk_timeout or None) if stream else None
        if self._use_responses_api({**self._default_params, **kwargs}):
            from .responses_request import ResponsesRequest

            params = self._get_request_payload(call.prompt, stop=call.stop, **kwargs)
            return ResponsesRequest(self, params, idle, schema=kwargs.get("response_format"))
        if stream and self._should_stream_usage(stream_usage, **kwargs):
            kwargs["stream_options"] = {"include_usage": True}
        params = self._get_request_payload(call.prompt, stop=call.stop, **kwargs)
        return PendingRequest(self, "/chat/completions", params, idle)

    def _should_stream_usage(self, stream_usage: bool | None = None, **kwargs: Any) -> bool:
        """Return whether to request the usage of a stream: an argument of the call decides, or else the model."""
        sources = (
            stream_usage,
            (kwargs.get("stream_options") or {}).get("include_usage"),
            (self.model_kwargs.get("stream_options") or {}).get("include_usage"),
            self.stream_usage,
        )
        decisions = [value for value in sources if isinstance(value, bool)]
        return bool(decisions) and decisions[0]

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Return the parameters in a request's body, and its options such as ``timeout``."""
        kwargs.pop("ls_structured_output_format", None)
        # A mapping is a prompt that OpenAI stores, a parameter of the Responses API.
        has_stored = isinstance(kwargs.get("prompt"), Mapping)
        refuse_in_call(self, kwargs.keys() - {"prompt"} if has_stored else kwargs)
        params = {**self._default_params, **kwargs}
        if stop is not None:
            params["stop"] = stop
        messages = self._model_type.prompt(input_)
        if self._use_responses_api(params):
            from .responses_request import build_responses_payload

            return build_responses_payload(self, messages, params)
        refuse_responses_params(self, kwargs)
        params["messages"] = [to_openai_message(message) for message in messages]
        if params.get("response_format") is not None:
            from ...function_calling import convert_to_response_format

            params["response_format"] = convert_to_response_format(params["response_format"])
        return params

    # Tools.

    def bind_tools(
        self,
        tools: Sequence[Tool],
        *,
        tool_choice: dict[str, Any] | str | bool | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model with ``tools`` that it may call.

        A tool is a function with annotations and a docstring, a pydantic class, a ``TypedDict``, or a
        dict that describes one. ``tool_choice`` is a tool's name, ``"auto"``, ``"none"``, ``"any"``,
        ``"required"``, ``True`` (any of them) or OpenAI's dict. ``strict`` requires arguments to fit their
        schemas; ``parallel_tool_calls=False`` allows one call at a time.
        """
        from .tools import build_tool_arguments

        if parallel_tool_calls is not None:
            kwargs["parallel_tool_calls"] = parallel_tool_calls
        arguments = build_tool_arguments(
            tools,
            tool_choice=tool_choice,
            strict=strict,
            response_format=response_format,
            needs_strict=not self.use_responses_api,
        )
        return self.bind(**arguments, **kwargs)

    @overload
    def with_structured_output(
        self,
        schema: type[SchemaClass],
        *,
        method: SchemaMethod = ...,
        include_raw: Literal[False] = False,
        strict: bool | None = None,
        tools: Sequence[Tool] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, SchemaClass]: ...
    @overload
    def with_structured_output(
        self,
        schema: type[SchemaClass],
        *,
        method: SchemaMethod = ...,
        include_raw: Literal[True],
        strict: bool | None = None,
        tools: Sequence[Tool] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, StructuredAnswer[SchemaClass]]: ...
    @overload
    def with_structured_output(
        self,
        schema: Schema = None,
        *,
        method: SchemaMethod = ...,
        include_raw: Literal[False] = False,
        strict: bool | None = None,
        tools: Sequence[Tool] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any]]: ...
    @overload
    def with_structured_output(
        self,
        schema: Schema = None,
        *,
        method: SchemaMethod = ...,
        include_raw: Literal[True],
        strict: bool | None = None,
        tools: Sequence[Tool] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, StructuredAnswer[dict[str, Any]]]: ...
    @overload
    def with_structured_output(
        self,
        schema: Any = None,
        *,
        method: SchemaMethod = ...,
        include_raw: bool,
        strict: bool | None = None,
        tools: Sequence[Tool] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]: ...
    def with_structured_output(
        self,
        schema: Any = None,
        *,
        method: str = "function_calling",
        include_raw: bool = False,
        strict: bool | None = None,
        tools: Sequence[Tool] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a Runnable whose output fits ``schema``: a pydantic class, a ``TypedDict``, a JSON schema.

        ``method`` is ``"json_schema"``, ``"function_calling"`` or ``"json_mode"``. Streams yield the partial
        object each time it grows. With ``include_raw`` the output is a dict of the message (``raw``), the
        object (``parsed``) and the error, if parsing failed (``parsing_error``).

        Raises :class:`~millstream.errors.TruncatedOutputError` for an answer that was cut off,
        :class:`~millstream.errors.ContentFilterError` for one that the provider's filter ended,
        :class:`~millstream.errors.RefusalError` for a refusal, and
        :class:`~millstream.exceptions.OutputParserException` for one that does not fit; a stream raises at its end.
        """
        from .structured_output import build_structured_model

        return build_structured_model(
            self, schema, method=method, include_raw=include_raw, strict=strict, tools=tools, kwargs=kwargs
        )


def _redact(tool: Any) -> Any:
    """Return a tool without the credentials for a server of the user's, as handlers and tracers see it."""
    if not isinstance(tool, Mapping) or tool.get("type") != "mcp":
        return tool
    return {**tool, **{name: "**REDACTED**" for name in ("headers", "authorization") if name in tool}}
