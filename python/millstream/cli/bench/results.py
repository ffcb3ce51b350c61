"""Results as data: tables and the machine that they were measured on, as JSON."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .tables import Goal, Row, Table

__all__ = ("Results", "describe_machine", "read_results", "write_results")


@dataclass(frozen=True, slots=True)
class Results:
    """The tables of one command, and the machine that they were measured on."""

    machine: str
    tables: Sequence[Table]

    def table(self, title: str) -> Table | None:
        """Return the table with the title, if there is one."""
        return next((table for table in self.tables if table.title == title), None)


def read_results(text: str) -> Results:
    """Return the results in JSON."""
    found = json.loads(text)
    return Results(found["machine"], [_read_table(**table) for table in found["tables"]])


def _read_table(rows: list[dict[str, Any]], goals: list[dict[str, Any]], **others: Any) -> Table:
    return Table(**others, rows=[Row(**row) for row in rows], goals=[Goal(**goal) for goal in goals])


def write_results(results: Results) -> str:
    """Return the results as JSON; a line holds a row, so that a diff is one of rows."""
    tables = ",\n".join(_write_table(table) for table in results.tables)
    return f'{{"machine": {_json(results.machine)}, "tables": [\n{tables}\n]}}\n'


def _write_table(table: Table) -> str:
    found = asdict(table)
    lists = [f'"{name}": [{_lines(found.pop(name))}]' for name in ("rows", "goals")]
    return f"{_json(found).removesuffix('}')}, {', '.join(lists)}}}"


def _lines(values: list[Any]) -> str:
    return ",".join(f"\n  {_json(value)}" for value in values)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def describe_machine() -> str:
    """Return a description of this machine."""
    import millstream

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"Millstream ({millstream.BACKEND}), {python}, {processor}, {platform.system()} {platform.machine()}"
