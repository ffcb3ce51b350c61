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
    """Chat models of Anthropic, and of servers with its Messages API.

    The arguments, methods and results are those of ``langchain_anthropic.ChatAnthropic``. ::

        from millstream import ChatAnthropic

        model = ChatAnthropic(model="claude-haiku-4-5")
        for chunk in model.stream("Write me a 1 verse song about sparkling water."):
            print(chunk.text, end="|", flush=True)

    The content of chunks is text, or a list of blocks where the request has tools, thinking or documents to cite.

    All arguments are keywords. The answer:

    ``model``, ``model_name``
        the model's name.
    ``max_tokens``, ``max_tokens_to_sample``
        the most tokens of the answer; by default the model's own limit.
    ``temperature``, ``top_k``, ``top_p``
        how tokens are chosen.
    ``stop``, ``stop_sequences``
        texts before which the answer ends.
    ``thinking``, ``effort``, ``reasoning_effort``, ``output_config``
        whether and how much the model thinks: ``{"type": "enabled", "budget_tokens": 2000}``, ``"low"`` to ``"max"``,
        and the API's dict for both effort and format.
    ``mcp_servers``, ``container``, ``reuse_last_container``
        servers of tools that Anthropic calls, and the container in which its code runs.
    ``context_management``, ``betas``, ``inference_geo``, ``user_profile_id``
        parameters and headers of the API; the betas that a parameter needs are added to ``betas``.
    ``model_kwargs``, ``extra_body``
        other parameters of the request: those of Anthropic's API, and those of other servers. The first ones may be
        arguments of the constructor too, with a warning.

    The server:

    ``api_key``, ``anthropic_api_key``
        a text, a ``SecretStr``, or a function that returns the key for each request; by default ``ANTHROPIC_API_KEY``
        of the environment.
    ``base_url``, ``anthropic_api_url``
        the address, without ``/v1``; by default ``ANTHROPIC_API_URL`` or ``ANTHROPIC_BASE_URL`` of the environment, or
        else Anthropic's.
    ``anthropic_proxy``
        a proxy's address; by default ``ANTHROPIC_PROXY`` of the environment.
    ``default_headers``, ``default_query``
        are added to each request.
    ``http_client``, ``http_async_client``
        a client of httpx2 or httpx, or a :class:`~millstream.transport.Transport`, that sends the requests.
    ``transport``
        ``"native"`` or ``"httpx2"``; by default the package's own transport, where it can send the request.

    Waits and retries:

    ``timeout``, ``default_request_timeout``
        the seconds for the connection, for the response's head and for each read; ``(connect, read)``, or an
        ``httpx.Timeout``.
    ``stream_chunk_timeout``
        the longest wait for content in a stream, in seconds, whatever keep-alives arrive. ``None``: no limit.
    ``total_timeout``
        the seconds for a whole answer, all tries and the waits between them included.
    ``max_retries``
        how often a request is sent again after a failed connection, a timeout, 408, 409, 429 or 5xx.
    ``max_response_size``
        the most bytes of an answer without streaming.

    Streams, messages and runs:

    ``stream_usage``
        whether chunks have token counts.
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
    contradict each other, and :class:`~millstream.errors.MillstreamError` without an API key. Calls raise the errors of
    :mod:`millstream.errors`: :class:`~millstream.RateLimitError`, :class:`~millstream.APITimeoutError`,
    :class:`~millstream.StreamTruncatedError` and the others.
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
