"""Recorded files hold no keys: wherever a key is in an exchange, a search of the file does not find it."""

import base64
import json
import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anthropic
import botocore.session
import cohere
import httpx
import httpx2
import openai
import pytest
from google import genai

from millstream.testing import Cut, ErrorStatus, MockServer, Recorder, Replay, Reply, load_recording

KEY = "k3y-0f-th1s-t3st"
# Made of parts, so that no scanner takes this file for a leak.
FORMS = [
    "sk-" + "proj-A1b2C3d4E5f6G7h8_-",
    "sk-" + "ant-api03-A1b2C3d4E5f6G7h8",
    "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "gsk" + "_A1b2C3d4E5f6G7h8I9j0K1l2",
    "hf" + "_A1b2C3d4E5f6G7h8I9j0K1l2",
    "xai" + "-A1b2C3d4E5f6G7h8I9j0K1l2",
    "ya29." + "A1b2C3d4E5f6G7h8I9j0K1l2",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
]


def found(key: str, path: Path) -> bool:
    """Whether a file has a key: in its text, in the bytes of its events, or across them, plain or encoded."""
    data = path.read_bytes()
    recording = load_recording(path)
    joined = b"".join(
        b"".join((exchange.request_body, exchange.body, repr(exchange.request_headers + exchange.headers).encode()))  # type: ignore[operator]
        for exchange in recording.exchanges
    )
    forms = {key.encode(), quote(key, safe="").encode(), json.dumps(key)[1:-1].encode()}
    forms |= {base64.b64encode(key.encode()).rstrip(b"=")[:-1]}
    return any(form in text for form in forms for text in (data, joined))


def record(path: Path, reply: Reply, send: Any) -> None:
    """Record one exchange; ``send`` gets the recorder."""
    with MockServer(reply) as upstream, Recorder(upstream.url, path) as recorder:
        send(recorder)
        recorder.wait_until(lambda: recorder.recorded > 0)


@pytest.mark.parametrize(
    "header",
    [
        "authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie",
        "x-amz-security-token", "X-Auth-Token", "X-My-Secret", "openai-organization", "ocp-apim-subscription-key",
    ],
)  # fmt: skip
def test_a_key_in_a_request_header_is_replaced(header: str, tmp_path: Path) -> None:
    reply = Reply(pieces=["your key is ", KEY[:5], KEY[5:]], headers={"x-echo": f"for {KEY}"})

    def send(recorder: Recorder) -> None:
        body = {"prompt": KEY, "stream": False}
        values = {"authorization": f"Bearer {KEY}", "cookie": f"a=b; session={KEY}"}
        headers = {header: values.get(header, KEY)}
        assert KEY in httpx2.post(f"{recorder.url}/completions", headers=headers, json=body).text

    record(tmp_path / "r", reply, send)
    assert not found(KEY, tmp_path / "r")
    (exchange,) = load_recording(tmp_path / "r").exchanges
    assert dict(exchange.request_headers)[header.lower()] == "REDACTED"


@pytest.mark.parametrize("header", ["set-cookie", "x-session-token", "authorization", "x-amz-signature"])
def test_a_key_in_a_response_header_is_replaced(header: str, tmp_path: Path) -> None:
    value = f"__cf={KEY}; Path=/; Secure" if header == "set-cookie" else KEY
    record(tmp_path / "r", Reply(headers={header: value}), lambda r: httpx2.post(f"{r.url}/completions", json={}))
    assert not found(KEY, tmp_path / "r")


@pytest.mark.parametrize(
    "name", ["key", "api_key", "apikey", "api-key", "access_token", "X-Amz-Signature", "X-Amz-Credential", "sig"]
)
def test_a_key_in_a_query_is_replaced(name: str, tmp_path: Path) -> None:
    key = "k3y+0f/th1s=t3st"
    location = f"https://example.invalid/?a=1&{name}={quote(key, safe='')}"

    def send(recorder: Recorder) -> None:
        url = f"{recorder.url}/completions?alt=sse&{name}={quote(key, safe='')}&z=1"
        httpx2.post(url, json={"prompt": f"the key is {key}"})

    record(tmp_path / "r", Reply(headers={"location": location}), send)
    assert not found(key, tmp_path / "r")
    (exchange,) = load_recording(tmp_path / "r").exchanges
    assert exchange.query == f"alt=sse&{name}=REDACTED&z=1"


