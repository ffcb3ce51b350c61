"""What is cancelled or closed at odd moments leaves no socket to the collector."""

import asyncio
import gc
import socket
import warnings
from typing import Any

import pytest

from langchain_peer import KEY
from marks import over_both
from millstream import OpenAI
from millstream.testing import MockServer, Reply, Stall, assert_no_leaks
from millstream.transport.native import NativeTransport
from native_cases import aread, post
from scripted import client_context, scripted, tls_front


@over_both
def test_a_handshake_that_is_cancelled_leaves_no_socket(transport: str) -> None:
    def silent(sock: socket.socket) -> None:
        while sock.recv(65_536):
            pass

    async def main(url: str) -> None:
        llm = OpenAI(base_url=url.replace("http:", "https:"), api_key=KEY, transport=transport, max_retries=0)

        async def read() -> None:
            async for _ in llm.astream("p"):
                pass

        async def cancel(seconds: float) -> None:
            task = asyncio.create_task(read())
            await asyncio.sleep(seconds)
            task.cancel()
            await asyncio.wait([task])

        # The first stream imports the modules.
        await cancel(0.5)
        async with assert_no_leaks(turns=10):
            for seconds in (0.001, 0.02, 0.1):
                await cancel(seconds)

    with scripted(*[silent] * 4) as url:
        asyncio.run(main(url))


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("kept", [False, True], ids=["idle", "idle and in use"])
def test_a_loop_without_shutdown_of_generators_closes_its_connections(
    mock_server: MockServer, tls: bool, kept: bool
) -> None:
    native = NativeTransport(ssl_context=client_context())
    responses: list[Any] = []

    async def main(url: str) -> None:
        if kept:
            mock_server.script.append(Reply(fault=Stall(after=3)))
            responses.append(await native.aopen(post(url)))
        for _ in range(2):
            assert (await aread(native, post(url))).endswith(b"[DONE]\n\n")

    def run(url: str) -> None:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main(url))
        assert mock_server.connections.open == 1 + kept
        gc.disable()
        loop.close()
        mock_server.wait_until(lambda: mock_server.connections.open == 0)
        gc.enable()
        native._loops.clear()
        responses.clear()

    with warnings.catch_warnings(), tls_front(mock_server.url, 2) as front:
        # asyncio warns that its transports were not closed in time, which is the business of the loop's owner.
        warnings.simplefilter("ignore", ResourceWarning)
        run(front if tls else mock_server.url)
        gc.collect()
