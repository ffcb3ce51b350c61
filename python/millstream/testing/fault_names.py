"""Faults by name: for the command line, for a request's header, for a model's name."""

from collections.abc import Callable
from typing import Any, get_args

from .faults import (
    Chunking,
    Compress,
    Cut,
    Drip,
    Endless,
    ErrorFrame,
    ErrorStatus,
    Fault,
    Garble,
    GiantHead,
    Interim,
    Place,
    Redirect,
    Refuse,
    Stale,
    Stall,
)

__all__ = ("fault_named",)

# The words among the places.
_PLACES = get_args(get_args(Place)[1])


def _place(argument: str) -> Place:
    return argument if argument in _PLACES else _number(argument)  # type: ignore[return-value]


def _number(argument: str) -> int:
    if not (argument.isascii() and argument.isdecimal()):
        raise ValueError(argument)
    return int(argument)


def _status(argument: str) -> int:
    status = _number(argument)
    # Any other number is not a status line, which `garble` sends.
    if not 100 <= status <= 999:
        raise ValueError(argument)
    return status


def _nothing(argument: str) -> Any:
    raise ValueError(argument)


# For each name, the function from its argument to a fault, and the fault without an argument.
_NAMED: dict[str, tuple[Callable[[str], Fault], Fault]] = {
    "status": (lambda given: ErrorStatus(_status(given)), ErrorStatus()),
    "error": (lambda given: ErrorFrame(after=_number(given)), ErrorFrame()),
    "redirect": (lambda given: Redirect(_status(given)), Redirect()),
    "reset": (lambda given: Cut(_place(given), "reset"), Cut(how="reset")),
    "fin": (lambda given: Cut(_place(given), "fin"), Cut(how="fin")),
    "end": (lambda given: Cut(_place(given), "end"), Cut(how="end")),
    "stall": (lambda given: Stall(_place(given)), Stall()),
    "endless": (lambda given: Endless(_place(given)), Endless()),
    "refuse": (_nothing, Refuse()),
    "stale": (lambda given: Stale(given), Stale()),  # type: ignore[arg-type]
    "garble": (lambda given: Garble(given), Garble()),  # type: ignore[arg-type]
    "giant-head": (lambda given: GiantHead(_number(given)), GiantHead()),
    "many-headers": (lambda given: GiantHead(headers=_number(given)), GiantHead(headers=10_000)),
    "interim": (lambda given: Interim((_number(given),)), Interim()),
    "chunking": (_nothing, Chunking()),
    "compress": (lambda given: Compress(given), Compress()),  # type: ignore[arg-type]
    "drip": (lambda given: Drip(_number(given)), Drip()),
}


def fault_named(name: str) -> Fault:
    """Return the fault that ``name`` stands for on the command line, in a header or in a model's name.

    ``status:429``, ``redirect:308``, ``error:3``; ``reset:3``, ``fin:3``, ``end:3``, ``stall:3`` and
    ``endless:3``, after so many pieces or at another :data:`~millstream.testing.Place`
    (``stall:half-head``, ``fin:body``); ``garble:bare-lf``, ``giant-head:1000000``,
    ``many-headers:1000``, ``interim:103``, ``compress:deflate``, ``drip:7``, ``stale:reset``,
    ``chunking`` or ``refuse``. Alone, a name stands for the fault's defaults. Raises
    :class:`ValueError` for anything else.
    """
    kind, _, argument = name.partition(":")
    try:
        make, default = _NAMED[kind]
        return make(argument) if argument else default
    except (KeyError, ValueError):
        raise ValueError(
            f"no fault is named {name!r}: one of {', '.join(_NAMED)}, with :NUMBER or :WORD where it fits"
        ) from None
