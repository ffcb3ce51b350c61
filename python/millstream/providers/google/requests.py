"""``build_request_params``: a call as the parameters of a request; ``GeminiRequest``, which downloads media first."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import UnsupportedError
from ...messages.human import HumanMessage
from ...transport import AsyncResponse, Response
from ..http.arguments import refuse_in_call
from ..http.request import PendingRequest
from .contents import convert_messages
from .generation import (
    GENERATION,
    TOP_LEVEL,
    build_generation,
    convert_cached_content,
    convert_safety,
    dump,
    refuse_vertex,
)
from .media import Download
from .models import has_fixed_sampling
from .names import to_camel, to_snake
from .parts import PartConverter
from .tools import convert_tool_config, convert_tools

if TYPE_CHECKING:
    from ...messages.base import BaseMessage
    from .fields import GoogleFields

__all__ = ("GeminiRequest", "build_request_params")

_OPTIONS = ("timeout", "extra_headers", "extra_query", "extra_body")


class GeminiRequest(PendingRequest):
    """A pending request whose media are downloaded when it is sent: ``downloads``, each into its part.

    ``resends`` is how often it may be sent again; ``None``: as often as the model says.
    """

    __slots__ = ("_downloads", "_proxy", "_resends")

    def __init__(
        self,
        endpoint: GoogleFields,
        path: str,
        params: dict[str, Any],
        idle: float | None,
        *,
        downloads: Sequence[Download] = (),
        resends: int | None = None,
    ) -> None:
        super().__init__(endpoint, path, params, idle)
        self._downloads = [*downloads]
        self._proxy = endpoint._proxy_url
        self._resends = endpoint._max_resends if resends is None else resends

    @property
    def n(self) -> int | None:
        """The number of candidates that the body requests."""
        config = self.params.get("generationConfig") or {}
        n = config.get("candidateCount", 1)
        return n if type(n) is int and n > 0 else None

    @property
    def wants_logprobs(self) -> bool:
        """Whether the body requests log probabilities."""
        return bool((self.params.get("generationConfig") or {}).get("responseLogprobs"))

    def open(self) -> Response:
        """Download the media and send the request; see :meth:`PendingRequest.open`."""
        if self._downloads:
            from .downloads import download

            download(self._downloads, self._proxy)
            self._downloads = []
        return super().open()

    async def aopen(self) -> AsyncResponse:
        """:meth:`open` for async code."""
        if self._downloads:
            from .downloads import adownload

            await adownload(self._downloads, self._proxy)
            self._downloads = []
        return await super().aopen()

    @property
    def _max_resends(self) -> int:
        return self._resends


def build_request_params(
    model: GoogleFields, messages: Sequence[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Download]]:
    """Return the parameters of a request for ``messages``, and the media to download before it is sent.

    ``kwargs`` are the arguments of the call; ``stop`` replaces the model's own stop texts.
    """
    refuse_vertex(kwargs)
    refuse_in_call(model, kwargs)
    call = {**model.model_kwargs, **kwargs}
    converter = PartConverter(model.model)
    system, contents = convert_messages(
        [*_drop_empty(messages)], converter, model.model, system_to_human=model.convert_system_message_to_human
    )
    if not contents:
        raise ValueError("contents are required.")
    if has_fixed_sampling(model.model) and contents and contents[-1]["role"] == "model":
        raise ValueError(
            f"Model '{model.model}' does not support model prefilling. The final request turn must be a user message"
            " or a function response."
        )
    params: dict[str, Any] = {"contents": contents}
    if system is not None:
        params["systemInstruction"] = system
    _put_tools(params, call)
    settings = call.get("safety_settings")
    params["safetySettings"] = convert_safety(model.safety_settings if settings is None else settings)
    if cached := call.get("cached_content") or model.cached_content:
        params["cachedContent"] = convert_cached_content(cached)
    call.setdefault("labels", model.labels)
    params |= {to_camel(name): call[name] for name in TOP_LEVEL if call.get(name) is not None}
    params["generationConfig"] = build_generation(_list_generation(model, stop, call), model.model)
    return {**params, **_read_options(call)}, converter.downloads


def _drop_empty(messages: Sequence[BaseMessage]) -> Iterator[BaseMessage]:
    for message in messages:
        if isinstance(message, HumanMessage) and not message.content:
            warnings.warn("HumanMessage with empty content was removed to prevent API error", stacklevel=4)
        else:
            yield message


def _put_tools(params: dict[str, Any], call: Mapping[str, Any]) -> None:
    tools = convert_tools(call.get("tools") or call.get("functions"))
    if tools:
        params["tools"] = tools
    if (config := convert_tool_config(call.get("tool_choice"), call.get("tool_config"), tools)) is not None:
        params["toolConfig"] = config


def _list_generation(model: GoogleFields, stop: list[str] | None, call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the generation: the model's, replaced by the call's."""
    values: dict[str, Any] = {name: getattr(model, name, None) for name in GENERATION}
    values |= {"candidate_count": model.n, "stop_sequences": model.stop}
    values |= {name: call[name] for name in GENERATION if name in call}
    if stop is not None:
        values["stop_sequences"] = stop
    values["thinking_config"] = _merge_thinking(model, call)
    values |= _read_response_format(call)
    given = call.get("generation_config")
    # A response schema of this dict is sent as it is.
    return {**values, **{to_snake(key): value for key, value in (dump(given) if given else {}).items()}}


