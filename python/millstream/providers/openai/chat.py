"""``ChatOpenAI``: chat completions of OpenAI, or of any server with its protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from ..._fields import field
from .base_chat import BaseChatOpenAI

if TYPE_CHECKING:
    from ...language_models.prompt_text import LanguageModelInput
    from ...language_models.schemas import Tool
    from ...runnables.runnable import Runnable
    from .constructors import ChatArguments

__all__ = ("ChatOpenAI",)


class ChatOpenAI(BaseChatOpenAI):
    """Chat models over OpenAI's protocol: those of OpenAI, and of vLLM, llama.cpp, LiteLLM and other servers.

    The arguments, methods and results are those of ``langchain_openai.ChatOpenAI``. ::

        from millstream import ChatOpenAI

        model = ChatOpenAI(model="gpt-4o-mini", temperature=0)
        for chunk in model.stream("Write me a 1 verse song about sparkling water."):
            print(chunk.text, end="|", flush=True)

    A call uses chat completions, or the Responses API where LangChain uses it: with ``use_responses_api=True``,
    ``output_version="responses/v1"``, ``reasoning``, ``include``, tools that OpenAI runs, and some models. Refusals and
    ``reasoning_content``, for which a message has no field, are in its ``additional_kwargs``.

    All arguments are keywords. The answer:

    ``model``, ``model_name``
        the model's name.
    ``temperature``, ``top_p``, ``presence_penalty``, ``frequency_penalty``, ``logit_bias``, ``seed``
        how tokens are chosen; what is left out is the server's decision.
    ``max_tokens``, ``max_completion_tokens``
        the most tokens of the answer.
    ``stop``, ``stop_sequences``
        texts before which the answer ends.
    ``n``
        the number of answers; :meth:`generate` returns all of them.
    ``logprobs``, ``top_logprobs``
        request the log probabilities of tokens, and of so many alternatives.
    ``reasoning_effort``, ``reasoning``, ``verbosity``
        how much the model thinks, what it reports of that (a dict of the Responses API), and how much it writes.
    ``model_kwargs``, ``extra_body``
        other parameters of the request: those of OpenAI's API, and those of other servers. The first ones may be
        arguments of the constructor too, with a warning.
    ``disabled_params``
        parameters that the model does not accept, such as ``{"parallel_tool_calls": None}``.

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

    Streams, messages and runs:

    ``stream_usage``
        request the token counts of streams; by default where the server is OpenAI's.
    ``include_response_headers``
        put the response's headers into ``response_metadata``.
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

    The Responses API:

    ``use_responses_api``
        ``True`` or ``False`` decides for all calls.
    ``use_previous_response_id``
        send the messages after the last answer alone, with that answer's id.
    ``include``, ``store``, ``truncation``, ``context_management``, ``service_tier``, ``prompt_cache_options``
        are parameters of its requests; ``store`` and ``service_tier`` are those of chat completions too.

    ``http_socket_options`` and ``tiktoken_model_name`` are accepted, and change nothing; ``client`` and
    ``async_client`` must be ``None``.

    Raises :class:`TypeError` for unknown arguments and values of another type, :class:`ValueError` for arguments that
    contradict each other, and :class:`~millstream.errors.MillstreamError` without an API key. Calls raise the errors of
    :mod:`millstream.errors`: :class:`~millstream.RateLimitError`, :class:`~millstream.APITimeoutError`,
    :class:`~millstream.StreamTruncatedError` and the others.
    """

    if TYPE_CHECKING:

        def __init__(self, **arguments: Unpack[ChatArguments]) -> None: ...

    max_tokens: int | None = field(default=None, alias="max_completion_tokens")

    @property
    def _default_params(self) -> dict[str, Any]:
        return _rename_max_tokens(super()._default_params)

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        params = _rename_max_tokens(super()._get_request_payload(input_, stop=stop, **kwargs))
        if re.match(r"^o\d", self.model_name or ""):
            # These models have the role `developer` instead of `system`.
            for message in params.get("messages", ()):
                if message["role"] == "system":
                    message["role"] = "developer"
        return params

    if not TYPE_CHECKING:  # its types are those of the base class

        def with_structured_output(
            self,
            schema: Any = None,
            *,
            method: str = "json_schema",
            include_raw: bool = False,
            strict: bool | None = None,
            tools: Sequence[Tool] | None = None,
            **kwargs: Any,
        ) -> Runnable[LanguageModelInput, Any]:
            """Return a Runnable whose output fits ``schema``; see :meth:`BaseChatOpenAI.with_structured_output`."""
            return super().with_structured_output(
                schema, method=method, include_raw=include_raw, strict=strict, tools=tools, **kwargs
            )


def _rename_max_tokens(params: dict[str, Any]) -> dict[str, Any]:
    """Rename ``max_tokens`` to its newer name in ``params``, and return them."""
    if "max_tokens" in params:
        params["max_completion_tokens"] = params.pop("max_tokens")
    return params
