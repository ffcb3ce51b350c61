"""A gateway's limits, circuits, and the order in which it asks its upstreams."""

import pytest

from millstream.errors import APIConnectionError, BadRequestError, InternalServerError
from millstream.server.gateway.circuit import Circuit
from millstream.server.gateway.config import GatewayConfig, KeyConfig, UpstreamConfig
from millstream.server.gateway.limits import Limits
from millstream.server.gateway.router import Router
from millstream.server.gateway.upstreams import is_failure, may_fail_over
from millstream.server.openai_api import RequestError

HASH = f"sha256:{'0' * 64}"


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refused(limits: Limits, key: KeyConfig) -> RequestError:
    with pytest.raises(RequestError) as caught:
        limits.of(key).enter()
    assert caught.value.status == 429
    return caught.value


def test_requests_in_a_minute_fill_up_evenly(clock: Clock) -> None:
    limits, key = Limits(clock), KeyConfig("k", HASH, requests_per_minute=2)
    limits.of(key).enter()
    limits.of(key).enter()
    assert refused(limits, key).headers == {"retry-after": "30"}
    clock.now += 29
    assert refused(limits, key).headers == {"retry-after": "1"}
    clock.now += 1
    limits.of(key).enter()
    clock.now += 1000
    limits.of(key).enter()
    limits.of(key).enter()
    refused(limits, key)


def test_streams_at_the_same_time(clock: Clock) -> None:
    limits, key = Limits(clock), KeyConfig("k", HASH, streams=1)
    limits.of(key).enter()
    assert refused(limits, key).code == "concurrency_limit_exceeded"
    limits.of(key).leave(5)
    limits.of(key).enter()


def test_tokens_are_known_afterwards_and_may_be_overdrawn(clock: Clock) -> None:
    limits, key = Limits(clock), KeyConfig("k", HASH, tokens_per_minute=60)
    limits.of(key).enter()
    limits.of(key).leave(90)
    # 30 too many, and one for the next request, at one a second.
    assert refused(limits, key).headers == {"retry-after": "31"}
    clock.now += 31
    limits.of(key).enter()


def test_a_changed_key_keeps_what_runs(clock: Clock) -> None:
    limits = Limits(clock)
    running = limits.of(KeyConfig("k", HASH, streams=1))
    running.enter()
    changed = KeyConfig("k", HASH, streams=2)
    limits.of(changed).enter()
    refused(limits, changed)
    running.leave(0)
    limits.of(changed).enter()


def test_a_circuit_opens_and_one_request_tries_it(clock: Clock) -> None:
    circuit = Circuit(2, 30.0, clock)
    circuit.fail()
    assert (circuit.state, circuit.allows()) == ("closed", True)
    circuit.fail()
    assert (circuit.state, circuit.allows(), circuit.seconds_left()) == ("open", False, 30.0)
    clock.now += 30
    assert circuit.state == "half-open"
    assert [circuit.allows(), circuit.allows()] == [True, False]
    circuit.fail()
    assert circuit.state == "open"
    clock.now += 30
    assert circuit.allows()
    circuit.release()
    assert circuit.allows()
    circuit.begin()
    assert [circuit.state, circuit.allows(), circuit.allows()] == ["closed", True, True]
    circuit.fail()
    assert circuit.state == "open"


def test_an_answer_that_began_before_a_circuit_opened_does_not_close_it(clock: Clock) -> None:
    circuit = Circuit(1, 30.0, clock)
    circuit.fail()
    circuit.begin()
    circuit.succeed()
    assert circuit.state == "open"


def test_answers_that_begin_and_break_off_open_a_circuit(clock: Clock) -> None:
    circuit = Circuit(2, 30.0, clock)
    for _ in range(2):
        circuit.begin()
        circuit.fail()
    assert circuit.state == "open"


def test_a_success_in_between_starts_the_count_again(clock: Clock) -> None:
    circuit = Circuit(2, 30.0, clock)
    for _ in range(3):
        circuit.fail()
        circuit.succeed()
    assert circuit.state == "closed"


CONFIG = GatewayConfig(
    (
        UpstreamConfig("http://a", models=("one", "two")),
        UpstreamConfig("http://b", models=("two", "three")),
        UpstreamConfig("http://c"),
    ),
    aliases={"fast": ("b/two", "one"), "own": ("a/any",), "twice": ("b/two", "two")},
)
KEYS = KeyConfig("k", HASH)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one", [("a", "one"), ("c", "one")]),
        ("two", [("a", "two"), ("b", "two"), ("c", "two")]),
        ("other/x", [("c", "other/x")]),
        ("fast", [("b", "two"), ("a", "one"), ("c", "one")]),
        ("own", [("a", "any")]),
        ("b/three", [("b", "three")]),
        # A client cannot ask an upstream for what that does not list.
        ("a/any", [("c", "a/any")]),
        ("twice", [("b", "two"), ("a", "two"), ("c", "two")]),
    ],
)
def test_a_model_is_asked_of_its_upstreams_in_order(name: str, expected: list[tuple[str, str]]) -> None:
    found = Router(CONFIG).candidates(name, KEYS)
    assert [(one.upstream.name, one.model) for one in found] == expected


def test_a_key_may_ask_for_its_models_alone() -> None:
    router, key = Router(CONFIG), KeyConfig("k", HASH, models=("fast",))
    assert router.names(KEYS) == ["fast", "own", "twice", "one", "two", "three"]
    assert router.names(key) == ["fast"]
    with pytest.raises(RequestError) as caught:
        router.candidates("one", key)
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


def test_a_new_configuration_keeps_the_circuits_of_the_same_upstreams() -> None:
    before = Router(CONFIG)
    changed = GatewayConfig((UpstreamConfig("http://a", models=("one",)), *CONFIG.upstreams[1:]))
    after = Router(changed, before)
    assert [after.upstreams[name] is before.upstreams[name] for name in "abc"] == [False, True, True]


def test_which_errors_go_to_the_next_upstream() -> None:
    bad = BadRequestError("x", status_code=400)
    failed = InternalServerError("x", status_code=500)
    lost = APIConnectionError("x")
    assert [may_fail_over(one) for one in (bad, failed, lost)] == [False, True, True]
    assert [is_failure(one) for one in (bad, failed, lost)] == [False, True, True]
