"""``Answer``: a Runnable's whole output as OpenAI's APIs describe an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..._backend import Delta, ToolCallDelta
from ..._merge import add_counts
from ...callbacks.handlers import BaseCallbackHandler
from ...callbacks.values_from_langchain import from_langchain
from ...events.record_writer import RecordWriter
from ...messages.ai import AIMessage
from ...messages.base import BaseMessage
from ...messages.openai import openai_calls
from ...outputs import LLMResult
from ...wires.message_deltas import as_openai_usage, read_reason, read_texts

__all__ = ("Answer", "AnswerRecorder", "read_output")

_JSON = RecordWriter(format="ndjson")


@dataclass(frozen=True)
class Answer:
    """One answer. ``tool_calls`` are in OpenAI's form; ``usage`` has OpenAI's names, or is ``None`` if unknown."""

    text: str = ""
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: Sequence[Mapping[str, Any]] = ()
    function_call: Mapping[str, Any] | None = None
    audio: Mapping[str, Any] | None = None
    finish_reason: str | None = None
    logprobs: Mapping[str, Any] | None = None
    usage: Mapping[str, Any] | None = None
    fingerprint: str | None = None

    @property
    def reason(self) -> str:
        """The finish reason; an answer without one ended by itself, or with its calls."""
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")

    def as_delta(self) -> Delta:
        """Return the answer as one delta."""
        calls = [
            ToolCallDelta(place, call["id"], call["function"]["name"], call["function"]["arguments"])
            for place, call in enumerate(self.tool_calls)
        ]
        return Delta(
            0,
            text=self.text or None,
            reasoning=self.reasoning,
            refusal=self.refusal,
            tool_calls=tuple(calls),
            finish_reason=self.reason,
            usage=self.usage,
            logprobs=self.logprobs,
        )


@dataclass(eq=False)
class AnswerRecorder(BaseCallbackHandler):
    """Notes what a Runnable's output does not have: the usage of its models, and how the last of them ended."""

    usages: list[Mapping[str, Any]] = field(default_factory=list)
    info: Mapping[str, Any] = field(default_factory=dict)

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Note the usage and the info of a model's answer."""
        choices = response.generations[0] if response.generations else []
        if not choices:
            return
        message = getattr(choices[0], "message", None)
        usage = _read_usage(message) if message is not None else None
        if usage is None:
            usage = (response.llm_output or {}).get("token_usage")
        if usage:
            self.usages.append(usage)
        self.info = {**(choices[0].generation_info or {}), **(getattr(message, "response_metadata", None) or {})}

    @property
    def usage(self) -> dict[str, Any] | None:
        """The sum of the usages; ``None`` if none is known."""
        return add_counts(self.usages) or None

    def finish_reason(self, *, calls_tools: bool) -> str | None:
        """Return how the last model ended, unless it called tools that the answer does not call.

        The Runnable ran those itself, or made its output of their calls.
        """
        reason = read_reason(self.info, calls_tools=calls_tools)
        return None if reason in ("tool_calls", "function_call") and not calls_tools else reason

    def complete(self, answer: Answer) -> Answer:
        """Return ``answer`` with what was noted."""
        reason = answer.finish_reason or self.finish_reason(calls_tools=bool(answer.tool_calls))
        usage = self.usage or answer.usage
        logprobs = answer.logprobs or self.info.get("logprobs")
        return replace(answer, finish_reason=reason, usage=usage, logprobs=logprobs)


def read_output(output: Any) -> Answer:
    """Return the answer in a Runnable's output.

    A text and a model's message are an answer, of a graph's state the last message is. Another message is its text.
    Any other value is written as JSON: the text of a structured answer.
    """
    output = from_langchain(output)
    if isinstance(output, dict) and isinstance(messages := output.get("messages"), list | tuple) and messages:
        last = from_langchain(messages[-1])
        output = last if isinstance(last, BaseMessage) else output
    if isinstance(output, str):
        return Answer(output)
    if isinstance(output, AIMessage):
        return _read_message(output)
    if isinstance(output, BaseMessage):
        return Answer(output.text)
    return Answer("" if output is None else _JSON.write(output).decode().rstrip("\n"))


def _read_message(message: AIMessage) -> Answer:
    kwargs, metadata = message.additional_kwargs, message.response_metadata
    text, reasoning, refusal = read_texts(message, kwargs)
    calls = openai_calls(message.tool_calls, message.invalid_tool_calls)
    return Answer(
        text,
        reasoning=reasoning or None,
        refusal=refusal or None,
        tool_calls=calls,
        function_call=kwargs.get("function_call"),
        audio=kwargs.get("audio"),
        finish_reason=read_reason(metadata, calls_tools=bool(calls)),
        logprobs=metadata.get("logprobs"),
        usage=_read_usage(message),
        fingerprint=metadata.get("system_fingerprint"),
    )


def _read_usage(message: Any) -> dict[str, Any] | None:
    """Return the counts of a message under OpenAI's names, as the provider sent them if it has these names too."""
    raw = message.response_metadata.get("token_usage")
    if isinstance(raw, Mapping) and "prompt_tokens" in raw:
        return dict(raw)
    return as_openai_usage(message.usage_metadata) if isinstance(message, AIMessage) else None
