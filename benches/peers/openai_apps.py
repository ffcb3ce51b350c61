"""Programs of the OpenAI SDK's users, over httpx2 in memory; the client is made ready by a function of each side."""

from collections.abc import Awaitable, Callable
from typing import Any

import openai

from ..fixtures import Reads
from .httpx_responses import drain
from .httpx_responses import loop as raw_loop
from .memory import async_client, client

__all__ = ("astream", "raw_drain", "raw_loop", "raw_texts", "stream")

Ready = Callable[[Any], Any]

_OPTIONS: Any = {"base_url": "http://memory/v1", "api_key": "none"}
_MESSAGES: Any = [{"role": "user", "content": "a prompt"}]


def stream(kind: str, ready: Ready, reads: Reads) -> Callable[[], list[Any]]:
    """Return what streams chunks through the SDK's sync client."""
    sdk = openai.OpenAI(http_client=client(reads), **_OPTIONS)
    ready(sdk)
    if kind == "completions":
        return lambda: list(sdk.completions.create(model="m", prompt="a prompt", stream=True))
    return lambda: list(sdk.chat.completions.create(model="m", messages=_MESSAGES, stream=True))


def astream(kind: str, ready: Ready, reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
    """Return what streams chunks through the SDK's async client."""
    sdk = openai.AsyncOpenAI(http_client=async_client(reads), **_OPTIONS)
    ready(sdk)

    async def completions() -> list[Any]:
        return [chunk async for chunk in await sdk.completions.create(model="m", prompt="a prompt", stream=True)]

    async def chat() -> list[Any]:
        chunks = await sdk.chat.completions.create(model="m", messages=_MESSAGES, stream=True)
        return [chunk async for chunk in chunks]

    return completions if kind == "completions" else chat


def raw_texts(read: Callable[[Any], Any], reads: Reads) -> Callable[[], Any]:
    """Return a function that reads texts with ``read`` from the response of ``with_streaming_response``."""
    sdk = openai.OpenAI(http_client=client(reads), **_OPTIONS)
    create = sdk.chat.completions.with_streaming_response.create

    def run() -> Any:
        with create(model="m", messages=_MESSAGES, stream=True) as response:
            return read(response)

    return run


def raw_drain(response: Any) -> None:
    """Let the client read, and do nothing with it."""
    drain(response.http_response)
