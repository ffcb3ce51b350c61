"""Requests of the OpenAI SDK's clients over our transport, beside those that the SDK sends."""

import asyncio
import warnings
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import httpcore2
import httpx
import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionMessage

from millstream.errors import APIConnectionError, EventTooLargeError, RateLimitError
from millstream.integrations._sdk_calls import capture_options, find_obstacle, uses_native
from millstream.integrations._sdk_client import ClientRequest
from millstream.testing import MockServer, Redirect, Reply, refusing_url
from sdk_clients import azure, own_request, sdk_client, sent_by

PROMPT = [{"role": "user", "content": "p"}]
CALL: dict[str, Any] = {"model": "m", "messages": PROMPT}
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("defaults", {}, {}),
    ("a stream", {}, {"stream": True, "stream_options": {"include_usage": True}}),
    ("headers of the client", {"default_headers": {"X-Team": "a", "User-Agent": "app"}}, {}),
    ("headers of the call", {"default_headers": {"x-team": "a"}}, {"extra_headers": {"X-Team": "b", "X-More": "1"}}),
    ("a header left out", {}, {"extra_headers": {"Authorization": openai.omit}}),
    ("queries", {"default_query": {"a": "1"}}, {"extra_query": {"b": ["x", "y"], "c": True, "d": {"e": 1}}}),
    ("a body", {}, {"extra_body": {"top_k": 4, "model": "n"}, "temperature": 0}),
    ("an organization", {"organization": "o", "project": "p"}, {}),
    ("a timeout", {"timeout": 7.5}, {}),
    ("timeouts of the call", {}, {"timeout": httpx.Timeout(4.0, connect=1.0)}),
    ("no timeout", {"timeout": None}, {}),
    ("a key that is computed", {"api_key": lambda: "computed"}, {}),
]


@pytest.mark.parametrize(("options", "params"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
@pytest.mark.parametrize("library", [None, "httpx", "httpx2"])
def test_the_request_is_the_one_that_the_sdk_sends(
    mock_server: MockServer, library: str | None, options: dict[str, Any], params: dict[str, Any]
) -> None:
    with sdk_client(mock_server, library=library, **options) as client:
        client.chat.completions.create(**CALL, **params)
        own_request(client, **CALL, **params).open().close()
    expected, sent = map(sent_by, mock_server.requests)
    assert sent == expected


def test_a_raw_call_has_the_header_of_the_sdk(mock_server: MockServer) -> None:
    with sdk_client(mock_server) as client:
        client.chat.completions.with_raw_response.create(**CALL, extra_headers={"X-A": "1"})
        own_request(client, **CALL, extra_headers={"X-A": "1"}, is_raw=True).open().close()
    expected, sent = map(sent_by, mock_server.requests)
    assert sent == expected
    assert sent[2]["x-stainless-raw-response"] == "true"


@pytest.mark.parametrize(
    "options",
    [
        {"azure_deployment": "d"},
        {},
        {"azure_ad_token": "t"},
        {"azure_ad_token_provider": lambda: "computed"},
    ],
    ids=["a deployment", "the model is the deployment", "a token", "a computed token"],
)
def test_the_request_to_azure_is_the_one_that_the_sdk_sends(mock_server: MockServer, options: dict[str, Any]) -> None:
    with azure(mock_server, **options) as client:
        client.chat.completions.create(**CALL)
        own_request(client, **CALL).open().close()
    expected, sent = map(sent_by, mock_server.requests)
    assert sent == expected


def test_the_request_of_an_async_client_is_the_one_that_the_sdk_sends(mock_server: MockServer) -> None:
    async def key() -> str:
        return "computed"

    async def main() -> None:
        async with openai.AsyncOpenAI(api_key=key, base_url=mock_server.url) as client:
            request = ClientRequest(client, capture_options(client.chat.completions, {**CALL, "stream": True}))
            await (await request.aopen()).aclose()
            async with await client.chat.completions.create(**CALL, stream=True) as stream:
                assert [chunk async for chunk in stream]

    asyncio.run(main())
    sent, expected = map(sent_by, mock_server.requests)
    assert sent == expected
    assert sent[2]["authorization"] == "Bearer computed"


def test_an_argument_that_the_sdk_does_not_know_is_its_type_error(mock_server: MockServer) -> None:
    with sdk_client(mock_server) as client, pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        capture_options(client.chat.completions, {**CALL, "colour": 1})
    assert not mock_server.requests


class Text(str):
    """A text that the SDK sends as it sends any."""


@pytest.mark.parametrize(
    "params",
    [
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "p"}, {"a": [1, 0.5, True, None]}]}] * 2},
        {"messages": [], "tools": []},
        {"messages": PROMPT, "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
        {"messages": ({"role": "user", "content": Text("p")},)},
        {"messages": [{"role": "user", "content": openai.NOT_GIVEN}]},
        {"messages": [ChatCompletionMessage(role="assistant", content="m"), *PROMPT]},
        {"messages": PROMPT, "tools": openai.NOT_GIVEN},
    ],
    ids=[
        "parts",
        "nothing",
        "tools",
        "other types",
        "a value that is not given",
        "objects",
        "tools that are not given",
    ],
)
def test_the_body_is_the_one_that_the_sdk_sends(mock_server: MockServer, params: dict[str, Any]) -> None:
    params = {"model": "m", "temperature": 0, **params, "seed": 1}
    with sdk_client(mock_server) as client:
        client.chat.completions.create(**params)
        own_request(client, **params).open().close()
    expected, sent = map(sent_by, mock_server.requests)
    assert sent == expected
    assert list(sent[3]) == list(expected[3])


