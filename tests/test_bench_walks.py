"""The counter of walks: calls, files and moves, the graph of imports, statements and annotations."""

import ast
import asyncio
import os
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from benches.walks import Walk, any_share, circles, import_graph, main, statements, upward, walk


def made(source: str, file: Path) -> dict[str, Any]:
    """Return the names of a module whose code stands in ``file``."""
    names: dict[str, Any] = {}
    exec(compile(textwrap.dedent(source), str(file), "exec"), names)
    return names


def test_a_call_counts_each_time_and_a_function_once(tmp_path: Path) -> None:
    inner = made("def inner(): return 1", tmp_path / "inner.py")["inner"]
    outer = made("def outer(inner): return [inner() for _ in range(2)]", tmp_path / "outer.py")["outer"]
    with Walk(str(tmp_path)) as counted:
        outer(inner)
    assert counted.figures == (2, 2, 3, 1)


def test_a_generator_counts_when_it_starts_and_not_when_it_resumes(tmp_path: Path) -> None:
    numbers = made("def numbers():\n    for n in range(9):\n        yield n", tmp_path / "numbers.py")["numbers"]
    with Walk(str(tmp_path)) as counted:
        for _ in range(2):
            list(numbers())
    assert counted.figures == (1, 1, 2, 0)


def test_functions_of_other_places_and_those_left_out_do_not_count(tmp_path: Path) -> None:
    function = made("def function(): return 1", tmp_path / "_pure" / "function.py")["function"]
    with Walk(str(tmp_path), (f"{os.sep}_pure{os.sep}",)) as counted:
        function()
        textwrap.dedent("")
    assert counted.figures == (0, 0, 0, 0)


def test_calls_made_by_what_is_left_out_do_not_count(tmp_path: Path) -> None:
    shared = made("def shared(): return 1", tmp_path / "shared.py")["shared"]
    core = made("def core(shared): return shared()", tmp_path / "_pure" / "core.py")["core"]
    with Walk(str(tmp_path), (f"{os.sep}_pure{os.sep}",)) as counted:
        core(shared)
        shared()
    assert counted.figures == (1, 1, 1, 0)


def test_the_walk_of_a_stream_ends_with_the_stream(tmp_path: Path) -> None:
    function = made("def function(): return 1", tmp_path / "function.py")["function"]

    async def stream() -> AsyncIterator[int]:
        yield function()
        yield function()

    counted = asyncio.run(walk(stream, str(tmp_path)))
    function()
    assert counted.figures == (1, 1, 2, 0)
    assert [code.co_name for code in counted.order] == ["function", "function"]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a package of four modules, two of which import each other."""
    home = tmp_path / "house"
    (home / "upper").mkdir(parents=True)
    (home / "__init__.py").write_text("from .upper import top\n")
    (home / "upper" / "__init__.py").write_text("")
    (home / "upper" / "top.py").write_text("from ..ground import name\nfrom . import side\n")
    (home / "upper" / "side.py").write_text("def late():\n    from .top import name\n")
    (home / "ground.py").write_text("if TYPE_CHECKING:\n    import house.upper.side\n")
    return home


def test_an_import_counts_wherever_it_stands(package: Path) -> None:
    graph = import_graph(package)
    assert graph == {
        "house": {"house.upper.top"},
        "house.upper": set(),
        "house.upper.top": {"house.ground", "house.upper.side"},
        "house.upper.side": {"house.upper.top"},
        "house.ground": {"house.upper.side"},
    }


def test_modules_that_reach_each_other_are_a_circle(package: Path) -> None:
    assert circles(import_graph(package)) == [["house.ground", "house.upper.side", "house.upper.top"]]
    assert circles({"a": {"b"}, "b": set()}) == []


def test_an_import_from_a_lower_floor_points_up(package: Path) -> None:
    graph = import_graph(package)
    assert upward(graph, ["upper", "(ground) : other"]) == [("house.ground", "house.upper.side")]
    assert upward(graph, ["ground", "elsewhere"]) == []


def test_docstrings_signatures_and_overloads_do_not_count_as_statements() -> None:
    tree = ast.parse('''
"""A module."""
import a

class C:
    """A class."""

    field: int
    other: int = 1

    @overload
    def f(self, x: int) -> int: ...
    def f(self, x):
        """A method."""
        if x:
            return x
        return 0
''')
    assert statements(tree) == 5


def test_only_a_bare_any_counts_as_any() -> None:
    tree = ast.parse("def f(a: Any, *b: Any, c: list[Any], d: int) -> Any: ...\nx: Any = 1\n")
    assert any_share([tree]) == (4, 6)


def test_a_checkout_is_counted_beside_itself(capfd: pytest.CaptureFixture[str]) -> None:
    here = Path(__file__).parents[1]
    main([str(here), "--rounds", "1"])
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split()[-2:] == [here.name, here.name]
    assert len(lines) == 11
    walks = lines[1:6]
    assert all(line.count("/") == 6 for line in walks)
    for line in lines[1:-1]:
        row = line[47:]
        assert row[: len(row) // 2].split() == row[len(row) // 2 :].split()


def test_the_calls_of_a_walk_are_shown_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    main(["--show", "OpenAI.astream_records"])
    name, *calls = capfd.readouterr().out.splitlines()
    assert name == "ChatOpenAI.astream_records"
    files, functions = zip(*(line.split(maxsplit=1) for line in calls), strict=True)
    assert files[0] == os.path.join("language_models", "base.py") or functions[0].endswith("astream_records")
    assert os.path.join("streaming", "drive.py") in files
