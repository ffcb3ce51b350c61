"""Finds Python files and notebooks, and reads them; nothing of them is imported."""

from __future__ import annotations

import ast
import json
import os
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tokenize import detect_encoding

__all__ = ("MAX_SOURCE_SIZE", "Skipped", "Source", "read_sources")

MAX_SOURCE_SIZE = 1 << 20
"""Larger files are skipped: they are written by programs."""

_SKIPPED_FOLDERS = {"__pycache__", "build", "dist", "node_modules", "site-packages"}
# Cell magics whose cell is Python.
_PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture")


@dataclass(frozen=True, slots=True)
class Source:
    """The tree of a file, and its text; a notebook's text is that of its code cells, one after the other."""

    path: str
    text: str
    tree: ast.Module
    encoding: str = "utf-8"
    # The first lines of the cells in ``text``, and the cells' numbers in the notebook.
    cells: tuple[tuple[int, int], ...] = ()

    def place(self, line: int) -> str:
        """Return the place of a line of ``text``, as ``app.py:3`` or ``notebook.ipynb:cell 2:3``."""
        if not self.cells:
            return f"{self.path}:{line}"
        first, number = self.cells[bisect_right(self.cells, (line, len(self.text))) - 1]
        return f"{self.path}:cell {number}:{line - first + 1}"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, a folder or a cell that was not read, and why."""

    path: str
    reason: str


def read_sources(paths: list[str]) -> Iterator[Source | Skipped]:
    """Yield the sources of files and folders, in the order of their names, each file once."""
    seen: set[str] = set()
    for root in paths:
        for path in _find(root):
            if isinstance(path, Skipped):
                yield path
            elif (real := os.path.realpath(path)) not in seen:
                seen.add(real)
                yield from _read(path)


def _find(root: str) -> Iterator[str | Skipped]:
    if not os.path.isdir(root):
        yield root
        return
    failures: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=failures.append):
        folders[:] = sorted(name for name in folders if _is_searched(folder, name))
        for name in sorted(files):
            if name.endswith((".py", ".pyi", ".ipynb")) and os.path.isfile(os.path.join(folder, name)):
                yield os.path.normpath(os.path.join(folder, name))
    for failure in failures:
        yield Skipped(str(failure.filename), failure.strerror or "is not readable")


def _is_searched(folder: str, name: str) -> bool:
    """Return whether a folder holds sources of the app: no hidden folder, environment or build."""
    if name.startswith(".") or name in _SKIPPED_FOLDERS or name.endswith(".egg-info"):
        return False
    return not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))


def _read(path: str) -> Iterator[Source | Skipped]:
    try:
        if os.path.getsize(path) > MAX_SOURCE_SIZE:
            yield Skipped(path, f"is larger than {MAX_SOURCE_SIZE >> 20} MiB")
            return
        data = Path(path).read_bytes()
    except OSError as error:
        yield Skipped(path, error.strerror or "is not readable")
        return
    if b"\0" in data:
        yield Skipped(path, "is a binary file")
    elif path.endswith(".ipynb"):
        yield from _read_notebook(path, data)
    else:
        try:
            # The encoding that the file declares; line ends stay as they are.
            encoding, _ = detect_encoding(BytesIO(data).readline)
            text = data.decode(encoding)
            yield Source(path, text, _parse(text), encoding)
        except _UNREADABLE as error:
            yield Skipped(path, _describe(error))


_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SyntaxWarning, of escapes in the strings of the app
        return ast.parse(text)


def _describe(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"is not valid Python: line {error.lineno}: {error.msg}"
    if isinstance(error, (RecursionError, MemoryError)):
        return "is nested too deeply"
    return f"is not valid Python: {error}"


def _read_notebook(path: str, data: bytes) -> Iterator[Source | Skipped]:
    try:
        cells = list(_code_cells(json.loads(data)))
    except (ValueError, RecursionError, TypeError, AttributeError):
        yield Skipped(path, "is not a valid notebook")
        return
    texts: list[str] = []
    firsts: list[tuple[int, int]] = []
    line = 1
    for number, cell in cells:
        text = "\n".join(map(_without_magic, cell.replace("\r\n", "\n").split("\n"))) + "\n"
        try:
            _parse(text)
        except _UNREADABLE as error:
            yield Skipped(f"{path}:cell {number}", _describe(error))
            continue
        texts.append(text)
        firsts.append((line, number))
        line += text.count("\n")
    try:
        if texts:
            yield Source(path, "".join(texts), _parse("".join(texts)), cells=tuple(firsts))
    except _UNREADABLE as error:
        yield Skipped(path, _describe(error))


def _code_cells(notebook: dict[str, object]) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each cell in Python."""
    metadata = notebook.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    if isinstance(kernel, dict) and kernel.get("language", "python") != "python":
        return
    cells = notebook.get("cells", [])
    if not isinstance(cells, list):
        raise TypeError("cells is not a list")
    for number, cell in enumerate(cells, 1):
        source = cell.get("source", "")
        text = source if isinstance(source, str) else "".join(source)
        is_python = not text.startswith("%%") or text.startswith(_PYTHON_MAGICS)
        if cell.get("cell_type") == "code" and is_python:
            yield number, text


def _without_magic(line: str) -> str:
    """Return ``line``, or ``pass`` if IPython and not Python reads it."""
    code = line.lstrip()
    if code.startswith(("%", "!", "?")) or code.rstrip().endswith("?"):
        return line[: len(line) - len(code)] + "pass"
    return line
