"""Counts the functions that one stream calls, and the imports between modules: ``python -m benches.walks [CHECKOUT]``.

A *walk* is one stream of four payloads over a transport in memory, on the pure-Python half, after a first
one that has imported everything. Counted are calls of Python functions of ``millstream``; the core
(``_pure``), ``millstream.testing`` and all that they call are left out. A generator counts when it starts, not when it
resumes, and a comprehension belongs to its function, so that all versions of Python count alike.

Beside the walks stand figures of the source: circles of imports and imports that point up, those for
type checkers and those inside functions included; statements; annotations that are a bare ``Any``; and the
CPU time of ``from millstream import OpenAI``. With another checkout, each figure has two columns.
Floors are those of this checkout's ``pyproject.toml``; a module that has no floor there is left out.
"""

import argparse
import ast
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

__all__ = ("Walk", "any_share", "circles", "import_graph", "main", "statements", "upward", "walk", "walks")

_HOME = Path(__file__).parents[1]
_INLINED = ("<listcomp>", "<dictcomp>", "<setcomp>")
_IMPORT = "import time; import_start = time.process_time_ns(); from millstream import OpenAI"
_TIMED = f"{_IMPORT}; print(time.process_time_ns() - import_start); import millstream; print(millstream.BACKEND)"


@dataclass
class Walk:
    """A context manager that counts the calls of functions in files under ``home``."""

    home: str
    left_out: tuple[str, ...] = ()
    files: set[str] = field(default_factory=set)
    functions: set[CodeType] = field(default_factory=set)
    calls: int = 0
    moves: int = 0

    def __post_init__(self) -> None:
        self.order: list[CodeType] = []
        self._starts: dict[CodeType, int] = {}
        self._last: str | None = None

    def __enter__(self) -> "Walk":
        sys.setprofile(self._note)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)

    @property
    def figures(self) -> tuple[int, int, int, int]:
        """Files, distinct functions, calls, and moves from a file to another between one call and the next."""
        return len(self.files), len(self.functions), self.calls, self.moves

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        file = code.co_filename
        if event != "call" or not file.startswith(self.home) or code.co_name in _INLINED:
            return
        # A generator resumes behind another instruction than that where it starts.
        if self._starts.setdefault(code, frame.f_lasti) != frame.f_lasti or self._is_left_out(frame):
            return
        self.files.add(file)
        self.functions.add(code)
        self.order.append(code)
        self.calls += 1
        self.moves += file != self._last and self._last is not None
        self._last = file

    def _is_left_out(self, frame: FrameType | None) -> bool:
        """Return whether a file that is left out has called this, directly or through others."""
        while frame is not None:
            file = frame.f_code.co_filename
            if file.startswith(self.home) and file[len(self.home) :].startswith(self.left_out):
                return True
            frame = frame.f_back
        return False


async def walk(open: Callable[[], AsyncIterable[Any]], home: str) -> Walk:
    """Return the walk of one stream, whose outputs are dropped."""
    counted = Walk(home, (f"{os.sep}_pure{os.sep}", f"{os.sep}testing{os.sep}"))
    with counted:
        async for _ in open():
            pass
    return counted


