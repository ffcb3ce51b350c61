"""``ChatGoogleGenerativeAI``: Google's Gemini models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from ..._values import read_json
from ...language_models.model_type import ModelCall
from ..http.request import PendingRequest
from ..message_reader import MessageReader
from .body import CollectedBody
from .fields import GoogleFields
from .reader import GeminiReader
from .requests import GeminiRequest, build_request_params

if TYPE_CHECKING:
    from ...language_models.prompt_text import LanguageModelInput
    from ...language_models.schemas import Schema, SchemaClass, SchemaMethod, StructuredAnswer, Tool
    from ...messages.ai import AIMessage
    from ...runnables.config import RunnableConfig
    from ...runnables.runnable import Runnable
    from .constructors import GoogleChatArguments

__all__ = ("ChatGoogleGenerativeAI",)


class ChatGoogleGenerativeAI(GoogleFields):
    """Google's Gemini models, by the Gemini API.

    The arguments, methods and results are those of ``langchain_google_genai.ChatGoogleGenerativeAI``. ::

        from millstream import ChatGoogleGenerativeAI

        model = ChatGoogleGenerativeAI(model="gemini-2.5-flash", include_thoughts=True)
        for chunk in model.stream("Write me a 1 verse song about sparkling water."):
            print(chunk.text, end="|", flush=True)

    Images and documents at HTTP URLs are downloaded when the request is sent.

    All arguments are keywords. The answer:

    ``model``
        the model's name.
    ``temperature``, ``top_p``, ``top_k``, ``presence_penalty``, ``frequency_penalty``, ``seed``
        how tokens are chosen.
    ``max_output_tokens``, ``max_tokens``
        the most tokens of the answer.
    ``stop``, ``stop_sequences``
        texts before which the answer ends.
    ``n``, ``candidate_count``
        the number of answers; :meth:`generate` returns all of them.
    ``include_thoughts``, ``thinking_budget``, ``thinking_level``, ``reasoning_effort``, ``thinking_config``
        whether answers have the model's thoughts, and how much it thinks: in tokens, as a word, or as the API's dict.
    ``response_mime_type``, ``response_schema``
        the format of the answer: ``"application/json"``, and a JSON schema.
    ``response_modalities``, ``media_resolution``, ``image_config``
        text, images or audio as the answer, and the size of images in the request and in the answer.
    ``safety_settings``, ``cached_content``, ``labels``
        thresholds of the content filter, a cached context's name, and labels for the bill.
    ``convert_system_message_to_human``
        put the system message in front of the first message, for models without one.
    ``model_kwargs``, ``extra_body``
        other parameters of the request.

    The server:

    ``api_key``, ``google_api_key``
        a text, a ``SecretStr``, or a function that returns the key for each request; by default ``GOOGLE_API_KEY`` or
        ``GEMINI_API_KEY`` of the environment.
    ``base_url``, ``client_options``, ``api_version``
        the address of another server with Gemini's protocol (or ``{"api_endpoint": …}``), without the version in its
        paths, and that version.
    ``additional_headers``, ``default_headers``, ``default_query``
        are added to each request. ``default_metadata`` (``default_metadata_input``) is set from the first of them.
    ``client_args``
        ``{"proxy": …}``, a proxy's address.
    ``http_client``, ``http_async_client``
        a client of httpx2 or httpx, or a :class:`~millstream.transport.Transport`, that sends the requests.
    ``transport``
        ``"native"`` or ``"httpx2"``; by default the package's own transport, where it can send the request.

    ``vertexai``, ``credentials``, ``project`` and ``location`` select Vertex AI, which is not supported; ``client``
    must be ``None``.

    Waits and retries:

    ``timeout``, ``request_timeout``
        the seconds for the connection, for the response's head and for each read; ``(connect, read)``, or an
        ``httpx.Timeout``.
    ``max_retries``, ``retries``
        how often a request is sent at most, the first time included, as in LangChain.
    ``stream_chunk_timeout``
        the longest wait for content in a stream, in seconds, whatever keep-alives arrive. ``None``: no limit.
    ``total_timeout``
        the seconds for a whole answer, all tries and the waits between them included.
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

    Raises :class:`TypeError` for unknown arguments and values of another type, :class:`ValueError` for values out of
    range, :class:`~millstream.errors.MillstreamError` without an API key, and
    :class:`~millstream.errors.UnsupportedError` for arguments that select Vertex AI. Calls raise the errors of
    :mod:`millstream.errors`: :class:`~millstream.RateLimitError`, :class:`~millstream.StreamTruncatedError` and the
    others.
    """

    if TYPE_CHECKING:

        def __init__(self, **arguments: Unpack[GoogleChatArguments]) -> None: ...

    _stream_format = "gemini.generate"

    def _build_pending(self, call: ModelCall, *, stream: bool) -> PendingRequest:
        kwargs = {name: value for name, value in call.kwargs.items() if name not in _NOT_SENT}
        messages = self._model_type.prompt(call.prompt)
        params, downloads = build_request_params(self, messages, call.stop, kwargs)
        path = f"/{self._model_path}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")
        tries = kwargs.get("max_retries")
        return GeminiRequest(
            self,
            path,
            params,
            (self.stream_chunk_timeout or None) if stream else None,
            downloads=downloads,
            resends=None if tries is None else max(tries - 1, 0),
        )

    def _create_reader(self, pending: PendingRequest, *, stream: bool) -> MessageReader:
        return GeminiReader(wants_logprobs=isinstance(pending, GeminiRequest) and pending.wants_logprobs)

    def invoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        code_execution: bool | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Return the answer; with ``code_execution`` the model may run code to find it."""
        if code_execution is not None:
            if kwargs.get("tools"):
                raise ValueError("Tools are already defined.code_execution tool can't be defined")
            kwargs["tools"] = [{"code_execution": {}}]
        return super().invoke(input, config, stop=stop, **kwargs)

    def get_num_tokens(self, text: str) -> int:
        """Return the number of tokens of ``text``, as Gemini counts them."""
        pending = GeminiRequest(
            self, f"/{self._model_path}:countTokens", {"contents": [{"parts": [{"text": text}]}]}, None
        )
        body = CollectedBody("the answer", self.max_response_size)
        pending.read(body)
        count = read_json(bytes(body.data).decode()).get("totalTokens")
        return count if isinstance(count, int) else 0

    # Tools.

    def bind_tools(
        self,
        tools: Sequence[Tool],
        tool_config: Any = None,
        *,
        tool_choice: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model with ``tools`` that it may call.

        A tool is a function with annotations and a docstring, a pydantic class, a ``TypedDict``, a dict that
        describes one, or one of Google's own, such as ``{"google_search": {}}``. ``tool_choice`` is a tool's
        name, a list of names, ``"auto"``, ``"none"``, ``"any"``, ``"required"`` or ``True`` (any of them);
        ``tool_config`` has the rest of Gemini's configuration, such as ``retrieval_config``.
        """
        from .tools import bind_format

        if tool_choice:
            kwargs["tool_choice"] = tool_choice
        if tool_config:
            kwargs["tool_config"] = tool_config
        return self.bind(tools=bind_format(tools), **kwargs)

    @overload
    def with_structured_output(
        self,
        schema: type[SchemaClass],
        method: SchemaMethod | None = ...,
        *,
        include_raw: Literal[False] = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, SchemaClass]: ...
    @overload
    def with_structured_output(
        self,
        schema: type[SchemaClass],
        method: SchemaMethod | None = ...,
        *,
        include_raw: Literal[True],
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, StructuredAnswer[SchemaClass]]: ...
    @overload
    def with_structured_output(
        self, schema: Schema, method: SchemaMethod | None = ..., *, include_raw: Literal[False] = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, dict[str, Any]]: ...
    @overload
    def with_structured_output(
        self, schema: Schema, method: SchemaMethod | None = ..., *, include_raw: Literal[True], **kwargs: Any
    ) -> Runnable[LanguageModelInput, StructuredAnswer[dict[str, Any]]]: ...
    @overload
    def with_structured_output(
        self, schema: Any, method: SchemaMethod | None = ..., *, include_raw: bool, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]: ...
    def with_structured_output(
        self, schema: Any, method: str | None = "json_schema", *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a Runnable whose output fits ``schema``: a pydantic class, a ``TypedDict``, a JSON schema.

        ``method`` is ``"json_schema"``, its older name ``"json_mode"``, or ``"function_calling"``. Streams yield the
        partial object each time it grows. With ``include_raw`` the output is a dict of the message (``raw``), the
        object (``parsed``) and the error, if parsing failed (``parsing_error``).

        Raises :class:`~millstream.errors.TruncatedOutputError` for an answer that was cut off,
        :class:`~millstream.errors.ContentFilterError` for one that the provider's filter ended, and
        :class:`~millstream.exceptions.OutputParserException` for one that does not fit; a stream raises at its end.
        """
        from .structured_output import build_structured_model

        return build_structured_model(self, schema, method=method, include_raw=include_raw, kwargs=kwargs)


# Arguments of a call that describe it for handlers.
_NOT_SENT = frozenset({"ls_structured_output_format", "stream"})
