"""The contenders: both halves of Millstream, hand-written loops, and the installed peers.

A peer that is missing is left out, with a line that says so; the others are named with their version.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any

from .fixtures import Reads

__all__ = ("Contender", "halves", "left_out", "over", "peer")


@dataclass(frozen=True)
class Contender:
    """One contender: ``bind`` takes the reads and returns the function to time, an async one if ``waits``.

    ``shown`` turns what came out into what all contenders must agree on; ``None``: nothing comes out.
    ``whole`` does the same for those contenders of a group that have it, and leaves nothing out.
    """

    key: str
    name: str
    bind: Callable[[Reads], Callable[[], Any]]
    shown: Callable[[Any], list[str]] | None
    waits: bool = False
    whole: Callable[[Any], str] | None = None


left_out: dict[str, str] = {}
"""By package, the reason why a peer is left out."""


@cache
def halves() -> tuple[tuple[str, str, ModuleType], ...]:
    """Return the available halves of the core: key, name, module."""
    found = []
    for key, name, module in (("rust", "Millstream, Rust", "_core"), ("python", "Millstream, Python", "_pure")):
        try:
            found.append((key, name, import_module(f"millstream.{module}")))
        except ModuleNotFoundError as error:
            if error.name != f"millstream.{module}":
                raise
            left_out[module] = f"{name} is left out: millstream.{module} is not built"
    return tuple(found)


def peer(package: str, module: str) -> tuple[ModuleType, str] | None:
    """Return ``peers/MODULE.py`` and the version of ``package``, or ``None`` if something is not installed."""
    try:
        return import_module(f".peers.{module}", __package__), version(package)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("benches", "millstream"):
            raise
        left_out[package] = f"{package} is left out: {error.name} is not installed"
        return None


def over(run: Callable[[Reads], Any]) -> Callable[[Reads], Callable[[], Any]]:
    """Return the ``bind`` of a function that takes reads."""
    return lambda reads: partial(run, reads)
