"""Errors in the environment and in URLs: reported at once, with a remedy, and without secrets."""

import logging
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from endings import streamed
from langchain_peer import KEY
from marks import both_ways
from millstream import OpenAI
from millstream.errors import APIConnectionError, MillstreamError
from millstream.testing import VERSE, MockServer
from millstream.transport import clients
from millstream.transport.choice import TransportSelector
from millstream.transport.native import NativeTransport, tls

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

over_both = pytest.mark.parametrize("transport", ["native", "httpx2", "auto"])


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without proxies and certificates, with clients and contexts that are made anew."""
    for name in (*VARIABLES, *map(str.upper, VARIABLES), "SSL_CERT_FILE", "SSL_CERT_DIR", "MILLSTREAM_TRANSPORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(clients, "_sync", {})
    tls._make_default_context.cache_clear()
    yield
    clients.close_idle(None)
    tls._make_default_context.cache_clear()


def everything(error: BaseException) -> str:
    """Return the formatted traceback of ``error``, with its causes and contexts."""
    shown = "".join(traceback.format_exception(error))
    behind: BaseException | None = error
    while behind is not None:
        shown += repr(behind) + repr(behind.args)
        behind = behind.__context__ if behind.__cause__ is None else behind.__cause__
    return shown


# Certificates.


@both_ways
@over_both
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_missing_certificate_file_is_named_at_once(
    variable: str, transport: str, asynchronous: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing.pem")
    monkeypatch.setenv(variable, missing)
    with MockServer() as server:
        llm = OpenAI(base_url=server.url.replace("http:", "https:"), api_key=KEY, transport=transport)
        with pytest.raises(MillstreamError, match=f"environment variable {variable} names '{missing}', which is no"):
            streamed(llm, asynchronous)
        assert server.connections.opened == 0
        # What is plain needs none.
        assert streamed(OpenAI(base_url=server.url, api_key=KEY, transport=transport), asynchronous) == list(VERSE)


@both_ways
@over_both
def test_a_file_without_certificates_is_named(
    transport: str, asynchronous: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "empty.pem"
    path.write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(MillstreamError, match=f"SSL_CERT_FILE names '{path}', which contains no readable certificates"):
        streamed(OpenAI(base_url="https://127.0.0.1:1/v1", api_key=KEY, transport=transport), asynchronous)


# Proxies.


@both_ways
@pytest.mark.parametrize("transport", ["auto", "httpx2"])
@pytest.mark.parametrize(
    ("proxy", "says"),
    [
        ("socks://u:canary@127.0.0.1:1", r"ALL_PROXY names a proxy with socks://, .* write socks5:// or socks5h://"),
        ("socks4://u:canary@127.0.0.1:1", r"ALL_PROXY names a proxy with socks4://"),
        ("socks5://u:canary@127.0.0.1:1", r"ALL_PROXY names a SOCKS proxy, .* pip install 'httpx2\[socks\]'"),
        ("ftp://u:canary@127.0.0.1:1", r"ALL_PROXY names a proxy with ftp://, .* write http://HOST:PORT"),
        ("http://u:canary@127.0.0.1:x", "ALL_PROXY is not the URL of a proxy"),
        ("http://u:canary@[::1", "ALL_PROXY is not the URL of a proxy"),
        ("http://u:canary@\u2100", "ALL_PROXY is not the URL of a proxy"),
        ("http://", "ALL_PROXY is not the URL of a proxy"),
    ],
)
def test_an_unusable_proxy_is_named_by_its_variable(
    proxy: str, says: str, transport: str, asynchronous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(MillstreamError, match=says) as caught:
        streamed(OpenAI(base_url="http://name.example/v1", api_key=KEY, transport=transport), asynchronous)
    assert not isinstance(caught.value, APIConnectionError)
    assert "canary" not in everything(caught.value)


@both_ways
def test_an_unusable_proxy_of_a_model_is_named(asynchronous: bool) -> None:
    for proxy in ("127.0.0.1:1", "socks://u:canary@127.0.0.1:1", "u:canary@127.0.0.1:1"):
        with pytest.raises(MillstreamError, match="the model's proxy setting names a proxy with") as caught:
            streamed(OpenAI(base_url="http://name.example/v1", api_key=KEY, openai_proxy=proxy), asynchronous)
        assert "canary" not in everything(caught.value)


# URLs.


@both_ways
@over_both
@pytest.mark.parametrize(
    "url",
    [
        "http://u:canary@[::1/v1",
        "http://u:canary@a\u2100b/v1",
        "http://u:canary@a/v1\ud83c",
        "u:canary@a/v1",
        "http//u:canary@a/v1",
        "http://u:canary@a:canary/v1",
        f"http://u:canary@{'a' * 64}/v1",
        "http://u:canary@a..b/v1",
        "http://u:canary@a b/v1",
        "http://u:canary@a/\x7f",
    ],
)
def test_an_invalid_url_is_reported_without_secrets_and_not_retried(
    url: str, transport: str, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(APIConnectionError, match="the URL is not valid") as caught:
        streamed(OpenAI(base_url=url, api_key=KEY, transport=transport), asynchronous)
    assert caught.value.is_final
    assert "canary" not in everything(caught.value)
    assert "canary" not in "".join(record.getMessage() for record in caplog.records)


@both_ways
@over_both
def test_a_fragment_in_a_base_url_is_an_error(transport: str, asynchronous: bool) -> None:
    with pytest.raises(APIConnectionError, match=r"it has a fragment \(#.*\), which is not sent"):
        streamed(OpenAI(base_url="http://127.0.0.1:1/v1#x", api_key=KEY, transport=transport), asynchronous)


@both_ways
@over_both
@pytest.mark.parametrize(
    ("path", "sent"), [("/a b", "/a%20b"), ("/a%20b", "/a%20b"), ("/\u00e9%C3%A9", "/%C3%A9%C3%A9"), ("/50%", "/50%25")]
)
def test_a_path_is_percent_encoded_once(
    path: str, sent: str, transport: str, asynchronous: bool, mock_server: MockServer
) -> None:
    with pytest.raises(MillstreamError, match="404"):
        streamed(OpenAI(base_url=mock_server.origin + path, api_key=KEY, transport=transport), asynchronous)
    assert mock_server.requests[0].path == f"{sent}/completions"


@both_ways
@over_both
def test_no_log_message_shows_the_user_or_the_query(
    transport: str, asynchronous: bool, mock_server: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = mock_server.url.replace("://", "://u:canary@")
    llm = OpenAI(base_url=url, api_key="k", transport=transport, default_query={"subscription-key": "canary"})
    assert streamed(llm, asynchronous) == list(VERSE)
    assert mock_server.requests[0].headers["authorization"] == "Basic dTpjYW5hcnk="
    lines = [record.getMessage() for record in caplog.records]
    assert lines
    assert "canary" not in "".join(lines)


def test_log_messages_of_other_requests_of_httpx2_are_unchanged(
    mock_server: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    list(OpenAI(base_url=mock_server.url, api_key="k", transport="httpx2", default_query={"a": "b"}).stream("p"))
    with httpx2.Client() as client:
        client.get(f"{mock_server.origin}/v1/models?mine=1")
    lines = [record.getMessage() for record in caplog.records if record.name == "httpx2"]
    assert ["a=b" in line for line in lines] == [False, False]
    assert ["mine=1" in line for line in lines] == [False, True]


def test_errors_of_the_selection_are_not_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = TransportSelector("auto", None)
    for _ in range(2):
        with pytest.raises(APIConnectionError) as caught:
            chosen._select("u:canary@a/v1", is_async=False)
        assert caught.value.__context__ is None


@pytest.mark.usefixtures("native")
def test_a_final_error_is_not_retried(mock_server: MockServer) -> None:
    started = time.monotonic()
    native: Any = NativeTransport()
    with pytest.raises(APIConnectionError):
        list(OpenAI(base_url="http://a b/v1", api_key="k", http_client=native, max_retries=5).stream("p"))
    # Five tries more would take twice as long at the least.
    assert time.monotonic() - started < 5
