"""A gateway before hostile clients and upstreams: nothing secret leaves it, and nothing stays in it."""

import asyncio
import gc
import json
import socket
import threading
from typing import Any

import httpx2
import pytest

from gateways import BODY, KEY, PIECES, Running, keyed, running, text_of
from millstream.providers.http.request import PendingRequest
from millstream.server.gateway import Account, GatewayConfig, UpstreamConfig
from millstream.server.gateway.accounting import estimate_tokens
from millstream.server.gateway.failover import FailoverSource
from millstream.server.gateway.streaming import relay_stream
from millstream.testing import Cut, ErrorFrame, ErrorStatus, Reply, Stall, assert_no_leaks
from millstream.wires.names import WireOptions
from resumable_stores import until

CHAT = "/v1/chat/completions"
JSON = b"content-type: application/json\r\n"


def send_raw(one: Running, data: bytes, *, until: bytes = b"") -> bytes:
    """Send bytes as they are, and return what comes back: all of it, or as far as ``until``."""
    host, _, port = one.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(data)
        received = b""
        while part := connection.recv(65536):
            received += part
            if until and until in received:
                break
    return received


# Requests.


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"null", 400),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400),
        (json.dumps({**BODY, "x": json.loads("[" * 500 + "]" * 500)}).encode(), 400),
        (b'{"model": "m", "messages": "\\ud800"}', 400),
        (json.dumps({**BODY, "model": "m" * 300}).encode(), 400),
        (json.dumps({**BODY, "model": ["m"]}).encode(), 400),
        (json.dumps({**BODY, "stream": 1}).encode(), 400),
        (b" " * 20000, 413),
    ],
    ids=["broken", "null", "deep", "too deep to write", "surrogate", "long name", "list", "stream", "large"],
)
def test_a_body_that_is_not_valid_is_refused_and_accounted_for(content: bytes, status: int) -> None:
    with running(Reply(pieces=PIECES), max_body_size=19000 if status == 413 else 10**6) as (one, (server,)):
        for headers in ({"content-length": str(len(content))}, {"transfer-encoding": "chunked"}):
            response = httpx2.post(
                one.url + CHAT, content=iter([content]), headers={"content-type": "application/json", **headers}
            )
            assert response.status_code == status
            assert set(response.json()["error"]) == {"message", "type", "param", "code"}
            assert len(response.text) < 1000
            account = one.account()
            assert (account.status, account.outcome, account.error) == (status, "error", "invalid_request_error")
            assert response.headers["x-request-id"] == account.id
        assert server.requests == []


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/v1/images/generations", "POST", 404),
        ("/v1/chat/completions", "GET", 405),
        ("/v1/models/none", "GET", 404),
        ("/v1/files", "GET", 404),
        ("/v1/chat/completions/", "POST", 404),
        ("/", "GET", 404),
    ],
)
def test_other_paths_are_errors_in_openais_form(path: str, method: str, status: int) -> None:
    with running(Reply(pieces=PIECES)) as (one, _):
        response = httpx2.request(method, one.url + path)
        assert response.status_code == status
        assert response.json()["error"]["message"]


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with running(Reply(pieces=PIECES), body_timeout=0.1) as (one, _):
        head = b"POST " + CHAT.encode() + b" HTTP/1.1\r\nhost: x\r\n" + JSON + b"content-length: 100\r\n\r\n{"
        assert send_raw(one, head, until=b"request_timeout").startswith(b"HTTP/1.1 408")
        assert one.account().status == 408


def test_headers_of_a_client_do_not_reach_the_upstream() -> None:
    names = [
        "authorization",
        "x-api-key",
        "openai-organization",
        "cookie",
        "x-forwarded-for",
        "forwarded",
        "x-mock-fault",
    ]
    with running(Reply(pieces=PIECES)) as (one, (server,)):
        assert one.post(**dict.fromkeys(names, "Bearer sk-client")).status_code == 200
        assert "sk-client" not in json.dumps(dict(server.requests[0].headers))


def test_several_keys_in_one_request_are_not_a_way_in() -> None:
    with running(Reply(pieces=PIECES), keys=keyed()) as (one, _):
        for headers in (
            [("authorization", f"Bearer {KEY}"), ("authorization", "Bearer x")],
            [("authorization", "Bearer x"), ("x-api-key", KEY)],
            [("authorization", f"Bearer {KEY} {KEY}")],
            [("authorization", f"bearer\t{KEY}")],
        ):
            assert httpx2.post(one.url + CHAT, json=BODY, headers=headers).status_code == 401
        assert one.account().key == ""


def test_names_of_models_fill_neither_the_metrics_nor_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "millstream.access"), running(Reply(pieces=PIECES)) as (one, _):
        one.post({**BODY, "model": 'x"\n# TYPE evil\u2028'})
        one.account()
        before = httpx2.get(one.url + "/metrics").text.count("\n")
        for number in range(20):
            one.post({**BODY, "model": f"made-up-{number}"})
        assert httpx2.get(one.url + "/metrics").text.count("\n") == before
        assert "evil" not in httpx2.get(one.url + "/metrics").text
    lines = [record.message for record in caplog.records if record.name == "millstream.access"]
    assert len(lines[0].splitlines()) == 1


