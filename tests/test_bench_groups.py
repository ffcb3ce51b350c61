"""Every group of the benchmarks runs, on a short stream: the outputs of its contenders are checked."""

import asyncio
from types import ModuleType

import pytest
from benches.rows import groups

from millstream.cli.bench.harness import bind_all

GROUPS = {group.title: group for group in groups()}

pytestmark = [
    pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"),
    pytest.mark.filterwarnings("ignore::langchain_core._api.deprecation.LangChainDeprecationWarning"),
]


@pytest.mark.parametrize("title", GROUPS)
def test_contenders_agree_on_the_output(title: str, native: ModuleType) -> None:
    group = GROUPS[title].shorten(40)
    with asyncio.Runner() as runner:
        bound = bind_all(group.contenders(), group.reads, group.expected, runner)
    assert bound
    assert {key for target in group.targets for key in (target.ours, target.peer)} <= {one.key for one, _ in bound}


def test_every_group_has_a_title_of_its_own() -> None:
    assert len(GROUPS) == sum(1 for _ in groups())


def test_the_stream_of_a_group_is_shortened() -> None:
    for group in GROUPS.values():
        short = group.shorten(40).stream
        assert short.format == group.stream.format
        assert len(short.frames) < 50
