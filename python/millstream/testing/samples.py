"""The texts that the mock server sends: the sample of LangChain's streaming page, and varied text for load.

Pieces are what a server sends in one frame each: neither tokens nor words, often several words.
"""

import random
import re

__all__ = ("GOLDFISH", "VERSE", "echo", "sample", "split", "varied")

# fmt: off
VERSE: tuple[str, ...] = (
    "\n\n", "Spark", "ling", " water", ",", " oh", " so clear", "\n",
    "Bubbles dancing", ",", " without", " fear", "\n",
    "Refreshing", " taste,", " so", " pure", ",", " so", " clear\n",
    "Spark", "ling", " water", ",", " my", " thirst", "'s", " delight", "",
)
"""The answer to the page's first prompt: 29 pieces, the last one empty."""

GOLDFISH: tuple[str, ...] = (
    "\n\n", "Sw", "imming", " through", " the", " craters", ",", " silver", " and", " slow", "\n",
    "Gold", "fish", " on", " the moon", ",", " with", " an earth", "ly", " glow", "",
)
"""The answer to the page's prompt about goldfish on the moon."""

_WORDS: tuple[str, ...] = (
    "the", "stream", "runs", "on", "quickly", "“quoted”", "naïve", "façade", "Größe", "été", "señal", "zażółć",
    "поток", "слово", "река", "ποταμός", "λέξη", "نهر", "كلمة", "נחל", "नदी", "शब्द", "แม่น้ำ", "강물", "단어",
    "水の流れ", "言葉", "河流", "词语", "𝒻(x)", "👩‍🚀", "👍🏽", "🇫🇮", "é", "a\\b", '"key":', "{}", "[1,", "2]", "x=1;",
    "\t", "<b>", "&amp;", "\u2028", "100%", "3.14159", "https://example.invalid/a?b=c#d",
)
# fmt: on


def sample(prompt: str) -> tuple[str, ...]:
    """Return the page's answer to ``prompt``: :data:`GOLDFISH` where it asks for that, else :data:`VERSE`."""
    return GOLDFISH if "goldfish on the moon" in prompt else VERSE


def split(text: str) -> tuple[str, ...]:
    """Return ``text`` in pieces of one word each, the white space before a word belonging to it."""
    return tuple(re.findall(r"\s*\S+|\s+$", text))


def echo(prompt: str, index: int) -> tuple[str, ...]:
    """Return the prompt as pieces, so that a test can match responses with prompts.

    ``index`` is the index of the choice; all choices but the first begin with it.
    """
    return (f"{index}: " if index else "", *split(prompt), "")


def varied(count: int, seed: int = 0) -> tuple[str, ...]:
    """Return ``count`` pieces of multilingual text, the same ones for the same ``seed``.

    Scripts of one to four bytes a character, joined emoji, quotes, backslashes and white space, in
    pieces of one to four words: for load, and for benchmarks that must not flatter a fast path.
    """
    source = random.Random(seed)
    return tuple(_piece(source) for _ in range(count))


def _piece(source: random.Random) -> str:
    words = source.choices(_WORDS, k=source.choice((1, 1, 1, 1, 2, 2, 3, 4)))
    return source.choice((" ", " ", " ", "", "\n")) + " ".join(words)
