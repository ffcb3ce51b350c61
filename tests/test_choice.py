"""Which transport is selected for a request, and how one is forced."""

import asyncio
import inspect
import logging
from typing import Any

import httpx
import httpx2
import pytest

from langchain_peer import KEY
from millstream import OpenAI
from millstream.errors import APIConnectionError, MillstreamError
from millstream.testing import VERSE, MockServer, Reply
from millstream.testing.memory import MemoryTransport
from millstream.transport import choice
from millstream.transport.choice import TransportSelector, async_transport, sync_transport
from millstream.transport.httpx2 import HTTPX2Transport

# Without the core there is no choice: httpx2 sends every request.
pytestmark = pytest.mark.usefixtures("native")

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without proxies, and without a transport that is forced."""
    for name in (*PROXIES, *map(str.upper, PROXIES), "MILLSTREAM_TRANSPORT"):
        monkeypatch.delenv(name, raising=False)


def reason(url: str, transport: str = "auto", proxy: str | None = None) -> str | None:
    """Return why httpx2 is used for ``url``, or ``None``."""
    chosen = TransportSelector(transport, proxy)
    serves = chosen._select(url, is_async=False)
    (reported,) = chosen._reasons.values()
    assert isinstance(serves, HTTPX2Transport) is (reported is not None)
    return reported


def test_the_native_transport_is_used_where_it_works() -> None:
    assert reason("http://host/v1/completions") is None
    assert reason("https://user:secret@host:8000/v1?a=b") is None


@pytest.mark.parametrize(
    ("environment", "url", "serves"),
    [
        ({"HTTP_PROXY": "http://p:1"}, "http://host/", "httpx2"),
        ({"http_proxy": "p:1"}, "http://host/", "httpx2"),
        ({"HTTP_PROXY": "http://p:1"}, "https://host/", "native"),
        ({"HTTPS_PROXY": "http://p:1"}, "https://host/", "httpx2"),
        ({"ALL_PROXY": "http://p:1"}, "https://host/", "httpx2"),
        ({"HTTP_PROXY": ""}, "http://host/", "native"),
        ({"FTP_PROXY": "http://p:1"}, "http://host/", "native"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "*"}, "http://host/", "native"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "other, host"}, "http://host:8000/", "native"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "example.org"}, "http://a.example.org/", "native"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": ".example.org"}, "http://a.example.org/", "native"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "*.example.org"}, "http://a.example.org/", "native"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": ".example.org"}, "http://example.org/", "httpx2"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "ample.org"}, "http://example.org/", "httpx2"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1"}, "http://127.0.0.1:80/", "native"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "[::1]"}, "http://[::1]:80/", "native"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "http://10.0.0.1/", "httpx2"),
    ],
)
def test_proxies_of_the_environment_select_httpx2(
    environment: dict[str, str], url: str, serves: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    reported = reason(url)
    assert reported is None if serves == "native" else reported is not None and "environment names a proxy" in reported
    # What httpx2 would make of it, where ours goes past a proxy.
    with httpx2.Client() as client:
        direct = client._transport_for_url(httpx2.URL(url)) is client._transport
    assert reported is not None or direct


def test_a_models_proxy_selects_httpx2(mock_server: MockServer) -> None:
    llm = OpenAI(base_url="http://name.invalid/v1", api_key=KEY, openai_proxy=mock_server.origin, max_retries=0)
    mock_server.reply = Reply(body=b'data: {"choices": [{"index": 0, "text": "by proxy"}]}\n\ndata: [DONE]\n\n')
    assert list(llm.stream("p")) == ["by proxy"]

    async def main() -> list[str]:
        return [chunk async for chunk in llm.astream("p")]

    assert asyncio.run(main()) == ["by proxy"]
    assert {request.path for request in mock_server.requests} == {"http://name.invalid/v1/completions"}


def test_a_transport_can_be_forced(mock_server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reason("http://host/", "httpx2") == "it was requested"
    monkeypatch.setenv("MILLSTREAM_TRANSPORT", "httpx2")
    assert reason("http://host/") == "it was requested"
    # The argument is nearer.
    assert reason("http://host/", "native") is None
    monkeypatch.setenv("MILLSTREAM_TRANSPORT", "http2")
    with pytest.raises(ValueError, match="MILLSTREAM_TRANSPORT must be one of auto, native, httpx2, not 'http2'"):
        list(OpenAI(base_url=mock_server.url, api_key=KEY).stream("p"))
    with pytest.raises(ValueError, match="transport must be one of auto, native, httpx2, not 'curl'"):
        OpenAI(api_key=KEY, transport="curl")


def test_the_error_of_the_forced_native_transport_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MillstreamError, match="used for http://host: the model's proxy setting names a proxy"):
        reason("http://host/", "native", proxy="http://p:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
    with pytest.raises(MillstreamError, match=r"cannot be used for https://host: the environment .*HTTPS_PROXY"):
        reason("https://user:canary@host/", "native")
    monkeypatch.setattr(choice, "BACKEND", "python")
    assert reason("http://host/") == "the Rust core is not in use"
    with pytest.raises(MillstreamError, match="the Rust core is not in use"):
        reason("http://host/", "native")


def test_a_users_client_is_used(mock_server: MockServer) -> None:
    with httpx2.Client() as new, httpx.Client() as old:
        for client in (new, old):
            assert isinstance(sync_transport(client, transport="httpx2"), HTTPX2Transport)
            with pytest.raises(ValueError, match="contradict"):
                OpenAI(api_key=KEY, http_client=client, transport="native")
            # A sync client does not matter for async code.
            assert isinstance(async_transport(None, client), TransportSelector)
    memory = MemoryTransport([])
    assert sync_transport(memory) is memory
    assert async_transport(None, memory) is memory
    assert async_transport(memory, None) is memory
    for wrong in (object(), httpx2.AsyncClient()):
        with pytest.raises(TypeError, match="http_client must be"):
            sync_transport(wrong)
    with httpx2.Client() as client, pytest.raises(TypeError, match="http_async_client must be"):
        async_transport(client)


def test_one_log_message_names_the_transport(
    mock_server: MockServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "millstream")
    # The port may be that of an earlier server, whose transport was reported.
    monkeypatch.setattr(choice, "_selector", choice._kept(inspect.unwrap(choice._selector)))
    for _ in range(3):
        assert list(OpenAI(base_url=mock_server.url, api_key=KEY).stream("p")) == list(VERSE)
    own = [record.message for record in caplog.records if record.name == "millstream"]
    assert own == [f"using the native transport for {mock_server.origin}"]
    caplog.clear()
    for _ in range(3):
        list(OpenAI(base_url=mock_server.url, api_key=KEY, transport="httpx2").stream("p"))
    assert [record.message for record in caplog.records if record.name == "millstream"] == [
        f"using httpx2 for {mock_server.origin}: it was requested"
    ]


def test_under_another_async_library_httpx2_is_used(mock_server: MockServer) -> None:
    async def main() -> Any:
        llm = OpenAI(base_url=mock_server.url, api_key=KEY)
        return [chunk async for chunk in llm.astream("p")], choice._is_supported_loop()

    assert asyncio.run(main()) == (list(VERSE), True)
    assert not choice._is_supported_loop()
    chosen = TransportSelector("auto", None)
    assert chosen._find_reason("auto", "http://host", True) == "the event loop is neither asyncio's nor uvloop's"


def test_an_invalid_url_is_an_error_of_either_transport() -> None:
    for transport in ("native", "httpx2"):
        for url in ("nonsense", "ftp://host/v1", "http://", "http://a b/"):
            with pytest.raises(APIConnectionError):
                list(OpenAI(base_url=url, api_key="k", max_retries=0, transport=transport).stream("p"))
