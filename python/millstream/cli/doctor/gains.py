"""The gain of each change: the sentences of the report, with the figures of `docs/benchmarks.md`.

A test compares the two: each row that a gain names measured at least its factor, and no more than four times it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("GAINS", "Gain")


@dataclass(frozen=True, slots=True)
class Gain:
    """A sentence, its figure if there is one, and the benchmarks that measured it: their titles and the peer's key."""

    text: str
    factor: float | None = None
    rows: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return the sentence, with its figure."""
        return self.text if self.factor is None else f"at least {self.factor:g}× less CPU time {self.text}"


_LANGCHAIN = "langchain"
_READS = "1,000 chunks, one event per read"
_ENDS = "per chunk; a cut or stalled stream raises"
_OF_A_CHAIN = "per chunk of prompt | model | parser"


def _rows(title: str, peer: str = _LANGCHAIN) -> tuple[tuple[str, str], ...]:
    """Return the benchmarks of a method, sync and async, with the key of their peer."""
    return tuple((title.format(method, reads=_READS), peer) for method in ("stream", "astream"))


_KEPT_CHAT = Gain(_ENDS, 20, _rows("LangChain app, ChatOpenAI.{}: chat, {reads}"))
_KEPT_TEXT = Gain(_ENDS, 20, _rows("LangChain app, OpenAI.{}: completions, {reads}"))
_CHAT = Gain(_ENDS, 100, _rows("ChatOpenAI.{} and langchain-openai's: chat, {reads}"))
_OTHERS = {
    ("keep", "ChatAnthropic"): Gain(_ENDS, 4, _rows("LangChain app, ChatAnthropic.{}: anthropic.messages, {reads}")),
    # It reads over its own connections alone, which cannot be measured in memory.
    ("keep", "ChatGoogleGenerativeAI"): Gain(f"less CPU time {_ENDS}"),
    ("keep", "ChatOllama"): Gain(_ENDS, 3, _rows("LangChain app, ChatOllama.{}: ollama.chat, {reads}")),
    ("leave", "ChatAnthropic"): Gain(
        _ENDS, 20, _rows("ChatAnthropic.{} and langchain-anthropic's: anthropic.messages, {reads}")
    ),
    ("leave", "ChatGoogleGenerativeAI"): Gain(
        _ENDS, 10, _rows("ChatGoogleGenerativeAI.{} and langchain-google-genai's: gemini.generate, {reads}")
    ),
    ("leave", "ChatOllama"): Gain(_ENDS, 15, _rows("ChatOllama.{} and langchain-ollama's: ollama.chat, {reads}")),
}
_CALL = "openai SDK app, {}OpenAI.chat.completions.create(stream=True): chat, " + _READS
_EVENTS = "httpx-sse app, {}connect_sse over httpx: chat, " + _READS

GAINS = {
    ("keep", "OpenAI"): _KEPT_TEXT,
    ("keep", "AzureOpenAI"): _KEPT_TEXT,
    ("keep", "ChatOpenAI"): _KEPT_CHAT,
    ("keep", "AzureChatOpenAI"): _KEPT_CHAT,
    **_OTHERS,
    ("keep", "StrOutputParser"): Gain(
        _OF_A_CHAIN, 15, _rows("LangChain app, {} of lc_prompt | ChatOpenAI | StrOutputParser: chat, {reads}")
    ),
    ("keep", "JsonOutputParser"): Gain("each character of a growing document is parsed once"),
    ("leave", "OpenAI"): Gain(_ENDS, 150, _rows("OpenAI.{} and langchain-openai's: completions, {reads}")),
    ("leave", "ChatOpenAI"): _CHAT,
    ("leave", "AzureChatOpenAI"): _CHAT,
    ("leave", "StrOutputParser"): Gain(
        _OF_A_CHAIN,
        100,
        ((f"astream of a chain of PromptTemplate, ChatOpenAI and StrOutputParser: chat, {_READS}", _LANGCHAIN),),
    ),
    ("leave", "JsonOutputParser"): Gain("each character of a growing document is parsed once"),
    ("any", "accelerate anthropic"): Gain("less CPU time per event, for the same objects"),
    ("any", "accelerate openai"): Gain(
        "per chunk, for the same objects", 8, tuple((_CALL.format(prefix), "openai") for prefix in ("", "Async"))
    ),
    ("any", "httpx_sse"): Gain(
        "per event; bounded memory; the specification's line ends",
        5,
        tuple((_EVENTS.format(prefix), "httpx-sse") for prefix in ("", "a")),
    ),
}
"""The gain of a name, for apps that keep LangChain, for apps that leave it, and for any app."""
