"""The server that clients in JavaScript read from: Millstream's responses, of its models over the mock server."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router

from millstream import ChatOpenAI, OpenAI, WireWriter
from millstream.messages import AIMessageChunk, ToolCallChunk, ToolMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableGenerator
from millstream.server import EventStreamResponse, add_routes, openai_app
from millstream.server.resumable import MemoryStore, resumable, resumable_routes, resume_response, store_lifespan
from millstream.streaming.stream import AsyncStream
from millstream.testing import Cut, ErrorFrame, ErrorStatus, MockServer, RecordedRequest, Reply, Stall
from millstream.wires.names import WireName, WireOptions

__all__ = ("open_app",)

SECRET = "the upstream's own words"
PIECES = ["Fish", " \u2028“swim”", " 👩‍🚀", "."]


def frames(*deltas: Any, finish_reason: str = "stop") -> Reply:
    """Return a stream with these deltas of a chat, a finish reason and token counts."""
    choices: list[Any] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish_reason})
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    documents: list[Any] = [*({**chunk, "choices": [choice]} for choice in choices)]
    documents.append({**chunk, "choices": [], "usage": usage})
    lines = [*(f"data: {json.dumps(document)}\n\n" for document in documents), "data: [DONE]\n\n"]
    return Reply(body=[line.encode() for line in lines])


def piece_of_call(arguments: str, index: int = 0, **start: Any) -> Any:
    """Return a delta with a piece of the arguments of a tool call."""
    function = {"arguments": arguments, **({"name": start["name"]} if start else {})}
    call = {"index": index, "function": function, **({"id": start["id"], "type": "function"} if start else {})}
    return {"tool_calls": [call]}


CASES = {
    "text": frames(*({"content": piece} for piece in PIECES)),
    "length": frames({"content": "Fi"}, finish_reason="length"),
    "reasoning": frames(
        {"reasoning_content": "Hm"}, {"reasoning_content": "m."}, *({"content": one} for one in PIECES)
    ),
    "tool": frames(
        {"content": "Look: "},
        piece_of_call("", id="call_1", name="weather"),
        piece_of_call('{"city": "Lis'),
        piece_of_call('bon"}'),
        finish_reason="tool_calls",
    ),
    "tools": frames(
        piece_of_call("", id="call_1", name="weather"),
        piece_of_call('{"city": "Lisbon"}'),
        piece_of_call('{"city"', 1, id="call_2", name="weather"),
        piece_of_call(': "Porto"}', 1),
        finish_reason="tool_calls",
    ),
    "broken-tool": frames(piece_of_call('{"city": ', id="call_1", name="weather"), finish_reason="tool_calls"),
    "refusal": frames({"refusal": "I "}, {"refusal": "refuse."}),
    "error-frame": Reply(pieces=PIECES, fault=ErrorFrame(after=2, message=SECRET)),
    "cut": Reply(pieces=PIECES, fault=Cut(after=2)),
    "plain": Reply(pieces=PIECES),
    "status": Reply(fault=ErrorStatus(429, SECRET, headers={"retry-after": "7"})),
    "silent": Reply(pieces=PIECES, fault=Stall(after=2)),
}
"""What the model answers to a prompt of that name."""


def reply_to(request: RecordedRequest) -> Reply:
    """Return the reply that the last message, or the prompt, names."""
    if "messages" in request.body:
        return CASES[request.body["messages"][-1]["content"]]
    return CASES["".join(request.body["prompt"])]


async def agent(inputs: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield what an agent's stream has: a tool call, the tool's answer, and an answer with a source; then data."""
    async for _ in inputs:
        pass
    call = ToolCallChunk(index=0, id="call_1", name="weather", args='{"city": "Lisbon"}')
    yield AIMessageChunk(content="Look: ", tool_call_chunks=[call])
    yield ToolMessage("22 °C", tool_call_id="call_1")
    yield AIMessageChunk(content="It is ")
    source = {"type": "citation", "url": "https://example.invalid/w", "title": "Weather"}
    yield AIMessageChunk(content=[{"type": "text", "text": "22 °C.", "annotations": [source]}])
    yield {"degrees": 22}


async def late() -> AsyncIterator[bytes]:
    """Yield what a client is sent that was too slow for some records."""
    writer = WireWriter("vercel.ui", "late", 1)
    yield writer.start() + writer.write_text("Fish")
    yield writer.write_snapshot("Fish swim", 2) + writer.write_text(" far.") + writer.close()


