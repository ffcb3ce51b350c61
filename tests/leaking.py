"""Code that leaks, and the report of ``assert_no_leaks`` about it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from millstream.testing import assert_no_leaks

__all__ = ("aleaked", "forever", "leaked", "numbers")


def leaked(act: Callable[[], Any], **allowed: Any) -> str:
    """Return the report about ``act``, whose result stays alive; empty if it leaks nothing."""
    kept = None
    try:
        with assert_no_leaks(**allowed):
            kept = act()
    except AssertionError as error:
        return str(error)
    finally:
        del kept
    return ""


async def aleaked(act: Callable[[], Any], **allowed: Any) -> str:
    """:func:`leaked`, in a loop."""
    try:
        async with assert_no_leaks(**allowed):
            kept = await act()
    except AssertionError as error:
        return str(error)
    del kept
    return ""


async def numbers() -> AsyncIterator[int]:
    yield 1
    yield 2


async def forever() -> None:
    await asyncio.Event().wait()
