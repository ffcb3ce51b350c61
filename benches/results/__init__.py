"""The measurements that stand in the repository: the JSON files beside this module, from which the pages are made."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import millstream
from millstream.cli.bench.tables import Goal, Row, Table

__all__ = ("FOLDER", "Results", "describe_machine", "load_results", "save_results")

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Results:
    """The tables of one command, and the machine that they were measured on."""

    machine: str
    tables: Sequence[Table]

    def table(self, title: str) -> Table | None:
        """Return the table with the title, if there is one."""
        return next((table for table in self.tables if table.title == title), None)


def load_results(name: str, folder: Path = FOLDER) -> Results:
    """Return the results that were stored as ``name``: ``memory``, ``sockets`` or ``servers``."""
    found = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return Results(found["machine"], [_read_table(table) for table in found["tables"]])


def _read_table(found: dict[str, object]) -> Table:
    rows, goals = found.pop("rows"), found.pop("goals")
    assert isinstance(rows, list)
    assert isinstance(goals, list)
    return Table(**found, rows=[Row(**row) for row in rows], goals=[Goal(**goal) for goal in goals])  # type: ignore[arg-type]


def save_results(name: str, results: Results, folder: Path = FOLDER) -> Path:
    """Store the results as ``name``, and return the file; a line holds a row, so that a diff is one of rows."""
    tables = ",\n".join(_write_table(table) for table in results.tables)
    text = f'{{"machine": {_json(results.machine)}, "tables": [\n{tables}\n]}}\n'
    path = folder / f"{name}.json"
    path.write_text(text, "utf-8")
    return path


def _write_table(table: Table) -> str:
    found = asdict(table)
    rows, goals = found.pop("rows"), found.pop("goals")
    head = _json(found).removesuffix("}")
    lists = (f'"{name}": [' + "".join(f"\n  {_json(one)}," for one in of).removesuffix(",") + "]"
             for name, of in (("rows", rows), ("goals", goals)))  # fmt: skip
    return f"{head}, {', '.join(lists)}}}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def describe_machine() -> str:
    """Return a description of this machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"Millstream ({millstream.BACKEND}), {python}, {processor}, {platform.system()} {platform.machine()}"
