"""Tables that other tables are put together into: the formats per byte, and growth."""

from collections.abc import Iterator, Sequence

from millstream.cli.bench.tables import Goal, Row, Table

from .fixtures import fixture
from .formats import FORMATS, format_stream
from .rows import GROWTH

__all__ = ("derive_tables",)

_PER_BYTE, _GROWTH = 1.5, 1.3
"""What a byte of another format may take, in multiples of OpenAI's, and a piece of a stream fifty times as long."""


def derive_tables(tables: Sequence[Table]) -> Iterator[Table]:
    """Yield the tables, as far as those that they are made of were measured."""
    known = {table.title: table for table in tables}
    for reading in ("one event per read", "reads of 64 KB"):
        streams = {"openai.chat": fixture("chat", 1000)} | {name: format_stream(name) for name in FORMATS}
        times = {}
        for name, stream in streams.items():
            work = "StreamDecoder.feed_text" if name == "openai.chat" else "feed_text of other formats"
            if (table := known.get(f"{work}: {stream.name}, {reading}")) and (row := table.row("rust")):
                times[name] = row.nanoseconds * len(stream.pieces) / len(stream.body)
        if len(times) > 1:
            yield _table(f"feed_text, per byte: 1,000 chunks, {reading}", "byte", times, "openai.chat", _PER_BYTE)
    times = {}
    for count in GROWTH:
        table = known.get(f"a tool call that grows: a tool call in {count:,} deltas, one event per read")
        if table and (row := table.row("rust")):
            times[f"{count:,} deltas"] = row.nanoseconds
    if len(times) > 1:
        first = f"{GROWTH[0]:,} deltas"
        yield _table("a tool call that grows, per delta: StreamDecoder.feed", "chunk", times, first, _GROWTH)


def _table(title: str, unit: str, times: dict[str, float], first: str, at_most: float) -> Table:
    base = times[first]
    rows = [Row(name, name, took, took / base) for name, took in times.items()]
    goals = [Goal(name, first, took / base, at_most=at_most) for name, took in times.items() if name != first]
    return Table(title, "core", unit, rows, goals)
