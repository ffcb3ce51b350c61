"""Records through FastAPI's ``StreamingResponse``, as the package's first example has it."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import StreamingResponse

import millstream


class Call(BaseModel):
    """The body of a request."""

    input: str


def create(upstream: str) -> Any:
    """Return the app."""
    app = FastAPI()
    llm: Any = millstream.ChatOpenAI(model="gpt-4o-mini", base_url=upstream, api_key="none", max_retries=0)

    async def failing(prompt: str) -> AsyncIterator[bytes]:
        # For soaks: the code of the server raises after some chunks.
        count = 0
        async for record in llm.astream_records(prompt):
            yield record
            count += 1
            if count == int(prompt.rpartition("raise-")[2]):
                raise RuntimeError("the code of the server failed")

    @app.post("/stream")
    async def stream(call: Call) -> StreamingResponse:
        source = failing(call.input) if "raise-" in call.input else llm.astream_records(call.input)
        return StreamingResponse(source, media_type="text/event-stream")

    return app
