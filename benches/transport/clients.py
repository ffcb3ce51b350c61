"""The clients: each passes the text of one completions stream to ``take``; the floor only counts bytes."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import millstream

__all__ = ("CLIENTS", "Take", "version_of")

Take = Callable[[str], Any]
Consume = Callable[[str, Take], Awaitable[None]]
MODEL = "gpt-3.5-turbo-instruct"


def ours(url: str) -> Consume:
    """Return ``OpenAI.astream``."""
    return _taking(millstream.OpenAI(base_url=url, api_key="none").astream)


def langchain(url: str) -> Consume:
    """Return langchain-openai's ``OpenAI.astream``."""
    warnings.filterwarnings("ignore", message=".*is deprecated.*")
    from langchain_openai import OpenAI
    from pydantic import SecretStr

    return _taking(OpenAI(base_url=url, api_key=SecretStr("none")).astream)


def openai(url: str) -> Consume:
    """Return the openai SDK's stream of completions."""
    import openai as sdk

    client = sdk.AsyncOpenAI(base_url=url, api_key="none")

    async def consume(prompt: str, take: Take) -> None:
        async for chunk in await client.completions.create(model=MODEL, prompt=prompt, stream=True):
            take(chunk.choices[0].text)

    return consume


def httpx2(url: str) -> Consume:
    """Return httpx2 with a loop of ``split`` and msgspec."""
    import httpx2 as library

    from ..peers.msgspec_loop import acompletions_stream

    limits = library.Limits(max_connections=None, max_keepalive_connections=100)
    client = library.AsyncClient(timeout=600, limits=limits)

    async def consume(prompt: str, take: Take) -> None:
        async with client.stream("POST", f"{url}/completions", content=_body(prompt)) as response:
            async for text in acompletions_stream(response.aiter_raw()):
                take(text)

    return consume


def aiohttp(url: str) -> Consume:
    """Return aiohttp with a loop of ``split`` and msgspec."""
    import aiohttp as library

    from ..peers.msgspec_loop import acompletions_stream

    session: Any = None

    async def consume(prompt: str, take: Take) -> None:
        nonlocal session
        if session is None:
            connector = library.TCPConnector(limit=0)
            session = library.ClientSession(connector=connector, timeout=library.ClientTimeout(total=600))
        async with session.post(f"{url}/completions", data=_body(prompt)) as response:
            async for text in acompletions_stream(response.content.iter_any()):
                take(text)

    return consume


def floor(url: str) -> Consume:
    """Return a client that counts the bytes of a body, and looks only for its end."""
    host, port = url.split("/")[2].split(":")
    buffer = memoryview(bytearray(65536))

    class Counting(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.count = 0
            self.over: asyncio.Future[None] | None = None

        def get_buffer(self, sizehint: int) -> memoryview:
            return buffer

        def buffer_updated(self, nbytes: int) -> None:
            self.count += nbytes
            if self.over is not None and bytes(buffer[nbytes - 5 : nbytes]) == b"0\r\n\r\n" and not self.over.done():
                self.over.set_result(None)

    idle: list[tuple[Any, Counting]] = []

    async def consume(prompt: str, take: Take) -> None:
        loop = asyncio.get_running_loop()
        transport, protocol = idle.pop() if idle else await loop.create_connection(Counting, host, int(port))
        protocol.over = loop.create_future()
        body = _body(prompt)
        transport.write(b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await protocol.over
        idle.append((transport, protocol))

    return consume


def ours_sync(url: str) -> Callable[[str], Any]:
    """Return ``OpenAI.stream``."""
    return millstream.OpenAI(base_url=url, api_key="none").stream


def langchain_sync(url: str) -> Callable[[str], Any]:
    """Return langchain-openai's ``OpenAI.stream``."""
    warnings.filterwarnings("ignore", message=".*is deprecated.*")
    from langchain_openai import OpenAI
    from pydantic import SecretStr

    return OpenAI(base_url=url, api_key=SecretStr("none")).stream


def ours_chat(url: str) -> Consume:
    """Return ``ChatOpenAI.astream``."""
    return _contents(millstream.ChatOpenAI(model="gpt-4o-mini", base_url=url, api_key="none").astream)


def langchain_chat(url: str) -> Consume:
    """Return langchain-openai's ``ChatOpenAI.astream``."""
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    return _contents(ChatOpenAI(model="gpt-4o-mini", base_url=url, api_key=SecretStr("none")).astream)


_ASYNC: dict[str, tuple[str, Callable[[str], Any]]] = {
    "ours": ("Millstream OpenAI.astream", ours),
    "aiohttp": ("aiohttp {aiohttp} + split + msgspec {msgspec}", aiohttp),
    "httpx2": ("httpx2 {httpx2} + split + msgspec {msgspec}", httpx2),
    "openai": ("openai {openai} completions.create", openai),
    "langchain": ("langchain-openai {langchain-openai} OpenAI.astream", langchain),
    "floor": ("a BufferedProtocol that counts bytes", floor),
}
_SYNC: dict[str, tuple[str, Callable[[str], Any]]] = {
    "ours": ("Millstream OpenAI.stream", ours_sync),
    "langchain": ("langchain-openai {langchain-openai} OpenAI.stream", langchain_sync),
}


_CHAT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "ours": ("Millstream ChatOpenAI.astream", ours_chat),
    "langchain": ("langchain-openai {langchain-openai} ChatOpenAI.astream", langchain_chat),
}
CLIENTS = {"async": _ASYNC, "sync": _SYNC, "chat": _CHAT}
"""The clients of each kind, by name: functions that create them for a server's URL."""


def version_of(name: str) -> str:
    """Return a client's ``name`` with the versions of its packages."""
    from importlib.metadata import version
    from re import sub

    return sub(r"{(.*?)}", lambda found: version(found[1]), name)


def _taking(stream: Callable[[str], AsyncIterator[str]]) -> Consume:
    async def consume(prompt: str, take: Take) -> None:
        async for text in stream(prompt):
            take(text)

    return consume


def _contents(stream: Callable[[str], AsyncIterator[Any]]) -> Consume:
    async def consume(prompt: str, take: Take) -> None:
        # Usage and end marks are messages of their own, without a token.
        async for chunk in stream(prompt):
            if chunk.content or "finish_reason" in chunk.response_metadata:
                take(chunk.content)

    return consume


def _body(prompt: str) -> bytes:
    return json.dumps({"model": MODEL, "prompt": prompt, "stream": True}).encode()
