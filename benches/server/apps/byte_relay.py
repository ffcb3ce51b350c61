"""The limit: protocols of asyncio that copy the upstream's bytes, and read nothing of them but the request's end."""

import asyncio
from typing import Any


class Upstream(asyncio.BufferedProtocol):
    """The connection to the model's server."""

    buffer = memoryview(bytearray(1 << 16))

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.client.request)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.client.transport.write(bytes(self.buffer[:nbytes]))

    def connection_lost(self, error: Exception | None) -> None:
        self.client.transport.close()


class Client(asyncio.Protocol):
    """The connection of a client, for one request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.request = b""
        self.transport: Any = None
        self.upstream: Upstream | None = None
        self.opening: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.request += data
        head, found, body = self.request.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            loop = asyncio.get_running_loop()
            connection = loop.create_connection(lambda: Upstream(self), "127.0.0.1", self.port)
            self.opening = loop.create_task(self.open(connection))

    async def open(self, connection: Any) -> None:
        _, self.upstream = await connection
        if self.transport.is_closing():
            self.upstream.transport.close()

    def pause_writing(self) -> None:
        if self.upstream is not None:
            self.upstream.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.upstream is not None:
            self.upstream.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self.upstream is not None:
            self.upstream.transport.close()


async def serve(upstream: str) -> int:
    """Listen, and return the port."""
    target = int(upstream.split(":")[2].split("/")[0])
    server = await asyncio.get_running_loop().create_server(lambda: Client(target), "127.0.0.1", 0, backlog=4096)
    return int(server.sockets[0].getsockname()[1])
