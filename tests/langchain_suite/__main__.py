"""Runs LangChain's own tests over Millstream: ``python -m tests.langchain_suite [PATHS OF PYTEST]``.

The tests come with pip, in the source distributions of the packages that are installed; ``--fetch`` only fetches them.
Those of langchain-tests, whose paths begin with ``standard/``, are its standard tests for models, tools and others; the
classes of ``standard`` here apply them to our own chat models. Those of a provider's package, whose paths begin
with its name, run with the models of ``millstream.integrations.langchain`` in place of its own: its unit tests, the
standard tests with a mock server, and langchain-openai's integration tests whose responses were recorded. Those of
langchain-core's parsers, whose paths begin with ``parsers/``, run with the parsers of the integration as well.

The tests that do not pass must be the ones that ``not_passing.toml`` lists, each with its reason. With ``--write`` the
list is written anew, and a test that is new on it gets the reason ``missing``.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from .suites import SUITES

LIST = Path(__file__).with_name("not_passing.toml")

REASONS = {
    "differs": "differs on purpose: docs/differences.md says how",
    "private": "tests LangChain's private parts, or how its code is made",
    "pydantic": "needs a class of ours to be a pydantic model",
    "not offered": "is about a module that Millstream leaves to LangChain",
    "network": "needs a file of OpenAI's from the network",
    "missing": "is not there yet",
}
"""The kinds of reasons in the list."""


def main(arguments: list[str]) -> int:
    """Run the tests; return 1 if one ended otherwise than the list says."""
    if arguments == ["--fetch"]:
        print(*(suite.source() for suite in SUITES), sep=", ")
        return 0
    writes = "--write" in arguments
    paths = [one for one in arguments if one != "--write"]
    known = read_list()
    outcomes: dict[str, str] = {}
    for suite in SUITES:
        if chosen := [path for path in paths if suite.has(path)] or (suite.paths if not paths else ()):
            found = suite.run(chosen)
            print(summary(suite.title, found, known), flush=True)
            outcomes |= found
    failing = {name for name, outcome in outcomes.items() if outcome.startswith(("failed", "not imported"))}
    if writes:
        left = {name: reason for name, reason in known.items() if paths and name not in outcomes}
        write_list(left | {name: known.get(name, "missing") for name in failing})
        return 0
    new = sorted(failing - known.keys())
    ran = {name for name, outcome in outcomes.items() if outcome == "passed"}
    mended = sorted(ran & known.keys())
    for name in new:
        print(f"does not pass: {name}: {outcomes[name]}")
    for name in mended:
        print(f"passes, but is on the list: {name}")
    return int(bool(new or mended))


def summary(title: str, outcomes: Mapping[str, str], known: Mapping[str, str]) -> str:
    """Return the counts in words: what ran, what passed, what a rule excluded, and the reasons of the rest."""
    counts = Counter(outcome.partition(":")[0] for outcome in outcomes.values())
    rules = Counter(one.partition(": ")[2] for one in outcomes.values() if one.startswith("excluded"))
    failing = [known.get(name, "new") for name, one in outcomes.items() if one.startswith(("failed", "not imported"))]
    passed = counts["passed"] + counts["xfailed"]
    share = 100 * passed / max(1, passed + len(failing))
    return "\n".join(
        [
            f"{title}: {passed} of {passed + len(failing)} pass ({share:.1f} %)",
            *(f"  {number} do not: {REASONS.get(reason, reason)}" for reason, number in Counter(failing).most_common()),
            *([f"  {counts['skipped']} are skipped by their own conditions"] if counts["skipped"] else []),
            *(f"  {number} are excluded by rule: {rule}" for rule, number in rules.most_common()),
        ]
    )


def read_list() -> dict[str, str]:
    """Return the reason of each test that does not pass."""
    groups = tomllib.loads(LIST.read_text(encoding="utf-8")) if LIST.exists() else {}
    unknown = groups.keys() - REASONS.keys()
    if unknown:
        raise ValueError(f"{LIST.name}: unknown reasons: {', '.join(sorted(unknown))}")
    return {name: reason for reason, names in groups.items() for name in names}


def write_list(known: Mapping[str, str]) -> None:
    """Write the list, sorted, with the number of tests of each reason."""
    lines = ["# LangChain's tests that do not pass; `python -m tests.langchain_suite --write` writes this anew."]
    for reason, words in REASONS.items():
        names = sorted(name for name, its in known.items() if its == reason)
        lines += ["", f"# {len(names)}: {words}", f'"{reason}" = [', *(f"  {json.dumps(name)}," for name in names), "]"]
    LIST.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