# Secrets.


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "fault",
    [
        ErrorStatus(500, message="sk-secret at 10.0.0.1"),
        ErrorStatus(400, message="sk-secret at 10.0.0.1"),
        ErrorStatus(401, message="sk-secret at 10.0.0.1"),
        ErrorFrame(after=0, message="sk-secret at 10.0.0.1"),
        ErrorFrame(after=1, message="sk-secret at 10.0.0.1"),
        Cut(after=0),
    ],
    ids=["500", "400", "401", "first", "later", "cut"],
)
def test_neither_answers_nor_logs_have_an_upstreams_words(
    fault: Any, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"), running(Reply(pieces=PIECES, fault=fault), keys=keyed()) as (one, (server,)):
        response = one.post({**BODY, "stream": stream}, authorization=f"Bearer {KEY}")
        one.account()
        port = server.url.rpartition(":")[2].partition("/")[0]
    for text in (response.text, str(response.headers), *(record.getMessage() for record in caplog.records)):
        for secret in ("sk-secret", "10.0.0.1", KEY):
            assert secret not in text
    assert f":{port}" not in response.text
    assert all(record.exc_info is None for record in caplog.records)


# What passes through.


def test_several_choices_tools_and_images_pass() -> None:
    call = {"name": "f", "args": {"x": 1}}
    body = {
        **BODY,
        "n": 2,
        "messages": [
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]}
        ],
    }
    with running(Reply(tool_calls=[call])) as (one, (server,)):
        text = one.post(body).text
        frames = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
        choices = [choice for frame in frames for choice in frame["choices"]]
        assert {choice["index"] for choice in choices} == {0, 1}
        called = [choice["delta"]["tool_calls"][0] for choice in choices if choice["delta"].get("tool_calls")]
        assert {piece["function"].get("name") for piece in called if piece.get("id")} == {"f"}
        assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["tool_calls"] * 2
        assert server.requests[0].body["messages"] == body["messages"]


@pytest.mark.parametrize("n", [0, -1, 10**9, True, "2", [1], 2.5])
def test_a_number_of_choices_that_is_not_valid_is_the_upstreams_matter(n: Any) -> None:
    frame = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'
    with running(Reply(body=[frame, b"data: [DONE]\n\n"])) as (one, _):
        assert one.post({**BODY, "n": n}).status_code in (200, 502)


@pytest.mark.parametrize("count", [-(10**6), 10**30, True, "5", None, 2.5])
@pytest.mark.parametrize("stream", [True, False])
def test_counts_of_an_upstream_do_not_give_tokens_back(count: Any, stream: bool) -> None:
    choice = {"index": 0, "delta": {"content": "a"}, "message": {"content": "a"}, "finish_reason": "stop"}
    document = json.dumps({"choices": [choice], "usage": {"prompt_tokens": count, "completion_tokens": count}}).encode()
    reply = Reply(body=[b"data: " + document + b"\n\ndata: [DONE]\n\n"] if stream else document)
    with running(reply) as (one, _):
        assert one.post({**BODY, "stream": stream}).status_code == 200
        usage = one.account().usage
        assert usage.input_tokens >= 0
        assert usage.output_tokens >= 0


# Clients that leave.


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "faults",
    [
        (Stall(after="request"),),
        (ErrorStatus(500), Stall(after="request")),
        (ErrorStatus(503, headers={"retry-after": "30"}),),
        (Stall(after="head"),),
        (Stall(after=1),),
    ],
    ids=["no head", "failing over", "waiting to ask again", "head", "middle"],
)
def test_a_client_may_leave_at_any_time(faults: tuple[Any, ...], stream: bool) -> None:
    replies = [Reply(pieces=PIECES, fault=fault) for fault in faults]
    with running(*replies, keys=keyed(streams=1), retries=int(len(faults) == 1)) as (one, servers):
        content = json.dumps({**BODY, "stream": stream}).encode()
        head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {len(content)}\r\n"
        host, _, port = one.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), 20) as connection:
            connection.sendall(head.encode() + JSON + b"\r\n" + content)
            servers[-1].wait_until(lambda: bool(servers[-1].requests))
        account = one.account()
        assert account.outcome == "left"
        assert one.state.limits.running() == {"team": 0}
        if isinstance(faults[-1], Stall):
            assert servers[-1].wait_closed().closed_by == "client"


def is_clean(leaks: assert_no_leaks) -> bool:
    """Return whether nothing is left at this moment."""
    try:
        leaks.check()
    except AssertionError:
        return False
    return True


