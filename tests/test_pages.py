"""The pages of ``docs/``: every Python block runs, and prints what the page says."""

import gc
from pathlib import Path
from typing import Any

import pytest

from millstream.testing import MockServer
from pages import ROOT, find_blocks, name_of, point_at, run_block

DOCS = ROOT / "docs"
# The programs of docs/migrating are run by tests/test_migrating.py, each beside what it replaces.
PAGES = sorted(page for page in DOCS.rglob("*.md") if page.parent.name != "migrating")
# Pages whose code needs more than a server, and the module or the folder of tests/ that runs it.
RUN_ELSEWHERE = {
    "how-to/adding-a-provider.md": "test_adding_a_provider.py",
    "how-to/celery.md": "test_resumable_celery.py",
    "how-to/command-line.md": "test_command_line_page.py",
    "how-to/django.md": "test_deploying.py",
    "how-to/jupyter.md": "notebook_suite",
    "how-to/pytest.md": "test_pytest_page.py",
    "how-to/streamlit.md": "notebook_suite",
    "tutorial.md": "test_tutorial.py",
}
RUN_HERE = [page for page in PAGES if str(page.relative_to(DOCS)) not in RUN_ELSEWHERE]
LEARNING = [
    page
    for page in RUN_HERE
    if page.parent.name == "how-to" or (page.parent == DOCS and page.stem in ("index", "tutorial"))
]


@pytest.mark.parametrize("page", [page for page in RUN_HERE if any(find_blocks(page.read_text()))], ids=name_of)
def test_the_programs_of_a_page_run(
    page: Path,
    mock_server: MockServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    point_at(mock_server, monkeypatch)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in find_blocks(page.read_text()):
        run_block(block, name_of(page), namespace)
        printed = capsys.readouterr().out
        assert block.printed is None or printed == block.printed
    # Objects that a program leaves open are reported here, and not in a later test.
    namespace.clear()
    gc.collect()


@pytest.mark.parametrize("page", LEARNING, ids=name_of)
def test_a_page_to_learn_from_has_an_example_that_is_run(page: Path) -> None:
    text = page.read_text()
    assert "\n>>> " in text or any(find_blocks(text))


@pytest.mark.parametrize("page", RUN_ELSEWHERE)
def test_a_page_that_is_run_elsewhere_is(page: str) -> None:
    place = ROOT / "tests" / RUN_ELSEWHERE[page]
    modules = [place] if place.is_file() else [*place.rglob("*.py")]
    assert any(Path(page).name in module.read_text() for module in modules)