def test_a_key_that_a_body_repeats_is_replaced_where_writes_split_it(tmp_path: Path) -> None:
    cuts = range(1, len(KEY))
    for cut in cuts:
        path = tmp_path / f"r{cut}"
        body = [b"\xff a " + KEY[:cut].encode(), KEY[cut:].encode() + b" b \xff"]
        headers = {"x-api-key": KEY}
        record(
            path, Reply(body=body), lambda r, headers=headers: httpx2.post(f"{r.url}/chat/completions", headers=headers)
        )
        assert not found(KEY, path)
        (exchange,) = load_recording(path).exchanges
        assert [len(write.data) for write in exchange.writes] == [len(part) for part in body]


@pytest.mark.parametrize(
    "body",
    [
        {"api_key": KEY},
        {"tools": [{"type": "mcp", "headers": {"Authorization": f"Bearer {KEY}"}}]},
        {"mcp_servers": [{"authorization_token": KEY}]},
        {"client_secret": KEY, "password": KEY},
        {"credentials": {"aws_secret_access_key": KEY, "aws_session_token": KEY}},
        {"nested": [{"X-Api-Key": KEY + '"\\'}]},
    ],
)
def test_a_key_in_a_member_of_a_body_is_replaced(body: Any, tmp_path: Path) -> None:
    def send(recorder: Recorder) -> None:
        httpx2.post(f"{recorder.url}/completions", json=body)

    record(tmp_path / "r", Reply(body=json.dumps(body).encode()), send)
    assert not found(KEY, tmp_path / "r")


def test_a_key_in_a_form_is_replaced(tmp_path: Path) -> None:
    def send(recorder: Recorder) -> None:
        httpx2.post(f"{recorder.url}/token", data={"grant": "x", "client_secret": KEY})

    record(tmp_path / "r", Reply(body=f"not known: {KEY}".encode()), send)
    assert not found(KEY, tmp_path / "r")
    (exchange,) = load_recording(tmp_path / "r").exchanges
    assert exchange.request_body == b"grant=x&client_secret=REDACTED"


@pytest.mark.parametrize("key", FORMS, ids=lambda key: key[:4])
def test_a_key_is_known_by_its_form_wherever_it_is(key: str, tmp_path: Path) -> None:
    def send(recorder: Recorder) -> None:
        httpx2.post(f"{recorder.url}/completions/{key}/x", content=f"see {key}.", headers={"x-note": f"a {key}"})

    record(tmp_path / "r", Reply(body=f'{{"text":"{key}"}}'.encode(), headers={"x-other": key}), send)
    assert not found(key, tmp_path / "r")


def test_a_key_of_one_exchange_is_replaced_in_later_ones(tmp_path: Path) -> None:
    with MockServer(Reply(pieces=[KEY])) as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        httpx2.post(f"{recorder.url}/completions", json={"prompt": "p"}, headers={"authorization": f"Bearer {KEY}"})
        httpx2.post(f"{recorder.url}/completions", json={"prompt": "p"})
        recorder.wait_until(lambda: recorder.recorded == 2)
    assert not found(KEY, tmp_path / "r")


def test_the_users_password_in_the_upstreams_url_is_forwarded_and_not_written(tmp_path: Path) -> None:
    with MockServer() as upstream:
        url = upstream.url.replace("://", f"://someone:{KEY}@")
        with Recorder(url, tmp_path / "r") as recorder:
            httpx2.post(f"{recorder.url}/completions", json={"prompt": f"someone {KEY}"})
            recorder.wait_until(lambda: recorder.recorded == 1)
        pair = base64.b64encode(f"someone:{KEY}".encode()).decode()
        assert upstream.requests[0].headers["authorization"] == f"Basic {pair}"
    assert not found(KEY, tmp_path / "r")
    assert not found(pair, tmp_path / "r")


def ask_openai(origin: str, key: str) -> None:
    with openai.OpenAI(base_url=f"{origin}/v1", api_key=key, organization=key) as client:
        client.responses.create(model="m", input=f"my key is {key}")


def ask_anthropic(origin: str, key: str) -> None:
    with anthropic.Anthropic(base_url=origin, api_key=key) as client:
        client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": key}])


def ask_google(origin: str, key: str) -> None:
    with genai.Client(api_key=key, http_options={"base_url": origin}) as client:
        client.models.generate_content(model="m", contents=key)


