"""The results of ``millstream bench`` on a terminal, and as a chart."""

import sys
from collections.abc import Sequence

from .chart import Bar, Panel, draw_bars
from .results import Results
from .tables import Row, Table, format_table
from .units import ratio_text, time_text

__all__ = ("draw_chart", "print_results")

_NOTE = "CPU time of a chunk; shorter is better. Linear scales from zero, one for each group of bars."


def print_results(results: Results, left_out: Sequence[str]) -> None:
    """Print the tables, by rich where it is installed and stdout is a terminal."""
    print(results.machine, end="\n\n")
    if not (sys.stdout.isatty() and _print_rich(results.tables)):
        for table in results.tables:
            print(format_table(table), end="\n\n")
    print("".join(f"left out: {line}\n" for line in left_out), end="")
    for table in results.tables:
        if peers := [row for row in table.rows if not _is_ours(row)]:
            slowest = max(peers, key=lambda row: row.times)
            print(f"{table.work}: {slowest.name} takes {ratio_text(slowest.times)} the CPU time")


def draw_chart(results: Results) -> str:
    """Return the SVG."""
    panels = [
        Panel(table.title, [Bar(row.name, row.nanoseconds, _text(row), _is_ours(row)) for row in table.rows])
        for table in results.tables
    ]
    return draw_bars(panels, f"{results.machine}. {_NOTE}")


def _print_rich(tables: Sequence[Table]) -> bool:
    """Print the tables by rich; return whether it is installed."""
    try:
        from rich.console import Console
        from rich.table import Table as RichTable
    except ImportError:
        return False
    console = Console()
    for table in tables:
        shown = RichTable("", title=table.title, title_justify="left", title_style="bold")
        shown.add_column(f"per {table.unit}", justify="right")
        shown.add_column("takes", justify="right")
        for row in table.rows:
            style = "bold green" if _is_ours(row) else ""
            shown.add_row(row.name, time_text(row.nanoseconds), ratio_text(row.times), style=style)
        console.print(shown)
    console.print()
    return True


def _text(row: Row) -> str:
    return f"{time_text(row.nanoseconds)}" + ("" if row.times == 1 else f", {ratio_text(row.times)}")


def _is_ours(row: Row) -> bool:
    return row.name.startswith("Millstream") or row.key in ("accelerated", "changed")