def _read_response_format(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters for ``response_format``, the argument of OpenAI's models for JSON."""
    format = call.get("response_format")
    if not isinstance(format, Mapping) or format.get("type") not in ("json_object", "json_schema"):
        return {}
    schema = format.get("json_schema", {}).get("schema")
    wanted = {"response_mime_type": "application/json", **({"response_json_schema": schema} if schema else {})}
    return {name: value for name, value in wanted.items() if name not in call}


def _merge_thinking(model: GoogleFields, call: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the configuration of thinking; single arguments replace the members of ``thinking_config``."""
    raw = call.get("thinking_config", model.thinking_config)
    config = {to_snake(key): value for key, value in (dump(raw) if raw else {}).items() if value is not None}
    effort = call.get("reasoning_effort", model.reasoning_effort)
    single = {
        "thinking_level": call.get("thinking_level", effort),
        "thinking_budget": call.get("thinking_budget", model.thinking_budget),
        "include_thoughts": call.get("include_thoughts", model.include_thoughts),
    }
    config |= {name: value for name, value in single.items() if value is not None}
    if "thinking_level" in config and "thinking_budget" in config:
        warnings.warn(
            "Both 'thinking_level' and 'thinking_budget' were set after merging thinking configuration values."
            " 'thinking_level' takes precedence for Gemini 3+ models; 'thinking_budget' will be ignored.",
            UserWarning,
            stacklevel=2,
        )
        del config["thinking_budget"]
    return config if config or raw is not None else None


def _read_options(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the request; those of ``http_options`` are named as in Google's SDK."""
    options = {name: call[name] for name in _OPTIONS if call.get(name) is not None}
    given = dump(call["http_options"]) if call.get("http_options") else {}
    named = {to_snake(key): value for key, value in given.items() if value is not None}
    if unknown := sorted(named.keys() - {"headers", "timeout", "extra_body"}):
        raise UnsupportedError(f"http_options: {', '.join(unknown)}: set this on the model")
    if "headers" in named:
        options["extra_headers"] = {**named["headers"], **options.get("extra_headers", {})}
    if "timeout" in named:
        # Google's SDK counts milliseconds.
        options.setdefault("timeout", named["timeout"] / 1000)
    if "extra_body" in named:
        options["extra_body"] = {**named["extra_body"], **options.get("extra_body", {})}
    return options
