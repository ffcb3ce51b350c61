"""Servers of an app that run as processes of their own, started by the commands that a page shows."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from pages import ROOT

if TYPE_CHECKING:
    from millstream.testing import MockServer

__all__ = ("ServerProcess", "free_port", "run_process", "run_server", "user_environment")


class ServerProcess:
    """A running server: its address, and its process."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.process = process

    def terminate(self) -> None:
        """Ask the server to stop, as a process manager does."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Return the exit status, once the server has ended."""
        return self.process.wait(60)


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def user_environment(server: MockServer, **others: str) -> dict[str, str]:
    """Return the environment of a user whose models ask ``server``."""
    scripts = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "OPENAI_BASE_URL": server.url,
        "OPENAI_API_KEY": "mock",
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT / "python"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **others,
    }


@contextmanager
def run_server(
    command: Sequence[str], folder: Path, environment: dict[str, str], *, path: str = "/"
) -> Iterator[ServerProcess]:
    """Run a server in ``folder``; ``PORT`` in ``command`` is a free port. It is ready once ``path`` is answered."""
    port = str(free_port())
    with run_process([part.replace("PORT", port) for part in command], folder, environment) as process:
        _wait_until_ready(f"http://127.0.0.1:{port}{path}", process)
        yield ServerProcess(f"http://127.0.0.1:{port}", process)


@contextmanager
def run_process(
    command: Sequence[str], folder: Path, environment: dict[str, str], *, output: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in ``folder``, and end it after the block; ``output`` is where its output goes."""
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=output) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    while True:
        assert process.poll() is None, "the server did not start"
        try:
            httpx2.get(url, timeout=60)
        except httpx2.ConnectError:
            time.sleep(0.05)
        else:
            return
