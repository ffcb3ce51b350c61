"""Apps with the routes of a chain, and requests to them."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI

from millstream.language_models import FakeListChatModel
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.server import add_routes

__all__ = ("CHAIN", "POSTED", "SCHEMAS", "app_of", "body_for", "send")

CHAIN: Any = ChatPromptTemplate.from_template("{text}") | FakeListChatModel(responses=["hi"]) | StrOutputParser()
POSTED = ("invoke", "batch", "stream", "stream_log", "stream_events")
SCHEMAS = ("input_schema", "output_schema", "config_schema")


def send(app: Any, path: str, body: Any = None, **options: Any) -> httpx.Response:
    """Return the response of ``app`` to a POST request, or without a body to a GET request."""

    async def main() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            if isinstance(body, bytes):
                return await client.post(path, content=body, **options)
            return await (client.get(path, **options) if body is None else client.post(path, json=body, **options))

    return asyncio.run(main())


def app_of(chain: Any = CHAIN, kind: Any = FastAPI, **options: Any) -> Any:
    app = kind()
    add_routes(app, chain, **{"path": "/chain", **options})
    return app


def body_for(name: str, value: Any = None) -> Any:
    value = {"text": "a"} if value is None else value
    return {"inputs": [value]} if name == "batch" else {"input": value}
