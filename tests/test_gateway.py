"""A gateway over real upstreams: answers, wires, failover, limits, accounts."""

import asyncio
import json
import queue
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
import openai
import pytest

from millstream import ChatOpenAI
from millstream.server.gateway import GatewayConfig, KeyConfig, UpstreamConfig, gateway
from millstream.server.gateway.accounting import Account
from millstream.server.gateway.keys import hash_key
from millstream.server.gateway.state import Gateway
from millstream.testing import Cut, ErrorFrame, ErrorStatus, MockServer, Reply, Stall
from serving import served

KEY = "ms-test"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
PIECES = ["Hel", "lo", " there"]


class Running:
    """A gateway that runs, what it sent to its upstreams, and the accounts of its requests."""

    def __init__(self, url: str, state: Gateway, accounts: "queue.SimpleQueue[Account]") -> None:
        self.url = url
        self.state = state
        self._accounts = accounts

    def account(self) -> Account:
        """Return the account of the next request that has ended: after the client has read the last byte."""
        return self._accounts.get(timeout=20)

    def post(self, body: Any = BODY, path: str = "/v1/chat/completions", **headers: str) -> httpx2.Response:
        return httpx2.post(self.url + path, json=body, headers=headers)


@contextmanager
def running(*replies: Reply, keys: tuple[KeyConfig, ...] = (), **settings: Any) -> Iterator[tuple[Running, Any]]:
    """Run a gateway over one upstream for each reply."""
    accounts: queue.SimpleQueue[Account] = queue.SimpleQueue()
    with ExitStack() as stack:
        servers = [stack.enter_context(MockServer(reply)) for reply in replies]
        upstreams = tuple(UpstreamConfig(one.url, name=f"u{i}", retries=0) for i, one in enumerate(servers))
        state = Gateway(GatewayConfig(upstreams, keys=keys, **settings), (accounts.put,))
        url = stack.enter_context(served(gateway(state)))
        yield Running(url, state, accounts), servers


def text_of(response: httpx2.Response) -> str:
    frames = [json.loads(data) for data in re.findall(r"data: (\{.*\})", response.text)]
    return "".join(choice["delta"].get("content") or "" for frame in frames for choice in frame.get("choices", ()))


def test_a_stream_is_relayed_under_the_name_that_was_asked_for() -> None:
    with running(Reply(pieces=PIECES, model="of-upstream"), aliases={"m": ("u0/real",)}) as (one, (server,)):
        response = one.post()
        assert text_of(response) == "Hello there"
        assert '"model":"m"' in response.text
        assert "real" not in response.text
        assert server.requests[0].body["model"] == "real"
        assert response.text.endswith("data: [DONE]\n\n")


def test_fields_that_nobody_here_knows_reach_the_upstream() -> None:
    with running(Reply(pieces=PIECES)) as (one, (server,)):
        one.post({**BODY, "top_k": 7, "chat_template_kwargs": {"x": [1]}, "stream_options": {"y": 1}})
        sent = server.requests[0].body
        assert (sent["top_k"], sent["chat_template_kwargs"]) == (7, {"x": [1]})
        assert sent["stream_options"] == {"y": 1, "include_usage": True}


def test_a_client_is_sent_the_usage_that_it_asked_for_alone() -> None:
    with running(Reply(pieces=PIECES)) as (one, _):
        assert '"usage"' not in one.post().text
        assert '"usage":{' in one.post({**BODY, "stream_options": {"include_usage": True}}).text
        for account in (one.account(), one.account()):
            assert account.usage.output_tokens > 0
            assert not account.usage.is_estimate


def test_an_answer_without_streaming_is_the_upstreams() -> None:
    with running(Reply(pieces=PIECES)) as (one, (server,)):
        answer = one.post({**BODY, "stream": False}).json()
        assert answer["choices"][0]["message"]["content"] == "Hello there"
        assert answer["model"] == "m"
        assert "stream_options" not in server.requests[0].body
        assert one.account().usage.output_tokens == answer["usage"]["completion_tokens"]


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ("text", "Hello there"),
        ("ndjson", '{"text":"Hel"}\n{"text":"lo"}\n{"text":" there"}\n'),
        ("vercel.ui", '{"type":"text-delta","id":"0","delta":"Hel"}'),
        ("ag-ui", '"type":"TEXT_MESSAGE_CONTENT"'),
        ("openai.responses", "event: response.output_text.delta"),
    ],
)
def test_a_client_may_ask_for_another_wire(wire: str, expected: str) -> None:
    with running(Reply(pieces=PIECES)) as (one, _):
        response = one.post(path=f"/v1/chat/completions?wire={wire}")
        assert expected in response.text
        assert one.account().wire == wire
        assert one.post(path="/v1/chat/completions?wire=langchain.v2").status_code == 400


def test_completions_are_relayed() -> None:
    with running(Reply(pieces=PIECES)) as (one, _):
        client = openai.OpenAI(base_url=one.url + "/v1", api_key="k")
        chunks = client.completions.create(model="m", prompt="p", stream=True)
        assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == "Hello there"
        client.close()


def test_the_clients_of_openai_read_it() -> None:
    with running(Reply(pieces=PIECES)) as (one, _):
        with openai.OpenAI(base_url=one.url + "/v1", api_key="k") as client:
            chunks = list(client.chat.completions.create(**BODY))  # type: ignore[call-overload]
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello there"
            assert [model.id for model in client.models.list()] == []
        assert ChatOpenAI(base_url=one.url + "/v1", api_key="k", model="m").invoke("hi").content == "Hello there"


