"""``ChatAnthropic``: the Messages API of Anthropic, or of any server with its protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from ...language_models.model_type import ModelCall
from ..http.arguments import refuse_in_call
from ..http.request import PendingRequest
from .fields import AnthropicFields
from .payload import build_payload, format_conversation
from .request import AnthropicRequest
from .stream_reader import AnthropicReader

if TYPE_CHECKING:
    from ...language_models.prompt_text import LanguageModelInput
    from ...language_models.schemas import Schema, SchemaClass, StructuredAnswer, Tool
    from ...messages.ai import AIMessage
    from ...runnables.runnable import Runnable
    from .constructors import AnthropicChatArguments

__all__ = ("ChatAnthropic",)

SchemaMethod = Literal["function_calling", "json_schema"]


class ChatAnthropic(AnthropicFields):
    """Chat models of Anthropic, with the arguments of ``langchain_anthropic.ChatAnthropic``.

    ``http_client`` and ``http_async_client`` accept clients of httpx2 or httpx, or a
    :class:`~millstream.transport.Transport`. Parameters of the endpoint without a field are sent in the
    request's body, with a warning; parameters of other servers are passed as ``extra_body``. ::

        model = ChatAnthropic(model="claude-haiku-4-5")
        for chunk in model.stream("Write me a 1 verse song about sparkling water."):
            print(chunk.text, end="|", flush=True)

    The content of chunks is text, or a list of blocks where the request has tools, thinking or documents to cite.

    Raises :class:`TypeError` for unknown arguments and values of another type, :class:`ValueError` for
    arguments that contradict each other, and :class:`~millstream.errors.MillstreamError` without an API key.
    """

    if TYPE_CHECKING:

        def __init__(self, **arguments: Unpack[AnthropicChatArguments]) -> None: ...

    def _build_pending(self, call: ModelCall, *, stream: bool) -> PendingRequest:
        kwargs = {key: value for key, value in call.kwargs.items() if key not in ("stream", "stream_usage")}
        if stream:
            kwargs["stream"] = True
        stream_usage = call.kwargs.get("stream_usage")
        payload = self._get_request_payload(call.prompt, stop=call.stop, **kwargs)
        return AnthropicRequest(
            self,
            payload,
            (self.stream_chunk_timeout or None) if stream else None,
            stream_usage=self.stream_usage if stream_usage is None else bool(stream_usage),
        )

    def _create_reader(self, pending: PendingRequest, *, stream: bool) -> AnthropicReader:
        return AnthropicReader(pending.options)  # type: ignore[attr-defined]

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Return the parameters in the body and the headers of a request, and options such as ``timeout``."""
        kwargs.pop("ls_structured_output_format", None)
        refuse_in_call(self, kwargs)
        return build_payload(self, self._model_type.prompt(input_), stop, kwargs)

    # Tools.

    def bind_tools(
        self,
        tools: Sequence[Tool],
        *,
        tool_choice: dict[str, Any] | str | None = None,
        parallel_tool_calls: bool | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model with ``tools`` that it may call.

        A tool is a function with annotations and a docstring, a pydantic class, a ``TypedDict``, or a dict: one that
        describes a tool, or one of Anthropic's own tools. ``tool_choice`` is a tool's name, ``"auto"``, ``"any"`` or
        Anthropic's dict. ``strict`` requires arguments to fit their schemas; ``parallel_tool_calls=False`` allows one
        call at a time.
        """
        from .tools import build_tool_arguments

        arguments = build_tool_arguments(
            tools,
            tool_choice=tool_choice,
            strict=strict,
            parallel_tool_calls=parallel_tool_calls,
            thinking=self.thinking,
        )
        return self.bind(**arguments, **kwargs)

    @overload
    def with_structured_output(
        self,
        schema: type[SchemaClass],
        *,
        include_raw: Literal[False] = False,
        method: SchemaMethod = ...,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, SchemaClass]: ...
    @overload
    def with_structured_output(
        self,
        schema: type[SchemaClass],
        *,
        include_raw: Literal[True],
        method: SchemaMethod = ...,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, StructuredAnswer[SchemaClass]]: ...
    @overload
    def with_structured_output(
        self,
        schema: Schema,
        *,
        include_raw: Literal[False] = False,
        method: SchemaMethod = ...,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any]]: ...
    @overload
    def with_structured_output(
        self,
        schema: Schema,
        *,
        include_raw: Literal[True],
        method: SchemaMethod = ...,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, StructuredAnswer[dict[str, Any]]]: ...
    @overload
    def with_structured_output(
        self,
        schema: Any,
        *,
        include_raw: bool,
        method: SchemaMethod = ...,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]: ...
    def with_structured_output(
        self,
        schema: Any,
        *,
        include_raw: bool = False,
        method: str = "function_calling",
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a Runnable whose output fits ``schema``: a pydantic class, a ``TypedDict``, a JSON schema.

        ``method`` is ``"function_calling"``, a tool that the model has to call, or ``"json_schema"``. Streams yield
        the partial object each time it grows. With ``include_raw`` the output is a dict of the message (``raw``), the
        object (``parsed``) and the error, if parsing failed (``parsing_error``).

        Raises :class:`~millstream.errors.TruncatedOutputError` for an answer that was cut off,
        :class:`~millstream.errors.RefusalError` for a refusal, and
        :class:`~millstream.exceptions.OutputParserException` for one that does not fit; a stream raises at its end.
        """
        if kwargs:
            raise ValueError(f"Received unsupported arguments {kwargs}")
        from .structured_output import build_structured_model

        return build_structured_model(self, schema, method=method, include_raw=include_raw, strict=strict)

    def get_num_tokens_from_messages(
        self, messages: list[Any], tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """Return the number of tokens that ``messages`` and ``tools`` are, which the server counts."""
        from .token_counts import count_tokens

        system, turns = format_conversation(self, messages)
        return count_tokens(self, system, turns, tools, kwargs)
