"""The command ``millstream``: a table of commands, each of which is a module.

A command's module has ``add_arguments(parser)`` and ``run(options)``, which returns the exit status. It is imported
if the command line names the command, and imports the rest of the package when it runs: ``--help`` is fast, and
``doctor`` works with a broken installation. A command reports an error by raising
:class:`~millstream.cli.errors.CommandError`, which becomes one line on stderr.

Exit status: 0; 1 if a command failed; 2 if its command line is not valid; 130 after Ctrl-C; 141 if the reader of
stdout has left.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from io import TextIOWrapper

from .errors import CommandError, describe_error
from .parser import Parser

__all__ = ("COMMANDS", "build_parser", "main")

COMMANDS = {
    "chat": "talk with a model: streams its answers, in a terminal or to a pipe",
    "demo": "stream samples from a local mock server, without a key",
    "mock": "run a local server that speaks the providers' formats, until Ctrl-C",
    "serve": "run a gateway to OpenAI-compatible servers, until Ctrl-C",
    "record": "run a proxy that records what an upstream answers, until Ctrl-C",
    "bench": "measure streams on this machine, beside what is installed",
    "doctor": "look at the installation, at servers and keys, and at the imports of source folders",
    "completion": "print a script that completes command lines in a shell",
}
"""The commands, each with its line of help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, ``sys.argv`` by default, and return the exit status."""
    try:
        try:
            return _main(sys.argv[1:] if arguments is None else arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # A reader such as ``head`` has left; the interpreter would flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _main(arguments: Sequence[str]) -> int:
    _escape_unencodable()
    named = next((argument for argument in arguments if not argument.startswith("-")), "")
    parser = build_parser({named} & COMMANDS.keys())
    if named and named not in COMMANDS:
        parser.refuse_command(named, COMMANDS)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        options.parser.error(f"unknown arguments: {' '.join(unknown)}")
    if options.version:
        from .versions import installed_version

        print(f"millstream {installed_version('millstream') or 'not installed'}")
        return 0
    if options.command is None:
        parser.print_help()
        return 0
    return _run(options)


def build_parser(commands: Iterable[str] = COMMANDS) -> Parser:
    """Return the parser; it has the arguments of ``commands`` and the names of all commands."""
    parser = Parser(
        prog="millstream",
        description="Token streams at wire speed.",
        epilog="'millstream COMMAND --help' explains a command.",
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version and exit")
    parser.set_defaults(parser=parser)
    parsers = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    for name, line in COMMANDS.items():
        command = parsers.add_parser(name, help=line)
        if name in commands:
            module = import_module(f".{name}", __name__)
            module.add_arguments(command)
            command.set_defaults(run=module.run, parser=command)
    return parser


def _run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status; an error that users can remedy is reported in one line."""
    try:
        status: int = options.run(options)
    except BrokenPipeError:
        raise
    except Exception as error:
        described = error if isinstance(error, CommandError) else describe_error(error)
        if described is None:
            raise
        print(f"millstream {options.command}: {described}", file=sys.stderr)
        return described.status
    return status


def _escape_unencodable() -> None:
    """Escape characters that the encoding of stdout or stderr lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
