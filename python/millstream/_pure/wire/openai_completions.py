"""``openai.completions``: completion chunks, as OpenAI's SDKs read them."""

from ..delta import Delta
from ..text import join_surrogates
from .choices import ChoiceWire
from .wire import string

__all__ = ("CompletionsWire",)


class CompletionsWire(ChoiceWire):
    """A refusal is text. Reasoning and tool calls are left out."""

    __slots__ = ()

    lacks = ("sources", "data", "snapshots")

    prefix = "cmpl"
    object = b"text_completion"
    logprobs = ("tokens",)

    def text(self, out: bytearray, text: str) -> None:
        self._begun.add(0)
        self.record(out, b'{"index":0,"text":%b,"finish_reason":null}' % string(text))

    def delta(self, out: bytearray, delta: Delta) -> None:
        text = "".join(join_surrogates(piece) for piece in (delta.text, delta.refusal) if piece)
        logprobs = self._logprobs_member(delta)
        if text or logprobs:
            self._begun.add(delta.index)
            self.record(out, b'{"index":%d,"text":%b,%b"finish_reason":null}' % (delta.index, string(text), logprobs))
        self.answer.note_calls(delta.index, delta.tool_calls)

    def end_choice(self, index: int) -> bytes:
        return b'"text":""'
