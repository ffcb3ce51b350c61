"""The section about gateways in the page of benchmarks."""

from ..breakdown import SECTION as APPS
from .chart import streams_per_core
from .measure import Result
from .report import format_table
from .resources import Resources
from .scenarios import GOALS

__all__ = ("carry_over", "format_resources", "put_section", "section")

_BEGIN, _END = "<!-- server:begin -->", "<!-- server:end -->"

_INTRODUCTION = """\
## Gateways

The cost of relaying a model's stream: a server asks an OpenAI-compatible upstream for a chat stream, and sends it to
its client. `python -m benches.server` runs one native process that is both the upstream and all clients, with one clock
(`benches/server/load/`). The gateways are processes of their own, under uvicorn with uvloop and httptools. They stay
up; each round asks every gateway for the same streams, in another order. The whole text of every stream is compared
with the upstream's; a wrong text stops the measurement.

- *CPU* is that of the gateway's process, all threads, from the first token of the last stream to the last token of the
  first; ratios are medians of paired rounds, with their range.
- *Streams per core* is that CPU time put the other way: what one core can carry, not a run at that load.
- *Latency* is the time from the upstream's write of a token to the client's read. It is a curve beside a bare relay of
  bytes, since it is the machine's too: upstream, gateway and clients share its cores.
- Tokens leave the upstream at ticks of a millisecond, those of different streams at different ones."""

_MISSED = """\
What the missed goals come to, by profiles of the gateway's process:

- *CPU of a token.* Half of it is calls of the kernel (`recv`, `send`, `epoll_wait`), which a bare relay of bytes has
  too; most of the rest is uvicorn's `send` and the loop. The relay of a record in the core is a tenth. Today's
  `StreamingResponse(astream_records)` has the same first two parts, so no response over uvicorn is 1.4 times cheaper.
- *A request of one token.* A bare relay and FastAPI's routing alone take half of what `StreamingResponse` takes in
  FastAPI, so 0.45 times leaves nothing for the model. The model's own run and its HTTP request are a quarter: some
  900 calls of Python functions, none of which stands out.
- *Memory of a stream.* uvicorn and asyncio hold 8 to 10 KB of it, FastAPI 10; the rest is the model's run, its request
  and the two connections: some 24 objects and their buffers."""


def section(results: list[Result], resources: dict[str, Resources], about: str) -> str:
    """Return the section."""
    parts = [_INTRODUCTION, f"{about}. Loopback.", "![streams per core, and latency](server.svg)", _table(results)]
    parts += [f"```\n{format_table(one)}\n```" for one in results if one.samples]
    if resources:
        parts.append(f"```\n{format_resources(resources)}\n```")
    parts.append(_MISSED)
    return "\n\n".join(parts)


def _table(results: list[Result]) -> str:
    """Return streams per core of every contender, a column for each number of streams."""
    paced = [one for one in results if one.scenario.key.startswith("paced") and one.samples]
    names = {key: name for one in paced for key, name in one.names.items()}
    heads = [f"{one.scenario.load['streams']:,} streams" for one in paced]
    lines = [f"| streams of 20 tokens/s per core, by CPU | {' | '.join(heads)} |", "|---" * (len(paced) + 1) + "|"]
    for key, name in names.items():
        cells = [f"{round(streams_per_core(one, key), -1):,.0f}" if key in one.names else "–" for one in paced]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def format_resources(resources: dict[str, Resources]) -> str:
    """Return the table of memory and of left upstreams."""
    figures = {
        "memory 50": ("KB/stream, 50", 1e3),
        "memory 200": ("200", 1e3),
        "memory 1000": ("1,000", 1e3),
        "stopped": ("MB stopped", 1e6),
        "fin": ("ms FIN", 1),
        "fin silent": ("silent", 1),
        "reset": ("ms RST", 1),
        "reset silent": ("silent", 1),
        "closed at most": ("at most", 1),
    }
    width = max(len(one.name) for one in resources.values())
    heads = "".join(f"  {head:>{max(8, len(head))}}" for head, _ in figures.values())
    lines = [
        "memory of a stream, memory behind a client that stops to read, time until a left upstream is closed",
        f"  {'':{width}}{heads}",
    ]
    for one in resources.values():
        cells = ""
        for figure, (head, unit) in figures.items():
            value = one.median(figure)
            cells += f"  {'–' if value is None else f'{value / unit:.2f}':>{max(8, len(head))}}"
        lines.append(f"  {one.name:{width}}{cells}")
        if one.median("left open"):
            lines.append(f"  {'':{width}}  left upstreams open")
    for goal in GOALS:
        value = resources[goal.contender].median(goal.figure) if goal.contender in resources else None
        if value is not None:
            met = "met   " if value <= goal.at_most else "MISSED"
            lines.append(f"  {met} {goal.words}: {value / goal.unit:.2f}; at most {goal.at_most / goal.unit:g}")
    return "\n".join(lines)


def put_section(page: str, text: str) -> str:
    """Return the page with the section in it, in place of the old one, or before that about existing apps."""
    marked = f"{_BEGIN}\n{text}\n{_END}\n"
    head, found, rest = page.partition(_BEGIN)
    if found:
        return f"{head}{marked}{rest.partition(_END)[2].removeprefix(chr(10))}"
    head, found, rest = page.partition(APPS)
    return f"{head.rstrip()}\n\n{marked}" + (f"\n{found}{rest}" if found else "")


def carry_over(old: str, new: str) -> str:
    """Return a page that was written anew, with the section of the old one."""
    _, found, rest = old.partition(_BEGIN)
    return put_section(new, rest.partition(_END)[0].strip("\n")) if found else new
