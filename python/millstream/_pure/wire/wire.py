"""The base of all wires, with the settings and the state of an answer, and the parts that a wire may not have."""

from typing import Any

from ..._values import whole_text, write_kept, write_string
from ..delta import Delta, ToolCallDelta
from ..json import LazyJson
from .compact import compact_json

__all__ = ("Answer", "Failure", "Wire", "kept_json", "kept_text", "string")

# The words of other providers that OpenAI has one for.
_REASONS = {
    **dict.fromkeys(("end_turn", "stop_sequence", "STOP", "COMPLETE", "STOP_SEQUENCE", "completed"), "stop"),
    **dict.fromkeys(("eos", "word"), "stop"),
    **dict.fromkeys(("max_tokens", "MAX_TOKENS", "limit", "incomplete:max_output_tokens"), "length"),
    **dict.fromkeys(("model_context_window_exceeded",), "length"),
    **dict.fromkeys(("tool_use", "TOOL_CALL"), "tool_calls"),
    **dict.fromkeys(("refusal", "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT"), "content_filter"),
    **dict.fromkeys(("SPII", "IMAGE_SAFETY", "guardrail_intervened", "content_filtered"), "content_filter"),
    **dict.fromkeys(("incomplete:content_filter",), "content_filter"),
}


class Answer:
    """One answer: its settings, and the state that is written at its end."""

    __slots__ = (
        *("all_choices", "calls_begun", "calling", "created", "finish_reasons", "id", "include_usage", "model"),
        *("run_id", "thread_id", "usage", "wire"),
    )

    def __init__(self, wire: str, id: str, created: int, **options: Any) -> None:
        self.wire = wire
        self.id = id
        self.created = created
        self.model: str = options["model"]
        self.include_usage: bool = options["include_usage"]
        self.all_choices: bool = options["all_choices"]
        self.thread_id: str = options["thread_id"] or id
        self.run_id: str = options["run_id"] or id
        self.finish_reasons: dict[int, str] = {}
        """The last finish reason of each choice, in the provider's word."""
        self.usage: Any = None
        """The last usage, which is read at the end: some servers count with every token."""
        self.calls_begun = 0
        """How many tool calls have begun: a call without an id is named after it."""
        self.calling: set[int] = set()
        """The choices that have called a tool, whose result is not known."""

    def remember(self, delta: Delta) -> None:
        """Keep the finish reason and the usage of ``delta`` for the end."""
        if delta.finish_reason:
            self.finish_reasons[delta.index] = delta.finish_reason
        usage = delta._fields[7]
        if usage is not None and self.include_usage:
            self.usage = usage

    def finish_reason(self, index: int = 0) -> str:
        """Return the finish reason of a choice, in OpenAI's word where there is one; without any it ended by itself.

        A choice that called tools and ended by itself, for a provider that has no word for that, waits for them.
        """
        reason = self.finish_reasons.get(index, "")
        word = "content_filter" if reason.startswith("blocked:") else _REASONS.get(reason, reason) or "stop"
        return "tool_calls" if word == "stop" != reason and index in self.calling else word

    def begin_call(self, index: int, id: str | None) -> str:
        """Note that a choice calls a tool, and return the call's id: the provider's, or one that is made."""
        self.calling.add(index)
        self.calls_begun += 1
        return id or f"call_{self.id}_{self.calls_begun}"

    def note_calls(self, index: int, pieces: tuple[ToolCallDelta, ...]) -> None:
        """Note that a choice calls a tool, for a wire that does not follow its calls; arguments alone call none."""
        if any(piece.id or piece.name for piece in pieces):
            self.calling.add(index)

    def begin_step(self) -> None:
        """Note that a tool has returned: the model's next message has a finish reason of its own."""
        self.calling.clear()
        self.finish_reasons.clear()


class Failure:
    """The error that ends an answer: the arguments of ``WireWriter.fail``."""

    __slots__ = ("code", "message", "status", "type")

    def __init__(self, message: str, type: str, code: str | None, status: int) -> None:
        self.message = message
        self.type = type
        self.code = code
        self.status = status


class Wire:
    """The base of the wires. Each method appends records to ``out``; strings are not empty and have no surrogates.

    :class:`WireWriter` checks arguments, passes choices over that are not to be written, and remembers finish
    reasons and usage.
    """

    __slots__ = ("answer",)

    lacks: tuple[str, ...] = ()
    """The parts that the wire cannot carry; their methods are not called."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def start(self, out: bytearray) -> None:
        """Write the records before the first delta."""

    def text(self, out: bytearray, text: str) -> None:
        """Write a piece of choice 0's text: the most frequent call."""
        raise NotImplementedError

    def delta(self, out: bytearray, delta: Delta) -> None:
        """Write a delta."""
        raise NotImplementedError

    def tool_result(self, out: bytearray, tool_call_id: str, text: str) -> None:
        """Write a tool's result; a wire without results of tools leaves it out."""

    def source(self, out: bytearray, url: str, title: str, id: str) -> None:
        """Write a source that the answer cites."""
        raise NotImplementedError

    def data(self, out: bytearray, document: bytes) -> None:
        """Write a JSON value that is neither text nor a message."""
        raise NotImplementedError

    def snapshot(self, out: bytearray, text: str, dropped: int) -> None:
        """Write the record that replaces ``dropped`` records, which were not sent; ``text`` is all text so far."""
        raise NotImplementedError

    def fail(self, out: bytearray, failure: Failure) -> None:
        """Write the end of an answer that failed."""
        raise NotImplementedError

    def close(self, out: bytearray) -> None:
        """Write the end of an answer that is complete."""
        raise NotImplementedError


def string(text: str) -> bytes:
    """Return ``text`` as a JSON string. Only the deltas that users make have lone surrogates."""
    try:
        return write_string(text)
    except TypeError:
        return write_string(whole_text(text))


def kept_text(value: Any) -> str:
    """Return the JSON text of a delta's usage, log probabilities or audio, as the provider or a user wrote it."""
    return value.cut() if isinstance(value, LazyJson) else write_kept(value)


def kept_json(value: Any) -> bytes:
    """Return such a value as it is embedded in a record."""
    return compact_json(kept_text(value))
