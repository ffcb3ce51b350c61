"""What is measured of every gateway, and what ours is to reach."""

from dataclasses import dataclass, field
from typing import Any

from .contenders import CONTENDERS

__all__ = ("ALL", "FAST", "GOALS", "SCENARIOS", "WIRES", "Bound", "Goal", "Scenario")

WIRES = ("langchain.v2", "openai.chat", "vercel.ui", "ag-ui", "ndjson", "text")
"""The wires that are measured beside each other; the first is what the others are compared with."""

ALL = tuple(contender.key for contender in CONTENDERS)
FAST = tuple(contender.key for contender in CONTENDERS if not contender.slow)


@dataclass(frozen=True)
class Goal:
    """A target of ``ours`` beside ``peer``: at least this many times cheaper, or at most this multiple."""

    peer: str
    at_least: float | None = None
    at_most: float | None = None
    ours: str = "response"


@dataclass(frozen=True)
class Bound:
    """The most that a figure of ``Resources`` may be, in parts of ``unit``; and what it is, in words."""

    contender: str
    figure: str
    at_most: float
    unit: float
    words: str


@dataclass(frozen=True)
class Scenario:
    """Runs of the load that are all alike, one for each contender and round.

    ``figure`` is what is compared: ``token`` and ``stream`` are nanoseconds of CPU. ``wires`` makes
    the contenders those wires of ours. ``slow`` replaces parts of the load for slow contenders.
    """

    key: str
    title: str
    load: dict[str, Any]
    contenders: tuple[str, ...] = ALL
    figure: str = "token"
    wires: bool = False
    slow: dict[str, Any] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()


def _paced(streams: int, contenders: tuple[str, ...], goals: tuple[Goal, ...] = ()) -> Scenario:
    load = {"streams": streams, "tokens": 80, "rate": 20, "gap_ms": 1 if streams > 500 else 2}
    return Scenario(f"paced-{streams}", f"{streams:,} streams of 20 tokens/s", load, contenders, goals=goals)


_PACED = (
    Goal("base", at_least=1.4),
    Goal("aiohttp", at_least=1.65),
    Goal("langserve", at_least=6.5),
    Goal("openai", at_least=5.0),
)

SCENARIOS = (
    _paced(50, ALL, _PACED),
    _paced(200, ALL, _PACED),
    _paced(1000, FAST, (Goal("base", at_least=1.35),)),
    Scenario(
        "fast",
        "fast feed: 8 streams of 4,000 tokens/s",
        {"streams": 8, "tokens": 2000, "rate": 4000, "gap_ms": 1},
        slow={"tokens": 200},
        goals=(Goal("base", at_least=1.5), Goal("aiohttp", at_least=2.3)),
    ),
    Scenario(
        "requests",
        "requests of one token",
        {"streams": 200, "tokens": 1, "rate": 1000, "gap_ms": 4},
        figure="stream",
        slow={"gap_ms": 15, "streams": 100},
        goals=(Goal("base", at_most=0.45),),
    ),
    Scenario(
        "wires",
        "200 streams of 20 tokens/s, by wire",
        {"streams": 200, "tokens": 60, "rate": 20, "gap_ms": 2},
        wires=True,
        goals=tuple(Goal(WIRES[0], at_most=1.15, ours=wire) for wire in WIRES[1:]),
    ),
)

GOALS = (
    Bound("response", "memory 1000", 14e3, 1e3, "memory of a stream, with 1,000 streams"),
    Bound("raw", "memory 1000", 14e3, 1e3, "memory of a stream, with 1,000 streams"),
    Bound("response", "stopped", 1e6, 1e6, "memory behind a client that stops to read"),
    Bound("response", "closed at most", 5, 1, "time until the upstream of a client that left is closed"),
)
