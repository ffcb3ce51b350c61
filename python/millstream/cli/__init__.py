"""The command ``millstream``: ``demo``, ``mock``, ``record``, ``serve`` and ``doctor``.

Each command imports its modules when it runs, so that ``--help`` is fast and ``doctor`` works with a
broken installation.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..testing import Chop, Fault

__all__ = ("main",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, ``sys.argv`` by default, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # A reader such as ``head`` has left; the interpreter would flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="millstream", description="Token streams at wire speed.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="stream three samples from a local mock server")
    demo.add_argument(
        "--pace", type=_pace, default=0.04, metavar="SECONDS", help="pause between two pieces (%(default)s)"
    )
    demo.set_defaults(run=_demo)

    _add_mock(commands.add_parser("mock", help="run a local server that speaks the providers' formats, until Ctrl-C"))
    _add_record(commands.add_parser("record", help="run a proxy that records what an upstream answers, until Ctrl-C"))
    _add_serve(commands.add_parser("serve", help="run a gateway to OpenAI-compatible servers, until Ctrl-C"))
    _add_doctor(commands.add_parser("doctor", help="look at the installation, and at the imports of source folders"))
    return parser


def _add_mock(mock: argparse.ArgumentParser) -> None:
    mock.description = (
        "Run a local server that speaks the formats of all providers on their own paths: OpenAI, Anthropic, Gemini,"
        " Cohere, Ollama, llama.cpp, TGI and Bedrock. docs/how-to/testing.md lists them."
    )
    mock.add_argument("--port", type=int, default=8000, help="0 selects a free port (%(default)s)")
    mock.add_argument(
        "--pace", type=_pace, default=0.02, metavar="SECONDS", help="pause between two pieces (%(default)s)"
    )
    mock.add_argument(
        "--pieces-per-write", type=_count, default=1, metavar="N", help="number of frames in one write (%(default)s)"
    )
    mock.add_argument("--bytes-per-write", type=_count, metavar="N", help="split every write further")
    mock.add_argument("--text", help="the response text, sent word by word (default: a verse about sparkling water)")
    mock.add_argument("--varied", type=_count, metavar="N", help="send N pieces of multilingual text instead")
    mock.add_argument("--model", help="the model named in responses (default: the requested one)")
    mock.add_argument(
        "--fault",
        type=_fault,
        help="the fault of responses: status:429, error:3, reset:3, fin:3, end:3, stall:3 (after three pieces), "
        "refuse, or another name of millstream.testing.fault_named; "
        "a request can name one in the header x-mock-fault or as the model fault:reset:3",
    )
    mock.add_argument("--times", type=_count, metavar="N", help="only the first N requests have the fault")
    mock.add_argument("--replay", metavar="FILE", help="send what `millstream record` wrote to FILE, with its timing")
    mock.add_argument("--speed", type=_speed, metavar="N", help="with --replay: N times as fast; inf: no pauses (1)")
    mock.add_argument(
        "--chop",
        type=_chop,
        metavar="N|lines|events|bytes",
        help="with --replay: cut the bodies at other places: after N bytes, at lines, at events, or at each byte",
    )
    mock.set_defaults(run=_mock)


def _add_record(record: argparse.ArgumentParser) -> None:
    record.description = (
        "Run a proxy on 127.0.0.1 in front of URL, which writes each exchange to a file, with its timing and without"
        " keys. Clients get the printed address in place of URL; `millstream mock --replay FILE` answers as URL did."
    )
    record.add_argument("url", metavar="URL", help="the upstream, such as https://api.openai.com/v1")
    record.add_argument("--output", default="recording.jsonl", metavar="FILE", help="a new file (%(default)s)")
    record.add_argument("--port", type=int, default=8001, help="0 selects a free port (%(default)s)")
    record.set_defaults(run=_record)


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.description = (
        "Run a gateway: OpenAI's chat completions and completions, relayed to upstreams, with keys, limits, failover,"
        " accounts and metrics. docs/how-to/gateway.md describes the file."
    )
    serve.add_argument(
        "--upstream",
        action="append",
        default=[],
        metavar="URL[=MODEL,…]",
        help="an OpenAI-compatible server, and its models (default: any); its key is OPENAI_API_KEY",
    )
    serve.add_argument("--config", metavar="FILE", help="a TOML file, which is read again whenever it changes")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    serve.add_argument("--port", type=int, default=4000, help="the port to listen on (%(default)s)")
    serve.add_argument("--workers", type=_count, default=1, metavar="N", help="number of processes (%(default)s)")
    serve.add_argument(
        "--grace",
        type=_count,
        default=30,
        metavar="SECONDS",
        help="time for streams to end at shutdown; then they end in an error (%(default)s)",
    )
    serve.add_argument("--new-key", action="store_true", help="print a new key and its hash, and exit")
    serve.set_defaults(run=_serve)


def _add_doctor(doctor: argparse.ArgumentParser) -> None:
    doctor.description = (
        "Look at the installation and, with PATH, at Python sources and notebooks: which import lines could change, and"
        " what they would gain. Files are read, never imported and never written."
    )
    doctor.epilog = (
        "Exit status: 0, whatever the sources could gain; 1 if requests would fail in this environment (a broken core,"
        " a proxy or certificates that cannot be used); 2 if the command line is not valid or a PATH does not exist."
    )
    doctor.add_argument("paths", nargs="*", metavar="PATH", help="a source file, a notebook, or a folder of them")
    form = doctor.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument(
        "--diff",
        choices=("keep", "leave"),
        help="print the changes of the sources as a unified diff: those that keep LangChain, or those that leave it",
    )
    doctor.set_defaults(run=_doctor)


def _pace(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 60:
        raise argparse.ArgumentTypeError("must be between 0 and 60 seconds")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _speed(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def _chop(text: str) -> "Chop":
    from ..testing.chopping import check_chop

    try:
        return check_chop(int(text) if text.isdecimal() else text)  # type: ignore[arg-type]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _fault(text: str) -> "Fault":
    from ..testing import fault_named

    try:
        return fault_named(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _demo(options: argparse.Namespace) -> int:
    from . import demo

    return demo.run(options)


def _mock(options: argparse.Namespace) -> int:
    from . import mock

    return mock.run(options)


def _record(options: argparse.Namespace) -> int:
    from . import record

    return record.run(options)


def _serve(options: argparse.Namespace) -> int:
    from . import serve

    return serve.run(options)


def _doctor(options: argparse.Namespace) -> int:
    from . import doctor

    return doctor.run(options)
