"""What a change gains: the sentences of the report, with the figures of ``docs/benchmarks.md``.

A test compares the two: each row that a gain names measured at least its factor, and no more than three times it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("GAINS", "Gain")


@dataclass(frozen=True, slots=True)
class Gain:
    """A sentence, its figure if there is one, and the benchmarks that measured it: their titles and the peer's name."""

    text: str
    factor: float | None = None
    rows: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return the sentence, with its figure."""
        return self.text if self.factor is None else f"{self.factor:g}× less CPU time {self.text}"


_LANGCHAIN = "langchain-openai"
_ENDS = "per chunk; a cut or stalled stream raises"
_CHAINS = tuple(
    (f"astream of a chain of PromptTemplate, {steps}, 1,000 chunks, one event per read", _LANGCHAIN)
    for steps in ("OpenAI and StrOutputParser: completions", "ChatOpenAI and StrOutputParser: chat")
)


def _models(title: str) -> tuple[tuple[str, str], ...]:
    return tuple((title.format(method), _LANGCHAIN) for method in ("stream", "astream"))


_CHAT = Gain(_ENDS, 100, _models("ChatOpenAI.{} and langchain-openai's: chat, 1,000 chunks, one event per read"))

GAINS = {
    ("keep", "OpenAI"): Gain(f"less CPU time {_ENDS}"),
    ("keep", "ChatOpenAI"): Gain(f"less CPU time {_ENDS}"),
    ("keep", "AzureChatOpenAI"): Gain(f"less CPU time {_ENDS}"),
    ("keep", "AzureOpenAI"): Gain(f"less CPU time {_ENDS}"),
    ("keep", "StrOutputParser"): Gain("no thread hop per chunk in async code"),
    ("keep", "JsonOutputParser"): Gain("each character of a growing document is parsed once"),
    ("leave", "OpenAI"): Gain(
        _ENDS, 200, _models("OpenAI.{} and langchain-openai's: completions, 1,000 chunks, one event per read")
    ),
    ("leave", "ChatOpenAI"): _CHAT,
    ("leave", "AzureChatOpenAI"): _CHAT,
    ("leave", "StrOutputParser"): Gain("per chunk of prompt | model | parser", 200, _CHAINS),
    ("leave", "JsonOutputParser"): Gain("each character of a growing document is parsed once"),
    ("any", "accelerate"): Gain("less CPU time per chunk, for the same objects"),
    ("any", "httpx_sse"): Gain("less CPU time per event; bounded memory; the specification's line ends"),
}
"""The gain of a name, for apps that keep LangChain, for apps that leave it, and for any app."""
