"""Measurements as data: tables with rows and goals, which are stored as JSON, and printed as text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .units import ratio_text, time_text

__all__ = ("Goal", "Row", "Table", "format_table")


@dataclass(frozen=True, slots=True)
class Row:
    """A contender: the time of a unit of work, and the same as a multiple of the first contender's.

    ``figures`` are its other columns, by their heads.
    """

    key: str
    name: str
    nanoseconds: float
    times: float
    figures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Goal:
    """What was to be reached: a figure of ``ours``, which is a ratio to ``peer`` unless it has a ``unit`` and a name.

    A ratio to be ``at_least`` is the peer's time in multiples of ours; one to be ``at_most`` is our time in multiples
    of the peer's. ``low`` and ``high`` are its range over the rounds.
    """

    ours: str
    peer: str
    measured: float
    at_least: float | None = None
    at_most: float | None = None
    low: float = 0
    high: float = 0
    unit: str = "×"
    figure: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal was reached."""
        return self.measured >= self.at_least if self.at_least is not None else self.measured <= (self.at_most or 0)

    @property
    def bound(self) -> str:
        """The bound in text."""
        least = self.at_least is not None
        return f"at {'least' if least else 'most'} {self.at_least if least else self.at_most:g}{self.unit}"

    def text(self, value: float) -> str:
        """Return a value of the figure in text."""
        return ratio_text(value) if self.unit == "×" else f"{value:.2f}{self.unit}"


@dataclass(frozen=True, slots=True)
class Table:
    """Contenders that did the same work; ``title`` begins with the work, then a colon. Times are per ``unit``."""

    title: str
    section: str
    unit: str
    rows: Sequence[Row]
    goals: Sequence[Goal] = ()

    @property
    def work(self) -> str:
        """What was done, without the input."""
        return self.title.partition(": ")[0]

    def row(self, key: str) -> Row | None:
        """Return the row of a contender, if it was measured."""
        return next((row for row in self.rows if row.key == key), None)


def format_table(table: Table) -> str:
    """Return the table as lines of text."""
    name_of = {row.key: row.name for row in table.rows}
    width = max((len(row.name) for row in table.rows), default=0)
    heads = list(dict.fromkeys(head for row in table.rows for head in row.figures))
    widths = {head: max(len(head), *(len(row.figures.get(head, "–")) for row in table.rows)) for head in heads}
    shown = f"per {table.unit}" if any(row.nanoseconds for row in table.rows) else ""
    lines = [table.title, f"  {'':{width}}" + (f"  {shown:>12}  {'takes':>8}" if shown else "")]
    lines[1] += "".join(f"  {head:>{widths[head]}}" for head in heads)
    for row in table.rows:
        line = f"  {row.name:{width}}"
        line += f"  {time_text(row.nanoseconds):>12}  {ratio_text(row.times):>8}" if shown else ""
        lines.append(line + "".join(f"  {row.figures.get(head, '–'):>{widths[head]}}" for head in heads))
    for goal in table.goals:
        ours, peer = name_of.get(goal.ours, goal.ours), name_of.get(goal.peer, goal.peer)
        spread = f" ({goal.text(goal.low)} to {goal.text(goal.high)})" if goal.high else ""
        how = "" if not peer else f" {'as fast as' if goal.at_least is not None else 'the time of'} {peer}"
        word = "met   " if goal.met else "MISSED"
        ours += f", {goal.figure}" if goal.figure else ""
        lines.append(f"  {word} {ours}: {goal.text(goal.measured)}{spread}{how}; {goal.bound}")
    return "\n".join(lines)