def walks() -> dict[str, Walk]:
    """Return each walk through the ``millstream`` that Python finds; only public names are used."""
    import millstream
    from millstream import ChatOpenAI, OpenAI
    from millstream.output_parsers import StrOutputParser
    from millstream.prompts import ChatPromptTemplate
    from millstream.testing.memory import MemoryTransport

    home = str(Path(millstream.__file__).parent)

    def model(make: Any, pieces: Sequence[str]) -> Any:
        body = "".join(f"data: {piece}\n\n" for piece in (*pieces, "[DONE]")).encode()
        return make(base_url="http://memory/v1", api_key="none", http_client=MemoryTransport([body]))

    def text() -> Any:
        return model(OpenAI, [_choice(text="a"), _choice(text="b"), _choice(text="", finish_reason="stop")])

    def chat() -> Any:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "a"}, {"content": "b"}]
        return model(ChatOpenAI, [*(_choice(delta=one) for one in deltas), _choice(delta={}, finish_reason="stop")])

    def chain() -> Any:
        return ChatPromptTemplate.from_template("{topic}") | chat() | StrOutputParser()

    made: dict[str, tuple[Callable[[], Any], Callable[[Any], AsyncIterable[Any]]]] = {
        "OpenAI.astream": (text, lambda one: one.astream("a")),
        "ChatOpenAI.astream_events(v2)": (chat, lambda one: one.astream_events("a", version="v2")),
        "ChatOpenAI.astream_records": (chat, lambda one: one.astream_records("a")),
        "(prompt | ChatOpenAI | StrOutputParser).astream": (chain, lambda one: one.astream({"topic": "a"})),
        "the same chain, astream_events(v2)": (chain, lambda one: one.astream_events({"topic": "a"}, version="v2")),
    }

    async def count() -> dict[str, Walk]:
        found = {}
        for name, (make, stream) in made.items():
            for _ in range(2):
                one = make()
                found[name] = await walk(lambda one=one, stream=stream: stream(one), home)  # type: ignore[misc]
        return found

    return asyncio.run(count())


def _show(found: dict[str, Walk]) -> None:
    """Print the calls of each walk in their order."""
    for name, counted in found.items():
        print(name)
        for code in counted.order:
            print(f"  {code.co_filename[len(counted.home) + 1 :]}  {code.co_qualname}")


def _choice(*, finish_reason: str | None = None, **fields: Any) -> str:
    return json.dumps({"choices": [{"index": 0, **fields, "finish_reason": finish_reason}]})


# The graph of imports.

Graph = dict[str, set[str]]


def import_graph(package: Path) -> Graph:
    """Return what each module of ``package`` imports of it, wherever the import statement stands."""
    modules = {_name(package, path): path for path in sorted(package.rglob("*.py"))}
    return {
        name: set(_imported(ast.parse(path.read_text()), name, path, modules)) - {name}
        for name, path in modules.items()
    }


