"""Checks of packages and responses, and a clock for tests, under LangChain's names. Millstream calls none of them."""

from __future__ import annotations

import datetime
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from ._late import guard_import

__all__ = ("check_package_version", "mock_now", "raise_for_status_with_text")


def check_package_version(
    package: str,
    lt_version: str | None = None,
    lte_version: str | None = None,
    gt_version: str | None = None,
    gte_version: str | None = None,
) -> None:
    """Raise :class:`ValueError` if the installed version of ``package`` is outside of the limits.

    Versions are compared by the package ``packaging``, which need not be installed for anything else.
    """
    parse = guard_import("packaging.version").parse
    installed = parse(version(package))
    limits = (
        ("<", operator.lt, lt_version),
        ("<=", operator.le, lte_version),
        (">", operator.gt, gt_version),
        (">=", operator.ge, gte_version),
    )
    for sign, holds, limit in limits:
        if limit is not None and not holds(installed, parse(limit)):
            raise ValueError(f"Expected {package} version to be {sign} {limit}. Received {installed}.")


def raise_for_status_with_text(response: Any) -> None:
    """Raise :class:`ValueError` with the text of a response if its ``raise_for_status`` raises."""
    try:
        response.raise_for_status()
    except Exception as error:
        raise ValueError(response.text) from error


@contextmanager
def mock_now(dt_value: datetime.datetime) -> Iterator[type]:
    """Let ``datetime.datetime.now()`` return ``dt_value`` inside of the block; for tests, in one thread."""
    real = datetime.datetime

    class Mocked(real):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            parts = (dt_value.year, dt_value.month, dt_value.day, dt_value.hour, dt_value.minute, dt_value.second)
            return cls(*parts, dt_value.microsecond, dt_value.tzinfo)

    datetime.datetime = Mocked  # type: ignore[misc]
    try:
        yield Mocked
    finally:
        datetime.datetime = real  # type: ignore[misc]
