"""The parts of the pages that are made of results, as Markdown."""

import re
from collections.abc import Mapping, Sequence

from millstream.cli.bench.results import Results
from millstream.cli.bench.tables import Goal, Table, format_table
from millstream.cli.bench.units import ratio_text, time_text

from .formats import FORMATS
from .reasons import reason_for
from .selection import README, SUMMARY, Choice, choose
from .server.report import streams_per_core

__all__ = ("formats", "goals", "machine", "overview", "raw_tables", "readme", "servers", "sockets", "summary")

Found = Mapping[str, Results]
# The ratio stands where a narrow screen shows it.
_HEADS = ("| CPU time | | Millstream | beside it |", "|---|---|---|---|")
_OURS = ("rust", "ours", "response")
"""The contenders that need no name beside their work."""
_IN_FORMATS = ("feed_text of other formats", "feed_text, per byte")
"""The works whose comparisons are in the table of formats."""
_SCENARIOS = ("over sockets", "relay")
"""The works whose goals differ from scenario to scenario."""
_BY_READS = ("StreamDecoder.feed_text", "OpenAI.astream_records")
"""The works whose goals differ by the reads."""
_PEERS = re.compile(r" and langchain-[\w-]+'s( events)?$")
"""The end of a work's name that says what it is beside."""
_GOAL_HEADS = ("| goal | to reach | measured |", "|---|---|---|")
_DETAILED = ("SSEParser.feed", "feed_text of other formats", "over sockets", "relay")
"""The works of which some goals are met, and others missed for one reason or another."""


def readme(found: Found) -> str:
    """Return the README's rows, and where they were measured."""
    return f"{_choices(found, README)}\n\n{found['memory'].machine}. Medians of interleaved rounds."


def summary(found: Found) -> str:
    """Return the rows of the summary."""
    return _choices(found, SUMMARY)


def machine(found: Found) -> str:
    """Return the machine of each command's results."""
    commands = {"memory": "in memory", "sockets": "clients over sockets", "servers": "servers"}
    by_machine: dict[str, list[str]] = {}
    for name, what in commands.items():
        by_machine.setdefault(found[name].machine, []).append(what)
    return "\n".join(f"- {', '.join(what)}: {name}." for name, what in by_machine.items())


def _choices(found: Found, choices: tuple[Choice, ...]) -> str:
    lines = [*_HEADS]
    for one in choose(found, choices):
        ours = f"{time_text(one.ours.nanoseconds)} ({one.choice.our_name})"
        peer = f"{time_text(one.peer.nanoseconds)} ({one.choice.peer_name})"
        lines.append(f"| {one.choice.name}, per {one.unit} | **{ratio_text(one.ratio)}** less | {ours} | {peer} |")
    return "\n".join(lines)


def overview(found: Found, section: str) -> str:
    """Return a row for each comparison of a section that has a goal."""
    lines = [*_HEADS]
    for table in _of_section(found, section):
        for goal in table.goals if table.work not in _IN_FORMATS else ():
            ours, peer = table.row(goal.ours), table.row(goal.peer)
            if ours and peer and goal.ours != "python" and goal.unit == "×":
                name = "" if goal.ours in _OURS else f" ({_escape(ours.name)})"
                times = f"{time_text(ours.nanoseconds)}{name} | {time_text(peer.nanoseconds)} ({_escape(peer.name)})"
                less = goal.measured if goal.at_least is not None else 1 / goal.measured
                ratio = f"**{ratio_text(less)}** less" if less >= 1 else f"{ratio_text(1 / less)} the time"
                lines.append(f"| {_escape(table.title)}, per {table.unit} | {ratio} | {times} |")
    return "\n".join(lines)


def raw_tables(found: Found, section: str) -> str:
    """Return all tables of a section, under the names of their work."""
    by_work: dict[str, list[Table]] = {}
    for table in _of_section(found, section):
        by_work.setdefault(table.work, []).append(table)
    lines: list[str] = []
    for work, tables in by_work.items():
        lines += [f"### {_code(work)}", ""]
        for table in tables:
            lines += ["```text", format_table(table), "```", ""]
    return "\n".join(lines).rstrip()