def _name(package: Path, path: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(tree: ast.Module, name: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            up = node.level - (path.name == "__init__.py")
            parts = name.split(".")[: -up or None] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield from (one for one in (whole if whole in modules else base,) if one in modules)


def circles(graph: Graph) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or through others, the largest first."""
    reached = {name: _reached(graph, name) for name in graph}
    groups = {tuple(sorted(one for one in seen if name in reached[one])) for name, seen in reached.items()}
    return sorted((list(group) for group in groups if len(group) > 1), key=len, reverse=True)


def _reached(graph: Graph, name: str) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for other in graph[waiting.pop()] - seen:
            seen.add(other)
            waiting.append(other)
    return seen


def upward(graph: Graph, layers: Sequence[str]) -> list[tuple[str, str]]:
    """Return the imports from a lower floor to a higher one; ``layers`` are import-linter's, the top floor first."""
    floors = {
        module.strip("() "): floor for floor, line in enumerate(layers) for module in line.replace("|", ":").split(":")
    }

    def floor(name: str) -> int | None:
        return floors.get(name.split(".")[1]) if "." in name else None

    found = []
    for name, others in graph.items():
        own = floor(name)
        for other in sorted(others):
            theirs = floor(other)
            if own is not None and theirs is not None and theirs < own:
                found.append((name, other))
    return found


# The source.


def statements(tree: ast.AST) -> int:
    """Return how many statements run; not docstrings, signatures, overloads, and declarations without a value."""
    found = 0
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if any(ast.unparse(one).endswith("overload") for one in node.decorator_list):
                continue
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        elif isinstance(node, ast.stmt) and not isinstance(node, ast.ClassDef):
            found += not (isinstance(node, ast.AnnAssign) and node.value is None)
        found += statements(node)
    return found


def any_share(trees: Sequence[ast.AST]) -> tuple[int, int]:
    """Return how many annotations are a bare ``Any``, and how many there are."""
    found = [
        annotation
        for tree in trees
        for node in ast.walk(tree)
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if annotation is not None
    ]
    return sum(isinstance(one, ast.Name) and one.id == "Any" for one in found), len(found)


# The table.


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benches.walks", description=__doc__)
    parser.add_argument("checkout", nargs="?", type=Path, help="another checkout of the project, for a second column")
    parser.add_argument("--rounds", type=int, default=9, help="how many processes import each checkout's package")
    parser.add_argument("--show", metavar="WALK", help="print the calls of the walks whose name contains this instead")
    options = parser.parse_args(arguments)
    checkouts = [one for one in (options.checkout, _HOME) if one is not None]
    if options.show is not None:
        print(_run(checkouts[0], str(Path(__file__)), options.show, MILLSTREAM_PURE="1"), end="")
        return
    columns = [_figures(one) for one in checkouts]
    for column, imported in zip(columns, _import_times(checkouts, options.rounds), strict=True):
        column["from millstream import OpenAI, CPU"] = imported
    width = max(map(len, columns[0]))
    print("files / functions / calls / moves".ljust(width), *(f"{one.resolve().name:>22}" for one in checkouts))
    for row in columns[0]:
        print(row.ljust(width), *(f"{column[row]:>22}" for column in columns))


def _figures(checkout: Path) -> dict[str, str]:
    found = {name: " / ".join(map(str, counts)) for name, counts in _walks_of(checkout).items()}
    package = checkout / "python" / "millstream"
    graph = import_graph(package)
    trees = [ast.parse(path.read_text()) for path in sorted(package.rglob("*.py"))]
    contracts = tomllib.loads((_HOME / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    bare, whole = any_share(trees)
    found["circles of imports (modules)"] = str([*map(len, circles(graph))] or 0)
    found["imports that point up"] = str(len(upward(graph, contracts[0]["layers"])))
    found["statements"] = f"{sum(map(statements, trees)):,}"
    found["annotations that are a bare Any"] = f"{bare:,} of {whole:,} ({bare / whole:.0%})"
    return found


def _walks_of(checkout: Path) -> dict[str, Sequence[int]]:
    found: dict[str, Sequence[int]] = json.loads(_run(checkout, str(Path(__file__)), MILLSTREAM_PURE="1"))
    return found


def _import_times(checkouts: Sequence[Path], rounds: int) -> list[str]:
    """Return the median CPU time of the import in each checkout, and its half; their processes take turns."""
    spent: list[list[int]] = [[] for _ in checkouts]
    halves = [""] * len(checkouts)
    with tempfile.TemporaryDirectory() as cache:
        # The first process of each writes the bytecode.
        for turn in range(rounds + 1):
            for place, checkout in enumerate(checkouts):
                taken = _run(checkout, "-c", _TIMED, PYTHONPYCACHEPREFIX=cache, PYTHONDONTWRITEBYTECODE="").split()
                halves[place] = taken[1]
                spent[place] += [int(taken[0])] if turn else []
    return [f"{statistics.median(times) / 1e6:.1f} ms ({half})" for times, half in zip(spent, halves, strict=True)]


def _run(checkout: Path, *arguments: str, **environment: str) -> str:
    # The caller's choice of a half is not that of the walks.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MILLSTREAM_")}
    variables = {**inherited, **environment, "PYTHONPATH": str(checkout.resolve() / "python")}
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    if __spec__ is None:
        # Started by path, over the checkout on Python's path.
        found = walks()
        if sys.argv[1:]:
            _show({name: walk for name, walk in found.items() if sys.argv[1] in name})
        else:
            print(json.dumps({name: walk.figures for name, walk in found.items()}))
    else:
        main()
