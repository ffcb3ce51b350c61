"""Many threads at once, on both transports: no stream touches another's connection."""

import inspect
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from langchain_peer import KEY
from marks import over_both
from millstream import OpenAI
from millstream.testing import VERSE, MockServer, Reply
from millstream.transport import choice, native
from millstream.transport.native import NativeTransport
from native_cases import post, read

THREADS, STREAMS = 40, 25


def in_threads(work: Callable[[], object]) -> list[object]:
    """Call ``work`` many times in many threads; return its results and exceptions."""

    def run(_: int) -> object:
        try:
            return work()
        except Exception as error:
            return error

    with ThreadPoolExecutor(THREADS) as executor:
        return list(executor.map(run, range(THREADS * STREAMS)))


@over_both
def test_every_stream_of_many_threads_is_right(mock_server: MockServer, transport: str) -> None:
    llm = OpenAI(base_url=mock_server.url, api_key=KEY, transport=transport, max_retries=0)
    assert in_threads(lambda: list(llm.stream("p"))) == [list(VERSE)] * (THREADS * STREAMS)


def test_every_stream_over_a_users_client_is_right(mock_server: MockServer) -> None:
    with httpx2.Client(limits=httpx2.Limits(max_connections=None)) as client:
        llm = OpenAI(base_url=mock_server.url, api_key=KEY, http_client=client, max_retries=0)
        assert in_threads(lambda: list(llm.stream("p"))) == [list(VERSE)] * (THREADS * STREAMS)


@over_both
def test_streams_that_are_left_do_not_disturb_others(mock_server: MockServer, transport: str) -> None:
    llm = OpenAI(base_url=mock_server.url, api_key=KEY, transport=transport, max_retries=0)
    turns = iter(range(THREADS * STREAMS))

    def work() -> object:
        if next(turns) % 3:
            return list(llm.stream("p"))
        with llm.stream("p") as stream:
            next(iter(stream))
        return list(VERSE)

    assert in_threads(work) == [list(VERSE)] * (THREADS * STREAMS)


@pytest.mark.usefixtures("native")
def test_threads_that_create_a_pool_together_share_it(mock_server: MockServer) -> None:
    for _ in range(20):
        native = NativeTransport()
        barrier = threading.Barrier(8)

        def first(native: NativeTransport = native, barrier: threading.Barrier = barrier) -> int:
            barrier.wait()
            read(native, post(mock_server))
            return id(native._sync["pool"])

        with ThreadPoolExecutor(8) as executor:
            pools = {future.result() for future in [executor.submit(first) for _ in range(8)]}
        assert len(pools) == 1
        native.close()
    mock_server.wait_until(lambda: mock_server.connections.open == 0)


@over_both
def test_a_stream_at_the_interpreters_end_leaves_nothing(transport: str) -> None:
    with MockServer(Reply()) as server:
        code = f"""
import atexit
def last():
    assert len(list(llm.stream("p"))) > 3
atexit.register(last)
from millstream import OpenAI
llm = OpenAI(base_url={server.url!r}, api_key="k", transport={transport!r})
list(llm.stream("p"))
"""
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")
        server.wait_until(lambda: server.connections.open == 0)
        assert len(server.requests) == 2


def test_threads_that_send_the_first_requests_share_one_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would return its connection to a pool of its own otherwise, which is dropped with an open socket."""
    made: list[object] = []
    begun = threading.Barrier(4)

    class Slow(native.NativeTransport):
        def __init__(self) -> None:
            made.append(self)
            begun.wait(30)
            super().__init__()

    monkeypatch.setattr(native, "NativeTransport", Slow)
    get = choice._kept(inspect.unwrap(choice._native))
    with ThreadPoolExecutor(4) as executor:
        found = [future.result() for future in [executor.submit(get) for _ in range(4)]]
    assert len(made) == 4
    assert found == [found[0]] * 4
    assert get() is found[0]