def test_tries_are_counted_in_the_header_of_the_sdk_and_use_a_new_key() -> None:
    keys = iter(("one", "two", "three"))
    reply = Reply(status=429, body=b"{}", headers={"retry-after-ms": "1"})
    with MockServer(reply) as server, sdk_client(server, api_key=lambda: next(keys)) as client:
        request = own_request(client, **CALL)
        with pytest.raises(RateLimitError):
            request.open()
    counts = [sent.headers["x-stainless-retry-count"] for sent in server.requests]
    assert counts == ["0", "1", "2"]
    assert [sent.headers["authorization"][7:] for sent in server.requests] == ["one", "two", "three"]


def test_the_number_of_tries_is_that_of_the_client() -> None:
    with MockServer(Reply(status=500, body=b"{}")) as server, sdk_client(server, max_retries=0) as client:
        request = own_request(client, **CALL)
        with pytest.raises(Exception, match="Error code: 500"):
            request.open()
        assert request.failed is not None
        assert request.failed.status == 500
    assert len(server.requests) == 1


@pytest.mark.parametrize("library", [None, "httpx"])
@pytest.mark.parametrize(("status", "path"), [(307, "/chat/completions"), (302, "/models"), (308, "/nowhere")])
def test_a_redirect_is_followed_as_the_sdk_follows_it(
    mock_server: MockServer, library: str | None, status: int, path: str
) -> None:
    reply = Reply(fault=Redirect(status, mock_server.url + path))
    with MockServer(reply) as server, sdk_client(server, library=library, max_retries=0) as client:
        for call in (client.chat.completions.create, lambda **params: own_request(client, **params).read()):
            with suppress(Exception):
                call(**CALL)
    sent = [sent_by(request) for request in mock_server.requests]
    assert sent[: len(sent) // 2] == sent[len(sent) // 2 :]
    assert bool(sent) == (library is None)


def test_a_server_that_does_not_answer_is_a_connection_error() -> None:
    with refusing_url() as url, openai.OpenAI(api_key="k", base_url=url, max_retries=0) as client:
        request = own_request(client, **CALL)
        with pytest.raises(APIConnectionError):
            request.open()


def test_the_default_client_is_replaced_and_a_users_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with openai.OpenAI(api_key="k") as client:
        assert uses_native(client._client)
        client._client.event_hooks = {"request": [print]}
        assert not uses_native(client._client)
    with openai.AzureOpenAI(api_key="k", azure_endpoint="https://a.test", api_version="1") as azure_client:
        assert uses_native(azure_client._client)
    assert not uses_native(azure_client._client)  # It is closed.
    with httpx.Client() as http_client:
        assert not uses_native(http_client)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with openai.OpenAI(api_key="k") as proxied:
        assert not uses_native(proxied._client)


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (httpx2.Client, "send"),
        (httpx2.Client, "_send_single_request"),
        (httpx2.HTTPTransport, "handle_request"),
        (httpcore2.ConnectionPool, "handle_request"),
    ],
)
def test_a_patched_method_of_the_http_library_is_called(
    mock_server: MockServer, monkeypatch: pytest.MonkeyPatch, cls: Any, name: str
) -> None:
    called = []
    original = getattr(cls, name)

    def record(self: Any, request: Any, **options: Any) -> Any:
        called.append(request.method)
        return original(self, request, **options)

    with sdk_client(mock_server) as client:
        monkeypatch.setattr(cls, name, record)
        own_request(client, **CALL).open().close()
    assert called in (["POST"], [b"POST"])


def test_calls_of_what_is_not_the_sdks_own_are_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Overriding(openai.OpenAI):
        def _send_request(self, *args: Any, **kwargs: Any) -> Any:
            return super()._send_request(*args, **kwargs)

    class Harmless(openai.OpenAI):
        pass

    with openai.OpenAI(api_key="k") as client, Overriding(api_key="k") as overriding, Harmless(api_key="k") as harmless:
        completions = client.chat.completions
        assert find_obstacle(completions) is None
        assert find_obstacle(harmless.chat.completions) is None
        assert find_obstacle(client.completions) is None
        assert (
            find_obstacle(overriding.chat.completions)
            == "the client's method _send_request is not the OpenAI SDK's own"
        )
        assert find_obstacle(object()) == "its client is not one of the OpenAI SDK"
        original = type(completions).create
        with monkeypatch.context() as patching:
            patching.setattr(type(completions), "create", lambda self, **params: original(self, **params))
            assert find_obstacle(completions) == "its method create is not the OpenAI SDK's own"
        assert callable(completions.with_raw_response.create)
        assert find_obstacle(completions) is None
        with monkeypatch.context() as patching:
            patching.setattr(completions, "with_raw_response", SimpleNamespace(create=print))
            assert find_obstacle(completions) == "its with_raw_response is not the OpenAI SDK's own"
        completions.create = print  # type: ignore[method-assign, assignment]
        assert find_obstacle(completions) == "its method create is not the OpenAI SDK's own"


def test_a_coding_that_the_transport_cannot_decode_is_not_asked_for(mock_server: MockServer) -> None:
    with sdk_client(mock_server, default_headers={"Accept-Encoding": "br, gzip"}) as client:
        own_request(client, **CALL).open().close()
    assert mock_server.requests[0].headers["accept-encoding"] == "gzip, deflate"


def test_nothing_is_warned_of(mock_server: MockServer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with sdk_client(mock_server) as client:
            own_request(client, **CALL).open().close()


def test_a_whole_response_has_a_limit(mock_server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millstream.integrations._sdk_client.MAX_RESPONSE_SIZE", 100)
    with sdk_client(mock_server) as client:
        request = own_request(client, **CALL)
        with pytest.raises(EventTooLargeError, match="larger than 100 bytes"):
            request.read()
