"""The beginning of a stream, up to the first output: what every driver does before its own loop.

Until then a body that breaks off may be taken again from the start: nobody has seen anything of it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .errors import APIConnectionError, StreamError

__all__ = ("abegin", "begin")


def begin(source: Any, part: Any) -> tuple[Any, Sequence[Any], Iterable[Sequence[Any]]]:
    """Open ``source``, once more where its body breaks off before anything comes out.

    Returns the body, the first outputs, and what gives the next ones.
    """
    items = over = failure = again = None
    body: Any = source.open()
    try:
        while True:
            part.opened(body)
            items, over = map(part.feed, body), part.over
            try:
                for outputs in items:
                    if outputs or over or part.idle():
                        return body, outputs, items if outputs else ()
            except (APIConnectionError, StreamError) as error:
                part.lost(error)
            if (failure := part.cut()) is None:
                return body, (), ()
            body.close()
            if (again := source.reopen(failure)) is None:
                return body, (), ()
            body, again = again, None
    except BaseException:
        body.close()
        raise
    finally:
        del source, part, body, items, over, failure, again


async def abegin(
    source: Any, part: Any, feed_of: Callable[[Any], Callable[[Any], Any]]
) -> tuple[Any, Any, Sequence[Any] | None]:
    """Open ``source``, once more where its body breaks off before anything comes out.

    ``feed_of`` returns what turns a raw item into outputs, for a part whose body is open. Returns the
    body, the first outputs, and the raw items that were read beyond them; ``None`` where nothing more is
    to be read.
    """
    feed = over = failure = again = None
    body: Any = await source.aopen()
    try:
        while True:
            part.opened(body)
            feed, over = feed_of(part), part.over
            try:
                while raws := await body.read():
                    for place, raw in enumerate(raws, 1):
                        if outputs := feed(raw):
                            return body, outputs, raws[place:]
                        if over or part.idle():
                            return body, (), None
            except (APIConnectionError, StreamError) as error:
                part.lost(error)
            if (failure := part.cut()) is None:
                return body, (), None
            await body.aclose()
            if (again := await source.areopen(failure)) is None:
                return body, (), None
            body, again = again, None
    except BaseException:
        await body.aclose()
        raise
    finally:
        del source, part, body, feed, feed_of, over, failure, again
