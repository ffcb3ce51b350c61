"""The report as text, and as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from .environment import Fact
from .findings import Finding, Findings
from .sources import Skipped
from .twins import Suggestion

__all__ = ("as_json", "as_text", "facts_as_text", "shorten")

_TITLES = {"keep": "keep LangChain", "leave": "leave LangChain", "any": "change to"}
_WIDTH = max(map(len, _TITLES.values())) + 2
_LONGEST = 100


def facts_as_text(facts: Iterable[Fact]) -> Iterator[str]:
    """Yield a line for each fact of the environment."""
    facts = list(facts)
    width = max(len(fact.name) for fact in facts) + 1
    for fact in facts:
        mark = {"ok": "", "note": "note: ", "problem": "PROBLEM: "}[fact.state]
        yield f"{fact.name:<{width}}{mark}{fact.value}"
        if fact.remedy:
            yield f"{'':<{width}}remedy: {fact.remedy}"


def as_text(items: Iterable[Findings | Skipped]) -> Iterator[str]:
    """Yield the lines of the report on sources, as they are found."""
    sources = changes = remarks = 0
    skipped: list[Skipped] = []
    for item in items:
        if isinstance(item, Skipped):
            skipped.append(item)
            continue
        sources += 1
        for finding in item.lines:
            changes += any(suggestion.lines for suggestion in finding.suggestions)
            yield ""
            yield from _finding_as_text(item, finding)
        for remark in item.remarks:
            remarks += 1
            yield ""
            yield f"{item.source.place(remark.line)}: {remark.text} [{remark.rule}]"
    if skipped:
        yield ""
        yield from (f"not read: {item.path}: {item.reason}" for item in skipped)
    yield ""
    counts = [(sources, "source"), (changes, "line"), (remarks, "remark")]
    read, could, seen = (f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts)
    yield f"{read} read: {could} could change, {seen}"
    if changes:
        yield "--diff keep and --diff leave print the changes; they do not sort the imports"
        yield "docs/migrating in Millstream's repository explains both ways"


def _finding_as_text(found: Findings, finding: Finding) -> Iterator[str]:
    yield f"{found.source.place(finding.node.lineno)}: {shorten(finding.today)}"
    for suggestion in finding.suggestions:
        yield from _suggestion_as_text(suggestion)


def _suggestion_as_text(suggestion: Suggestion) -> Iterator[str]:
    lines = list(suggestion.lines)
    if suggestion.note is not None:
        lines.append(suggestion.note)
    lines.extend(f"gains: {gain}" for gain in suggestion.gains)
    lines.extend(f"{name}: {reason}" for name, reason in suggestion.stays)
    title = f"{_TITLES[suggestion.way]}:"
    for line in lines:
        yield f"    {title:<{_WIDTH}}{line}"
        title = ""


def shorten(text: str) -> str:
    """Return ``text`` in one line, cut to a length for reports."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def as_json(facts: Iterable[Fact], items: Iterable[Findings | Skipped]) -> str:
    """Return everything as a JSON document."""
    sources = 0
    lines: list[dict[str, Any]] = []
    remarks: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    for item in items:
        if isinstance(item, Skipped):
            skipped.append({"path": item.path, "reason": item.reason})
            continue
        sources += 1
        lines.extend(_finding_as_dict(item, finding) for finding in item.lines)
        remarks.extend(
            {"place": item.source.place(remark.line), "rule": remark.rule, "text": remark.text}
            for remark in item.remarks
        )
    document = {
        "environment": list(map(_fact_as_dict, facts)),
        "sources": sources,
        "lines": lines,
        "remarks": remarks,
        "skipped": skipped,
    }
    return json.dumps(document, indent=2)


def _fact_as_dict(fact: Fact) -> dict[str, str]:
    remedy = {"remedy": fact.remedy} if fact.remedy else {}
    return {"name": fact.name, "value": fact.value, "state": fact.state, **remedy}


def _finding_as_dict(found: Findings, finding: Finding) -> dict[str, Any]:
    return {
        "place": found.source.place(finding.node.lineno),
        "today": finding.today,
        "suggestions": [
            {
                "way": suggestion.way,
                "lines": suggestion.lines,
                "note": suggestion.note,
                "gains": suggestion.gains,
                "stays": dict(suggestion.stays),
            }
            for suggestion in finding.suggestions
        ],
    }
