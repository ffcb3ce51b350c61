"""Apps with OpenAI's API on the loopback interface, and the clients of its SDK."""

import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import openai
import uvicorn

from millstream import ChatOpenAI, OpenAI
from millstream.server import openai_app
from millstream.testing import MockServer

__all__ = ("TOOL", "USER", "async_client", "chat_model", "client", "llm", "serve", "served")

USER: Any = [{"role": "user", "content": "Name a fish."}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Return the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def chat_model(upstream: MockServer, **fields: Any) -> ChatOpenAI:
    """Return a chat model of the mock server."""
    return ChatOpenAI(**{"model": "upstream", "api_key": "key", "base_url": upstream.url, "max_retries": 0, **fields})


def llm(upstream: MockServer, **fields: Any) -> OpenAI:
    """Return an LLM of the mock server."""
    return OpenAI(**{"model": "upstream", "api_key": "key", "base_url": upstream.url, "max_retries": 0, **fields})


@contextmanager
def serve(app: Any, *closing: Callable[[], Any]) -> Iterator[str]:
    """Serve ``app`` in a thread, and yield its address; the coroutine functions are called in its loop at the end."""

    async def with_lifespan(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for close in closing:
            await close()
        await send({"type": "lifespan.shutdown.complete"})

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(with_lifespan, log_config=None))
        thread = threading.Thread(target=server.run, args=([listening],), name="uvicorn")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


@contextmanager
def client(url: str, **options: Any) -> Iterator[openai.OpenAI]:
    """Yield a client of the SDK."""
    with openai.OpenAI(**{"base_url": f"{url}/v1", "api_key": "client-key", "max_retries": 0, **options}) as sdk:
        yield sdk


@asynccontextmanager
async def async_client(url: str, **options: Any) -> AsyncIterator[openai.AsyncOpenAI]:
    """Yield an async client of the SDK."""
    arguments = {"base_url": f"{url}/v1", "api_key": "client-key", "max_retries": 0, **options}
    async with openai.AsyncOpenAI(**arguments) as sdk:
        yield sdk


@contextmanager
def served(models: Any, *closing: Callable[[], Any], **options: Any) -> Iterator[openai.OpenAI]:
    """Serve ``models``, and yield a client of the SDK; see :func:`serve`."""
    with serve(openai_app(models, **options), *closing) as url, client(url) as sdk:
        yield sdk
