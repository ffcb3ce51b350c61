"""The text of LangChain's ``ChatOpenAI.astream`` through FastAPI's ``StreamingResponse``."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr
from starlette.responses import StreamingResponse


class Call(BaseModel):
    """The body of a request."""

    input: str


def create(upstream: str) -> Any:
    """Return the app."""
    app = FastAPI()
    llm = ChatOpenAI(model="gpt-4o-mini", base_url=upstream, api_key=SecretStr("none"), max_retries=0)

    async def texts(prompt: str) -> AsyncIterator[str]:
        async for chunk in llm.astream(prompt):
            yield str(chunk.content)

    @app.post("/stream")
    async def stream(call: Call) -> StreamingResponse:
        return StreamingResponse(texts(call.input), media_type="text/plain")

    return app
