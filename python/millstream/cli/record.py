"""``millstream record``: a proxy that records what an upstream answers, until Ctrl-C."""

import argparse
import sys
import threading

__all__ = ("run",)


def run(options: argparse.Namespace) -> int:
    """Run the proxy until it is interrupted, and return the exit status."""
    from ..testing import Recorder

    try:
        recorder = Recorder(options.url, options.output, port=options.port, on_problem=_report).start()
    except FileExistsError:
        _report(f"{options.output} exists: remove it, or name another file with --output")
        return 2
    except ValueError as error:
        _report(str(error))
        return 2
    except OSError as error:
        _report(f"{error}: name another file with --output, or another port with --port")
        return 1
    try:
        print(f"BASE_URL={recorder.url}", flush=True)
        print(f"recording to {options.output} until Ctrl-C", file=sys.stderr, flush=True)
        threading.Event().wait()
    finally:
        recorder.stop()
        print(f"exchanges in {options.output}: {recorder.recorded}", file=sys.stderr, flush=True)
    return 0


def _report(problem: str) -> None:
    print(f"millstream record: {problem}", file=sys.stderr, flush=True)
