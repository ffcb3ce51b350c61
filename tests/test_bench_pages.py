"""The pages of benchmarks are made of the results that stand in the repository, and floors are held."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from benches.derived import derive_tables
from benches.floors import find_fallen, floor_of, load_floors, set_missing
from benches.pages import CHARTS, PAGES, fill_page
from benches.results import load_results, save_results
from benches.rows import groups
from benches.selection import README, SUMMARY, choose
from benches.server.scenarios import SCENARIOS as OF_SERVERS
from benches.transport.scenarios import SCENARIOS as OF_SOCKETS

from millstream.cli.bench.chart import Bar, Panel, draw_bars
from millstream.cli.bench.results import Results
from millstream.cli.bench.tables import Goal, Row, Table

FOUND = {name: load_results(name) for name in ("memory", "sockets", "servers")}
DOCS = Path(__file__).parent.parent / "docs"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_figures_of_the_results(page: Path) -> None:
    text = page.read_text("utf-8")
    assert fill_page(text, FOUND) == text
    assert len(text.splitlines()) < 1500
    assert not re.search(r"\de[+-]\d", text)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_has_the_figures_of_the_results(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == CHARTS[name](FOUND)


def test_every_comparison_that_is_chosen_was_measured() -> None:
    assert [one.choice for one in choose(FOUND, README)] == list(README)
    assert [one.choice for one in choose(FOUND, SUMMARY)] == list(SUMMARY)


def test_results_are_of_groups_and_scenarios_that_exist() -> None:
    titles = {group.title for group in groups()} | {table.title for table in derive_tables(FOUND["memory"].tables)}
    unknown = {table.title for table in FOUND["memory"].tables} - titles
    assert {title.partition(":")[0] for title in unknown} <= {"imports"}
    assert len(FOUND["servers"].tables) == len(OF_SERVERS) + 1
    assert len(FOUND["sockets"].tables) == len(OF_SOCKETS)


def test_a_page_with_a_part_that_does_not_end_is_refused() -> None:
    with pytest.raises(ValueError, match="the page has no parts, or one without an end"):
        fill_page("<!-- bench:begin -->\nno end", FOUND)


def test_results_are_read_as_they_were_stored(tmp_path: Path) -> None:
    results = Results("a machine", [table(3.0), Table("nothing", "core", "byte", [], [])])
    save_results("some", results, tmp_path)
    assert load_results("some", tmp_path) == results


def table(ratio: float, title: str = "work: a stream") -> Table:
    rows = [Row("ours", "ours", 100.0, 1.0, {"p50": "1 ms"}), Row("peer", "a peer", 100 * ratio, ratio)]
    return Table(title, "core", "chunk", rows, [Goal("ours", "peer", ratio, at_least=2)])


def test_a_figure_below_its_floor_is_found() -> None:
    floors = {"work: a stream": {"ours beside peer": 2.5}}
    assert list(find_fallen([table(2.6), table(1.0, "another")], floors)) == []
    assert list(find_fallen([table(2.4)], floors)) == ["work: a stream: ours beside peer: 2.4×, floor 2.5×"]


def test_a_floor_of_a_goal_that_is_a_part_of_the_time_is_held_the_other_way() -> None:
    slow = Table("work", "core", "chunk", [], [Goal("ours", "peer", 2.0, at_most=1.5)])
    assert floor_of(slow.goals[0]) == 0.35
    assert floor_of(Goal("ours", "peer", 0.5, at_most=1.4)) == 0.5
    assert list(find_fallen([slow], {"work": {"ours beside peer": 0.4}})) == []
    assert list(find_fallen([slow], {"work": {"ours beside peer": 0.6}})) == [
        "work: ours beside peer: 0.5×, floor 0.6×"
    ]


def test_floors_stay_until_they_are_set_anew(tmp_path: Path) -> None:
    file = tmp_path / "floors.json"
    file.write_text("{}")
    set_missing([table(10.0)], file)
    set_missing([table(5.0), table(4.0, "new")], file)
    assert load_floors(file) == {"work: a stream": {"ours beside peer": 7.0}, "new": {"ours beside peer": 2.8}}


def test_the_results_in_the_repository_are_above_their_floors() -> None:
    assert list(find_fallen(FOUND["memory"].tables)) == []


def test_bars_are_as_long_as_their_values_and_stay_inside() -> None:
    bars = [Bar("ours & more", 1.0, "1 ns", is_ours=True), Bar("a peer", 4.0, "4 ns")]
    root = ElementTree.fromstring(draw_bars([Panel("a title", bars), Panel("another", bars[:1])], "linear"))
    width = float(root.get("width", 0))
    drawn = [float(rect.get("width", 0)) for rect in root.iter(f"{SVG}rect") if rect.get("class") != "back"]
    assert drawn[1] == 4 * drawn[0]
    assert drawn[2] == drawn[1]
    assert max(drawn) < width - 100
    assert "ours & more" in [text.text for text in root.iter(f"{SVG}text")]
