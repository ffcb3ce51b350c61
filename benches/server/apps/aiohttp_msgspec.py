"""What an expert writes by hand: FastAPI, aiohttp, msgspec, and the same records."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import StreamingResponse


class Delta(msgspec.Struct, gc=False):
    """The delta of a choice."""

    content: str | None = None


class Choice(msgspec.Struct, gc=False):
    """A choice of a chunk."""

    delta: Delta


class Chunk(msgspec.Struct, gc=False):
    """A chunk of the upstream."""

    choices: list[Choice]


class Message(msgspec.Struct, gc=False):
    """The chunk of a message in a record."""

    content: str
    id: str
    additional_kwargs: dict[str, Any] = {}
    response_metadata: dict[str, Any] = {}
    type: str = "AIMessageChunk"
    name: None = None
    tool_calls: list[Any] = []
    invalid_tool_calls: list[Any] = []
    usage_metadata: None = None
    tool_call_chunks: list[Any] = []
    chunk_position: None = None


class Data(msgspec.Struct, gc=False):
    """The data of a record."""

    chunk: Message


class Record(msgspec.Struct, gc=False):
    """A record, as stream events have it."""

    event: str
    data: Data
    run_id: str
    name: str
    tags: list[str]
    metadata: dict[str, Any]
    parent_ids: list[str]


class Call(BaseModel):
    """The body of a request."""

    input: str


_decode = msgspec.json.Decoder(Chunk).decode
_encode = msgspec.json.Encoder().encode
_METADATA = {"ls_provider": "openai", "ls_model_name": "gpt-4o-mini", "ls_model_type": "chat", "ls_temperature": None}


def create(upstream: str) -> Any:
    """Return the app."""
    app = FastAPI()
    session: Any = None

    async def records(prompt: str) -> AsyncIterator[bytes]:
        nonlocal session
        if session is None:
            timeout = aiohttp.ClientTimeout(total=600)
            session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout)
        run_id = str(uuid4())
        message_id = f"lc_run--{run_id}"
        messages = [{"role": "user", "content": prompt}]
        body = msgspec.json.encode({"model": "gpt-4o-mini", "messages": messages, "stream": True})
        headers = {"content-type": "application/json", "authorization": "Bearer none"}
        async with session.post(f"{upstream}/chat/completions", data=body, headers=headers) as response:
            response.raise_for_status()
            rest = b""
            async for read in response.content.iter_any():
                *frames, rest = (rest + read).split(b"\n\n")
                out = []
                for frame in frames:
                    if not frame.startswith(b"data: ") or frame == b"data: [DONE]":
                        continue
                    for choice in _decode(frame[6:]).choices:
                        if choice.delta.content is not None:
                            data = Data(Message(choice.delta.content, message_id))
                            record = Record("on_chat_model_stream", data, run_id, "ChatOpenAI", [], _METADATA, [])
                            out.append(b"event: data\ndata: " + _encode(record) + b"\n\n")
                if out:
                    yield b"".join(out)
        yield b"event: end\n\n"

    @app.post("/stream")
    async def stream(call: Call) -> StreamingResponse:
        return StreamingResponse(records(call.input), media_type="text/event-stream")

    return app
