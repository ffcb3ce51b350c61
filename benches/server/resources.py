"""Memory of a stream, memory behind a client that stops to read, and the time until a left upstream is closed."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .contenders import Contender, installed
from .measure import Gateways, check
from .processes import Load, gateway

__all__ = ("Resources", "measure_resources")

LEAVES = tuple((leave, silent) for leave in ("fin", "reset") for silent in (False, True))
_LEFT = {"left, and the upstream was closed", "left at the end"}


@dataclass
class Resources:
    """What one contender takes: medians over the rounds of ``samples``."""

    name: str
    samples: dict[str, list[float]] = field(default_factory=dict)

    def add(self, figure: str, value: float) -> None:
        """Add a sample."""
        self.samples.setdefault(figure, []).append(value)

    def median(self, figure: str) -> float | None:
        """Return the median of a figure, or ``None`` if it was not measured."""
        found = self.samples.get(figure)
        return statistics.median(found) if found else None


def measure_resources(
    gateways: Gateways, rounds: int, progress: Callable[[str], None], contenders: tuple[str, ...] | None, *, quick: bool
) -> dict[str, Resources]:
    """Measure all contenders."""
    found: dict[str, Resources] = {}
    for contender in installed(contenders, create=not quick):
        one = found[contender.key] = Resources(contender.title)
        for number in range(rounds):
            progress(f"resources, round {number + 1} of {rounds}: {contender.key}")
            _memory(contender, gateways.load, one, quick=quick)
            _stopped(contender, gateways.load, one)
            _disconnects(contender, gateways, one)
    return found


def _memory(contender: Contender, load: Load, one: Resources, *, quick: bool) -> None:
    """Measure the memory of streams in new processes, which have had a stream already."""
    counts = [50] if quick else [50, 200]
    if not quick and not contender.slow:
        counts.append(1000)
    for count in counts:
        with gateway(contender, load.upstream) as running:
            check(load.run(running, streams=2, tokens=5, rate=100), contender.key)
            tokens = 30 if count < 1000 else 60
            figures = load.run(running, streams=count, tokens=tokens, rate=20, gap_ms=1 if count > 200 else 2)
        check(figures, f"{contender.key} with {count} streams")
        resident = figures["resident"]
        one.add(f"memory {count}", max(0, resident["peak"] - resident["before"]) / count)


def _stopped(contender: Contender, load: Load, one: Resources) -> None:
    """Measure the memory behind one client that stops to read, while its upstream sends as fast as it can."""
    with gateway(contender, load.upstream) as running:
        # Streams as fast, whose client reads: buffers have grown to what they need without a client that stops.
        for _ in range(2):
            check(load.run(running, tokens=2000 if contender.slow else 20_000, rate=0), contender.key)
        figures = load.run(running, tokens=1_000_000, rate=0, stop_ms=5, leave="fin", leave_ms=1500)
    _check_left(figures, f"{contender.key} with a client that stops to read")
    resident = figures["resident"]
    one.add("stopped", max(0, resident["peak"] - resident["before"]))


def _disconnects(contender: Contender, gateways: Gateways, one: Resources) -> None:
    """Measure how long an upstream stays open after its client left."""
    for leave, silent in LEAVES:
        load: dict[str, Any] = {"streams": 20, "tokens": 10_000, "rate": 20, "gap_ms": 5}
        load |= {"leave": leave, "leave_ms": 300} | ({"silent": 3} if silent else {})
        figures = gateways.load.run(gateways[contender], **load)
        _check_left(figures, f"{contender.key} whose clients leave by {leave}{', silent' if silent else ''}")
        if figures["closed"]["count"]:
            one.add(f"{leave} silent" if silent else leave, figures["closed"]["p50"] / 1e6)
            one.add("closed at most", figures["closed"]["max"] / 1e6)
            one.add("left open", 0)
        else:
            one.add("left open", figures["streams"])


def _check_left(figures: dict[str, Any], what: str) -> None:
    # An upstream that stays open is a finding, and a text that is another one is an error.
    if set(figures["ended"]) - _LEFT - {"wrong"} or any("still open" not in one for one in figures["wrong"]):
        check(figures, what)
