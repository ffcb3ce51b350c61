"""The benchmark over sockets: its server and its clients say the same, its report says what was measured."""

from typing import Any
from xml.etree import ElementTree

import pytest
from benches.transport.report import Result, chart, format_table, markdown
from benches.transport.run import measure_sample, run_server
from benches.transport.scenarios import SCENARIOS, Goal, Scenario

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
    assert "met    3.00× less than a peer; at least 2×" in format_table(result)
    assert "MISSED 2.00× of a floor; at most 1.5×" in format_table(result)
    assert "| a title (asyncio), per token | 2 µs | 3 µs | 1 µs |" in markdown([result], "here")
    root = ElementTree.fromstring(chart([result]))
    bars = [one.get("class") for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("class")]
    assert bars == ["ours", "aiohttp", "floor"]


def test_scenarios_have_keys_of_their_own() -> None:
    assert len({scenario.key for scenario in SCENARIOS}) == len(SCENARIOS)
