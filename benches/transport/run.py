"""The command ``python -m benches.transport``; see ``--help``."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from millstream.cli.bench.results import Results, describe_machine
from millstream.cli.bench.tables import format_table

from ..contenders import left_out
from ..pages import write_pages
from ..results import save_results
from .clients import CLIENTS, version_of
from .report import Result, tabulate
from .scenarios import SCENARIOS, Scenario

__all__ = ("main", "measure_sample", "run_server")

_HOME = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write the requested files; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benches.transport", description="Measure streams over loopback.")
    parser.add_argument("--quick", action="store_true", help="one short round each: shows that it works")
    parser.add_argument("--only", metavar="WORD", help="only what has this word in its key; nothing is written then")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (%(default)s)")
    parser.add_argument("--write-readme", action="store_true", help="store the figures, and renew the pages in docs/")
    options = parser.parse_args(arguments)
    rounds = 1 if options.quick else options.rounds
    print(describe_machine(), end="\n\n")
    found = []
    with run_server() as url:
        for scenario in SCENARIOS:
            if options.only is None or options.only in scenario.key:
                print(f"measuring {scenario.key}", file=sys.stderr, flush=True)
                found.append(_rounds(scenario, url, rounds, quick=options.quick))
                print(format_table(tabulate(found[-1])), end="\n\n", flush=True)
    print("\n".join(left_out.values()))
    if options.write_readme and not options.quick and options.only is None:
        save_results("sockets", Results(describe_machine(), [tabulate(one) for one in found]))
        write_pages()
    return 0


@contextmanager
def run_server() -> Iterator[str]:
    """Run the server, and yield its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benches.transport.server"],
        cwd=_HOME,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.stdin.close()


def _rounds(scenario: Scenario, url: str, rounds: int, *, quick: bool) -> Result:
    """Measure every client in every round, one after the other, each time in a new process."""
    clients = [key for key in scenario.clients if _is_installed(key)]
    samples: dict[str, list[dict[str, Any]]] = {key: [] for key in clients}
    for _ in range(rounds):
        for key in clients:
            samples[key].append(measure_sample(scenario, key, url, quick=quick))
    return Result(scenario, {key: version_of(CLIENTS[scenario.kind][key][0]) for key in clients}, samples)


def measure_sample(scenario: Scenario, client: str, url: str, *, quick: bool) -> dict[str, Any]:
    """Return one sample: the child's measurements, and the nanoseconds per unit."""
    tokens = scenario.tokens_of(client)
    task: dict[str, Any] = {
        "kind": scenario.kind,
        "client": client,
        "url": url,
        "loop": scenario.loop,
        "streams": min(20, scenario.streams) if quick else scenario.streams,
        "tokens": min(20, tokens) if quick else tokens,
        "rate": scenario.rate,
        "turns": min(5, scenario.turns) if quick else scenario.turns,
    }
    command = [sys.executable, "-m", "benches.transport.child", json.dumps(task)]
    # Import unmeasured modules in advance, and ignore the environment's proxies.
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(command, cwd=_HOME, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{client} failed in {scenario.key}:\n{done.stderr}")
    sample: dict[str, Any] = json.loads(done.stdout)
    expected = 0 if client == "floor" else task["streams"] * task["turns"] * (task["tokens"] + 1)
    if sample["tokens"] != expected:
        raise RuntimeError(f"{client} read {sample['tokens']} tokens of {expected} in {scenario.key}")
    units = task["streams"] * task["turns"] * (1 if scenario.unit == "stream" else task["tokens"] + 1)
    return sample | {"ns": sample["cpu"] / units}


def _is_installed(client: str) -> bool:
    from importlib.util import find_spec

    package = {"ours": "millstream", "floor": "millstream", "langchain": "langchain_openai"}.get(client, client)
    if find_spec(package) is None:
        left_out[package] = f"{package} is left out: it is not installed"
        return False
    return True
