"""Results of the gateways as tables."""

from collections.abc import Mapping, Sequence

from millstream.cli.bench.tables import Goal, Row, Table

from .measure import Result
from .resources import Resources
from .scenarios import GOALS

__all__ = ("streams_per_core", "tabulate", "tabulate_resources")

_RATE = 20
"""Tokens a second of a stream, where streams are counted."""
_FIGURES = {
    "memory 50": ("50 streams", " KB", 1e3),
    "memory 200": ("200", " KB", 1e3),
    "memory 1000": ("1,000", " KB", 1e3),
    "stopped": ("stopped", " MB", 1e6),
    "fin": ("FIN", " ms", 1.0),
    "fin silent": ("FIN, silent", " ms", 1.0),
    "reset": ("RST", " ms", 1.0),
    "reset silent": ("RST, silent", " ms", 1.0),
    "closed at most": ("at most", " ms", 1.0),
}
"""The heads, units and scales of the figures of resources."""


def tabulate(result: Result) -> Table:
    """Return the table of one scenario; costs relative to the first contender, with the range over the rounds."""
    first = next(iter(result.names), "")
    rows = []
    for key, name in result.names.items():
        ratios = result.ratios(key, first)
        p50, p99, size = (result.median(key, figure) for figure in ("p50", "p99", "bytes"))
        figures = {
            "range": f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
            "p50": f"{p50:.2f} ms",
            "p99": f"{p99:.2f} ms",
            "B/token": f"{size:.0f}",
        }
        rows.append(Row(key, name, result.median(key), result.ratio(key, first), figures))
    goals = []
    for goal in result.scenario.goals:
        if goal.peer in result.names and goal.ours in result.names:
            pair = (goal.peer, goal.ours) if goal.at_least is not None else (goal.ours, goal.peer)
            found = result.ratios(*pair)
            median = result.ratio(*pair)
            goals.append(Goal(goal.ours, goal.peer, median, goal.at_least, goal.at_most, found[0], found[-1]))
    return Table(f"relay: {result.scenario.title}", "servers", result.scenario.figure, rows, goals)


def tabulate_resources(resources: Mapping[str, Resources]) -> Table:
    """Return the table of memory and of left upstreams."""
    rows = []
    for key, one in resources.items():
        figures = {}
        for figure, (head, unit, scale) in _FIGURES.items():
            value = one.median(figure)
            if value is not None:
                figures[head] = f"{value / scale:.2f}{unit}"
        if one.median("left open"):
            figures["at most"] = "left open"
        rows.append(Row(key, one.name, 0, 0, figures))
    goals = []
    for goal in GOALS:
        value = resources[goal.contender].median(goal.figure) if goal.contender in resources else None
        if value is not None:
            unit, bound = _FIGURES[goal.figure][1], goal.at_most / goal.unit
            goals.append(Goal(goal.contender, "", value / goal.unit, at_most=bound, unit=unit, figure=goal.words))
    title = (
        "memory, and clients that leave: of a stream; behind a client that stops to read; until the upstream is closed"
    )
    return Table(title, "servers", "stream", rows, goals)


def streams_per_core(tables: Sequence[Table], key: str) -> list[float | None]:
    """Return how many streams of 20 tokens/s one core relays, by their CPU time: for each of the paced tables."""
    rows = [table.row(key) for table in tables]
    return [None if row is None else 1e9 / (row.nanoseconds * _RATE) for row in rows]
