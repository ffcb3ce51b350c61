"""``millstream bench``: the CPU time of streams on this machine, beside what is installed."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CommandError

if TYPE_CHECKING:
    from .results import Results
    from .tables import Table

__all__ = ("add_arguments", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Measure the CPU time that a chunk of a stream takes on this machine: Millstream beside a loop written by hand,"
        " and beside msgspec, the openai SDK and langchain-openai if they are installed. Outputs are compared before"
        " anything is timed. It takes half a minute. docs/how-to/benchmarking.md explains the figures."
    )
    parser.epilog = _EXAMPLES
    parser.add_argument("--quick", action="store_true", help="a few seconds: short streams, rough figures")
    parser.add_argument("--only", choices=("memory", "sockets"), help="one of both parts")
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--chart", metavar="FILE", help="draw the figures as an SVG")


_EXAMPLES = """\
examples:
  millstream bench
  millstream bench --quick --only memory
  millstream bench --json bench.json --chart bench.svg"""


def run(options: argparse.Namespace) -> int:
    """Measure and print the tables; write the requested files; return the exit status."""
    from .report import draw_chart, print_results
    from .results import write_results

    for file in [Path(path) for path in (options.json, options.chart) if path is not None]:
        # Before half a minute of work.
        if not file.absolute().parent.is_dir():
            raise CommandError(f"{file}: there is no such folder", "create it, or name another file", status=2)
    left_out: list[str] = []
    results = _measure(options, left_out)
    print_results(results, left_out)
    for path, write in ((options.json, write_results), (options.chart, draw_chart)):
        if path is not None:
            Path(path).write_text(write(results), "utf-8")
    return 0


def _measure(options: argparse.Namespace, left_out: list[str]) -> "Results":
    from .harness import WrongOutputError
    from .memory import WORKS, measure_work
    from .results import Results, describe_machine
    from .sockets import measure_sockets

    tables: list[Table] = []
    try:
        if options.only != "sockets":
            for work in WORKS:
                _report_progress(work.title)
                tables.append(measure_work(work, left_out, quick=options.quick))
        if options.only != "memory":
            tables.append(measure_sockets(left_out, _report_progress, quick=options.quick))
    except WrongOutputError as error:
        raise CommandError(
            f"not timed, for an output is wrong: {error}", "'millstream doctor' examines the installation"
        ) from None
    return Results(describe_machine(), tables)


def _report_progress(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)
