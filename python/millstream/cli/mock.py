"""``millstream mock``: the mock server, until Ctrl-C."""

import argparse
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..testing import Fault, Replay, Reply

__all__ = ("run",)


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
    from ..testing import MockServer, RecordingError

    try:
        reply, script = _replies(options) if options.replay is None else (_replay(options), [])
    except (RecordingError, UsageError) as error:
        return _fail(str(error), 2)
    except OSError as error:
        return _fail(f"{error}: record it with 'millstream record URL --output {options.replay}'", 2)
    try:
        server = MockServer(reply, script=script, port=options.port).start()
    except OSError as error:
        return _fail(str(error), 1)
    try:
        for name, path in _VARIABLES:
            print(f"{name}={server.origin}{path}", flush=True)
        print("serving until Ctrl-C", file=sys.stderr, flush=True)
        threading.Event().wait()
    finally:
        server.stop()
    return 0


class UsageError(Exception):
    """Options that do not fit together."""


def _fail(problem: str, status: int) -> int:
    print(f"millstream mock: {problem}", file=sys.stderr)
    return status


def _replay(options: argparse.Namespace) -> "Replay":
    """Return the replies of a recording."""
    from ..testing import Replay

    others = ("text", "varied", "model", "fault", "times", "bytes_per_write")
    given = [f"--{name.replace('_', '-')}" for name in others if getattr(options, name) is not None]
    if given:
        raise UsageError(f"--replay sends what was recorded: leave out {', '.join(given)}")
    return Replay(options.replay, speed=options.speed or 1.0, chop=options.chop)


def _replies(options: argparse.Namespace) -> tuple["Reply", list["Reply"]]:
    """Return the default reply, and the script of replies before it."""
    from ..testing import Reply, split, varied

    if options.speed is not None or options.chop is not None:
        raise UsageError("--speed and --chop are for a recording: name one with --replay FILE")
    pieces = split(options.text) if options.text is not None else None
    if options.varied is not None:
        pieces = varied(options.varied)

    def reply(fault: "Fault | None") -> Reply:
        return Reply(
            pieces=pieces,
            model=options.model,
            pace=options.pace,
            pieces_per_write=options.pieces_per_write,
            bytes_per_write=options.bytes_per_write,
            fault=fault,
        )

    if options.times is None:
        return reply(options.fault), []
    return reply(None), [reply(options.fault)] * options.times
