"""The load and the gateways, each a process that ends with its standard input."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .contenders import Contender

__all__ = ("Gateway", "Load", "build_load", "gateway", "load")

_TOP = Path(__file__).parents[2]
_CRATE = Path(__file__).parent / "load"


def build_load() -> Path:
    """Build the load, and return its program."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", _TOP / "target" / "load"))
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--manifest-path", str(_CRATE / "Cargo.toml")]
    # The profile of the package's build is not the load's.
    env = {name: value for name, value in os.environ.items() if not name.startswith("CARGO_PROFILE_")}
    subprocess.run(command, check=True, env=env | {"CARGO_TARGET_DIR": str(target)})
    return target / "release" / "millstream-load"


class Load:
    """The process that is the model's server and its gateways' clients."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.upstream = f"http://127.0.0.1:{int(self._line())}/v1"

    def run(self, gateway: "Gateway", wire: str | None = None, **spec: Any) -> dict[str, Any]:
        """Do one run against a gateway, and return its figures."""
        command = gateway.contender.request(wire) | {"port": gateway.port, "pid": gateway.pid} | spec
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._line())
        if "error" in found:
            raise ValueError(found["error"])
        return found

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load has ended")
        return line


class Gateway:
    """A gateway's process."""

    def __init__(self, contender: Contender, process: "subprocess.Popen[str]", port: int) -> None:
        self.contender = contender
        self.process = process
        self.pid = process.pid
        self.port = port


@contextmanager
def load() -> Iterator[Load]:
    """Run the load."""
    with _child([str(build_load())]) as process:
        yield Load(process)


@contextmanager
def gateway(contender: Contender, upstream: str, port: int = 0) -> Iterator[Gateway]:
    """Run a gateway, at a free port if ``port`` is 0."""
    python = contender.interpreter(create=False)
    with _child([str(python), "-m", "benches.server.gateway", contender.target, upstream, str(port)]) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{contender.key} does not start")
        yield Gateway(contender, process, int(line))


@contextmanager
def _child(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    # The environment's proxies are not meant for loopback.
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = subprocess.Popen(command, cwd=_TOP, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    with process:
        try:
            yield process
        finally:
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
