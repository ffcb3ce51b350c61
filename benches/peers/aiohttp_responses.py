"""Responses of aiohttp over a connection in memory: each chunk of HTTP arrives in a turn of the loop of its own."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from ..fixtures import Reads

__all__ = ("drain", "loop", "over_aiohttp")

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class _Wire(asyncio.Transport):
    """A connection whose server responds to the first bytes of a request."""

    def __init__(self, protocol: ResponseHandler, reads: Iterable[bytes], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._protocol = protocol
        self._reads: Any = reads
        self._loop = loop
        self._started = self._closed = False

    def write(self, data: Any) -> None:
        if not self._started:
            self._started, self._reads = True, iter(self._reads)
            self._loop.call_soon(self._arrive)

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"")

    def _arrive(self) -> None:
        data = next(self._reads, None)
        if data is not None and not self._closed:
            self._protocol.data_received(data)
            self._loop.call_soon(self._arrive)

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def pause_reading(self) -> None:
        """Do nothing: the stream is short."""

    def resume_reading(self) -> None:
        """Do nothing."""


class _Memory(aiohttp.BaseConnector):
    def __init__(self, reads: Reads) -> None:
        super().__init__(force_close=True)
        self._chunks = [_HEAD, *(b"%x\r\n%b\r\n" % (len(read), read) for read in reads), b"0\r\n\r\n"]

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:
        loop = asyncio.get_running_loop()
        protocol = ResponseHandler(loop)
        protocol.connection_made(_Wire(protocol, self._chunks, loop))
        return protocol


def over_aiohttp(read: Callable[[Any], Awaitable[Any]], reads: Reads) -> Callable[[], Awaitable[Any]]:
    """Return a function that reads texts from a response of aiohttp."""

    async def run() -> Any:
        async with (
            aiohttp.ClientSession(connector=_Memory(reads)) as session,
            session.post("http://memory/v1") as response,
        ):
            return await read(response)

    return run


async def loop(response: Any) -> list[str]:
    """Read the texts, as users of aiohttp do."""
    texts: list[str] = []
    async for line in response.content:
        if line.startswith(b"data: "):
            if line.strip() == b"data: [DONE]":
                return texts
            if text := json.loads(line[6:])["choices"][0]["delta"].get("content"):
                texts.append(text)
    return texts


async def drain(response: Any) -> None:
    """Let the client read, and do nothing with it."""
    while await response.content.readany():
        pass
