"""``millstream mock``: the mock server, until Ctrl-C."""

import argparse
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..testing import Fault, Reply

__all__ = ("run",)


def run(options: argparse.Namespace) -> int:
    """Run the server until it is interrupted, and return the exit status."""
    from ..testing import MockServer

    reply, script = _replies(options)
    try:
        server = MockServer(reply, script=script, port=options.port).start()
    except OSError as error:
        print(f"millstream mock: {error}", file=sys.stderr)
        return 1
    try:
        print(f"OPENAI_BASE_URL={server.url}", flush=True)
        print("serving until Ctrl-C", file=sys.stderr, flush=True)
        threading.Event().wait()
    finally:
        server.stop()
    return 0


def _replies(options: argparse.Namespace) -> tuple["Reply", list["Reply"]]:
    """Return the default reply, and the script of replies before it."""
    from ..testing import Reply, split, varied

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
