"""The findings of the doctor in a source: lines that could change, and lines to look at."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .clients import ACCELERATES, find_clients
from .gains import GAINS
from .names import Names
from .patterns import Remark, find_need_of_langchain, find_patterns
from .sources import Source
from .twins import WAYS, Suggestion, suggest

__all__ = ("Finding", "Findings", "examine")


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement or a call of a source, and what it could become."""

    node: ast.stmt | ast.expr
    today: str
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found in one source."""

    source: Source
    lines: tuple[Finding, ...]
    remarks: tuple[Remark, ...]


def examine(source: Source) -> Findings:
    """Return what a source could change, and what its author should know."""
    names = Names(source.tree)
    # An app with agents or graphs cannot leave LangChain: it is not shown how.
    ways = ("keep", "any") if find_need_of_langchain(names) else WAYS
    found: dict[ast.stmt, list[Suggestion]] = {}
    for imported in names.imports:
        found.setdefault(imported.node, []).extend(each for each in suggest(imported) if each.way in ways)
    lines = [Finding(node, ast.unparse(node), tuple(suggestions)) for node, suggestions in found.items() if suggestions]
    for call, library in find_clients(source.tree, names):
        # Without the arguments: one of them may be a key.
        shown = f"{ast.unparse(call.func)}(…)"
        lines.append(Finding(call, shown, (_accelerate(shown, library, names),)))
    return Findings(source, tuple(lines), tuple(find_patterns(source.tree, names)))


def _accelerate(call: str, library: str, names: Names) -> Suggestion:
    """Return the suggestion to call ``accelerate`` with a client where it is made."""
    module, _, function = ACCELERATES[library].rpartition(".")
    imported = function
    # A source that imports both SDKs needs a name for each function.
    if ACCELERATES.keys() <= {path.partition(".")[0] for path in names.paths()}:
        function = f"{function}_{library}"
        imported = f"{imported} as {function}"
    return Suggestion(
        "any",
        (f"from {module} import {imported}",),
        gains=(str(GAINS["any", f"accelerate {library}"]),),
        note=f"{call} becomes {function}({call})",
    )
