"""``millstream doctor``: reports on the installation, and on the imports of an app that could change.

Sources are parsed, never imported and never written. A file that cannot be read is reported, and the others are
examined.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import CommandError
from ..terminal import remove_controls
from .environment import Fact, examine_environment

if TYPE_CHECKING:
    from .findings import Findings
    from .sources import Skipped

__all__ = ("add_arguments", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Look at the installation; with --online, at the servers of the providers; and with PATH, at Python sources and"
        " notebooks: which import lines could change, and what they would gain. Files are read, never imported and"
        " never written. Without --online, --base-url or --model, nothing is sent."
    )
    parser.epilog = (
        "Exit status: 0, whatever the sources could gain; 1 if requests would fail in this environment (a broken core,"
        " a proxy or certificates that cannot be used, a server or a key that does not work); 2 if the command line is"
        " not valid or a PATH does not exist.\n\n"
        "examples:\n"
        "  millstream doctor --online\n"
        "  millstream doctor --base-url http://127.0.0.1:8000/v1\n"
        "  millstream doctor --diff keep src | git apply"
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a source file, a notebook, or a folder of them")
    parser.add_argument(
        "--online",
        action="store_true",
        help="also examine the servers whose keys are in the environment: name, connection, certificate, key",
    )
    parser.add_argument("--base-url", metavar="URL", help="examine this server, which has OpenAI's protocol")
    parser.add_argument("--model", metavar="NAME", help="examine the server of a model, such as anthropic:NAME")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument(
        "--diff",
        choices=("keep", "leave"),
        help="print the changes of the sources as a unified diff: those that keep LangChain, or those that leave it",
    )


def run(options: argparse.Namespace) -> int:
    """Print the report, and return the exit status: 1 if requests would fail in this environment."""
    missing = [path for path in options.paths if not os.path.exists(path)]
    if missing:
        raise CommandError(f"{missing[0]} does not exist", "name a file or a folder that does", status=2)
    if options.diff is not None and not options.paths:
        raise CommandError("--diff needs a PATH", "name the sources to change", status=2)
    facts = examine_environment()
    if options.online or options.base_url is not None or options.model is not None:
        facts.extend(_examine_servers(facts, options))
    status = int(any(fact.state == "problem" for fact in facts))
    # The modules that find twins import the package's own: a broken core would look as if there were none.
    is_usable = not any(fact.state == "problem" and fact.name == "backend" for fact in facts)
    paths: list[str] = options.paths if is_usable else []
    if options.paths and not is_usable:
        print("millstream doctor: the sources are not examined, since the core is broken", file=sys.stderr)
    from .report import as_json, as_text, facts_as_text

    if options.json:
        print(as_json(facts, _examine(paths)))
    elif options.diff is not None:
        _print_diff(_examine(paths), options.diff)
    else:
        # Servers and sources must not control the terminal.
        print(remove_controls("\n".join(facts_as_text(facts))))
        for line in as_text(_examine(paths)) if paths else ():
            print(remove_controls(line))
        if not options.paths:
            print("\nmillstream doctor PATH also examines the imports of a source folder")
    return status


def _examine_servers(facts: list[Fact], options: argparse.Namespace) -> Iterator[Fact]:
    if any(fact.state == "problem" and fact.name == "backend" for fact in facts):
        print("millstream doctor: the servers are not examined, since the core is broken", file=sys.stderr)
        return
    from .online import examine_servers

    yield from examine_servers(options.base_url, options.model)


def _examine(paths: list[str]) -> Iterator[Findings | Skipped]:
    """Examine one source after the other: their trees take far more memory than what is found."""
    from .findings import examine
    from .sources import Skipped, read_sources

    for item in read_sources(paths):
        yield item if isinstance(item, Skipped) else examine(item)


def _print_diff(examined: Iterator[Findings | Skipped], way: str) -> None:
    """Print the diff; what it does not change is reported beside it, since the reader of the diff is a program."""
    from .edits import find_left, make_diff
    from .report import shorten
    from .sources import Skipped

    remarks = 0
    for item in examined:
        if isinstance(item, Skipped):
            print(f"millstream doctor: not read: {item.path}: {item.reason}", file=sys.stderr)
            continue
        sys.stdout.buffer.write(make_diff(item, way))
        remarks += len(item.remarks)
        for finding in find_left(item, way):
            place = item.source.place(finding.node.lineno)
            print(
                f"millstream doctor: not in the diff: {place}: {remove_controls(shorten(finding.today))}",
                file=sys.stderr,
            )
    if remarks:
        noun = "remark" if remarks == 1 else "remarks"
        print(f"millstream doctor: {remarks} {noun}, which the report without --diff has", file=sys.stderr)