class Server:
    """The routes, and the models behind them."""

    def __init__(self, upstream: MockServer) -> None:
        self.upstream = upstream
        self.store = MemoryStore()
        self.model = ChatOpenAI(base_url=upstream.url, api_key="sk-secret", max_retries=0, stream_usage=True)
        self.llm = OpenAI(base_url=upstream.url, api_key="sk-secret", max_retries=0)

    def respond(self, case: str, wire: WireName | WireOptions) -> EventStreamResponse:
        """Return the response of a case; that of ``status`` waits for its status."""
        if case == "late":
            return EventStreamResponse(late())
        chain: Any = RunnableGenerator(agent) if case == "agent" else self.model
        records = chain.astream_records(case, wire=wire)
        return EventStreamResponse(records, wait_for_first_chunk=case == "status", ping_interval=0.05)

    async def ui(self, request: Request) -> EventStreamResponse:
        """Answer the transport of ``useChat``."""
        await request.json()
        return self.respond(request.path_params["case"], "vercel.ui")

    async def ag_ui(self, request: Request) -> EventStreamResponse:
        """Answer a run of an AG-UI client."""
        body = await request.json()
        wire = WireOptions("ag-ui", thread_id=body["threadId"], run_id=body["runId"])
        return self.respond(request.path_params["case"], wire)

    async def kept(self, request: Request) -> EventStreamResponse:
        """Answer the transport of ``useChat`` with a stream that it can take up again."""
        body = await request.json()
        records = self.model.astream_records(request.path_params["case"], wire="vercel.ui")
        return EventStreamResponse(resumable(records, self.store, stream_id=body["id"]))

    async def resumed(self, request: Request) -> Response:
        """Continue the stream of a chat, if there is one."""
        return await resume_response(request, self.store, request.path_params["chat"], missing_status=204)

    async def kept_response(self, request: Request) -> AsyncStream[bytes]:
        """Return the stream of an OpenAI response, under the id of the route."""
        name = request.state.stream_id.removeprefix("resp_")
        case = (await request.json())["input"]
        return self.model.astream_records(case, wire=WireOptions("openai.responses", id=name))

    async def release(self, request: Request) -> JSONResponse:
        """Let a silent model go on."""
        self.upstream.release()
        return JSONResponse({})

    async def asked(self, request: Request) -> JSONResponse:
        """Say how often the models were asked."""
        return JSONResponse({"requests": len(self.upstream.requests)})

    async def closed(self, request: Request) -> JSONResponse:
        """Say who closed the newest connection to the model, once it is closed."""
        record = await self.upstream.await_closed()
        return JSONResponse({"closed_by": record.closed_by})

    def routes(self) -> Iterable[BaseRoute]:
        """Return the routes."""
        yield Route("/ui/{case}", self.ui, methods=["POST"])
        yield Route("/ag-ui/{case}", self.ag_ui, methods=["POST"])
        yield Route("/kept/{case}", self.kept, methods=["POST"])
        yield Route("/kept/{case}/{chat}/stream", self.resumed)
        yield Route("/release", self.release, methods=["POST"])
        yield Route("/asked", self.asked)
        yield Route("/closed", self.closed)
        yield Mount("/openai", openai_app({"chat": self.model, "llm": self.llm}))
        yield from resumable_routes(
            self.store, self.kept_response, path="/kept-openai/v1/responses", make_id=lambda: f"resp_{uuid4().hex}"
        )
        yield from self.langserve_routes()

    def langserve_routes(self) -> Iterable[BaseRoute]:
        """Return LangServe's routes of a model, and of a chain, also with errors as statuses."""
        router = Router()
        chain = ChatPromptTemplate.from_template("{case}") | self.model | StrOutputParser()
        add_routes(router, self.model, path="/langserve/model")
        add_routes(router, chain, path="/langserve/text", ping_interval=0.05)
        add_routes(router, chain, path="/langserve/patient", wait_for_first_chunk=True)
        return router.routes


@contextmanager
def open_app() -> Iterator[Starlette]:
    """Yield the app, over a mock server."""
    logging.getLogger("millstream.server").addHandler(logging.NullHandler())
    with MockServer(reply_to) as upstream:
        own = Server(upstream)
        yield Starlette(routes=[*own.routes()], lifespan=store_lifespan(own.store))
