"""The count of instructions: which loops are counted, and when a count is too high."""

import json
from pathlib import Path

from benches.instructions import CASES, compare

COUNTS = Path(__file__).parents[1] / "benches" / "instructions" / "counts.json"


def test_every_loop_has_a_stored_count() -> None:
    assert set(json.loads(COUNTS.read_text())["counts"]) == set(CASES)


def test_a_loop_that_takes_more_instructions_is_found() -> None:
    known = {"a": 100.0, "b": 100.0}
    assert list(compare({"a": 102.0, "b": 50.0}, known)) == []
    assert list(compare({"a": 102.1}, known)) == ["a: 102.1, 100.0 stored; 2% more is tolerated"]


def test_a_loop_that_was_not_counted_before_is_found() -> None:
    assert list(compare({"new": 10.0}, {})) == ["new: 10.0, 0.0 stored; 2% more is tolerated"]
