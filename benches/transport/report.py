"""Results over a socket as tables, for a terminal and for the README, and as a chart."""

import statistics
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from .scenarios import Goal, Scenario

__all__ = ("Result", "chart", "format_table", "markdown")


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

    def verdict(self, goal: Goal) -> tuple[bool, str]:
        """Return whether a goal was reached, and a description."""
        if goal.at_least is not None:
            ratio = self.ratio(goal.peer, "ours")
            words = f"{ratio:.2f}× less than {self.names[goal.peer]}; at least {goal.at_least:g}×"
            return ratio >= goal.at_least, words
        ratio = self.ratio("ours", goal.peer)
        most = goal.at_most or 0.0
        return ratio <= most, f"{ratio:.2f}× of {self.names[goal.peer]}; at most {most:g}×"


def format_table(result: Result) -> str:
    """Return the table of one scenario."""
    scenario = result.scenario
    width = max(map(len, result.names.values()))
    lines = [
        f"{scenario.title} ({scenario.loop})",
        f"  {'':{width}}  {f'µs/{scenario.unit}':>10}  {'p50 ms':>7}  {'p99 ms':>7}  {'KB/stream':>9}",
    ]
    for client, name in result.names.items():
        p50, p99, size = (result.median(client, figure) if scenario.rate else 0 for figure in ("p50", "p99", "bytes"))
        lines.append(
            f"  {name:{width}}  {result.median(client) / 1000:>10.2f}  {p50:>7.2f}  {p99:>7.2f}  {size / 1000:>9.1f}"
        )
    if scenario.max_kilobytes is not None:
        size = result.median("ours", "bytes") / 1000
        word = "met   " if size <= scenario.max_kilobytes else "MISSED"
        lines.append(f"  {word} {size:.1f} KB a stream; at most {scenario.max_kilobytes:g} KB")
    for goal in scenario.goals:
        if goal.peer in result.names:
            met, words = result.verdict(goal)
            lines.append(f"  {'met   ' if met else 'MISSED'} {words}")
    return "\n".join(lines)


def markdown(results: list[Result], about: str) -> str:
    """Return the README's table: a line for each scenario, a column for each client."""
    clients: dict[str, str] = {}
    for result in results:
        for client, name in result.names.items():
            # Sync and async methods share a column.
            clients.setdefault(client, name.partition(" OpenAI.")[0])
    lines = [f"| CPU of the client | {' | '.join(clients.values())} |", f"|---{'|---' * len(clients)}|"]
    for result in results:
        cells = [f"{result.median(one) / 1000:.3g} µs" if one in result.names else "–" for one in clients]
        title = f"{result.scenario.title} ({result.scenario.loop}), per {result.scenario.unit}"
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"{about}. Loopback, server in another process; medians of interleaved rounds."])


def chart(results: list[Result]) -> str:
    """Return an SVG of bars: CPU per token of every client in every scenario, on a logarithmic scale."""
    from math import log10

    rows: list[str] = []
    top = 30
    for result in results:
        title = f"{escape(result.scenario.title)} ({result.scenario.loop})"
        rows.append(f'<text x="10" y="{top}" class="title">{title}</text>')
        top += 12
        for client, name in result.names.items():
            micro = result.median(client) / 1000
            width = 90 * max(0.05, log10(micro / 0.1))
            rows.append(f'<text x="290" y="{top + 11}" text-anchor="end">{escape(name)}</text>')
            rows.append(f'<rect x="300" y="{top}" width="{width:.1f}" height="13" class="{client}"/>')
            rows.append(f'<text x="{306 + width:.1f}" y="{top + 11}">{micro:.3g} µs/{result.scenario.unit}</text>')
            top += 17
        top += 22
    style = (
        "text{font:11px system-ui,sans-serif;fill:#333}.title{font-weight:600}rect{fill:#b9c4cf}"
        "rect.ours{fill:#d9480f}rect.floor{fill:#dfe5ea}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="{top}" viewBox="0 0 820 {top}">'
        f'<style>{style}</style><rect width="820" height="{top}" style="fill:#fff"/>{"".join(rows)}</svg>\n'
    )
