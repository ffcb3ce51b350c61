"""``millstream mock``: the mock server, until Ctrl-C."""

import argparse
import sys
from typing import TYPE_CHECKING

from .errors import CommandError, port_error
from .parser import count, pace, port, positive
from .request_lines import print_request
from .waiting import wait_for_interrupt

if TYPE_CHECKING:
    from ..testing import Chop, Fault, RecordedRequest, Replay, Reply

__all__ = ("add_arguments", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Run a local server that speaks the formats of all providers on their own paths: OpenAI, Anthropic, Gemini,"
        " Cohere, Ollama, llama.cpp, TGI and Bedrock. docs/how-to/testing.md lists them."
    )
    parser.epilog = _EXAMPLES
    parser.add_argument("--port", type=port, default=8000, help="0 selects a free port (%(default)s)")
    parser.add_argument(
        "--pace", type=pace, default=0.02, metavar="SECONDS", help="pause between two pieces (%(default)s)"
    )
    parser.add_argument(
        "--pieces-per-write", type=count, default=1, metavar="N", help="number of frames in one write (%(default)s)"
    )
    parser.add_argument("--bytes-per-write", type=count, metavar="N", help="split every write further")
    parser.add_argument(
        "--first-token-delay", type=pace, default=0.0, metavar="SECONDS", help="pause before the first piece"
    )
    parser.add_argument("--echo", action="store_true", help="answer the user's last message, as the model `echo` does")
    parser.add_argument("--text", help="the response text, sent word by word (default: a verse about sparkling water)")
    parser.add_argument("--varied", type=count, metavar="N", help="send N pieces of multilingual text instead")
    parser.add_argument("--model", help="the model named in responses (default: the requested one)")
    parser.add_argument(
        "--fault",
        type=_fault,
        help="the fault of responses: status:429, error:3, reset:3, fin:3, end:3, stall:3 (after three pieces), "
        "refuse, or another name of millstream.testing.fault_named; "
        "a request can name one in the header x-mock-fault or as the model fault:reset:3",
    )
    parser.add_argument(
        "--cors",
        metavar="ORIGIN",
        help="the origin whose pages may read the answers in a browser, or `none` (default: any; with --replay: none)",
    )
    parser.add_argument("--quiet", action="store_true", help="print no line for each request")
    parser.add_argument("--times", type=count, metavar="N", help="only the first N requests have the fault")
    parser.add_argument("--replay", metavar="FILE", help="send what `millstream record` wrote to FILE, with its timing")
    parser.add_argument("--speed", type=positive, metavar="N", help="with --replay: N times as fast; inf: no pause (1)")
    parser.add_argument(
        "--chop",
        type=_chop,
        metavar="N|lines|events|bytes",
        help="with --replay: cut the bodies at other places: after N bytes, at lines, at events, or at each byte",
    )


_EXAMPLES = """\
examples:
  millstream mock --echo --first-token-delay 0.3
  millstream mock --fault status:429 --times 2
  millstream mock --replay recording.jsonl --speed inf
"""


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


# The variables that name a server to the clients of each provider, and what follows its address.
_VARIABLES = (
    ("OPENAI_BASE_URL", "/v1"),
    ("ANTHROPIC_BASE_URL", ""),
    ("GOOGLE_GEMINI_BASE_URL", ""),
    ("CO_API_URL", ""),
    ("OLLAMA_HOST", ""),
    ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", ""),
)


def run(options: argparse.Namespace) -> int:
    """Run the server until it is interrupted, and return the exit status."""
    from ..testing import MockServer

    reply, script = _replies(options) if options.replay is None else (_replay(options), [])
    try:
        server = MockServer(
            reply,
            script=script,
            port=options.port,
            cors=_cors(options),
            on_response=None if options.quiet else _log,
        ).start()
    except OSError as error:
        raise port_error(options.port, error) from None
    try:
        for name, path in _VARIABLES:
            print(f"{name}={server.origin}{path}", flush=True)
        hint = f"try it: millstream chat --base-url {server.url}"
        print(f"serving until Ctrl-C; {hint}", file=sys.stderr, flush=True)
        wait_for_interrupt()
    finally:
        server.stop()
    return 0


def _cors(options: argparse.Namespace) -> str | None:
    """Return the origin whose pages may read the answers: a recording is not for each page that a browser shows."""
    if options.cors is None:
        return "*" if options.replay is None else None
    return None if options.cors == "none" else str(options.cors)


def _log(request: "RecordedRequest") -> None:
    """Print how a request was answered, how many pieces were sent, and in what time."""
    model = request.body.get("model") if isinstance(request.body, dict) else None
    shown = [request.method, request.path, *([model] if isinstance(model, str) else [])]
    shown.append("no response" if request.status is None else str(request.status))
    if request.pieces_sent:
        shown.append(f"{request.pieces_sent} {'piece' if request.pieces_sent == 1 else 'pieces'}")
    if request.left:
        shown.append("client left")
    elif not request.answered:
        shown.append("cut")
    print_request([*shown, f"{request.seconds or 0:.3f} s"])


def _replay(options: argparse.Namespace) -> "Replay":
    """Return the replies of a recording."""
    from ..testing import RecordingError, Replay

    others = ("echo", "first_token_delay", "text", "varied", "model", "fault", "times", "bytes_per_write")
    given = [f"--{name.replace('_', '-')}" for name in others if getattr(options, name) not in (None, False, 0.0)]
    if given:
        raise CommandError("--replay sends what was recorded", f"leave out {', '.join(given)}", status=2)
    try:
        return Replay(options.replay, speed=options.speed or 1.0, chop=options.chop)
    except RecordingError as error:
        raise CommandError(str(error), status=2) from None
    except OSError as error:
        remedy = f"record it with 'millstream record URL --output {options.replay}'"
        raise CommandError(f"{options.replay}: {error.strerror}", remedy, status=2) from None


def _replies(options: argparse.Namespace) -> tuple["Reply", list["Reply"]]:
    """Return the default reply, and the script of replies before it."""
    from ..testing import Reply, split, varied

    chosen = [f"--{name}" for name in ("echo", "text", "varied") if getattr(options, name) not in (None, False)]
    if len(chosen) > 1:
        raise CommandError(f"{' and '.join(chosen)} contradict each other", "choose one of them", status=2)
    if options.speed is not None or options.chop is not None:
        raise CommandError("--speed and --chop are for a recording", "name one with --replay FILE", status=2)
    pieces = split(options.text) if options.text is not None else None
    if options.varied is not None:
        pieces = varied(options.varied)

    def reply(fault: "Fault | None") -> Reply:
        return Reply(
            pieces=pieces,
            model=options.model,
            pace=options.pace,
            first_delay=options.first_token_delay,
            echo=options.echo,
            pieces_per_write=options.pieces_per_write,
            bytes_per_write=options.bytes_per_write,
            fault=fault,
        )

    if options.times is None:
        return reply(options.fault), []
    return reply(None), [reply(options.fault)] * options.times
