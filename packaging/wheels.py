"""Builds the wheels of Linux: ``python packaging/wheels.py [--own] [--target TRIPLE]… [--python VERSION]… FOLDER``.

One machine builds all of them: zig is the C compiler and the linker of every target, and maturin knows how each CPython
names its extensions. Without options it builds every wheel of :data:`TARGETS` and :data:`PYTHONS`, with ``--own`` the
one of this interpreter and this machine. Where rustup is installed, it adds the standard library of a target.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGETS = {
    "x86_64-unknown-linux-gnu": "manylinux2014",
    "aarch64-unknown-linux-gnu": "manylinux2014",
    "x86_64-unknown-linux-musl": "musllinux_1_2",
    "aarch64-unknown-linux-musl": "musllinux_1_2",
}
"""Each target, and the oldest platform that its wheels run on."""

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.14t")
"""The versions of CPython; a ``t`` is a free-threaded build."""


def main(arguments: list[str]) -> None:
    """Build the wheels that were asked for."""
    parser = argparse.ArgumentParser(prog="python packaging/wheels.py", description="Build the wheels of Linux.")
    parser.add_argument("folder", type=Path, help="where the wheels go")
    parser.add_argument("--target", action="append", choices=TARGETS, help="a target (default: all of them)")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="a version (default: all of them)")
    parser.add_argument("--own", action="store_true", help="the wheel of this interpreter and this machine alone")
    options = parser.parse_args(arguments)
    if options.own:
        build(
            f"{platform.machine()}-unknown-linux-gnu",
            [f"{sys.version_info.major}.{sys.version_info.minor}"],
            options.folder,
        )
        return
    for target in options.target or TARGETS:
        add(target)
        build(target, options.python or PYTHONS, options.folder)


def add(target: str) -> None:
    """Let rustup add the standard library of ``target``, which it does once."""
    if shutil.which("rustup"):
        subprocess.run(["rustup", "target", "add", target], check=True, cwd=ROOT)


def build(target: str, pythons: Sequence[str], folder: Path) -> None:
    """Build the wheels of one target."""
    interpreters = [argument for version in pythons for argument in ("--interpreter", f"python{version}")]
    command = [Path(sys.executable).with_name("maturin"), "build", "--release", "--locked", "--zig"]
    # An interpreter of this environment would be taken for one of the target's.
    variables = {name: value for name, value in os.environ.items() if name not in ("PYO3_PYTHON", "VIRTUAL_ENV")}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    subprocess.run(
        [*command, "--target", target, "--compatibility", TARGETS[target], *interpreters, "--out", folder.resolve()],
        cwd=ROOT,
        env=variables,
        check=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