# Failover.


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


# Keys, limits and mistakes.


def keyed(**limits: Any) -> tuple[KeyConfig, ...]:
    return (KeyConfig("team", hash_key(KEY), **limits),)


def test_a_key_is_needed_where_there_are_keys() -> None:
    with running(Reply(pieces=PIECES), keys=keyed()) as (one, (server,)):
        assert one.post().status_code == 401
        assert one.post(authorization="Bearer other").json()["error"]["code"] == "invalid_api_key"
        assert httpx2.get(one.url + "/v1/models").status_code == 401
        assert server.requests == []
        assert one.post(authorization=f"Bearer {KEY}").status_code == 200
        assert server.requests[0].headers.get("authorization") is None


def test_limits_are_those_of_the_key() -> None:
    with running(Reply(pieces=PIECES), keys=keyed(requests_per_minute=1)) as (one, _):
        assert one.post(authorization=f"Bearer {KEY}").status_code == 200
        refused = one.post(authorization=f"Bearer {KEY}")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({**BODY, "model": "unknown"}, 404, "model"),
        ({"messages": []}, 400, "model"),
        ({**BODY, "stream": "yes"}, 400, "stream"),
        ([1], 400, None),
    ],
)
def test_a_request_that_is_not_valid_is_refused(body: Any, status: int, param: str | None) -> None:
    with running(Reply(pieces=PIECES)) as (one, (server,)):
        upstream = one.state.config.upstreams[0]
        one.state.use(GatewayConfig((UpstreamConfig(upstream.url, models=("m",)),)))
        response = one.post(body)
        assert (response.status_code, response.json()["error"]["param"]) == (status, param)
        assert server.requests == []


# Clients that leave, and accounts.


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_closes_the_upstream_and_is_accounted_for(stream: bool) -> None:
    with running(Reply(pieces=PIECES, fault=Stall(after=2 if stream else 0)), keys=keyed(streams=1)) as (
        one,
        (server,),
    ):
        headers = {"authorization": f"Bearer {KEY}"}

        async def main() -> None:
            async with httpx2.AsyncClient() as client:
                call = client.stream(
                    "POST", one.url + "/v1/chat/completions", json={**BODY, "stream": stream}, headers=headers
                )
                if stream:
                    async with call as response:
                        parts = response.aiter_text()
                        received = ""
                        while "lo" not in received:
                            received += await anext(parts)
                else:
                    task = asyncio.ensure_future(call.__aenter__())
                    await server.await_until(lambda: bool(server.requests))
                    task.cancel()

        asyncio.run(main())
        account = one.account()
        assert account.outcome == "left"
        assert account.usage.is_estimate
        assert account.usage.output_tokens == (2 if stream else 0)
        assert account.status == (200 if stream else 499)
        assert one.state.limits.running() == {"team": 0}
        assert server.wait_closed().closed_by == "client"


def test_each_request_is_a_line_of_the_log_without_texts_and_keys(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "millstream.access"), running(Reply(pieces=PIECES), keys=keyed()) as (one, _):
        one.post(authorization=f"Bearer {KEY}")
        one.account()
    (line,) = [json.loads(record.message) for record in caplog.records if record.name == "millstream.access"]
    assert (line["key"], line["model"], line["upstream"], line["outcome"]) == ("team", "m", "u0", "ok")
    assert line["output_tokens"] > 0
    assert 0 < line["first_chunk_ms"] <= line["ms"]
    assert KEY not in json.dumps(line)
    assert "Hel" not in json.dumps(line)


def test_metrics_count_what_has_ended() -> None:
    with running(Reply(pieces=PIECES), keys=keyed()) as (one, _):
        one.post(authorization=f"Bearer {KEY}")
        one.account()
        text = httpx2.get(one.url + "/metrics").text
        found = dict(re.findall(r"^(\w+\{.*\}) (\S+)$", text, re.MULTILINE))
        counts = {name.partition("{")[0]: value for name, value in found.items()}
        assert counts["millstream_requests_total"] == "1"
        assert counts["millstream_first_chunk_seconds_count"] == "1"
        assert 'key="team",upstream="u0",wire="openai.chat",outcome="ok",status="200"' in text
        for line in text.splitlines():
            assert re.fullmatch(r"# (HELP|TYPE) \w+ .+|\w+\{.*\} [0-9.e+-]+", line), line


def test_a_new_configuration_is_used_from_the_next_request_on() -> None:
    with running(Reply(pieces=PIECES), Reply(pieces=["other"])) as (one, _):
        second = one.state.config.upstreams[1]
        assert text_of(one.post()) == "Hello there"
        one.state.use(GatewayConfig((second,)))
        assert text_of(one.post()) == "other"


def test_a_report_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def failing(account: Account) -> None:
        raise RuntimeError("no database")

    with MockServer(Reply(pieces=PIECES)) as server:
        state = Gateway(GatewayConfig((UpstreamConfig(server.url),)), (failing,))
        with served(gateway(state)) as url:
            assert text_of(httpx2.post(f"{url}/v1/chat/completions", json=BODY)) == "Hello there"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "a report of a request failed"
    ]
