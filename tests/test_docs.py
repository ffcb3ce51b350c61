"""The repository's pages: what they point to exists, and the floors are those that the lint holds."""

import doctest
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "fuzz").glob("*.md")])
# What a page names in backquotes with one of these at its start is a path of the repository.
FOLDERS = ("src/", "python/", "tests/", "benches/", "docs/", "examples/", "packaging/")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_in_backquotes_exist(page: Path) -> None:
    quoted = [path for path in re.findall(r"`([\w./-]+)(?::\w+)?`", page.read_text()) if path.startswith(FOLDERS)]
    assert [path for path in quoted if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if "\n>>> " in page.read_text()], ids=name_of)
def test_the_examples_of_a_page_are_true(page: Path) -> None:
    text = page.read_text().replace("\n```", "\n")
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(text, {}, page.name, None, None))
    assert runner.summarize(verbose=False).failed == 0


def test_the_floors_of_the_architecture_are_those_of_the_lint() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    ours = [re.findall(r"\w+", floor) for floor in contracts[0]["layers"]]
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
    table = page.partition("| floor |")[2].partition("\n\n")[0]
    rows = [re.findall(r"`(\w+)`", line.split(" | ")[0]) for line in table.splitlines()[2:]]
    written = [name for row in rows for name in row if not (name.startswith("_") and name in GROUND)]
    assert written == [name for floor in ours for name in floor if name not in GROUND]


# The table of the architecture sums the ground floor up.
GROUND = {
    path.stem
    for path in (ROOT / "python" / "millstream").glob("_*.py")
    if path.stem not in ("__init__", "__main__", "_backend")
}


def test_the_workflows_run_what_is_there_on_every_python_that_is_promised() -> None:
    workflows = {path.name: path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")}
    assert workflows.keys() == {"ci.yml", "fuzz.yml", "release.yml", "wheels.yml"}
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for text in workflows.values():
        made = re.findall(r"\bmake ([a-z-]+)", text)
        assert [target for target in made if target not in targets] == []
        files = re.findall(r"(?<![\w.])((?:packaging|\.github|\.ci)/[\w./-]*\w)", text)
        assert [file for file in files if not (ROOT / file).is_file()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = {line.rpartition(" ")[2] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)}
    assert promised <= set(re.findall(r'"(3\.\d+)"', workflows["ci.yml"]))
    assert '"3.14t"' in workflows["ci.yml"]
