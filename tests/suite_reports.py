"""How the tests of another project ended: reads pytest's report in JUnit's form, and judges it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from xml.etree import ElementTree

__all__ = ("judge_report", "read_report")


def read_report(path: Path, *, skipped_fail: bool = False) -> tuple[list[str], dict[str, str]]:
    """Return the names of the tests that passed, and the first line of the message of each that did not.

    A name is that of the test's class or module, and its own. A skipped test is neither, unless ``skipped_fail``.
    """
    failures = ("failure", "error", "skipped") if skipped_fail else ("failure", "error")
    passed: list[str] = []
    failed: dict[str, str] = {}
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        problem = next((child for child in case if child.tag in failures), None)
        if problem is not None:
            failed[name] = problem.get("message", "").strip().partition("\n")[0]
        elif case.find("skipped") is None:
            passed.append(name)
    return passed, failed


def judge_report(passed: Collection[str], failed: Mapping[str, str], known: Mapping[str, str]) -> int:
    """Print which tests do not pass, with the reason in ``known``; return how many are wrong, 1 if none passed."""
    for name, message in failed.items():
        print(f"  {name}: {known.get(name, f'does not pass: {message}')}", flush=True)
    mended = known.keys() & set(passed)
    for name in sorted(mended):
        print(f"  passes, but is on the list: {name}", flush=True)
    return len(failed.keys() - known.keys()) + len(mended) + (not passed)
