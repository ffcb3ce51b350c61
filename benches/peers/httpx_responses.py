"""Responses of httpx and httpx2 whose body is in memory, the loops of their users, and httpx-sse's programs."""

import json
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import httpx
import httpx2

from ..fixtures import Reads
from .memory import memory_transport

__all__ = ("aconnected", "adrain", "aloop", "aover", "connected", "drain", "loop", "over")


def _client(library: ModuleType, reads: Reads, *, waits: bool) -> Any:
    """Return a client of ``library``, which is httpx or httpx2, whose every response has ``reads`` as its body."""
    return (library.AsyncClient if waits else library.Client)(transport=memory_transport(library, reads))


LIBRARIES = {"httpx": httpx, "httpx2": httpx2}


def over(library: str, read: Callable[[Any], Any], reads: Reads) -> Callable[[], Any]:
    """Return a function that reads texts from a response of a sync client."""
    client = _client(LIBRARIES[library], reads, waits=False)

    def run() -> Any:
        with client.stream("POST", "http://memory/v1") as response:
            return read(response)

    return run


def aover(library: str, read: Callable[[Any], Awaitable[Any]], reads: Reads) -> Callable[[], Awaitable[Any]]:
    """Return a function that reads texts from a response of an async client."""
    client = _client(LIBRARIES[library], reads, waits=True)

    async def run() -> Any:
        async with client.stream("POST", "http://memory/v1") as response:
            return await read(response)

    return run


def loop(response: Any) -> list[str]:
    """Read the texts, as users do; the response of the SDK's ``with_streaming_response`` has the same method."""
    texts: list[str] = []
    for line in response.iter_lines():
        if line.startswith("data: "):
            if line == "data: [DONE]":
                return texts
            if text := json.loads(line[6:])["choices"][0]["delta"].get("content"):
                texts.append(text)
    return texts


async def aloop(response: Any) -> list[str]:
    """Read the texts, as users do."""
    texts: list[str] = []
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            if line == "data: [DONE]":
                return texts
            if text := json.loads(line[6:])["choices"][0]["delta"].get("content"):
                texts.append(text)
    return texts


def drain(response: Any) -> None:
    """Let the client read, and do nothing with it."""
    for _ in response.stream:
        pass


async def adrain(response: Any) -> None:
    """Let the client read, and do nothing with it."""
    async for _ in response.stream:
        pass


def connected(module: Any, library: str, reads: Reads) -> Callable[[], list[Any]]:
    """Return a function that reads events with ``connect_sse`` of ``module``, httpx_sse or one with its interface."""
    client = _client(LIBRARIES[library], reads, waits=False)

    def run() -> list[Any]:
        with module.connect_sse(client, "GET", "http://memory/v1") as source:
            return list(source.iter_sse())

    return run


def aconnected(module: Any, library: str, reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
    """Return a function that reads events with ``aconnect_sse`` of ``module``."""
    client = _client(LIBRARIES[library], reads, waits=True)

    async def run() -> list[Any]:
        async with module.aconnect_sse(client, "GET", "http://memory/v1") as source:
            return [event async for event in source.aiter_sse()]

    return run
