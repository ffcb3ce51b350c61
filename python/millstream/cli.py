"""The command ``millstream``: ``demo``, ``mock`` and ``doctor``.

Each command imports its modules when it runs, so that ``--help`` is fast and ``doctor`` works with a
broken installation.
"""

import argparse
import asyncio
import platform
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .testing import Fault, Reply

__all__ = ("main",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, ``sys.argv`` by default, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="millstream", description="Token streams at wire speed.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="stream three samples from a local mock server")
    demo.add_argument(
        "--pace", type=_pace, default=0.04, metavar="SECONDS", help="pause between two pieces (%(default)s)"
    )
    demo.set_defaults(run=_demo)

    mock = commands.add_parser("mock", help="run a local server that speaks the OpenAI protocol, until Ctrl-C")
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
    mock.set_defaults(run=_mock)

    doctor = commands.add_parser("doctor", help="print the installed versions and the backend")
    doctor.set_defaults(run=_doctor)
    return parser


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


def _fault(text: str) -> "Fault":
    from .testing import fault_named

    try:
        return fault_named(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _demo(options: argparse.Namespace) -> int:
    from . import BACKEND, OpenAI
    from .testing import MockServer, Reply

    with MockServer(Reply(pace=options.pace)) as server:
        print(f"millstream {_version('millstream')}, backend: {BACKEND}, server: {server.url}")
        llm = OpenAI(model="gpt-3.5-turbo-instruct", temperature=0, max_tokens=512, base_url=server.url, api_key="mock")
        _heading("sync: llm.stream")
        for chunk in llm.stream(_SPARKLING):
            print(chunk, end="|", flush=True)
        print()
        asyncio.run(_demo_async(llm))
    return 0


async def _demo_async(llm: Any) -> None:
    _heading("async: llm.astream")
    async for chunk in llm.astream(_SPARKLING):
        print(chunk, end="|", flush=True)
    print()
    _heading("events: llm.astream_events")
    idx = 0
    async for event in llm.astream_events(_GOLDFISH, version="v1"):
        idx += 1
        if idx >= 5:
            print("...Truncated")
            break
        print(event, flush=True)


_SPARKLING = "Write me a 1 verse song about sparkling water."
_GOLDFISH = "Write me a 1 verse song about goldfish on the moon"


def _heading(text: str) -> None:
    print(f"\n--- {text}")


def _mock(options: argparse.Namespace) -> int:
    from .testing import MockServer

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
    from .testing import Reply, split, varied

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


def _doctor(options: argparse.Namespace) -> int:
    status = 0
    try:
        from . import BACKEND

        backend = BACKEND
    except Exception as error:
        backend = f"broken: {type(error).__name__}: {error}"
        status = 1
    lines = {
        "millstream": _version("millstream"),
        "backend": backend,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "platform": platform.platform(),
        "orjson": _version("orjson"),
        "httpx2": _version("httpx2"),
    }
    for name, value in lines.items():
        print(f"{name:<11} {value}")
    return status


def _version(distribution: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
