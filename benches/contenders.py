"""The contenders: both halves of Millstream, hand-written loops, and the installed peers.

A peer that is missing is left out, with a line that says so; the others are named with their version.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import version
from types import ModuleType

__all__ = ("halves", "left_out", "peer")


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
