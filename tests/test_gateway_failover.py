"""Which upstreams a gateway asks: retries, failover, circuits."""

import socket
from typing import Any

import httpx2
import pytest

from gateways import BODY, PIECES, running, text_of
from millstream.server.gateway import GatewayConfig, UpstreamConfig
from millstream.testing import Compress, Cut, ErrorFrame, ErrorStatus, Redirect, Reply, Stall

ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
ERROR = b'data: {"error":{"message":"overloaded at http://10.0.0.1","code":502}}\n\n'


@pytest.mark.parametrize(
    "fault", [ErrorStatus(503), ErrorStatus(429), ErrorStatus(401), Cut(after=0), Cut(after=0, how="fin")], ids=str
)
@pytest.mark.parametrize("stream", [True, False])
def test_the_next_upstream_answers_in_place_of_one_that_fails(fault: Any, stream: bool) -> None:
    with running(Reply(fault=fault), Reply(pieces=PIECES)) as (one, (first, second)):
        response = one.post({**BODY, "stream": stream})
        assert response.status_code == 200
        assert "Hel" in response.text
        assert (len(first.requests), len(second.requests)) == (1, 1)
        account = one.account()
        assert (account.upstream, account.tried, account.outcome) == ("u1", 2, "ok")


def test_an_upstream_that_is_not_there_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with running(Reply(pieces=PIECES)) as (one, _):
        config = one.state.config
        gone = UpstreamConfig(f"http://127.0.0.1:{port}/v1", name="gone", retries=0)
        one.state.use(GatewayConfig((gone, *config.upstreams)))
        assert text_of(one.post()) == "Hello there"


def test_a_request_that_is_wrong_is_not_sent_twice() -> None:
    with running(Reply(fault=ErrorStatus(400)), Reply(pieces=PIECES)) as (one, (_, second)):
        response = one.post()
        assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")
        assert second.requests == []
        account = one.account()
        assert (account.outcome, account.status) == ("error", 400)


def test_a_stream_that_breaks_after_its_first_chunk_ends_in_an_error() -> None:
    with running(Reply(pieces=PIECES, fault=Cut(after=2)), Reply(pieces=PIECES)) as (one, (_, second)):
        response = one.post()
        assert response.status_code == 200
        assert text_of(response) == "Hello"
        assert '"error":{' in response.text
        assert "[DONE]" not in response.text
        assert second.requests == []
        assert one.account().error == "stream_truncated"


def test_an_error_in_the_stream_is_not_shown() -> None:
    with running(Reply(pieces=PIECES, fault=ErrorFrame(after=1, message="key sk-secret at http://10.0.0.1"))) as (
        one,
        _,
    ):
        response = one.post()
        assert '"error":{' in response.text
        assert "secret" not in response.text
        assert "10.0.0.1" not in response.text


def test_an_upstream_that_has_failed_often_is_not_asked() -> None:
    with running(Reply(fault=ErrorStatus(500)), circuit_failures=2) as (one, (server,)):
        assert [one.post().status_code for _ in range(3)] == [502, 502, 503]
        assert len(server.requests) == 2
        assert one.post().headers["retry-after"].isdecimal()
        health = httpx2.get(one.url + "/healthz")
        assert (health.status_code, health.json()) == (503, {"status": "unavailable", "upstreams": {"u0": "open"}})


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=[ERROR]),
        Reply(body=[ROLE, ERROR]),
        Reply(body=[ROLE, b""]),
        Reply(body=[b"data: [DONE]\n\n"]),
        Reply(body=[ROLE], framing="close"),
        Reply(body=[b"<html>", b"<p>busy</p>"], content_type="text/html"),
        Reply(body=[b"data: {not json}\n\n"]),
        Reply(fault=Redirect(302, "http://127.0.0.1:1/")),
        Reply(fault=Stall(after=0)),
        Reply(fault=Stall(after="request")),
        Reply(body=[b": wait\n\n"], fault=Stall(after=1, comment_every=0.02)),
    ],
    ids=[
        "error",
        "late error",
        "empty",
        "done",
        "closed",
        "html",
        "garbage",
        "redirect",
        "stall",
        "silence",
        "comments",
    ],
)
def test_an_answer_that_fails_before_any_content_comes_from_the_next_upstream(reply: Reply) -> None:
    with running(reply, Reply(pieces=PIECES), timeout=0.6) as (one, (first, _)):
        response = one.post()
        assert (response.status_code, text_of(response)) == (200, "Hello there")
        account = one.account()
        assert (account.upstream, account.tried, account.outcome, account.error) == ("u1", 2, "ok", None)
        assert len(first.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b'{"error":{"message":"busy at http://10.0.0.1"}}', content_type="application/json"),
        Reply(body=b"<html>busy</html>", content_type="text/html"),
        Reply(body=b"[1]", content_type="application/json"),
        Reply(body=b"", content_type="application/json"),
    ],
    ids=["error", "html", "list", "empty"],
)
def test_a_document_that_is_no_answer_comes_from_the_next_upstream(reply: Reply) -> None:
    body = {**BODY, "stream": False}
    with running(reply, Reply(pieces=PIECES)) as (one, _):
        assert one.post(body).json()["choices"][0]["message"]["content"] == "Hello there"
        assert one.account().upstream == "u1"
    with running(reply) as (one, _):
        response = one.post(body)
        assert (response.status_code, "10.0.0.1" in response.text) == (502, False)
        assert one.account().outcome == "error"