def test_nothing_is_left_of_many_requests() -> None:
    faults: list[Any] = [None, ErrorStatus(500), Cut(after=1), Stall(after=1), ErrorFrame(after=0)]

    async def leave(client: httpx2.AsyncClient, url: str, number: int) -> None:
        async with client.stream("POST", url + CHAT, json={**BODY, "model": f"m{number}"}) as response:
            if response.status_code == 200:
                async for _ in response.aiter_bytes():
                    break

    async def main(url: str) -> None:
        async with httpx2.AsyncClient() as client:
            await asyncio.gather(*(leave(client, url, number) for number in range(30)))

    with running(Reply(pieces=PIECES), timeout=0.5, circuit_failures=10**6) as (one, (server,)):
        one.post()
        one.account()
        with assert_no_leaks() as leaks:
            server.script.extend(Reply(pieces=PIECES, fault=fault) for _ in range(6) for fault in faults)
            asyncio.run(main(one.url))
            accounts = [one.account() for _ in range(30)]
            # The server's thread closes a connection after its client has.
            until(lambda: is_clean(leaks))
        assert one.state.limits.running() == {"anonymous": 0}
        assert {account.outcome for account in accounts} <= {"ok", "error", "left"}


def test_an_upstream_that_counts_all_the_time_is_believed() -> None:
    frames = [
        b'data: {"choices":[{"index":0,"delta":{"content":"ab"}}],'
        b'"usage":{"prompt_tokens":7,"completion_tokens":%d}}\n\n' % count
        for count in (1, 5)
    ]
    reply = Reply(body=frames, fault=Stall(after=2))
    with running(reply, upstream={"has_continuous_usage": True}) as (one, (server,)):
        with httpx2.stream("POST", one.url + CHAT, json=BODY) as response:
            parts, received = response.iter_text(), ""
            while received.count("ab") < 2:
                received += next(parts)
        usage = one.account().usage
        assert (usage.input_tokens, usage.output_tokens, usage.is_estimate) == (7, 5, False)
        assert server.requests[0].body["stream_options"] == {"include_usage": True, "continuous_usage_stats": True}
        assert "usage" not in received


def test_a_client_that_does_not_read_is_left() -> None:
    content = json.dumps(BODY).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n".encode()
    with running(Reply(pieces=["x" * 10000] * 3000), send_timeout=0.2) as (one, (server,)):
        host, _, port = one.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), 20) as connection:
            connection.sendall(head + JSON + b"\r\n" + content)
            account = one.account()
        assert (account.outcome, account.error, account.status) == ("left", "client_timeout", 200)
        assert account.usage.is_estimate
        assert server.wait_closed().closed_by == "client"


def test_a_configuration_that_changes_while_streams_run_leaves_them_alone() -> None:
    with running(Reply(pieces=["a", "b", "c"], pace=0.05), Reply(pieces=["other"]), keys=keyed(streams=2)) as (
        one,
        servers,
    ):
        config, texts = one.state.config, []
        headers = {"authorization": f"Bearer {KEY}"}

        def read() -> None:
            texts.append(text_of(one.post(**headers)))

        thread = threading.Thread(target=read)
        thread.start()
        servers[0].wait_until(lambda: bool(servers[0].requests))
        one.state.use(GatewayConfig((config.upstreams[1],), keys=keyed(streams=1)))
        assert one.post(**headers).status_code == 429
        thread.join()
        assert texts == ["abc"]
        assert text_of(one.post(**headers)) == "other"


def test_an_upstream_that_is_gone_from_the_configuration_is_forgotten() -> None:
    with running(Reply(pieces=PIECES)) as (one, _):
        one.state.use(GatewayConfig((UpstreamConfig("http://127.0.0.1:9/v1", name="u0"),)))
        assert set(one.state.router.upstreams) == {"u0"}
        assert one.post().status_code == 502


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (
            {
                "messages": [
                    {"content": "x" * 40},
                    {"content": [{"type": "text", "text": "y" * 40}, {"image_url": "z"}]},
                ]
            },
            20,
        ),
        ({"prompt": ["x" * 40, [1, 2]]}, 10),
        ({"input": "x" * 40}, 10),
        ({"messages": [1, None, {"content": None}]}, 0),
        ({"messages": "x"}, 0),
    ],
)
def test_the_tokens_of_a_request_are_estimated(body: Any, tokens: int) -> None:
    assert estimate_tokens(body) == tokens


def test_a_running_stream_keeps_nothing_of_its_request() -> None:
    with running(Reply(pieces=PIECES, fault=Stall(after=1))) as (one, _):
        with httpx2.stream("POST", one.url + CHAT, json=BODY) as response:
            next(response.iter_bytes())
            gc.collect()
            kept = [found for found in gc.get_objects() if isinstance(found, FailoverSource | PendingRequest)]
            assert kept == []
        assert one.account().outcome == "left"


def test_a_read_of_a_stream_is_one_call_of_the_decoder() -> None:
    account = Account("req_1", "/chat/completions", lambda account: None)
    stream = relay_stream(object(), {}, account, WireOptions("openai.chat"), is_chat=True)  # type: ignore[arg-type]
    parts = stream._open_parts()
    assert parts is not None
    processor: Any = parts[1]
    assert processor.recorder == processor._inner._decoder._feed_wire
    assert processor.prefix is processor._writer.core
