"""A relay in FastAPI over the openai SDK, as its users write it."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from openai import AsyncOpenAI
from pydantic import BaseModel
from starlette.responses import StreamingResponse


class Call(BaseModel):
    """The body of a request."""

    input: str


def create(upstream: str) -> Any:
    """Return the app."""
    app = FastAPI()
    client = AsyncOpenAI(base_url=upstream, api_key="none", max_retries=0)

    async def chunks(prompt: str) -> AsyncIterator[str]:
        stream = await client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": prompt}], stream=True
        )
        async for chunk in stream:
            yield f"data: {chunk.model_dump_json()}\n\n"
        yield "data: [DONE]\n\n"

    @app.post("/stream")
    async def stream(call: Call) -> StreamingResponse:
        return StreamingResponse(chunks(call.input), media_type="text/event-stream")

    return app
