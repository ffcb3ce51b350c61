"""``assert_no_leaks`` fails for every kind of thing that is left behind, and names it."""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import uvloop

from leaking import aleaked, forever, leaked, numbers
from millstream.testing import MockServer, assert_no_leaks
from millstream.testing.leak_watchers import _numbers, _socket

pytestmark = pytest.mark.usefixtures("after")


# Descriptors.


def test_a_pipe_a_file_and_a_socket_are_told_apart(after: ExitStack, tmp_path: Path) -> None:
    def act() -> None:
        for descriptor in os.pipe():
            after.callback(os.close, descriptor)
        after.enter_context((tmp_path / "left.txt").open("w"))
        after.enter_context(closing(socket.socket()))
        for sock in socket.socketpair():
            after.enter_context(closing(sock))

    report = leaked(act)
    assert report.startswith("6 left behind:\n- ")
    assert report.count("- pipe:") == 2
    assert report.count("left.txt") == report.count("not connected") == 1
    assert report.count("- socket (descriptor") == 2


def test_a_connection_names_both_ends_and_may_be_allowed(after: ExitStack) -> None:
    listening = after.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
    port = listening.getsockname()[1]

    def act() -> Any:
        return after.enter_context(closing(socket.create_connection(("127.0.0.1", port))))

    assert f" to 127.0.0.1:{port} (descriptor " in leaked(act)
    assert leaked(act, idle_connections=1) == ""
    assert leaked(lambda: (act(), act()), idle_connections=1).startswith("1 left behind")
    assert leaked(lambda: (act(), act()), idle_connections=2) == ""


def test_a_connection_that_the_peer_has_reset_still_counts(after: ExitStack) -> None:
    def act() -> None:
        sock = after.enter_context(closing(socket.create_connection(("127.0.0.1", server.port))))
        server.wait_until(lambda: server.connections.opened > server.connections.closed)
        sock.sendall(b"GET /v1/models HTTP/1.1\r\nx-mock-fault: refuse\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)

    with MockServer() as server:
        assert "not connected" in leaked(act)
        assert leaked(act, idle_connections=1) == ""


def test_a_new_descriptor_with_a_reused_number_is_found(after: ExitStack) -> None:
    old = socket.socketpair()
    for sock in old:
        after.enter_context(closing(sock))

    def act() -> None:
        old[0].close()
        after.enter_context(closing(socket.socket()))

    assert "1 left behind" in leaked(act)


def test_a_running_servers_own_sockets_do_not_count(after: ExitStack) -> None:
    with MockServer() as server, closing(socket.create_connection(("127.0.0.1", server.port))) as sock:
        sock.sendall(b"x")

        def act() -> None:
            connection = after.enter_context(closing(socket.create_connection(("127.0.0.1", server.port))))
            server.wait_until(lambda: server.connections.open == 2)
            connection.close()

        assert leaked(act) == ""


def test_a_server_that_is_left_running_counts(after: ExitStack) -> None:
    def act() -> None:
        after.enter_context(MockServer())

    report = leaked(act)
    assert "thread 'millstream-mock'" in report
    assert "descriptor" in report


def test_descriptors_are_found_without_proc() -> None:
    assert set(_numbers(("/nowhere",))) >= {0, 1, 2}
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        assert _socket(sock) == (False, "socket")


# Tasks.


def test_a_task_is_named_with_its_place(after: ExitStack) -> None:
    async def main() -> str:
        async def act() -> None:
            task = asyncio.create_task(forever(), name="left")
            after.callback(task.cancel)
            await asyncio.sleep(0)

        report = await aleaked(act)
        after.close()
        return report

    report = asyncio.run(main())
    assert report.startswith("1 left behind:\n- task 'left' of forever(), at ")
    assert forever.__code__.co_filename in report
    report = asyncio.run(main(), debug=True)
    assert f"created at {__file__}" in report


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_task_that_the_end_of_its_loop_cancels_is_a_leak(run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        main.task = asyncio.create_task(forever())  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    # uvloop opens a pipe for the process, the first time.
    run(asyncio.sleep(0))
    report = leaked(lambda: run(main()))
    assert "of forever(), at " in report
    assert report.endswith("cancelled by the end of its loop")


def test_older_tasks_and_finished_tasks_do_not_count() -> None:
    async def main() -> str:
        before = asyncio.create_task(forever())
        await asyncio.sleep(0)

        async def act() -> None:
            await asyncio.create_task(asyncio.sleep(0))

        report = await aleaked(act)
        before.cancel()
        await asyncio.wait([before])
        return report

    assert asyncio.run(main()) == ""


# Generators.


def test_an_async_generator_that_is_held_open_is_named() -> None:
    async def main() -> str:
        async def act() -> Any:
            generator = numbers()
            await anext(generator)
            return generator

        return await aleaked(act)

    report = asyncio.run(main())
    assert report.startswith("1 left behind:\n- async generator numbers(), at ")
    assert numbers.__code__.co_filename in report


def test_an_async_generator_that_is_closed_or_read_to_its_end_is_fine() -> None:
    async def main() -> str:
        async def act() -> Any:
            generator, another = numbers(), numbers()
            await anext(generator)
            await generator.aclose()  # type: ignore[attr-defined]
            never_begun = numbers()
            return generator, another, [item async for item in another], never_begun

        return await aleaked(act)

    assert asyncio.run(main()) == ""


def test_an_async_generator_that_is_left_is_closed_within_three_turns_and_not_at_once() -> None:
    async def leave() -> None:
        async for _ in numbers():
            break

    async def main() -> tuple[str, str]:
        return await aleaked(leave), await aleaked(leave, turns=0)

    later, at_once = asyncio.run(main())
    assert later == ""
    assert "async generator numbers()" in at_once


def test_an_async_generator_that_the_end_of_its_loop_closes_is_a_leak() -> None:
    async def main() -> Any:
        generator = numbers()
        await anext(generator)
        return generator

    assert leaked(lambda: asyncio.run(main())).endswith("closed by the end of its loop")


def test_the_hooks_of_the_loop_keep_working() -> None:
    async def main() -> bool:
        hooks = sys.get_asyncgen_hooks()
        async with assert_no_leaks():
            generator = numbers()
            await anext(generator)
            known = generator in asyncio.get_running_loop()._asyncgens  # type: ignore[attr-defined]
            await generator.aclose()  # type: ignore[attr-defined]
        assert sys.get_asyncgen_hooks() == hooks
        return known

    assert asyncio.run(main())


# Threads.


def test_a_thread_is_named(after: ExitStack) -> None:
    gone = threading.Event()
    after.callback(gone.set)

    def act() -> threading.Thread:
        thread = threading.Thread(target=gone.wait, name="left")
        thread.start()
        return thread

    assert leaked(act) == "1 left behind:\n- thread 'left'"
    assert leaked(act, threads=["le"]) == ""


def test_the_executor_of_a_loop_may_stay_and_a_thread_that_ends_is_gone() -> None:
    async def main() -> str:
        async def act() -> None:
            await asyncio.to_thread(int)

        return await aleaked(act)

    assert asyncio.run(main()) == ""
    assert leaked(lambda: threading.Thread(target=int).start()) == ""
