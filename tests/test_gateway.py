"""A gateway over real upstreams: answers, wires, failover, limits, accounts."""

import asyncio
import json
import re
from typing import Any

import httpx2
import openai
import pytest

from gateways import BODY, KEY, PIECES, keyed, running, text_of
from millstream import ChatOpenAI
from millstream.server.gateway import GatewayConfig, UpstreamConfig, gateway
from millstream.server.gateway.accounting import Account
from millstream.server.gateway.state import Gateway
from millstream.testing import MockServer, Reply, Stall
from serving import serve


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


def test_several_prompts_have_a_choice_each() -> None:
    frames = [
        b'data: {"object":"text_completion","choices":[{"index":%d,"text":"%s","finish_reason":%s}]}\n\n' % one
        for one in [(0, b"a", b"null"), (0, b"", b'"stop"'), (1, b"b", b"null"), (1, b"", b'"length"')]
    ]
    with running(Reply(body=[*frames, b"data: [DONE]\n\n"])) as (one, _):
        text = one.post({"model": "m", "prompt": ["x", "y"], "stream": True}, path="/v1/completions").text
        choices = [choice for data in re.findall(r"data: (\{.*\})", text) for choice in json.loads(data)["choices"]]
        assert {(choice["index"], choice["text"]) for choice in choices if choice["text"]} == {(0, "a"), (1, "b")}
        assert {choice["finish_reason"] for choice in choices if choice["finish_reason"]} == {"stop", "length"}
        assert one.account().outcome == "ok"


def test_the_clients_of_openai_read_it() -> None:
    with running(Reply(pieces=PIECES)) as (one, _):
        with openai.OpenAI(base_url=one.url + "/v1", api_key="k") as client:
            chunks = list(client.chat.completions.create(**BODY))  # type: ignore[call-overload]
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello there"
            assert [model.id for model in client.models.list()] == []
        assert ChatOpenAI(base_url=one.url + "/v1", api_key="k", model="m").invoke("hi").content == "Hello there"


# Keys, limits and mistakes.


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
        with serve(gateway(state)) as url:
            assert text_of(httpx2.post(f"{url}/v1/chat/completions", json=BODY)) == "Hello there"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "a report of a request failed"
    ]