def formats(found: Found) -> str:
    """Return a row for each format: the time of its text, beside a loop by hand, and per byte beside OpenAI's."""
    memory = found["memory"]
    heads = [
        "one event a read",
        "split + msgspec",
        "",
        "64 KB a read",
        "split + msgspec",
        "",
        "a byte, beside openai.chat",
    ]
    lines = [f"| format | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name in ("openai.chat", *FORMATS):
        work = "StreamDecoder.feed_text: chat" if name == "openai.chat" else f"feed_text of other formats: {name}"
        cells: list[str] = []
        for reading in ("one event per read", "reads of 64 KB"):
            cells += _beside_by_hand(memory.table(f"{work}, 1,000 chunks, {reading}"))
        per_byte = memory.table("feed_text, per byte: 1,000 chunks, one event per read")
        row = per_byte.row(name) if per_byte else None
        cells.append(ratio_text(row.times) if row else "–")
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _beside_by_hand(table: Table | None) -> list[str]:
    """Return the times of ours and of the loop by hand, and their ratio."""
    ours, peer = (table.row("rust"), table.row("msgspec")) if table else (None, None)
    if table is None or ours is None or peer is None:
        return ["–"] * 3
    return [time_text(ours.nanoseconds), time_text(peer.nanoseconds), f"**{ratio_text(table.goals[0].measured)}**"]


def sockets(found: Found) -> str:
    """Return a row for each scenario over sockets, a column for each client."""
    tables = found["sockets"].tables
    names: dict[str, str] = {}
    for table in tables:
        for row in table.rows:
            names.setdefault(row.key, row.name.partition(" OpenAI.")[0])  # Sync and async methods share a column.
    lines = [f"| CPU time of the client | {' | '.join(names.values())} |", "|---" * (len(names) + 1) + "|"]
    for table in tables:
        found_rows = [table.row(key) for key in names]
        cells = [time_text(row.nanoseconds) if row else "–" for row in found_rows]
        lines.append(f"| {table.title.partition(': ')[2]}, per {table.unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


def servers(found: Found) -> str:
    """Return how many streams one core carries, by CPU time."""
    paced = [table for table in found["servers"].tables if table.title.endswith("streams of 20 tokens/s")]
    names = {row.key: row.name for table in paced for row in table.rows}
    heads = [table.title.removeprefix("relay: ").partition(" of ")[0] for table in paced]
    lines = [f"| streams of 20 tokens/s per core | {' | '.join(heads)} |", "|---" * (len(paced) + 1) + "|"]
    for key, name in names.items():
        cells = ["–" if count is None else f"{round(count, -1):,.0f}" for count in streams_per_core(paced, key)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def goals(found: Found) -> str:
    """Return all goals: the missed ones, why, and the others folded. Those of one work with one bound share a row."""
    rows: dict[tuple[str, str], list[Goal]] = {}
    missed: dict[str, dict[str, list[str]]] = {}
    for results in found.values():
        for table in results.tables:
            for goal in table.goals:
                rows.setdefault((_describe_goal(table, goal), goal.bound), []).append(goal)
                if not goal.met:
                    name = table.title if table.work in _DETAILED else table.work
                    sides = missed.setdefault(reason_for(table, goal), {}).setdefault(_escape(name), [])
                    sides += [] if goal.ours in _OURS else [_escape(_side(table, goal.ours))]
    every = [goal for of_row in rows.values() for goal in of_row]
    lines: dict[bool, list[str]] = {False: [], True: []}
    for (name, bound), of_row in rows.items():
        lines[all(goal.met for goal in of_row)].append(_goal_row(name, bound, of_row))
    parts = [f"{sum(goal.met for goal in every)} of {len(every)} goals are met. The others:", ""]
    parts += [*_GOAL_HEADS, *lines[False], "", "Why they are missed:", "", *map(_reason_line, missed, missed.values())]
    parts += ["", '<details markdown="1">', "<summary>The goals that are met</summary>", "", *_GOAL_HEADS]
    return "\n".join([*parts, *lines[True], "", "</details>"])


def _describe_goal(table: Table, goal: Goal) -> str:
    """Return a goal in words, without its bound."""
    name = _escape(_PEERS.sub("", table.title if table.work in _SCENARIOS else table.work))
    if table.work in _BY_READS:
        scripts = ", many scripts" if "many scripts" in table.title else ""
        name += f"{scripts}, {table.title.rpartition(', ')[2]}"
    if goal.ours not in _OURS:
        name += f": {_escape(_side(table, goal.ours))}"
    if goal.figure:
        name += f", {goal.figure}"
    return f"{name}, beside {_escape(_side(table, goal.peer))}" if goal.peer else name


def _goal_row(name: str, bound: str, of_row: Sequence[Goal]) -> str:
    missed = sum(not goal.met for goal in of_row)
    part = f" ({missed} of {len(of_row)} missed)" if 0 < missed < len(of_row) else ""
    ordered = sorted(of_row, key=lambda goal: goal.measured)
    low, high = (goal.text(goal.measured) for goal in (ordered[0], ordered[-1]))
    return f"| {name}{part} | {bound} | {low if low == high else f'{low} to {high}'} |"


def _reason_line(reason: str, works: Mapping[str, Sequence[str]]) -> str:
    names = [f"{name} ({', '.join(dict.fromkeys(sides))})" if sides else name for name, sides in works.items()]
    return f"- *{'; '.join(names)}.* {reason}"


def _side(table: Table, key: str) -> str:
    row = table.row(key)
    return row.name if row else key


def _of_section(found: Found, section: str) -> list[Table]:
    return [table for results in found.values() for table in results.tables if table.section == section]


def _escape(text: str) -> str:
    """Return text in which a bar divides no cell, and nothing is emphasized."""
    return text.replace("|", r"\|").replace("_", r"\_").replace("*", r"\*")


def _code(text: str) -> str:
    return text if text[:1].islower() or " " in text.partition("(")[0].strip() else f"`{text}`"
