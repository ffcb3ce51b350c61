"""How bytes reach a reader in the tests, and what came out, in a form that both halves share."""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, pairwise
from operator import attrgetter
from types import ModuleType
from typing import Any, NamedTuple

LARGE = 8192
PLAIN = frozenset({str, bytes, int, float, bool, type(None)})


class Halves(NamedTuple):
    """The two implementations of the core."""

    rust: ModuleType
    python: ModuleType


def splits(data: bytes) -> Iterator[list[bytes]]:
    """Yield the ways in which ``data`` can arrive: whole, byte by byte, in two at every position.

    Above 8 KiB the positions are sampled: around both ends, around line ends and around the
    powers of two that buffers like to have, and evenly in between.
    """
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    for i in range(1, len(data)) if len(data) <= LARGE else _sampled(data):
        yield [data[:i], data[i:]]


def cut(data: bytes, positions: Iterable[int]) -> list[bytes]:
    """Return ``data`` cut at ``positions``; those past its end give empty pieces, as reads may."""
    edges = [0, *sorted(min(position, len(data)) for position in positions), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def few_ways(data: bytes, size: int) -> list[list[bytes]]:
    """Return ``data`` whole, byte by byte, and in pieces of ``size`` bytes."""
    return [[data], [data[i : i + 1] for i in range(len(data))], cut(data, range(0, len(data), size))]


def bytes_of(case: dict[str, Any], name: str = "input") -> bytes:
    """Return the bytes that a case holds in base64."""
    return base64.b64decode(case[f"{name}_b64"])


@dataclass(frozen=True)
class Outcome:
    """What a reader gave for one way of splitting its input.

    ``items`` are values by field, ``at`` says for each how many bytes had been fed when it came
    out (``None``: by ``close``), ``failure`` describes the error and ``failed_at`` when it was met.
    """

    items: list[Any]
    at: list[int | None] = field(compare=False)
    failure: dict[str, Any] | None
    failed_at: int | None = field(compare=False)


def run(reader: Any, pieces: list[bytes], *, text: bool = False) -> Outcome:
    """Feed ``pieces``, close, and check on the way what holds for every reader and its failure."""
    feed, close = (reader.feed_text, reader.close_text) if text else (reader.feed, reader.close)
    items: list[Any] = []
    at: list[int | None] = []
    for fed, piece in zip(accumulate(map(len, pieces)), pieces, strict=True):
        assert reader.failure is None
        items += feed(piece)
        at += [fed] * (len(items) - len(at))
        if reader.failure is not None:
            assert reader.failure.items == []
            assert _raised_by(lambda: feed(b"data: x\n\n")) is reader.failure
            assert _raised_by(close) is reader.failure
            return Outcome(by_field(items), at, described(reader.failure), fed)
    rest, error = _returned_or_raised(close)
    items += rest
    assert error is reader.failure
    assert close() == [] if error is None else _raised_by(close) is error
    at += [None] * (len(items) - len(at))
    return Outcome(by_field(items), at, None if error is None else described(error), None)


def described(error: BaseException) -> dict[str, Any]:
    """Return everything that an error of the core says."""
    names = ("offset", "frame", "text", "text_complete", "deltas_seen")
    details = {name: getattr(error, name) for name in names if hasattr(error, name)}
    return {"type": type(error).__name__, "message": str(error), **details}


def by_field(value: Any) -> Any:
    """Return ``value`` with the value classes in it as tuples of their fields, to compare across halves."""
    if isinstance(value, list | tuple):
        return [item if item.__class__ in PLAIN else by_field(item) for item in value]
    fields = _fields_of(value.__class__)
    return value if fields is None else tuple(by_field(fields(value)))


@cache
def _fields_of(cls: type) -> Callable[[Any], Any] | None:
    """Return what makes a tuple of the name of a value class and its fields."""
    names: tuple[str, ...] = getattr(cls, "__match_args__", ())
    return attrgetter("__class__.__name__", *names) if names else None


def attempt(call: Any, *args: Any, **options: Any) -> Any:
    """Return what ``call`` returns, by field, or what its exception says."""
    try:
        return by_field(call(*args, **options))
    except Exception as error:
        return described(error)


def _returned_or_raised(call: Any) -> tuple[list[Any], Any]:
    """Return the items that ``call`` returns, or those its error carries with the error."""
    try:
        return call(), None
    except Exception as error:
        return getattr(error, "items", []), error


def _raised_by(call: Any) -> Any:
    return _returned_or_raised(call)[1]


def _sampled(data: bytes) -> list[int]:
    size = len(data)
    near = {0, size, *(1 << k for k in range(9, size.bit_length())), *range(0, size, size // 61)}
    near |= {i for i, byte in enumerate(data) if byte in b"\r\n"} if data.count(b"\n") < 200 else set()
    return sorted({i + d for i in near for d in (-2, -1, 0, 1, 2)} & set(range(1, size)))
