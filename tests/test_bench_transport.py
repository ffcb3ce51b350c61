"""The benchmark over sockets: its server and its clients say the same, its report says what was measured."""

from typing import Any

import pytest
from benches.transport.report import Result, tabulate
from benches.transport.run import measure_sample, run_server
from benches.transport.scenarios import SCENARIOS, Goal, Scenario

from millstream.cli.bench.tables import format_table

PACED = Scenario("paced", "paced", "asyncio", ("ours",), streams=3, tokens=10, rate=200)
BURST = Scenario("burst", "burst", "asyncio", ("ours",), streams=3, tokens=15, turns=2)
SYNC = Scenario("sync", "sync", "sync", ("ours",), streams=1, tokens=15, turns=2, kind="sync")
CHAT = Scenario("chat", "chat", "asyncio", ("ours",), streams=3, tokens=15, kind="chat")


@pytest.mark.parametrize(
    ("scenario", "client"),
    [
        (BURST, "ours"),
        (BURST, "aiohttp"),
        (BURST, "floor"),
        (PACED, "ours"),
        (PACED, "aiohttp"),
        (SYNC, "ours"),
        (CHAT, "ours"),
    ],
    ids=lambda one: getattr(one, "key", one),
)
def test_a_client_reads_every_token_or_is_not_measured(scenario: Scenario, client: str) -> None:
    with run_server() as url:
        sample = measure_sample(scenario, client, url, quick=True)
    assert sample["ns"] > 0
    assert (sample["p99"] >= sample["p50"] > 0) == (scenario.rate > 0)


def sample(nanoseconds: float) -> dict[str, Any]:
    return {"ns": nanoseconds, "p50": 1.0, "p99": 2.0, "bytes": 3000.0}


def test_a_report_tells_ratios_of_the_same_round() -> None:
    goals = (Goal("aiohttp", at_least=2), Goal("floor", at_most=1.5))
    scenario = Scenario("k", "a title", "asyncio", ("ours", "aiohttp", "floor"), 1, 1, rate=20, goals=goals)
    names = {"ours": "ours", "aiohttp": "a peer", "floor": "a floor"}
    samples = {
        "ours": [sample(1000), sample(3000), sample(2000)],
        "aiohttp": [sample(3000), sample(9000), sample(2000)],
        "floor": [sample(500), sample(1500), sample(1000)],
    }
    result = Result(scenario, names, samples)
    assert result.ratio("aiohttp", "ours") == 3
    table = tabulate(result)
    text = format_table(table)
    assert "  met    ours: 3.0× as fast as a peer; at least 2×" in text
    assert "  MISSED ours: 2.0× the time of a floor; at most 1.5×" in text
    assert table.title == "over sockets: a title (asyncio)"
    assert [row.nanoseconds for row in table.rows] == [2000, 3000, 1000]


def test_scenarios_have_keys_of_their_own() -> None:
    assert len({scenario.key for scenario in SCENARIOS}) == len(SCENARIOS)
