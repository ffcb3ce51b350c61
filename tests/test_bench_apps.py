"""The cost of existing apps is shown part by part, if the outputs of both sides are equal."""

from xml.etree import ElementTree

import pytest
from benches.breakdown import chart, parts, table_of_parts
from benches.integrations.rows import existing_apps
from benches.report import tabulate

from millstream.cli.bench.harness import Contender, Effort, WrongOutputError, measure

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
    group = next(group for group in GROUPS.values() if group.targets and "SDK" in group.title).shorten(3)
    contenders = group.contenders()
    table = tabulate(group, contenders, measure(contenders, group.reads, group.expected, ONCE))
    found = parts(table)
    assert found is not None
    assert list(found) == ["python", "core", "host", "client"]
    assert sum(found.values()) >= table.rows[0].nanoseconds * 0.999
    lines = table_of_parts([table]).splitlines()
    assert sum(line.startswith("| openai SDK: `OpenAI.chat.completions.create(stream=True)` | ") for line in lines) == 1
    bars = ElementTree.fromstring(chart([table]))
    assert any("OpenAI.chat" in (text.text or "") for text in bars)
