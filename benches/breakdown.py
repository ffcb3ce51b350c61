"""What an existing app's chunk still costs with our names, part by part."""

from collections.abc import Iterator, Sequence

from millstream.cli.bench.chart import Bar, Panel, draw_bars
from millstream.cli.bench.tables import Table
from millstream.cli.bench.units import ratio_text, time_text

__all__ = ("chart", "parts", "table_of_parts")

_PARTS = {"python": "our Python", "core": "core", "host": "host library", "client": "client"}


def parts(table: Table) -> dict[str, float] | None:
    """Return the nanoseconds per unit of each part of our contender; ``None`` for a table that is not of an app."""
    times = {row.key: row.nanoseconds for row in table.rows}
    if "ours" not in times or "client" not in times:
        return None
    found: dict[str, float] = {key: times[key] for key in ("core", "host", "client") if key in times}
    return {"python": max(0.0, times["ours"] - sum(found.values())), **found}


def table_of_parts(tables: Sequence[Table]) -> str:
    """Return a row for each app that has a goal."""
    heads = ["program, per chunk", "today", "Millstream", "", *_PARTS.values()]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for table, found in _apps(tables):
        goal = table.goals[0]
        cells = [time_text(found[key]) if key in found else "–" for key in _PARTS]
        rows = (table.row(goal.peer), table.row("ours"))
        times = [time_text(row.nanoseconds) for row in rows if row]
        title = _title(table).replace("|", "\\|")
        lines.append(f"| {' | '.join([title, *times, f'**{ratio_text(goal.measured)}**', *cells])} |")
    return "\n".join(lines)


def chart(tables: Sequence[Table]) -> str:
    """Return an SVG of the parts of each app's cost with our names, as one bar."""
    bars = []
    for table, found in _apps(tables):
        ours = table.row("ours")
        assert ours is not None
        text = f"{time_text(ours.nanoseconds)}, {ratio_text(table.goals[0].measured)} less"
        shown = tuple(found.get(key, 0.0) for key in _PARTS)
        label = _title(table).replace("`", "").partition(", stream_mode")[0]
        bars.append(Bar(label, ours.nanoseconds, text, parts=shown))
    note = "CPU time of a chunk in an existing app with one import changed; shorter is better. Linear scale from zero."
    return draw_bars([Panel("", bars)], note, list(_PARTS.values()))


def _apps(tables: Sequence[Table]) -> Iterator[tuple[Table, dict[str, float]]]:
    for table in tables:
        if table.goals and (found := parts(table)) is not None:
            yield table, found


def _title(table: Table) -> str:
    app, found, work = table.work.partition(" app, ")
    return f"{app}: `{work}`" if found else app
