"""The command ``python -m benches``, which measures everything in memory; see ``--help``."""

import argparse
import sys
from collections.abc import Iterator, Sequence

from millstream.cli.bench.harness import WrongOutputError, measure
from millstream.cli.bench.results import Results, describe_machine
from millstream.cli.bench.tables import Table, format_table

from .contenders import left_out
from .derived import derive_tables
from .floors import find_fallen, set_missing
from .pages import write_pages
from .report import tabulate, tabulate_imports
from .results import save_results
from .rows import groups
from .startup import startups

__all__ = ("main",)

_QUICK = 100
"""The number of pieces of the streams in a quick run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write the requested files; return the exit status.

    It is 1 if an output was wrong, so that nothing is timed, or if a figure is below its floor.
    """
    options = _options(arguments)
    print(describe_machine(), end="\n\n")
    tables: list[Table] = []
    try:
        for table in _measure(options):
            tables.append(table)
            print(format_table(table), end="\n\n", flush=True)
        for table in list(derive_tables(tables)):
            tables.append(table)
            print(format_table(table), end="\n\n")
    except WrongOutputError as error:
        print(f"not timed, for its output is wrong: {error}", file=sys.stderr)
        return 1
    print("\n".join([*left_out.values(), *_summary(tables)]))
    if options.write_readme:
        save_results("memory", Results(describe_machine(), tables))
        set_missing(tables)
        write_pages()
    # Ratios of a quick run say little.
    low = [] if options.quick else list(find_fallen(tables))
    print("".join(f"below its floor: {line}\n" for line in low), end="", file=sys.stderr)
    return 1 if low else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches", description="Measure Millstream beside its peers.")
    parser.add_argument("--quick", action="store_true", help="three short rounds of short streams: shows that it works")
    parser.add_argument("--only", metavar="WORD", help="only what has this word in its title; nothing is written then")
    parser.add_argument("--write-readme", action="store_true", help="store the figures, and renew README.md and docs/")
    options = parser.parse_args(arguments)
    if options.write_readme and (options.only is not None or options.quick):
        parser.error("the README takes the whole table, and not from a quick run")
    return options


def _measure(options: argparse.Namespace) -> Iterator[Table]:
    """Yield the table of each group; skip a group without a peer to compare with."""
    chosen = [group for group in groups() if options.only is None or options.only in group.title]
    if options.quick:
        chosen = [group.shorten(_QUICK) for group in chosen]
    for number, group in enumerate(chosen, 1):
        contenders = group.contenders()
        if len(contenders) > 1:
            _progress(f"{group.title} ({number} of {len(chosen)})")
            effort = group.effort(quick=options.quick)
            yield tabulate(group, contenders, measure(contenders, group.reads, group.expected, effort))
    if options.only is None or options.only == "imports":
        _progress("imports")
        yield tabulate_imports(list(startups(times=1 if options.quick else 7)))


def _progress(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)


def _summary(tables: Sequence[Table]) -> Iterator[str]:
    """Yield the number of goals that were met, and the goals that were missed."""
    goals = [(table, goal) for table in tables for goal in table.goals]
    yield f"{sum(goal.met for _, goal in goals)} of {len(goals)} goals met"
    for table, goal in goals:
        if not goal.met:
            yield f"  missed: {table.title}: {goal.ours} beside {goal.peer}: {goal.text(goal.measured)}, {goal.bound}"
