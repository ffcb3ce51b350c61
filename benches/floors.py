"""The floors: ratios that must not be fallen below, somewhat under what was measured on a quiet machine.

``benches/floors.json`` has them by the title of a table and the names of both sides. A figure of a goal that has no
floor yet gets one with ``python -m benches --write-readme``; ``python -m benches.floors`` sets all of them anew, from
the results that stand in the repository, after a change that made something slower on purpose.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from millstream.cli.bench.tables import Goal, Table

from .results import load_results

__all__ = ("find_fallen", "floor_of", "load_floors", "main", "set_missing")

_FILE = Path(__file__).parent / "floors.json"
_MARGIN = 0.7
"""The part of a measured ratio that is its floor: noise moves the median of a row by less."""

Floors = Mapping[str, Mapping[str, float]]


def load_floors(file: Path = _FILE) -> Floors:
    """Return the floors, by title and by the names of both sides."""
    found: Floors = json.loads(file.read_text("utf-8"))
    return found


def find_fallen(tables: Sequence[Table], floors: Floors | None = None) -> Iterator[str]:
    """Yield a line for each figure that is below its floor."""
    floors = load_floors() if floors is None else floors
    for table in tables:
        for goal in table.goals:
            floor = floors.get(table.title, {}).get(_sides(goal))
            if floor is not None and _speed(goal) < floor:
                yield f"{table.title}: {_sides(goal)}: {_speed(goal):.3g}×, floor {floor:g}×"


def set_missing(tables: Sequence[Table], file: Path = _FILE) -> None:
    """Set the floors of figures that have none, and remove those of figures that are not measured any more."""
    known = load_floors(file)
    floors = {
        table.title: {
            side: known.get(table.title, {}).get(side, floor)
            for side, floor in ((_sides(goal), floor_of(goal)) for goal in table.goals if goal.unit == "×")
        }
        for table in tables
    }
    text = json.dumps({title: found for title, found in floors.items() if found}, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", "utf-8")


def floor_of(goal: Goal) -> float:
    """Return the floor under what was measured; where both sides should take the same time, under the goal."""
    speed = _speed(goal) if goal.at_most is None else min(_speed(goal), 1 / goal.at_most)
    return float(f"{speed * _MARGIN:.2g}")


def _speed(goal: Goal) -> float:
    """Return the peer's time in multiples of ours."""
    return goal.measured if goal.at_least is not None else 1 / goal.measured


def _sides(goal: Goal) -> str:
    return f"{goal.ours} beside {goal.peer}"


def main() -> None:
    """Set all floors anew."""
    _FILE.write_text("{}\n", "utf-8")
    set_missing(load_results("memory").tables)


if __name__ == "__main__":
    main()
