"""A server of LangServe's routes that answers as a test says."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from millstream import RemoteRunnable
from serving import serve

__all__ = ("END", "Script", "answering", "data", "scripted")

END = b"event: end\r\n\r\n"


class Script:
    """Answers each route with what ``answers`` has for it, and keeps the requests."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.bodies: list[Any] = []
        self.headers: list[Any] = []
        self.closed = threading.Semaphore(0)
        self.on_request: Callable[[], Any] = list
        self.pace = 0.0
        self.app = Starlette()
        self.app.add_route("/chain/{name}", self.answer, methods=["POST"])

    async def answer(self, request: Request) -> Response:
        self.bodies.append(json.loads(await request.body()))
        self.headers.append(request.headers)
        self.on_request()
        answer = self.answers[request.path_params["name"]]
        if isinstance(answer, Response):
            return answer
        if isinstance(answer, dict):
            return JSONResponse(answer)
        return StreamingResponse(self.pieces(answer), media_type="text/event-stream")

    async def pieces(self, pieces: list[bytes | None]) -> AsyncIterator[bytes]:
        """Yield the pieces; ``None`` waits for the client to leave."""
        try:
            for piece in pieces:
                if piece is None:
                    await asyncio.Event().wait()
                else:
                    await asyncio.sleep(self.pace)
                    yield piece
        finally:
            self.closed.release()


@contextmanager
def scripted() -> Iterator[tuple[Script, str]]:
    """Serve a script, and yield it with the URL of its routes."""
    script = Script()
    with serve(script.app) as url:
        yield script, f"{url}/chain"


@contextmanager
def answering(served: tuple[Script, str], **answers: Any) -> Iterator[tuple[Script, RemoteRunnable[Any, Any]]]:
    """Let a script give these answers, and yield it with a client."""
    script, url = served
    script.answers, script.bodies, script.headers = answers, [], []
    script.closed, script.on_request = threading.Semaphore(0), list
    yield script, RemoteRunnable(url)


def data(value: Any, event: str = "data") -> bytes:
    """Return an event with a value as JSON."""
    return b"event: %b\r\ndata: %b\r\n\r\n" % (event.encode(), orjson.dumps(value))