def test_a_request_that_a_stream_calls_wrong_is_not_sent_again() -> None:
    wrong = b'data: {"error":{"message":"too long","type":"invalid_request_error","code":400}}\n\n'
    with running(Reply(body=[wrong]), Reply(pieces=PIECES), circuit_failures=1) as (one, (_, second)):
        assert one.post().status_code == 502
        assert second.requests == []
        assert httpx2.get(one.url + "/healthz").json()["upstreams"]["u0"] == "closed"


@pytest.mark.parametrize("stream", [True, False])
def test_the_same_upstream_is_asked_again_as_often_as_its_retries_say(stream: bool) -> None:
    busy = ErrorStatus(503, headers={"retry-after-ms": "1"})
    with running(Reply(fault=busy), Reply(pieces=PIECES), retries=2) as (one, (first, _)):
        assert one.post({**BODY, "stream": stream}).status_code == 200
        assert len(first.requests) == 3
        assert one.account().tried == 2


def test_a_long_wait_of_one_upstream_is_not_waited_for_while_there_are_others() -> None:
    with running(Reply(fault=ErrorStatus(429, headers={"retry-after": "50"})), Reply(pieces=PIECES), retries=2) as (
        one,
        (first, _),
    ):
        assert one.post().status_code == 200
        assert len(first.requests) == 1


def test_an_early_failure_may_be_answered_by_the_same_upstream() -> None:
    with running(Reply(pieces=PIECES), retries=1) as (one, (server,)):
        server.script.append(Reply(body=[ROLE], fault=Cut(after=1)))
        assert text_of(one.post()) == "Hello there"
        assert len(server.requests) == 2


@pytest.mark.parametrize("fault", [Cut(after=1), ErrorFrame(after=1), Stall(after=1)], ids=["cut", "error", "stall"])
def test_streams_that_break_in_the_middle_open_the_circuit(fault: Any) -> None:
    with running(Reply(pieces=PIECES, fault=fault), circuit_failures=2, timeout=0.3) as (one, (server,)):
        assert [one.post().status_code for _ in range(3)] == [200, 200, 503]
        assert len(server.requests) == 2
        assert 'millstream_upstream_open{upstream="u0"' in httpx2.get(one.url + "/metrics").text


def test_each_failure_counts_once() -> None:
    with running(Reply(body=[ERROR]), circuit_failures=3) as (one, (server,)):
        assert [one.post().status_code for _ in range(4)] == [502, 502, 502, 503]
        assert len(server.requests) == 3


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_and_an_error_have_the_id_of_the_access_log(stream: bool) -> None:
    for reply, status in ((Reply(pieces=PIECES), 200), (Reply(fault=ErrorStatus(429)), 429)):
        with running(reply) as (one, _):
            response = one.post({**BODY, "stream": stream})
            account = one.account()
            assert (response.status_code, account.status) == (status, status)
            assert response.headers["x-request-id"] == account.id


def test_the_gateways_own_credentials_are_not_the_clients_fault() -> None:
    with running(Reply(fault=ErrorStatus(401))) as (one, _):
        response = one.post()
        assert (response.status_code, response.json()["error"]["type"]) == (502, "upstream_error")


@pytest.mark.parametrize("stream", [True, False])
def test_a_compressed_answer_is_read(stream: bool) -> None:
    with running(Reply(pieces=PIECES, fault=Compress("gzip"))) as (one, _):
        assert "Hel" in one.post({**BODY, "stream": stream}).text
