"""The native transport over TLS: reuse, trust, protocols."""

import asyncio
import socket
import ssl
from typing import Any

import pytest

from endings import aread, streamed
from langchain_peer import KEY
from marks import both_ways, over_both
from millstream import OpenAI
from millstream.errors import APIConnectionError
from millstream.testing import VERSE, MockServer, Reply, Stall
from millstream.transport.native import NativeTransport
from millstream.transport.native.tls import default_context
from native_cases import Run, both_loops
from scripted import CERTIFICATE, client_context, scripted, server_context, tls_front


def model(url: str, native: NativeTransport | None = None) -> OpenAI:
    return OpenAI(base_url=url, api_key=KEY, http_client=native, max_retries=0, transport="auto")


@both_loops
@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_streams_over_tls_use_one_connection(mock_server: MockServer, run: Run, name: str) -> None:
    native = NativeTransport(ssl_context=client_context())
    with tls_front(mock_server.url, 2) as url:
        llm = model(url.replace("127.0.0.1", name), native)

        async def main() -> None:
            for _ in range(5):
                assert await aread(llm.astream("p")) == list(VERSE)
            assert mock_server.connections.opened == 1

        run(main())
        for _ in range(5):
            assert list(llm.stream("p")) == list(VERSE)
        assert mock_server.connections.opened == 2
        native.close()
        mock_server.wait_until(lambda: mock_server.connections.open == 0)


@both_loops
def test_a_stream_over_tls_that_is_left_closes_its_connection(run: Run) -> None:
    native = NativeTransport(ssl_context=client_context())
    with MockServer(Reply(fault=Stall(after=3))) as server, tls_front(server.url, 2) as url:

        async def main() -> None:
            async for _ in model(url, native).astream("p"):
                break
            await server.await_closed(1)

        run(main())
        for _ in model(url, native).stream("p"):
            break
        server.wait_closed(2)


@pytest.mark.parametrize("run", [None, *both_loops.args[1]], ids=["sync", "asyncio", "uvloop"])
def test_an_untrusted_certificate_is_refused(mock_server: MockServer, run: Any) -> None:
    with tls_front(mock_server.url, 1) as url:
        with pytest.raises(APIConnectionError, match="no connection to https://.*CERTIFICATE_VERIFY_FAILED") as caught:
            run(aread(model(url).astream("p"))) if run is not None else list(model(url).stream("p"))
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    assert mock_server.requests == []


@both_ways
@over_both
def test_the_error_of_an_unknown_issuer_says_how_to_trust_it(
    transport: str, asynchronous: bool, mock_server: MockServer
) -> None:
    with tls_front(mock_server.url, 1) as url:
        llm = OpenAI(base_url=url, api_key=KEY, max_retries=0, transport=transport)
        with pytest.raises(APIConnectionError, match="; to trust it, set SSL_CERT_FILE to a file with its issuer's"):
            streamed(llm, asynchronous)


def test_a_certificate_for_another_name_is_refused(mock_server: MockServer) -> None:
    native = NativeTransport(ssl_context=client_context())
    with tls_front(mock_server.url, 2) as url:
        llm = model(url.replace("127.0.0.1", "127.0.0.2"), native)
        with pytest.raises(APIConnectionError) as caught:
            list(llm.stream("p"))
        assert "SSL_CERT_FILE" not in str(caught.value)


@pytest.mark.parametrize("run", [None, *both_loops.args[1]], ids=["sync", "asyncio", "uvloop"])
def test_a_server_that_negotiates_http2_is_an_error(mock_server: MockServer, run: Any) -> None:
    native = NativeTransport(ssl_context=client_context("h2", "http/1.1"))
    wrong = pytest.raises(APIConnectionError, match="negotiated h2.*; this transport supports only HTTP/1.1")
    with tls_front(mock_server.url, 1, server_context("h2")) as url, wrong:
        run(aread(model(url, native).astream("p"))) if run is not None else list(model(url, native).stream("p"))


def plain(sock: socket.socket) -> None:
    sock.recv(65_536)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


def test_a_server_without_tls_is_a_connection_error() -> None:
    with scripted(plain, plain) as url:
        llm = model(url.replace("http:", "https:"))
        with pytest.raises(APIConnectionError, match="no connection to https"):
            list(llm.stream("p"))
        with pytest.raises(APIConnectionError, match="no connection to https"):
            asyncio.run(aread(llm.astream("p")))


def test_the_default_context_verifies_and_is_created_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from millstream.transport.native import tls

    context = default_context()
    assert default_context() is context
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    made = tls._make_default_context.__wrapped__()
    assert "Millstream's tests" in str(made.get_ca_certs())
