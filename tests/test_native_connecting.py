"""How the native transport connects where a host has several addresses."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from langchain_peer import KEY
from millstream import OpenAI
from millstream.testing import VERSE, MockServer, assert_no_leaks, refusing_url, unaccepting_url
from millstream.transport.native import NativeTransport, connecting, racing
from native_cases import Run, aread, both_loops, post


class Proactorlike(asyncio.SelectorEventLoop):
    """A loop without notification of ready sockets."""

    add_writer = asyncio.AbstractEventLoop.add_writer


def port(url: str) -> int:
    return int(url.partition("://")[2].partition("/")[0].partition(":")[2])


Kind = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, float]]:
    """Return a function that connects to the first reachable port, and returns that and the time it took."""

    def reach(kind: Kind, *ports: int) -> tuple[int, float]:
        async def resolve(*_: Any) -> list[Any]:
            return [(socket.AF_INET, ("127.0.0.1", port)) for port in ports]

        async def main() -> tuple[int, float]:
            started = time.monotonic()
            async with assert_no_leaks():
                with await connecting.connect(asyncio.get_running_loop(), "name", 1) as sock:
                    return sock.getpeername()[1], time.monotonic() - started

        monkeypatch.setattr(connecting, "_resolve", resolve)
        with asyncio.Runner(loop_factory=kind) as runner:
            return runner.run(main())

    return reach


loops = pytest.mark.parametrize("kind", [asyncio.new_event_loop, uvloop.new_event_loop, Proactorlike])


@pytest.fixture
def hesitant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the head start of an address longer than any test."""
    for module in (connecting, racing):
        monkeypatch.setattr(module, "HEAD_START", 600.0)


@loops
@pytest.mark.usefixtures("hesitant")
def test_after_an_address_that_refuses_the_next_is_tried(kind: Kind, mock_server: MockServer, reach: Any) -> None:
    with refusing_url() as raise_on_first_step:
        reached, _ = reach(kind, port(raise_on_first_step), port(raise_on_first_step), mock_server.port)
        assert reached == mock_server.port


@pytest.mark.parametrize("kind", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_an_address_that_does_not_respond_is_raced_by_the_next(kind: Kind, mock_server: MockServer, reach: Any) -> None:
    with unaccepting_url() as silent:
        reached, took = reach(kind, port(silent), mock_server.port)
        assert reached == mock_server.port
        assert took > 0.2


@loops
def test_if_no_address_can_be_reached_the_error_has_every_reason(kind: Kind, reach: Any) -> None:
    with refusing_url() as raise_on_first_step, refusing_url() as another:
        with pytest.raises(OSError, match="refused|111|Connect call failed"):
            reach(kind, port(raise_on_first_step), port(another))
        with pytest.raises(OSError, match="no address"):
            reach(kind)


def test_address_families_are_interleaved() -> None:
    async def found(*_: Any, **__: Any) -> list[Any]:
        return [(family, 1, 6, "", (name, 1)) for family, name in ((6, "a"), (6, "b"), (6, "c"), (4, "d"))]

    class Loop:
        getaddrinfo = staticmethod(found)

    loop: Any = Loop()
    addresses = asyncio.run(connecting._resolve(loop, "name", 1))
    assert [address for _, (address, _) in addresses] == ["a", "d", "b", "c"]


def test_a_loop_without_add_writer_connects(mock_server: MockServer) -> None:
    native = NativeTransport()
    with asyncio.Runner(loop_factory=Proactorlike) as runner:
        for _ in range(3):
            assert runner.run(aread(native, post(mock_server))).endswith(b"[DONE]\n\n")
    assert mock_server.connections.opened == 1


@both_loops
def test_a_connect_that_times_out_leaves_no_socket(run: Run) -> None:
    native = NativeTransport()

    async def main(url: str) -> None:
        for _ in range(2):
            request = post(url, total=0.05)
            with pytest.raises(TimeoutError):
                await aread(native, request)
            assert native._loops[asyncio.get_running_loop()].connections == set()

    with unaccepting_url() as url, assert_no_leaks():
        run(main(url))


# Sync code.


@pytest.fixture
def reach_in_sync(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, float]]:
    """Return a function that connects to the first reachable port, and returns that and the time it took."""

    def reach(*ports: int, seconds: float = 20) -> tuple[int, float]:
        monkeypatch.setattr(racing, "_resolve", lambda *_: [(socket.AF_INET, ("127.0.0.1", port)) for port in ports])
        started = time.monotonic()
        with assert_no_leaks(), racing.connect("name", 1, started + seconds) as sock:
            return sock.getpeername()[1], time.monotonic() - started

    return reach


@pytest.mark.usefixtures("hesitant")
def test_in_sync_code_after_an_address_that_refuses_the_next_is_tried(
    mock_server: MockServer, reach_in_sync: Any
) -> None:
    with refusing_url() as raise_on_first_step:
        reached, _ = reach_in_sync(port(raise_on_first_step), port(raise_on_first_step), mock_server.port, seconds=60)
        assert reached == mock_server.port


def test_in_sync_code_an_address_that_does_not_respond_is_raced(mock_server: MockServer, reach_in_sync: Any) -> None:
    with unaccepting_url() as silent, refusing_url() as raise_on_first_step:
        reached, took = reach_in_sync(port(silent), mock_server.port)
        assert (reached, took > 0.2) == (mock_server.port, True)
        # One that refuses does not wait for a head start of its own.
        reached, took = reach_in_sync(port(silent), port(raise_on_first_step), mock_server.port)
        assert (reached, took > 0.2) == (mock_server.port, True)


def test_in_sync_code_the_error_has_every_reason(reach_in_sync: Any) -> None:
    with refusing_url() as raise_on_first_step, refusing_url() as another:
        with pytest.raises(OSError, match=r"refused.*; .*refused"):
            reach_in_sync(port(raise_on_first_step), port(another))
        with pytest.raises(OSError, match="no address"):
            reach_in_sync()


def test_in_sync_code_all_addresses_share_one_deadline(reach_in_sync: Any) -> None:
    with unaccepting_url() as silent, unaccepting_url() as another, pytest.raises(TimeoutError):
        reach_in_sync(port(silent), port(another), port(silent), seconds=0.6)


def test_a_stream_reaches_a_host_whose_first_address_is_dead(
    mock_server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = NativeTransport()
    with unaccepting_url() as silent:
        addresses = [(socket.AF_INET, ("127.0.0.1", place)) for place in (port(silent), mock_server.port)]
        monkeypatch.setattr(racing, "_resolve", lambda *_: addresses)
        llm = OpenAI(base_url="http://name.example/v1", api_key=KEY, http_client=native, max_retries=0, timeout=5)
        assert list(llm.stream("p")) == list(VERSE)
    native.close()
