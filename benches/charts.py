"""The charts of the pages: bars on linear scales from zero."""

from collections.abc import Mapping

from millstream.cli.bench.chart import Bar, Panel, draw_bars
from millstream.cli.bench.results import Results
from millstream.cli.bench.units import ratio_text, time_text

from .selection import README, choose
from .server.report import streams_per_core

__all__ = ("servers", "sockets", "speed")

Found = Mapping[str, Results]
_SCALE = "Linear scales from zero, one for each group of bars."


def speed(found: Found) -> str:
    """Return the README's chart: both sides of each of its rows."""
    panels = []
    for one in choose(found, README):
        bars = [
            Bar(name.replace("`", ""), row.nanoseconds, time_text(row.nanoseconds), is_ours=row is one.ours)
            for name, row in ((one.choice.our_name, one.ours), (one.choice.peer_name, one.peer))
        ]
        title = f"{one.choice.name.replace('`', '')}: {ratio_text(one.ratio)} less"
        panels.append(Panel(title, bars))
    return draw_bars(panels, f"CPU time of a chunk of text; shorter is better. {_SCALE}")


def sockets(found: Found) -> str:
    """Return the chart of the clients over sockets."""
    panels = [
        Panel(
            f"{table.title.partition(': ')[2]}, per {table.unit}",
            [Bar(row.name, row.nanoseconds, time_text(row.nanoseconds), row.key == "ours") for row in table.rows],
        )
        for table in found["sockets"].tables
    ]
    return draw_bars(panels, f"CPU time of the client; shorter is better. {_SCALE}")


def servers(found: Found) -> str:
    """Return the chart of the gateways: how many streams one core carries."""
    paced = [table for table in found["servers"].tables if table.title.endswith("streams of 20 tokens/s")]
    panels = []
    for number, table in enumerate(paced):
        counts = {row.key: streams_per_core(paced, row.key)[number] or 0 for row in table.rows}
        rows = sorted(table.rows, key=lambda row: -counts[row.key])
        ours = ("response", "raw", "gateway")
        bars = [Bar(row.name, counts[row.key], f"{round(counts[row.key], -1):,.0f}", row.key in ours) for row in rows]
        panels.append(Panel(f"with {table.title.removeprefix('relay: ')}", bars))
    note = f"Streams of 20 tokens/s per core, by CPU time; longer is better. {_SCALE}"
    return draw_bars(panels, note)