def ask_cohere(origin: str, key: str) -> None:
    with httpx.Client() as transport:
        client = cohere.ClientV2(base_url=origin, api_key=key, httpx_client=transport)
        client.chat(model="m", messages=[cohere.UserChatMessageV2(content=key)])


def ask_aws(origin: str, key: str) -> None:
    client = botocore.session.get_session().create_client(
        "bedrock-runtime", "us-east-1", endpoint_url=origin, aws_access_key_id=FORMS[3], aws_secret_access_key=key,
        aws_session_token=key,
    )  # fmt: skip
    client.converse(modelId="m", messages=[{"role": "user", "content": [{"text": key}]}])
    client.close()


@pytest.mark.parametrize("ask", [ask_openai, ask_anthropic, ask_google, ask_cohere, ask_aws])
def test_no_key_of_an_sdk_is_in_the_file(ask: Callable[[str, str], None], tmp_path: Path) -> None:
    source = random.Random(ask.__name__)
    key = "".join(source.choices(string.ascii_letters + string.digits, k=40))
    seen: list[str] = []
    with MockServer() as upstream, Recorder(upstream.origin, tmp_path / "r") as recorder:
        ask(recorder.origin, key)
        recorder.wait_until(lambda: recorder.recorded == 1)
        request = upstream.requests[0]
        seen = [value for name, value in request.headers.items() if "auth" in name or "key" in name]
    # The upstream received it: the key itself, or AWS's signature.
    assert any(key in value or "Signature=" in value for value in seen)
    text = (tmp_path / "r").read_text()
    assert not found(key, tmp_path / "r")
    for value in seen:
        assert value not in text
        assert value.partition("Signature=")[2] == "" or value.partition("Signature=")[2] not in text
    assert FORMS[3] not in text


def test_what_is_no_key_is_recorded_as_it_is(tmp_path: Path) -> None:
    words = "the key to sk-ill-and-knowledge is task-based; Bearer authorizations, hf_a_long_name_of_words, a password"
    args = json.dumps({"key": "value", "token": "abcdefgh", "note": '"password": "written by a model"'})
    tokens = {"x-ratelimit-remaining-tokens": "123456", "x-request-id": "req_123456"}
    reply = Reply(pieces=[words], tool_calls=[{"name": "f", "args": args}], headers=tokens)

    def send(recorder: Recorder) -> None:
        body = {"model": "m", "messages": [{"role": "user", "content": words}]}
        httpx2.post(f"{recorder.url}/chat/completions", json=body)

    record(tmp_path / "r", reply, send)
    (exchange,) = load_recording(tmp_path / "r").exchanges
    message = json.loads(exchange.body)["choices"][0]["message"]
    assert (message["content"], message["tool_calls"][0]["function"]["arguments"]) == (words, args)
    assert json.loads(exchange.request_body)["messages"][0]["content"] == words
    assert {name: value for name, value in exchange.headers if name in tokens} == tokens


def test_an_exchange_that_was_cut_or_failed_holds_no_key(tmp_path: Path) -> None:
    echo = ErrorStatus(401, f"Incorrect API key provided: {KEY}", headers={"www-authenticate": f"Bearer {KEY}"})
    replies = [Reply(pieces=[KEY, KEY], fault=Cut(1)), Reply(fault=echo)]
    with MockServer(script=replies) as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        with openai.OpenAI(base_url=recorder.url, api_key=KEY, max_retries=0) as client:
            for error in (openai.APIConnectionError, openai.AuthenticationError):
                with pytest.raises(error):
                    list(client.completions.create(model="m", prompt=KEY, stream=True))
        recorder.wait_until(lambda: recorder.recorded == 2)
    assert not found(KEY, tmp_path / "r")


def test_a_request_with_a_key_gets_its_recorded_response(tmp_path: Path) -> None:
    answers = [Reply(pieces=["first"]), Reply(pieces=["second"])]
    with MockServer(script=answers) as upstream, Recorder(upstream.url, tmp_path / "r") as recorder:
        for count, prompt in enumerate(("a", "b"), 1):
            body = {"prompt": prompt, "api_key": KEY}
            httpx2.post(f"{recorder.url}/completions", json=body)
            recorder.wait_until(lambda count=count: recorder.recorded == count)  # type: ignore[misc]
    with MockServer(Replay(tmp_path / "r")) as server:
        body = {"prompt": "b", "api_key": KEY}
        assert httpx2.post(f"{server.url}/completions", json=body).json()["choices"][0]["text"] == "second"
