"""The command ``python -m benches.server``; see ``--help``."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from millstream.cli.bench.results import Results, describe_machine
from millstream.cli.bench.tables import Table, format_table

from ..contenders import left_out
from ..pages import write_pages
from ..results import save_results
from .measure import Gateways, Result, WrongTextError, measure
from .processes import load
from .report import tabulate, tabulate_resources
from .resources import Resources, measure_resources
from .scenarios import SCENARIOS

__all__ = ("main",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write the requested files; return the exit status."""
    options = _options(arguments)
    print(describe_machine(), end="\n\n")
    try:
        found, resources = _measured(options)
    except WrongTextError as error:
        print(f"not timed, for its output is wrong: {error}", file=sys.stderr)
        return 1
    print("\n".join(left_out.values()))
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(found, resources), indent=1, ensure_ascii=False) + "\n", "utf-8")
    if options.write:
        tables: list[Table] = [tabulate(one) for one in found if one.samples]
        save_results("servers", Results(describe_machine(), [*tables, tabulate_resources(resources)]))
        write_pages()
    return 0


def _measured(options: argparse.Namespace) -> tuple[list[Result], dict[str, Resources]]:
    """Measure what was chosen, and print it as it comes."""
    rounds = options.rounds or (1 if options.quick else 7)
    beside = None if options.beside is None else tuple(options.beside.split(","))
    found: list[Result] = []
    resources: dict[str, Resources] = {}
    with load() as running, ExitStack() as stack:
        gateways = Gateways(running, stack)
        for scenario in SCENARIOS:
            if options.only is None or options.only in scenario.key:
                chosen = scenario if beside is None else replace(scenario, contenders=beside)
                found.append(measure(chosen, gateways, rounds, _progress, quick=options.quick))
                print(format_table(tabulate(found[-1])), end="\n\n", flush=True)
        if options.only is None or options.only in "resources":
            resources = measure_resources(gateways, min(rounds, 3), _progress, beside, quick=options.quick)
            print(format_table(tabulate_resources(resources)), end="\n\n", flush=True)
    return found, resources


def as_json(results: list[Result], resources: dict[str, Resources]) -> dict[str, Any]:
    """Return all samples."""
    return {
        "machine": describe_machine(),
        "scenarios": {one.scenario.key: {"names": one.names, "samples": one.samples} for one in results},
        "resources": {key: one.samples for key, one in resources.items()},
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.server", description="Measure gateways over loopback.")
    parser.add_argument("--quick", action="store_true", help="one short round each: shows that it works")
    parser.add_argument("--only", metavar="WORD", help="only what has this word in its key; nothing is written then")
    parser.add_argument("--beside", metavar="KEYS", help="only these contenders, such as response,base")
    parser.add_argument("--rounds", type=int, help="rounds of each (7; 1 if quick)")
    parser.add_argument("--write", action="store_true", help="store the figures, and renew the pages in docs/")
    parser.add_argument("--json", type=Path, help="where all samples go")
    options = parser.parse_args(arguments)
    if options.write and (options.quick or options.only or options.beside):
        parser.error("the docs take all contenders and figures, and not from a quick run")
    return options


def _progress(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)
