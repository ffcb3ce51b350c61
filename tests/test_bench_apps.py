"""The cost of existing apps is shown part by part, if the outputs of both sides are equal."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from benches.breakdown import breakdown, chart, parts
from benches.contenders import Contender
from benches.harness import Effort, WrongOutputError, measure
from benches.integrations.rows import existing_apps
from benches.report import Measured
from benches.table import main

GROUPS = {group.work: group for group in existing_apps()}
ONCE = Effort(rounds=1, sample=1)


def test_an_app_whose_outputs_differ_is_not_timed() -> None:
    contenders = [
        Contender(key, key, lambda reads, key=key: lambda: [key], lambda _: ["a"], whole="".join)  # type: ignore[misc]
        for key in ("ours", "theirs")
    ]
    with pytest.raises(WrongOutputError, match="ours and theirs differ: 'ours', 'theirs'"):
        measure(contenders, [b""], ["a"], ONCE)


def test_the_parts_of_a_chunk_add_up_and_are_shown() -> None:
    group = next(group for group in GROUPS.values() if group.targets and "SDK" in group.title)
    group = group.shorten(3)
    contenders = group.contenders()
    one = Measured(group, contenders, measure(contenders, group.reads, group.expected, ONCE))
    found = parts(one)
    assert found is not None
    assert list(found) == ["client", "core", "host", "python"]
    assert sum(found.values()) >= one.per_unit("ours") * 0.999
    section = breakdown([one]).splitlines()
    assert section[0] == "## Existing apps"
    assert (
        sum(line.startswith("| openai SDK: `OpenAI.chat.completions.create(stream=True)` | ") for line in section) == 1
    )
    assert group.title in section
    bars = ElementTree.fromstring(chart([one]))
    assert any("OpenAI.chat" in (text.text or "") for text in bars)


def test_the_section_about_apps_alone_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n\nrows\n\n## Existing apps\n\nold rows\n", "utf-8")
    monkeypatch.setattr("benches.table._PAGE", page)
    monkeypatch.setattr("benches.table.existing_apps", lambda: iter([]))
    assert main(["--write-apps"]) == 0
    text = page.read_text("utf-8")
    assert text.startswith("# Benchmarks\n\nrows\n\n## Existing apps\n\nPrograms")
    assert "old rows" not in text
    assert (tmp_path / "apps.svg").exists()
