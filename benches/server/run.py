"""The command ``python -m benches.server``; see ``--help``."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..contenders import left_out
from ..table import machine
from .measure import Gateways, Result, WrongTextError, measure
from .processes import load
from .report import format_table
from .scenarios import SCENARIOS

__all__ = ("main",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write the requested files; return the exit status."""
    options = _options(arguments)
    rounds = options.rounds or (1 if options.quick else 7)
    print(machine(), end="\n\n")
    found: list[Result] = []
    try:
        with load() as running, ExitStack() as stack:
            gateways = Gateways(running, stack)
            for scenario in SCENARIOS:
                if options.only is not None and options.only not in scenario.key:
                    continue
                if options.beside:
                    scenario = replace(scenario, contenders=tuple(options.beside.split(",")))
                found.append(measure(scenario, gateways, rounds, _progress, quick=options.quick))
                print(format_table(found[-1]), end="\n\n", flush=True)
    except WrongTextError as error:
        print(f"not timed, for its output is wrong: {error}", file=sys.stderr)
        return 1
    print("\n".join(left_out.values()))
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(found), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


def as_json(results: list[Result]) -> dict[str, Any]:
    """Return all samples."""
    return {
        "machine": machine(),
        "scenarios": {one.scenario.key: {"names": one.names, "samples": one.samples} for one in results},
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.server", description="Measure gateways over loopback.")
    parser.add_argument("--quick", action="store_true", help="one short round each: shows that it works")
    parser.add_argument("--only", metavar="WORD", help="only what has this word in its key; nothing is written then")
    parser.add_argument("--beside", metavar="KEYS", help="only these contenders, such as response,base")
    parser.add_argument("--rounds", type=int, help="rounds of each (7; 1 if quick)")
    parser.add_argument("--json", type=Path, help="where all samples go")
    return parser.parse_args(arguments)


def _progress(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)
