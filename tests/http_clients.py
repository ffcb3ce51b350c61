"""The HTTP clients whose responses users pass to ``decode`` and ``iter_sse``, sync and async, behind one function."""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from types import ModuleType
from typing import Any

import aiohttp
import httpx
import httpx2
import openai
import pytest
import requests
import urllib3

from millstream.integrations import responses

__all__ = ("ASYNC_CLIENTS", "BODY", "CLIENTS", "Collect", "Leave", "collect", "every_client", "raised_by")

BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "p"}], "stream": True}
_DATA = json.dumps(BODY).encode()
_HEADERS = {"content-type": "application/json"}

Send = Callable[[str, float], Any]
"""Sends the request to a URL with a read timeout, and returns the response; its body is not read."""

Collect = Callable[..., list[Any]]


class Leave(Exception):
    """Raised by a visitor to leave the loop."""


def _client(library: ModuleType) -> Callable[[], AbstractContextManager[Send]]:
    @contextmanager
    def connect() -> Iterator[Send]:
        with library.Client() as client:
            yield lambda url, timeout: client.send(
                client.build_request("POST", url, json=BODY, timeout=timeout), stream=True
            )

    return connect


@contextmanager
def _requests() -> Iterator[Send]:
    with requests.Session() as session:
        yield lambda url, timeout: session.post(url, json=BODY, stream=True, timeout=timeout)


@contextmanager
def _urllib3() -> Iterator[Send]:
    with urllib3.PoolManager(retries=False) as pool:
        yield lambda url, timeout: pool.request(
            "POST", url, body=_DATA, headers=_HEADERS, preload_content=False, timeout=timeout
        )


@contextmanager
def _urllib() -> Iterator[Send]:
    yield lambda url, timeout: urllib.request.urlopen(urllib.request.Request(url, _DATA, _HEADERS), timeout=timeout)


@contextmanager
def _openai() -> Iterator[Send]:
    with openai.OpenAI(base_url="http://unused/", api_key="k", max_retries=0) as client:

        def send(url: str, timeout: float) -> Any:
            own = client.with_options(base_url=url.removesuffix("/chat/completions"), timeout=timeout)
            return own.chat.completions.with_streaming_response.create(**BODY).__enter__()

        yield send


CLIENTS: dict[str, Callable[[], AbstractContextManager[Send]]] = {
    "httpx": _client(httpx),
    "httpx2": _client(httpx2),
    "requests": _requests,
    "urllib3": _urllib3,
    "urllib": _urllib,
    "openai": _openai,
}


def _async_client(library: ModuleType) -> Callable[[], AbstractAsyncContextManager[Send]]:
    @asynccontextmanager
    async def connect() -> AsyncIterator[Send]:
        async with library.AsyncClient() as client:
            yield lambda url, timeout: client.send(
                client.build_request("POST", url, json=BODY, timeout=timeout), stream=True
            )

    return connect


@asynccontextmanager
async def _aiohttp() -> AsyncIterator[Send]:
    async with aiohttp.ClientSession() as session:
        yield lambda url, timeout: session.post(
            url, json=BODY, timeout=aiohttp.ClientTimeout(total=None, sock_read=timeout)
        )


@asynccontextmanager
async def _async_openai() -> AsyncIterator[Send]:
    async with openai.AsyncOpenAI(base_url="http://unused/", api_key="k", max_retries=0) as client:

        def send(url: str, timeout: float) -> Awaitable[Any]:
            own = client.with_options(base_url=url.removesuffix("/chat/completions"), timeout=timeout)
            return own.chat.completions.with_streaming_response.create(**BODY).__aenter__()

        yield send


ASYNC_CLIENTS: dict[str, Callable[[], AbstractAsyncContextManager[Send]]] = {
    "httpx": _async_client(httpx),
    "httpx2": _async_client(httpx2),
    "aiohttp": _aiohttp,
    "openai": _async_openai,
}


def collect(client: str, url: str, read: str = "decode", *arguments: Any, **options: Any) -> list[Any]:
    """Return what ``decode`` or ``iter_sse`` returns for the response of ``client``; async for ``async ...``.

    ``visit`` is called with the items after each of them, and may raise :class:`Leave`. ``times`` is the number of
    requests, one after the other, ``timeout`` their read timeout.
    """
    name = client.removeprefix("async ")
    if name != client:
        return asyncio.run(_acollect(name, url, read, *arguments, **options))
    return _collect(name, url, read, *arguments, **options)


def _collect(
    name: str,
    url: str,
    read: str,
    *arguments: Any,
    visit: Callable[[list[Any]], object] = len,
    times: int = 1,
    timeout: float = 20.0,
    **options: Any,
) -> list[Any]:
    items: list[Any] = []
    with CLIENTS[name]() as send:
        for _ in range(times):
            stream = getattr(responses, read)(send(url, timeout), *arguments, **options)
            try:
                for item in stream:
                    items.append(item)
                    visit(items)
            except Leave:
                break
    return items


async def _acollect(
    name: str,
    url: str,
    read: str,
    *arguments: Any,
    visit: Callable[[list[Any]], object] = len,
    times: int = 1,
    timeout: float = 20.0,
    **options: Any,
) -> list[Any]:
    items: list[Any] = []
    async with ASYNC_CLIENTS[name]() as send:
        for _ in range(times):
            stream = getattr(responses, f"a{read}")(await send(url, timeout), *arguments, **options)
            try:
                async for item in stream:
                    items.append(item)
                    visit(items)
            except Leave:
                await stream.aclose()
                break
    return items


def raised_by(client: str, url: str, read: str = "decode", *arguments: Any, **options: Any) -> tuple[list[Any], Any]:
    """Return the items before the exception that :func:`collect` raises, and the exception."""
    items: list[Any] = []
    with pytest.raises(Exception) as raised:
        collect(client, url, read, *arguments, visit=lambda all_: items.__setitem__(slice(None), all_), **options)
    return items, raised.value


_NAMES = [*CLIENTS, *(f"async {name}" for name in ASYNC_CLIENTS)]


def every_client(*, but: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Run a test for every client, sync and async, except those named."""
    return pytest.mark.parametrize("client", [name for name in _NAMES if name.removeprefix("async ") not in but])
