"""The changes of one way as a unified diff: import lines, and ``accelerate(…)`` around clients.

Suggestions with a note need more than that, and are left to the author; so are notebooks. ``find_left`` finds them.
"""

from __future__ import annotations

import ast
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff

from .findings import Finding, Findings
from .twins import Suggestion

__all__ = ("find_left", "make_diff")


@dataclass(frozen=True, slots=True, order=True)
class _Edit:
    """A span of the source, in lines from 1 and bytes from 0, and its new text."""

    line: int
    column: int
    text: str
    end_line: int
    end_column: int


def make_diff(found: Findings, way: str) -> bytes:
    """Return the diff of a source for ``"keep"`` or ``"leave"``, in the source's encoding; empty if nothing changes."""
    source = found.source
    if source.cells:
        return b""
    before = list(io.StringIO(source.text, newline=""))
    end_of_line = "\r\n" if before and before[0].endswith("\r\n") else "\n"
    after = [line.encode() for line in before]
    edits = [edit for finding in found.lines for edit in _edits(finding, way)]
    edits.extend(_imports_of_accelerate(found))
    for edit in sorted(edits, reverse=True):
        begin, end = after[edit.line - 1][: edit.column], after[edit.end_line - 1][edit.end_column :]
        after[edit.line - 1 : edit.end_line] = [begin + edit.text.replace("\n", end_of_line).encode() + end]
    changed = list(io.StringIO(b"".join(after).decode(), newline=""))
    if source.encoding == "utf-8-sig":
        before[:1], changed[:1] = [f"\ufeff{before[0]}"], [f"\ufeff{changed[0]}"]
    path = os.fsencode(_patched_path(source.path).replace("\\", "/").lstrip("/"))
    lines = unified_diff(before, changed, "a/", "b/")
    head = [f"{next(lines, '').rstrip()}".encode() + path + b"\n" for _ in range(2)] if before != changed else []
    encoding = source.encoding.removesuffix("-sig")
    return b"".join((*head, *(_mark_end(line).encode(encoding) for line in lines)))


def find_left(found: Findings, way: str) -> Iterator[Finding]:
    """Yield what could change in one way, and does not in the diff."""
    for finding in found.lines:
        could_change = any(suggestion.lines for suggestion in _chosen(finding, way))
        if could_change and (found.source.cells or not any(_edits(finding, way))):
            yield finding


def _patched_path(path: str) -> str:
    """Return the path from the current folder, in which the diff is applied, if the file is inside of it."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return path if relative.startswith(os.pardir) else relative


def _mark_end(line: str) -> str:
    return line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n"


def _edits(finding: Finding, way: str) -> Iterator[_Edit]:
    node = finding.node
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    if isinstance(node, ast.Call):
        function = finding.suggestions[0].lines[0].rpartition(" ")[2]
        yield _Edit(end_line, end_column, ")", end_line, end_column)
        yield _Edit(node.lineno, node.col_offset, f"{function}(", node.lineno, node.col_offset)
    elif (text := _replacement(finding, way)) is not None:
        yield _Edit(node.lineno, node.col_offset, text, end_line, end_column)


def _chosen(finding: Finding, way: str) -> list[Suggestion]:
    return [suggestion for suggestion in finding.suggestions if suggestion.way in (way, "any")]


def _replacement(finding: Finding, way: str) -> str | None:
    """Return the text of an import statement in one way, ``None`` if it stays or needs other changes too."""
    node = finding.node
    chosen = _chosen(finding, way)
    lines = [line for suggestion in chosen for line in suggestion.lines]
    if not lines or any(suggestion.note for suggestion in chosen):
        return None
    if isinstance(node, ast.ImportFrom):
        stays = {name for name, _ in chosen[0].stays}
        rest = [ast.unparse(alias) for alias in node.names if alias.name in stays]
        if rest:
            lines.append(f"from {node.module} import {', '.join(rest)}")
    elif isinstance(node, ast.Import) and len(node.names) > 1:
        return None
    return ("\n" + " " * node.col_offset).join(lines)


def _imports_of_accelerate(found: Findings) -> Iterator[_Edit]:
    """Yield the edits that import ``accelerate`` before an SDK: one for each SDK with clients."""
    clients = [finding for finding in found.lines if isinstance(finding.node, ast.Call)]
    for line in dict.fromkeys(finding.suggestions[0].lines[0] for finding in clients):
        library = line.split()[1].rpartition(".")[2]
        first = next(node for node in ast.walk(found.source.tree) if library in _imported_libraries(node))
        assert isinstance(first, ast.stmt)
        text = f"{line}\n{' ' * first.col_offset}"
        yield _Edit(first.lineno, first.col_offset, text, first.lineno, first.col_offset)


def _imported_libraries(node: ast.AST) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    return {alias.name.partition(".")[0] for alias in node.names} if isinstance(node, ast.Import) else set()
