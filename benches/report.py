"""Results as tables: for a terminal, for the README, and as JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from .contenders import Contender
from .groups import Group, Target
from .harness import Ratio, Timings
from .startup import Startup

__all__ = ("Measured", "Verdict", "as_json", "format_page", "format_startup", "format_table", "markdown", "time_text")


@dataclass(frozen=True)
class Verdict:
    """A target and its measurement; ``ratio`` is the time of the slower side relative to the faster."""

    target: Target
    ratio: Ratio

    @property
    def met(self) -> bool:
        """Whether the target was reached."""
        if self.target.at_least is not None:
            return self.ratio.median >= self.target.at_least
        return self.ratio.median <= (self.target.at_most or 0)

    @property
    def bound(self) -> str:
        """The target in text."""
        target = self.target
        return f"at least {target.at_least:g}×" if target.at_least is not None else f"at most {target.at_most:g}×"


@dataclass(frozen=True)
class Measured:
    """One group, measured."""

    group: Group
    contenders: list[Contender]
    timings: Timings

    def per_unit(self, key: str) -> float:
        """Return the nanoseconds per unit in the best round."""
        return self.timings.best(key) / self.group.units

    def name(self, key: str) -> str:
        """Return the contender's name."""
        return next(one.name for one in self.contenders if one.key == key)

    @property
    def verdicts(self) -> list[Verdict]:
        """The group's targets for which both sides were measured."""
        keys = {one.key for one in self.contenders}
        return [_verdict(target, self.timings) for target in self.group.targets if {target.ours, target.peer} <= keys]


def _verdict(target: Target, timings: Timings) -> Verdict:
    slower, faster = (target.peer, target.ours) if target.at_least is not None else (target.ours, target.peer)
    return Verdict(target, timings.ratio(slower, faster))


def format_table(measured: Measured) -> str:
    """Return the table of one group; every ratio is to the group's first contender."""
    group, first = measured.group, measured.contenders[0].key
    width = max(len(one.name) for one in measured.contenders)
    lines = [group.title, f"  {'':{width}}  {f'ns/{group.unit}':>12}  {'takes':>8}"]
    for one in measured.contenders:
        takes = _times(measured.timings.ratio(one.key, first).median)
        lines.append(f"  {one.name:{width}}  {measured.per_unit(one.key):>12,.1f}  {takes:>8}")
    for verdict in measured.verdicts:
        target, ratio = verdict.target, verdict.ratio
        side = "as fast as" if target.at_least is not None else "as long as"
        text = f"{_times(ratio.median)} ({ratio.low:.2f} to {ratio.high:.2f}) {side} {measured.name(target.peer)}"
        lines.append(f"  {'met   ' if verdict.met else 'MISSED'} {measured.name(target.ours)}: {text}; {verdict.bound}")
    return "\n".join(lines)


def format_startup(found: list[Startup], limits: tuple[float, float]) -> str:
    """Return the table of imports; ``limits`` are the milliseconds and megabytes that the first one may take."""
    width = max(len(one.statement) for one in found)
    lines = ["Imports, above the bare interpreter", f"  {'':{width}}  {'CPU ms':>8}  {'peak MB':>8}"]
    lines += [f"  {one.statement:{width}}  {one.milliseconds:>8.0f}  {one.megabytes:>8.1f}" for one in found]
    ours = found[0]
    met = ours.milliseconds <= limits[0] and ours.megabytes <= limits[1]
    lines.append(f"  {'met   ' if met else 'MISSED'} {ours.statement}; at most {limits[0]:g} ms and {limits[1]:g} MB")
    return "\n".join(lines)


def markdown(measured: list[Measured], found: list[Startup], note: str) -> str:
    """Return the README's table: the groups with a headline, a line for each peer that a target names."""
    lines = ["| CPU time | Millstream | beside it | |", "|---|---|---|---|"]
    for one in measured:
        if one.group.headline:
            verdicts = [verdict for verdict in one.verdicts if verdict.target.ours != "python"]
            lines += [_line(one, verdict, f"{one.group.headline}, per {one.group.unit}") for verdict in verdicts]
    lines += [_startup_line(one, found) for one in found if one.key == "millstream"]
    return "\n".join([*lines, "", note])


def format_page(measured: list[Measured], found: list[Startup], note: str) -> str:
    """Return a page with all measurements and all targets."""
    lines = ["# Benchmarks", "", note, ""]
    for one in measured:
        lines += ["```", format_table(one), "```", ""]
    return "\n".join([*lines, "| import | CPU | memory |", "|---|---|---|", *map(_import_line, found), ""])


def _line(measured: Measured, verdict: Verdict, title: str) -> str:
    target = verdict.target
    times = {one.key: time_text(measured.per_unit(one.key)) for one in measured.contenders}
    beside = f"{times[target.peer]}: {measured.name(target.peer)}"
    side = "as fast" if target.at_least is not None else "its time"
    # A bar divides cells, in code as well.
    title = title.replace("|", r"\|")
    return f"| {title} | {times[target.ours]} | {beside} | **{_times(verdict.ratio.median)}** {side} |"


def _startup_line(ours: Startup, found: list[Startup]) -> str:
    cost = f"{ours.milliseconds:.0f} ms, {ours.megabytes:.0f} MB"
    peer = next((one for one in found if one.key == "langchain"), None)
    if peer is None:
        return f"| `{ours.statement}` | {cost} | – | – |"
    beside = f"{peer.milliseconds:.0f} ms, {peer.megabytes:.0f} MB: `{peer.statement}`"
    return f"| `{ours.statement}` | {cost} | {beside} | **{_times(peer.milliseconds / ours.milliseconds)}** as fast |"


def _import_line(one: Startup) -> str:
    return f"| `{one.statement}` | {one.milliseconds:.0f} ms | {one.megabytes:.0f} MB |"


def as_json(measured: list[Measured], found: list[Startup], about: dict[str, Any]) -> dict[str, Any]:
    """Return all measurements."""
    return {**about, "groups": [_group_json(one) for one in measured], "imports": [asdict(one) for one in found]}


def _group_json(measured: Measured) -> dict[str, Any]:
    group = measured.group
    return {
        "work": group.work,
        "stream": group.stream.name,
        "reads": group.reading,
        "unit": group.unit,
        "contenders": [
            {"key": one.key, "name": one.name, "nanoseconds": round(measured.per_unit(one.key), 2)}
            for one in measured.contenders
        ],
        "targets": [
            {**asdict(one.target), **{key: round(value, 3) for key, value in asdict(one.ratio).items()}, "met": one.met}
            for one in measured.verdicts
        ],
    }


def time_text(nanoseconds: float) -> str:
    """Return a time in the unit that fits it."""
    return f"{nanoseconds / 1000:.2f} µs" if nanoseconds >= 1000 else f"{nanoseconds:.3g} ns"


def _times(ratio: float) -> str:
    return f"{ratio:.0f}×" if ratio >= 20 else f"{ratio:.1f}×" if ratio >= 10 else f"{ratio:.2f}×"
