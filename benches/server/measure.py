"""Rounds of runs: every contender once a round, in another order each time, all gateways up meanwhile."""

import random
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from .contenders import Contender, installed
from .processes import Gateway, Load, gateway
from .scenarios import WIRES, Scenario

__all__ = ("Gateways", "Result", "WrongTextError", "measure")

Figures = dict[str, Any]


class WrongTextError(Exception):
    """A stream of a contender was not what its upstream sent, so nothing is timed."""


@dataclass(frozen=True)
class Result:
    """One scenario, measured: the samples of every round by contender or wire."""

    scenario: Scenario
    names: dict[str, str]
    samples: dict[str, list[Figures]]

    def median(self, key: str, figure: str = "ns") -> float:
        """Return the median of a figure over the rounds."""
        return statistics.median(float(sample[figure]) for sample in self.samples[key])

    def ratios(self, key: str, other: str) -> list[float]:
        """Return the cost of ``key`` relative to ``other``, round by round, in order of size."""
        pairs = zip(self.samples[key], self.samples[other], strict=True)
        return sorted(one["ns"] / two["ns"] for one, two in pairs)

    def ratio(self, key: str, other: str) -> float:
        """Return the median of :meth:`ratios`."""
        return statistics.median(self.ratios(key, other))


class Gateways:
    """The gateways that run, each started once."""

    def __init__(self, load: Load, stack: ExitStack) -> None:
        self.load = load
        self._stack = stack
        self._running: dict[str, Gateway] = {}

    def __getitem__(self, contender: Contender) -> Gateway:
        found = self._running.get(contender.key)
        if found is None:
            found = self._stack.enter_context(gateway(contender, self.load.upstream))
            self._running[contender.key] = found
            # Its code and its connections are warm.
            check(self.load.run(found, streams=20, tokens=10, rate=200, gap_ms=5), contender.key)
        return found


def measure(
    scenario: Scenario, gateways: Gateways, rounds: int, progress: Callable[[str], None], *, quick: bool = False
) -> Result:
    """Measure one scenario."""
    known = {contender.key: contender for contender in installed(scenario.contenders, create=not quick)}
    runs: dict[str, tuple[Contender, str | None]] = {key: (one, None) for key, one in known.items()}
    names = {key: one.title for key, one in known.items()}
    if scenario.wires:
        ours = known.get("response")
        runs = {wire: (ours, wire) for wire in WIRES} if ours is not None else {}
        names = {wire: wire for wire in runs}
    samples: dict[str, list[Figures]] = {key: [] for key in runs}
    order = list(runs)
    source = random.Random(7)
    for number in range(rounds):
        source.shuffle(order)
        for key in order:
            progress(f"{scenario.key}, round {number + 1} of {rounds}: {key}")
            samples[key].append(_sample(scenario, gateways, *runs[key], quick=quick))
    return Result(scenario, names, samples)


def _sample(scenario: Scenario, gateways: Gateways, contender: Contender, wire: str | None, *, quick: bool) -> Figures:
    """Return one run's figures: nanoseconds per token or stream, latencies in milliseconds."""
    load = scenario.load | (scenario.slow if contender.slow else {})
    if quick:
        load |= {"tokens": max(1, load["tokens"] // 2)}
    found = gateways.load.run(gateways[contender], wire, **load)
    check(found, f"{contender.key} in {scenario.key}")
    # A window in which every stream runs, or all of it where streams do not overlap.
    window = found["window"] or found
    tokens = max(1, window["tokens"])
    late = found["late"]
    return {
        "ns": found["cpu"] / found["streams"] if scenario.figure == "stream" else window["cpu"] / tokens,
        "p50": late["p50"] / 1e6,
        "p99": late["p99"] / 1e6,
        "bytes": found["bytes"] / found["tokens"],
        "load": window["load"] / window["nanos"],
        "setup": found["setup"]["p50"] / 1e6,
    }


def check(found: Figures, what: str) -> None:
    """Raise :class:`WrongTextError` unless every stream was whole."""
    if found["wrongs"] or set(found["ended"]) != {"whole"}:
        raise WrongTextError(f"{what}: {found['ended']}\n" + "\n".join(found["wrong"]))
