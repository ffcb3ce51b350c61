"""The command ``python -m benches``, which measures everything; see ``--help``."""

import argparse
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import millstream

from .breakdown import SECTION, breakdown, chart
from .contenders import left_out
from .harness import WrongOutputError, measure
from .integrations.rows import existing_apps
from .report import Measured, as_json, format_page, format_startup, format_table, markdown
from .rows import groups
from .server.page import carry_over
from .startup import Startup, startups

__all__ = ("machine", "main", "put_between")

_HOME = Path(__file__).parent
_README = _HOME.parent / "README.md"
_PAGE = _HOME.parent / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- bench:begin -->", "<!-- bench:end -->"
_STARTUP_LIMITS = 150.0, 25.0
_QUICK = 100
"""The number of pieces of the streams in a quick run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write the requested files; return the exit status."""
    options = _options(arguments)
    print(machine(), end="\n\n")
    measured: list[Measured] = []
    try:
        for one in _measured(options):
            measured.append(one)
            print(format_table(one), end="\n\n", flush=True)
    except WrongOutputError as error:
        print(f"not timed, for its output is wrong: {error}", file=sys.stderr)
        return 1
    found: list[Startup] = []
    if options.only is None and not options.write_apps:
        _progress("imports")
        found = list(startups(times=1 if options.quick else 7))
        print(format_startup(found, _STARTUP_LIMITS), end="\n\n")
    print("\n".join([*left_out.values(), _summary(measured)]))
    if options.write_apps:
        _write_apps(measured)
    elif options.only is None:
        _write(options, measured, found)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches", description="Measure Millstream beside its peers.")
    parser.add_argument("--quick", action="store_true", help="three short rounds of short streams: shows that it works")
    parser.add_argument("--only", metavar="WORD", help="only what has this word in its title; nothing is written then")
    parser.add_argument("--json", type=Path, default=_HOME / "results.json", help="where the figures go (%(default)s)")
    parser.add_argument("--write-readme", action="store_true", help="renew README.md and docs")
    parser.add_argument(
        "--write-apps", action="store_true", help="measure existing apps alone, and renew their section of the docs"
    )
    options = parser.parse_args(arguments)
    if options.write_apps and (options.only is not None or options.quick or options.write_readme):
        parser.error("--write-apps measures and writes one section, and takes no other option")
    if options.write_readme and (options.only is not None or options.quick):
        parser.error("the README takes the whole table, and not from a quick run")
    return options


def _measured(options: argparse.Namespace) -> Iterator[Measured]:
    """Yield the measurement of each group; skip a group without a peer to compare with."""
    known = existing_apps() if options.write_apps else groups()
    chosen = [group for group in known if options.only is None or options.only in group.title]
    if options.quick:
        chosen = [group.shorten(_QUICK) for group in chosen]
    for number, group in enumerate(chosen, 1):
        contenders = group.contenders()
        if len(contenders) > 1:
            _progress(f"{group.title} ({number} of {len(chosen)})")
            effort = group.effort(quick=options.quick)
            yield Measured(group, contenders, measure(contenders, group.reads, group.expected, effort))


def _progress(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)


def _summary(measured: list[Measured]) -> str:
    """Return the number of targets that were met, and the targets that were missed."""
    verdicts = [(one, verdict) for one in measured for verdict in one.verdicts]
    lines = [f"{sum(verdict.met for _, verdict in verdicts)} of {len(verdicts)} targets met"]
    for one, verdict in verdicts:
        if not verdict.met:
            target = verdict.target
            sides = f"{one.name(target.ours)} beside {one.name(target.peer)}"
            lines.append(f"  missed: {one.group.title}: {sides}: {verdict.ratio.median:.2f}×, {verdict.bound}")
    return "\n".join(lines)


def machine() -> str:
    """Return a description of this machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"Millstream ({millstream.BACKEND}), {python}, {processor}, {platform.system()} {platform.machine()}"


def _write(options: argparse.Namespace, measured: list[Measured], found: list[Startup]) -> None:
    results = as_json(measured, found, {"machine": machine(), "quick": options.quick})
    options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    _progress(f"is over: {options.json}")
    if options.write_readme:
        note = f"{machine()}. CPU time, medians of interleaved rounds; `make bench` measures all of it again."
        table = markdown(measured, found, note)
        apps = {group.title for group in existing_apps()}
        others = [one for one in measured if one.group.title not in apps]
        _PAGE.write_text(carry_over(_PAGE.read_text("utf-8"), format_page(others, found, note)), "utf-8")
        _write_apps([one for one in measured if one.group.title in apps])
        _README.write_text(put_between(_README.read_text("utf-8"), table, _BEGIN, _END), "utf-8")


def _write_apps(measured: list[Measured]) -> None:
    """Renew the section about existing apps, which is the last one of its page, and its chart."""
    head, _, _ = _PAGE.read_text("utf-8").partition(SECTION)
    _PAGE.write_text(f"{head.rstrip()}\n\n{breakdown(measured)}", "utf-8")
    _PAGE.with_name("apps.svg").write_text(chart(measured), "utf-8")


def put_between(readme: str, table: str, begin: str, end: str) -> str:
    """Return ``readme`` with ``table`` between its marks; raise :class:`ValueError` if it has no marks."""
    head, found, rest = readme.partition(begin)
    _, closing, tail = rest.partition(end)
    if not found or not closing:
        raise ValueError(f"README.md has no {begin} … {end}")
    return f"{head}{begin}\n{table}\n{end}{tail}"
