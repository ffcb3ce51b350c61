"""The payloads of a body in units: lines, elements of an array, messages."""

from typing import Any

from .ending import Payloads
from .framing.units import InvalidUnitError, TooLargeUnitError, Units
from .json import WHITE_SPACE
from .payload import is_json

__all__ = ("end_units", "read_units")


def read_units(units: Units, payloads: Payloads, data: bytes, out: list[Any]) -> None:
    """Take in a piece of a body that has units."""
    try:
        for unit in units.feed(data):
            payloads.read_unit(unit, units.noun, out)
            if payloads.done:
                return
    except InvalidUnitError as error:
        payloads.fail(error.reason, error.offset, error.frame, out)
    except TooLargeUnitError as error:
        payloads.fail_too_large(units.limit, error.offset, error.frame, out)
    else:
        if units.has_ended:
            payloads.end("array-end", out)


def end_units(units: Units, payloads: Payloads, out: list[Any]) -> None:
    """Take in that the bytes of a body that has units ended."""
    try:
        unit = units.close()
    except TooLargeUnitError as error:
        payloads.fail_too_large(units.limit, error.offset, error.frame, out)
    else:
        if unit is not None and is_json(unit.data.strip(WHITE_SPACE)):
            payloads.read_unit(unit, units.noun, out)
