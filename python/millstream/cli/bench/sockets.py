"""What is measured over loopback: clients in processes of their own, and a mock server in another one."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import CommandError
from .client import CLIENTS
from .tables import Row, Table

__all__ = ("measure_sockets",)


def measure_sockets(left_out: list[str], progress: Callable[[str], None], *, quick: bool) -> Table:
    """Return the table of the clients: each once a round, and the medians over the rounds."""
    pieces, streams, rounds = (100, 2, 1) if quick else (300, 5, 3)
    samples: dict[str, list[float]] = {}
    digests: dict[str, str] = {}
    with _mock_server(pieces) as url:
        for number in range(rounds):
            for key in CLIENTS if number == 0 else list(samples):
                progress(f"over sockets, round {number + 1} of {rounds}: {CLIENTS[key][0]}")
                found = _run(key, url, streams, left_out)
                if found is not None:
                    samples.setdefault(key, []).append(found["cpu"] / pieces)
                    digests[key] = found["digest"]
    for key, digest in digests.items():
        if digest != digests["ours"]:
            samples.pop(key)
            left_out.append(f"{CLIENTS[key][0]}: its text is another one")
    ours = samples["ours"]
    rows = [
        Row(key, CLIENTS[key][0], statistics.median(of_key), _ratio(of_key, ours)) for key, of_key in samples.items()
    ]
    return Table(f"chat model over sockets: {pieces:,} chunks, one write each", "sockets", "chunk", rows)


def _ratio(samples: list[float], ours: list[float]) -> float:
    return statistics.median(one / two for one, two in zip(samples, ours, strict=True))


def _run(key: str, url: str, streams: int, left_out: list[str]) -> dict[str, Any] | None:
    """Return what the client's process measured, or ``None`` for one that is left out."""
    done = subprocess.run(_python("millstream.cli.bench.client", key, url, str(streams)), **_OPTIONS)
    name = CLIENTS[key][0]
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        if key == "ours":
            raise CommandError(
                f"over sockets, {name} failed: {reason}", "'millstream doctor' examines the installation"
            )
        left_out.append(f"{name}: {reason}")
        return None
    found: dict[str, Any] | None = json.loads(done.stdout.splitlines()[-1])
    if found is None:
        left_out.append(f"{name}: it is not installed")
    return found


@contextmanager
def _mock_server(pieces: int) -> Iterator[str]:
    """Run ``millstream mock`` in another process, and yield its base URL."""
    command = _python("millstream", "mock", "--port", "0", "--pace", "0", "--varied", str(pieces), "--quiet")
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdout=pipe, stderr=null, text=True, env=_ENVIRONMENT) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline().strip()
            if not line:
                raise CommandError("the mock server did not start", "'millstream mock' reports why")
            yield line.partition("=")[2]
        finally:
            process.terminate()


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


# Proxies of the environment would stand between the client and the server; retries would hide that one failed.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
_OPTIONS: Any = {"capture_output": True, "text": True, "check": False, "env": _ENVIRONMENT}
