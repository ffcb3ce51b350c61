"""``assert_no_leaks`` records warnings of Python and asyncio, turns the collector off, and is a fixture."""

import asyncio
import gc
import logging
import socket
import subprocess
import sys
import warnings
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from langchain_peer import KEY
from leaking import aleaked, forever, leaked
from millstream import OpenAI
from millstream.testing import MockServer, Reply, Stall, assert_no_leaks

pytestmark = pytest.mark.usefixtures("after")


# Warnings.


def test_an_object_that_is_collected_unclosed_has_leaked() -> None:
    def act() -> None:
        socket.socket()

    report = leaked(act)
    assert report.startswith("1 left behind:\n- ResourceWarning: unclosed <socket.socket")
    assert f"noticed at {__file__}:" in report


def test_a_coroutine_that_is_never_awaited_has_leaked() -> None:
    def act() -> None:
        forever()  # type: ignore[unused-coroutine]

    assert "RuntimeWarning: coroutine 'forever' was never awaited" in leaked(act)


def test_a_task_that_is_destroyed_while_pending_has_leaked() -> None:
    def act() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(forever())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        del task

    report = leaked(act, collect=True)
    assert "asyncio: Task was destroyed but it is pending!" in report


def test_an_exception_that_is_never_retrieved_has_leaked() -> None:
    async def fail() -> None:
        raise LookupError("lost")

    async def main() -> None:
        await asyncio.wait([asyncio.create_task(fail())])

    report = leaked(lambda: asyncio.run(main()), collect=True)
    assert "asyncio: Task exception was never retrieved" in report


def test_other_warnings_are_shown_as_before() -> None:
    with pytest.warns(DeprecationWarning, match="mine"), assert_no_leaks():
        warnings.warn("mine", DeprecationWarning, stacklevel=1)
    with assert_no_leaks(), pytest.raises(UserWarning, match="as an error"):
        warnings.warn("as an error", UserWarning, stacklevel=1)
    handlers = logging.getLogger("asyncio").handlers[:]
    with assert_no_leaks():
        assert len(logging.getLogger("asyncio").handlers) == len(handlers) + 1
    assert logging.getLogger("asyncio").handlers == handlers


# At once.


class Cycle:
    """Holds a socket, and itself."""

    def __init__(self) -> None:
        self.sock = socket.socket()
        self.own = self

    def __del__(self) -> None:
        self.sock.close()


def test_an_object_that_only_the_collector_would_close_has_leaked() -> None:
    def act() -> None:
        Cycle()
        for _ in range(3000):
            # Enough for a collection, were the collector on.
            cycle: list[Any] = []
            cycle.append(cycle)

    def leave() -> None:
        Cycle()

    assert "1 left behind:\n- socket" in leaked(act)
    assert leaked(leave, collect=True) == ""
    gc.collect()


def test_the_collector_is_left_as_it_was() -> None:
    with assert_no_leaks():
        assert not gc.isenabled()
    assert gc.isenabled()
    with assert_no_leaks(collect=True):
        assert gc.isenabled()
    gc.disable()
    try:
        with assert_no_leaks():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_block_that_raises_is_not_checked(after: ExitStack) -> None:
    def leave() -> None:
        after.enter_context(closing(socket.socket()))
        raise KeyError("mine")

    async def main() -> None:
        async with assert_no_leaks():
            leave()

    with pytest.raises(KeyError), assert_no_leaks():
        leave()
    with pytest.raises(KeyError):
        asyncio.run(main())


def test_a_block_cannot_begin_twice() -> None:
    with assert_no_leaks() as block:
        with pytest.raises(RuntimeError, match="has begun already"):
            block.start()
        block.stop()
        block.stop()


# Streams.


def test_a_stream_that_is_held_has_leaked_and_one_that_is_closed_has_not() -> None:
    with MockServer(Reply(fault=Stall(3))) as server:
        llm = OpenAI(base_url=server.url, api_key=KEY)

        def hold() -> Any:
            stream = llm.stream("p")
            next(stream)
            return stream

        assert f" to 127.0.0.1:{server.port} " in leaked(hold)
        assert leaked(lambda: hold().close()) == ""

        async def ahold() -> Any:
            stream = llm.astream("p")
            await anext(stream)
            return stream

        async def aclose() -> None:
            await (await ahold()).aclose()

        async def main() -> tuple[str, str]:
            held = await aleaked(ahold)
            await asyncio.sleep(0)
            return held, await aleaked(aclose)

        held, closed = asyncio.run(main())
        assert "async generator" in held
        assert "connection" in held
        assert closed == ""


# The fixture.

TESTS = """
import socket, pytest
from millstream.testing import MockServer
kept = []

def test_clean(no_leaks, mock_server):
    pass

def test_leaky(no_leaks):
    kept.append(socket.socket())

def test_allowed(mock_server, no_leaks):
    no_leaks.idle_connections = 1
    kept.append(socket.create_connection(("127.0.0.1", mock_server.port)))

def test_failing(no_leaks):
    kept.append(socket.socket())
    assert False, "for its own reason"

def test_close():
    for sock in kept:
        sock.close()
"""


def test_the_fixture_fails_the_test_that_leaks(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--color=no", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    summary = [line.split(" - ")[0] for line in done.stdout.splitlines() if "::" in line]
    assert sorted(line for line in summary if line.startswith(("ERROR", "FAILED"))) == [
        "ERROR test_it.py::test_leaky",
        "FAILED test_it.py::test_failing",
    ]
    assert sum(line.startswith("PASSED") for line in summary) == 4
    assert "AssertionError: 1 left behind:" in done.stdout
