"""Apps with OpenAI's API on the loopback interface, and the clients of its SDK."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import openai

from millstream import ChatOpenAI, OpenAI
from millstream.server import openai_app
from millstream.testing import MockServer
from serving import serve

__all__ = ("TOOL", "USER", "async_client", "chat_model", "client", "llm", "of_app", "served")

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


def of_app(kind: Callable[..., Any], url: str, **fields: Any) -> Any:
    """Return a model that calls the app at ``url``."""
    return kind(**{"model": "fish", "api_key": "k", "base_url": f"{url}/v1", "max_retries": 0, **fields})


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
    """Serve ``models``, and yield a client of the SDK; ``closing`` are those of :func:`serve`."""
    with serve(openai_app(models, **options), *closing) as url, client(url) as sdk:
        yield sdk
