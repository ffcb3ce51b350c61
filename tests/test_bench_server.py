"""The benchmark of servers: every gateway's text is the upstream's, and its report says what was measured."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from benches.server.contenders import CONTENDERS, installed
from benches.server.measure import Gateways, Result, WrongTextError, check
from benches.server.processes import Load, load
from benches.server.report import streams_per_core, tabulate, tabulate_resources
from benches.server.resources import Resources
from benches.server.scenarios import SCENARIOS, WIRES, Goal, Scenario
from benches.server.soak import soak

from certificates import trust_systems
from millstream.cli.bench.tables import format_table

pytestmark = pytest.mark.skipif(shutil.which("cargo") is None, reason="the load is built by cargo")

FEW: dict[str, Any] = {"streams": 4, "tokens": 12, "rate": 200, "gap_ms": 1}
KNOWN = {contender.key: contender for contender in installed()}


@pytest.fixture(scope="module")
def running() -> Iterator[Load]:
    with pytest.MonkeyPatch.context() as patched:
        # Cargo may have to fetch the load's crates.
        trust_systems(patched)
        with load() as found:
            yield found


@pytest.mark.parametrize("key", sorted(KNOWN))
def test_a_gateway_relays_every_text_or_is_not_measured(running: Load, key: str) -> None:
    with ExitStack() as stack:
        gateway = Gateways(running, stack)[KNOWN[key]]
        found = running.run(gateway, **FEW)
    check(found, key)
    assert found["tokens"] == FEW["streams"] * FEW["tokens"]
    assert found["cpu"] > 0


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.skipif("response" not in KNOWN, reason="needs the server package")
def test_ours_relays_every_text_in_every_wire(running: Load, wire: str) -> None:
    with ExitStack() as stack:
        gateway = Gateways(running, stack)[KNOWN["response"]]
        check(running.run(gateway, wire, **FEW), wire)


def test_a_client_that_leaves_closes_the_upstream(running: Load) -> None:
    with ExitStack() as stack:
        gateway = Gateways(running, stack)[KNOWN["base"]]
        for leave in ("fin", "reset"):
            found = running.run(gateway, **FEW | {"tokens": 100_000}, leave=leave, leave_ms=20)
            assert found["ended"] == {"left, and the upstream was closed": 4}
            assert found["closed"]["count"] == 4


@pytest.mark.skipif("response" not in KNOWN, reason="needs the server package")
def test_a_soak_accounts_for_every_text() -> None:
    tally = soak(4, streams=30, killed=10, length=4)
    assert tally.verdict() == []
    assert tally.ended["whole"] > 0
    assert tally.ended["left, and the upstream was closed"] > 0


def test_a_text_that_is_another_one_is_found(running: Load) -> None:
    with ExitStack() as stack:
        # Records are not read as the text itself.
        found = running.run(Gateways(running, stack)[KNOWN["base"]], **FEW | {"wire": "text"})
    with pytest.raises(WrongTextError, match="is not how the text begins"):
        check(found, "base")


def sample(nanoseconds: float) -> dict[str, Any]:
    return {"ns": nanoseconds, "p50": 1.0, "p99": 2.0, "bytes": 300.0}


def test_a_report_tells_ratios_of_the_same_round() -> None:
    goals = (Goal("base", at_least=1.4), Goal("aiohttp", at_most=0.5))
    scenario = Scenario("k", "a title", {}, goals=goals)
    samples = {
        "response": [sample(1000), sample(3000), sample(2000)],
        "base": [sample(3000), sample(9000), sample(2000)],
        "aiohttp": [sample(1000), sample(4000), sample(4000)],
    }
    result = Result(scenario, {"response": "ours", "base": "a base", "aiohttp": "a peer"}, samples)
    assert result.ratio("base", "response") == 3
    table = format_table(tabulate(result))
    assert "met    ours: 3.0× (1.00× to 3.0×) as fast as a base; at least 1.4×" in table
    assert "MISSED ours: 0.75× (0.50× to 1.00×) the time of a peer; at most 0.5×" in table


def test_the_tables_have_streams_per_core_and_resources() -> None:
    names = {"response": "ours & more", "relay": "a relay"}
    samples = {"response": [sample(25_000)], "relay": [sample(10_000)]}
    tables = [tabulate(Result(one, names, samples)) for one in SCENARIOS if one.key.startswith("paced")]
    assert [round(count or 0) for count in streams_per_core(tables, "response")] == [2000] * 3
    assert streams_per_core(tables, "litellm") == [None] * 3
    resources = {"response": Resources("ours & more", {"stopped": [2e6], "fin": [0.2], "left open": [0]})}
    text = format_table(tabulate_resources(resources))
    assert "  ours & more  2.00 MB  0.20 ms" in text
    assert "MISSED ours & more, memory behind a client that stops to read: 2.00 MB; at most 1 MB" in text


def test_scenarios_and_contenders_have_keys_of_their_own() -> None:
    assert len({scenario.key for scenario in SCENARIOS}) == len(SCENARIOS)
    assert len({contender.key for contender in CONTENDERS}) == len(CONTENDERS)
