"""Results as tables, for a terminal and for the docs."""

from .measure import Result
from .scenarios import Goal

__all__ = ("format_table", "verdict")


def format_table(result: Result) -> str:
    """Return the table of one scenario; costs relative to the first contender, with the range over the rounds."""
    scenario = result.scenario
    if not result.samples:
        return f"{scenario.title}: nothing to measure"
    width = max(map(len, result.names.values()))
    first = next(iter(result.names))
    lines = [
        scenario.title,
        f"  {'':{width}}  {'µs/' + scenario.figure:>9}  {'relative':>8}  {'range':>13}  {'p50 ms':>7}  {'p99 ms':>7}"
        f"  {'B/token':>7}",
    ]
    for key, name in result.names.items():
        ratios = result.ratios(key, first)
        p50, p99, size = (result.median(key, figure) for figure in ("p50", "p99", "bytes"))
        lines.append(
            f"  {name:{width}}  {result.median(key) / 1000:>9.1f}  {result.ratio(key, first):>7.2f}×"
            f"  {f'{ratios[0]:.2f} to {ratios[-1]:.2f}':>13}  {p50:>7.2f}  {p99:>7.2f}  {size:>7.0f}"
        )
    for goal in scenario.goals:
        if goal.peer in result.names and goal.ours in result.names:
            met, words = verdict(result, goal)
            lines.append(f"  {'met   ' if met else 'MISSED'} {words}")
    return "\n".join(lines)


def verdict(result: Result, goal: Goal) -> tuple[bool, str]:
    """Return whether a goal was reached, and a description."""
    ours, peer = result.names[goal.ours], result.names[goal.peer]
    if goal.at_least is not None:
        ratio = result.ratio(goal.peer, goal.ours)
        return ratio >= goal.at_least, f"{ours}: {ratio:.2f}× less than {peer}; at least {goal.at_least:g}×"
    ratio, most = result.ratio(goal.ours, goal.peer), goal.at_most or 0.0
    return ratio <= most, f"{ours}: {ratio:.2f}× of {peer}; at most {most:g}×"
