"""The modules of the Rust core: an import points down, never in a circle, also through a ``mod.rs``."""

import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent.parent / "src"
FILES = {
    path.relative_to(SOURCES).with_suffix("").as_posix().removesuffix("/mod"): path for path in SOURCES.rglob("*.rs")
}
PATH = r"\b(crate|super|self)(?=::)((?:::\w+)*)(?:::\{([^}]*)\})?"

pytestmark = pytest.mark.skipif(not FILES, reason="the sources of the core are not here")


def imports(name: str) -> set[str]:
    """Return the modules that the file of the module ``name`` refers to by a path."""
    code = re.sub(r"//.*", "", FILES[name].read_text())
    code = code.split("#[cfg(test)]\nmod tests")[0]
    found = set()
    for start, path, group in re.findall(PATH, code):
        for last in (group or "").split(",") or [""]:
            steps = [step for step in f"{path}::{last.strip()}".split("::") if step]
            base = {"crate": [], "super": name.split("/")[:-1], "self": name.split("/")}[start]
            found.add(longest(base + steps) or longest(name.split("/") + steps))
    return {module for module in found if module} - {name}


def longest(steps: list[str]) -> str:
    """Return the module that a path names, or that has the item it names."""
    paths = ["/".join(steps[:count]) for count in range(len(steps), 0, -1)]
    return next((path for path in paths if path in FILES), "")


def test_no_modules_of_the_core_import_each_other_in_a_circle() -> None:
    graph = {name: imports(name) for name in FILES}
    assert graph["http/connection"] >= {"http/body", "http/limits"}
    # Raises for a circle, and names its modules.
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)
