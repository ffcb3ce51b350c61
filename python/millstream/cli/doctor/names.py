"""Says for a source which library a name comes from: by its imports, and by what is assigned to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ("ImportedModule", "ImportedNames", "Names", "dotted", "read_imports")

# A longer chain of attributes is not a name of a library.
_MOST_PARTS = 8


@dataclass(frozen=True, slots=True)
class ImportedNames:
    """``from module import name as bound, …``."""

    node: ast.ImportFrom
    module: str
    names: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class ImportedModule:
    """``import module as bound``: one part of the statement, and the names of the module that the source uses.

    Without ``as`` the source writes the whole path: ``bound`` is ``module`` then.
    """

    node: ast.Import
    module: str
    bound: str
    used: tuple[str, ...]


def dotted(node: ast.expr) -> str | None:
    """Return ``"a.b.c"`` for such an expression, ``None`` for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < _MOST_PARTS:
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join((node.id, *reversed(parts)))


def read_imports(tree: ast.Module) -> Iterator[ImportedNames | ImportedModule]:
    """Yield the imports of a source in the order of its lines; relative ones are the app's own."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    if not nodes:
        return
    uses = {name for node in ast.walk(tree) if isinstance(node, ast.Attribute) and (name := dotted(node))}
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(node, ast.ImportFrom):
            if node.level == 0 and node.module is not None:
                yield ImportedNames(node, node.module, tuple((alias.name, alias.asname) for alias in node.names))
            continue
        for alias in node.names:
            bound = alias.asname or alias.name
            begin = f"{bound}."
            used = sorted({use[len(begin) :].partition(".")[0] for use in uses if use.startswith(begin)})
            yield ImportedModule(node, alias.name, bound, tuple(used))


class Names:
    """The paths of imported names, and the libraries of variables."""

    def __init__(self, tree: ast.Module) -> None:
        self.imports = tuple(read_imports(tree))
        self._paths: dict[str, str] = {}
        for found in self.imports:
            if isinstance(found, ImportedModule):
                root = found.module.partition(".")[0]
                self._paths[found.bound.partition(".")[0]] = root if found.bound == found.module else found.module
            else:
                self._paths.update({bound or name: f"{found.module}.{name}" for name, bound in found.names})
        self._values: dict[str, ast.expr] = {}
        for node in ast.walk(tree):
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if (name := dotted(target)) is not None:
                        self._values[name] = node.value

    def paths(self) -> Iterator[str]:
        """Yield the path of every imported name and module."""
        for found in self.imports:
            yield found.module
            if isinstance(found, ImportedNames):
                yield from (f"{found.module}.{name}" for name, _ in found.names)

    def path(self, node: ast.expr) -> str | None:
        """Return the path of an imported name: ``openai.OpenAI`` for ``OpenAI`` after ``from openai import OpenAI``."""
        name = dotted(node)
        if name is None:
            return None
        first, _, rest = name.partition(".")
        path = self._paths.get(first)
        return path if path is None or not rest else f"{path}.{rest}"

    def origin(self, node: ast.expr) -> str | None:
        """Return the path that a value comes from: the callable of its first call, through variables and methods.

        The value of ``prompt | model`` comes from ``prompt``, whose operator is called.
        """
        seen: set[str] = set()
        while True:
            if isinstance(node, ast.BinOp):
                node = node.left
            elif isinstance(node, (ast.Call, ast.Await)):
                node = node.func if isinstance(node, ast.Call) else node.value
            elif (path := self.path(node)) is not None:
                return path
            elif (name := dotted(node)) is not None and name in self._values and name not in seen:
                seen.add(name)
                node = self._values[name]
            elif isinstance(node, ast.Attribute):
                node = node.value
            else:
                return None
