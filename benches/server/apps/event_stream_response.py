"""``EventStreamResponse`` in FastAPI, and as the ASGI app itself; the path names the wire."""

import logging
from typing import Any

import millstream
from millstream.runnables import RunnableGenerator
from millstream.server import EventStreamResponse

# Soaks cause thousands of errors.
logging.getLogger("millstream.server").addHandler(logging.NullHandler())
logging.getLogger("millstream.server").propagate = False


def create(upstream: str) -> Any:
    """Return the app in FastAPI."""
    from fastapi import FastAPI
    from pydantic import BaseModel

    app = FastAPI()
    llm = _model(upstream)

    class Call(BaseModel):
        input: str

    @app.post("/stream/{wire}")
    async def stream(wire: str, call: Call) -> EventStreamResponse:
        return EventStreamResponse(_stream(llm, call.input, wire))

    @app.post("/wait/{wire}")
    async def wait(wire: str, call: Call) -> EventStreamResponse:
        return EventStreamResponse(_stream(llm, call.input, wire), wait_for_first_chunk=True)

    return app


def create_raw(upstream: str) -> Any:
    """Return an app without a framework."""
    import orjson

    llm = _model(upstream)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        wire = scope["path"].rpartition("/")[2]
        response = EventStreamResponse(_stream(llm, orjson.loads(body)["input"], wire))
        await response(scope, receive, send)

    return app


def _model(upstream: str) -> Any:
    return millstream.ChatOpenAI(model="gpt-4o-mini", base_url=upstream, api_key="none", max_retries=0)


def _stream(llm: Any, prompt: str, wire: str) -> Any:
    if "raise-" in prompt:
        # For soaks: the code of the server raises after some chunks.
        after = int(prompt.rpartition("raise-")[2])

        async def fail(chunks: Any) -> Any:
            count = 0
            async for chunk in chunks:
                yield chunk
                count += 1
                if count == after:
                    raise RuntimeError("the code of the server failed")

        llm = llm | RunnableGenerator(fail)
    return llm.astream_records(prompt, wire=wire)
