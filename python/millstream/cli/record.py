"""``millstream record``: a proxy that records what an upstream answers, until Ctrl-C."""

import argparse
import sys
from typing import TYPE_CHECKING

from .errors import CommandError, port_error
from .parser import port
from .request_lines import print_request
from .waiting import wait_for_interrupt

if TYPE_CHECKING:
    from ..testing import Exchange, Recorder

__all__ = ("add_arguments", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Run a proxy on 127.0.0.1 in front of URL, which writes each exchange to a file, with its timing and without"
        " keys. Clients get the printed address in place of URL; `millstream mock --replay FILE` answers as URL did."
    )
    parser.epilog = _EXAMPLES
    parser.add_argument("url", metavar="URL", help="the upstream, such as https://api.openai.com/v1")
    parser.add_argument("--output", default="recording.jsonl", metavar="FILE", help="a new file (%(default)s)")
    parser.add_argument("--port", type=port, default=8001, help="0 selects a free port (%(default)s)")


_EXAMPLES = """\
examples:
  millstream record https://api.openai.com/v1 --output chat.jsonl
  millstream mock --replay chat.jsonl
"""


def run(options: argparse.Namespace) -> int:
    """Run the proxy until it is interrupted, and return the exit status."""
    recorder = _start(options)
    try:
        print(f"BASE_URL={recorder.url}", flush=True)
        hint = f"use the address above in place of {options.url}"
        print(f"recording to {options.output} until Ctrl-C; {hint}", file=sys.stderr, flush=True)
        wait_for_interrupt()
    finally:
        recorder.stop()
        print(f"exchanges in {options.output}: {recorder.recorded}", file=sys.stderr, flush=True)
    return 0


def _start(options: argparse.Namespace) -> "Recorder":
    from ..testing import Recorder

    try:
        return Recorder(options.url, options.output, port=options.port, on_problem=_report, on_exchange=_log).start()
    except FileExistsError:
        raise CommandError(
            f"{options.output} exists", "remove it, or name another file with --output", status=2
        ) from None
    except ValueError as error:
        raise CommandError(str(error), status=2) from None
    except OSError as error:
        if error.filename is None:
            raise port_error(options.port, error) from None
        raise CommandError(f"{options.output}: {error.strerror}", "name another file with --output") from None


def _log(exchange: "Exchange") -> None:
    """Print what was recorded."""
    cut = [] if exchange.cut_by is None else [f"cut by the {exchange.cut_by}"]
    print_request([exchange.method, exchange.path, exchange.status, *cut, f"{exchange.end_at:.3f} s"])


def _report(problem: str) -> None:
    print(f"millstream record: {problem}", file=sys.stderr, flush=True)
