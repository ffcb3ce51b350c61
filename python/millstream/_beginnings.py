"""What a driver does where a body breaks off before anything came out: nobody has seen anything of it.

The source may then open another one, and the stream begins anew.
"""

from typing import Any

__all__ = ("abegin_again", "begin_again")


def begin_again(source: Any, part: Any, body: Any) -> Any:
    """Return another body of ``source`` in place of ``body``, which broke off; ``None`` where there is none.

    ``source`` is ``None`` where something has come out.
    """
    failure: Any = None
    try:
        if source is None or (failure := part.cut()) is None:
            return None
        body.close()
        return source.reopen(failure)
    finally:
        # What reopening raises keeps this frame.
        del source, part, body, failure


async def abegin_again(source: Any, part: Any, body: Any) -> Any:
    """:func:`begin_again` for async code."""
    failure: Any = None
    try:
        if source is None or (failure := part.cut()) is None:
            return None
        await body.aclose()
        return await source.areopen(failure)
    finally:
        del source, part, body, failure
