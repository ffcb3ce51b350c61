"""The benchmark of servers: every gateway's text is the upstream's, and its report says what was measured."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from benches.server.contenders import CONTENDERS, WIRES, installed
from benches.server.measure import Gateways, Result, WrongTextError, check
from benches.server.processes import Load, load
from benches.server.report import format_table
from benches.server.scenarios import SCENARIOS, Goal, Scenario

pytestmark = pytest.mark.skipif(shutil.which("cargo") is None, reason="the load is built by cargo")

FEW: dict[str, Any] = {"streams": 4, "tokens": 12, "rate": 200, "gap_ms": 1}
KNOWN = {contender.key: contender for contender in installed()}


@pytest.fixture(scope="module")
def running() -> Iterator[Load]:
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
    table = format_table(result)
    assert "met    3.00× less than a base; at least 1.4×" in table
    assert "MISSED 0.75× of a peer; at most 0.5×" in table


def test_scenarios_and_contenders_have_keys_of_their_own() -> None:
    assert len({scenario.key for scenario in SCENARIOS}) == len(SCENARIOS)
    assert len({contender.key for contender in CONTENDERS}) == len(CONTENDERS)
