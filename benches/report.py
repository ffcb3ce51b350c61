"""Measurements in memory as tables."""

from collections.abc import Sequence

from millstream.cli.bench.harness import Contender, Timings
from millstream.cli.bench.tables import Goal, Row, Table

from .groups import Group, Target
from .startup import Startup

__all__ = ("tabulate", "tabulate_imports")

_IMPORT_MILLISECONDS, _IMPORT_MEGABYTES = 150.0, 25.0
"""What the first import may take."""


def tabulate(group: Group, contenders: Sequence[Contender], timings: Timings) -> Table:
    """Return the table of a group; every ratio is to its first contender."""
    first = contenders[0].key
    rows = [
        Row(one.key, one.name, timings.best(one.key) / group.units, timings.ratio(one.key, first).median)
        for one in contenders
    ]
    keys = {one.key for one in contenders}
    goals = [_goal(target, timings) for target in group.targets if {target.ours, target.peer} <= keys]
    return Table(group.title, group.section, group.unit, rows, goals)


def _goal(target: Target, timings: Timings) -> Goal:
    slower, faster = (target.peer, target.ours) if target.at_least is not None else (target.ours, target.peer)
    found = timings.ratio(slower, faster)
    return Goal(target.ours, target.peer, found.median, target.at_least, target.at_most, found.low, found.high)


def tabulate_imports(found: Sequence[Startup]) -> Table:
    """Return the table of imports."""
    ours = found[0]
    rows = [
        Row(
            one.key,
            one.statement,
            one.milliseconds * 1e6,
            one.milliseconds / ours.milliseconds,
            {"peak": f"{one.megabytes:.1f} MB"},
        )
        for one in found
    ]
    goals = [
        Goal(ours.key, "", ours.milliseconds, at_most=_IMPORT_MILLISECONDS, unit=" ms", figure="CPU time"),
        Goal(ours.key, "", ours.megabytes, at_most=_IMPORT_MEGABYTES, unit=" MB", figure="memory"),
    ]
    return Table("imports: CPU time and memory above the bare interpreter", "apps", "import", rows, goals)
