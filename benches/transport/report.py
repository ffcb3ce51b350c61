"""Results over a socket as tables."""

import statistics
from dataclasses import dataclass
from typing import Any

from millstream.cli.bench.tables import Goal, Row, Table

from .scenarios import Scenario

__all__ = ("Result", "tabulate")


@dataclass(frozen=True)
class Result:
    """One scenario, measured: the samples of every round by client."""

    scenario: Scenario
    names: dict[str, str]
    samples: dict[str, list[dict[str, Any]]]

    def median(self, client: str, figure: str = "ns") -> float:
        """Return the median of a figure over the rounds."""
        return statistics.median(float(sample[figure]) for sample in self.samples[client])

    def ratio(self, client: str, other: str) -> float:
        """Return the cost of ``client`` relative to ``other``: the median over the rounds."""
        pairs = zip(self.samples[client], self.samples[other], strict=True)
        return statistics.median(float(one["ns"] / two["ns"]) for one, two in pairs)


def tabulate(result: Result) -> Table:
    """Return the table of one scenario."""
    scenario = result.scenario
    rows = []
    for client, name in result.names.items():
        figures = {}
        if scenario.rate:
            p50, p99, size = (result.median(client, figure) for figure in ("p50", "p99", "bytes"))
            figures = {"p50": f"{p50:.2f} ms", "p99": f"{p99:.2f} ms", "a stream": f"{size / 1000:.1f} KB"}
        rows.append(Row(client, name, result.median(client), result.ratio(client, "ours"), figures))
    goals = []
    for goal in scenario.goals:
        if goal.peer in result.names:
            ratio = result.ratio(*((goal.peer, "ours") if goal.at_least is not None else ("ours", goal.peer)))
            goals.append(Goal("ours", goal.peer, ratio, goal.at_least, goal.at_most))
    if scenario.max_kilobytes is not None:
        size = result.median("ours", "bytes") / 1000
        goals.append(Goal("ours", "", size, at_most=scenario.max_kilobytes, unit=" KB", figure="memory of a stream"))
    return Table(f"over sockets: {scenario.title} ({scenario.loop})", "sockets", scenario.unit, rows, goals)
