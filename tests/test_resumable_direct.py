"""Resumable streams whose first server sends records from the upstream's callback: slow clients, errors, middleware."""

import socket
import time
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from millstream import OpenAI, SSEParser
from millstream.server import EventStreamResponse
from millstream.server.resumable import MemoryStore, resumable, resume_response
from millstream.server.resumable import generation as generation_module
from millstream.testing import Cut, ErrorStatus, MockServer, Reply, Stall
from serving import serve

PIECES = [f"piece {number}, " for number in range(30)]


class App:
    """An app with one stream, ``/``, and its rest, ``/rest``."""

    def __init__(self, server: MockServer, wire: Any = "vercel.ui", **options: Any) -> None:
        self.store = MemoryStore(max_stream_size=64 << 20)
        self.taps: list[int] = []
        model = OpenAI(base_url=server.url, api_key="k", max_retries=0)

        async def begin(request: Request) -> Response:
            records = model.astream_records("p", wire=wire)
            return EventStreamResponse(resumable(records, self.store, stream_id="s"), **options)

        async def rest(request: Request) -> Response:
            return await resume_response(request, self.store, "s")

        async def taps(request: Request) -> Response:
            (generation,) = generation_module._running.values()
            return Response(str(len(generation.taps)))

        self.routes = [Route("/", begin), Route("/rest", rest), Route("/taps", taps)]
        self.app: Any = Starlette(routes=self.routes)


def text_of(data: bytes) -> str:
    events = SSEParser().feed(data)
    return "".join(event.json().get("delta", "") for event in events if event.data not in ("", "[DONE]"))


def test_two_clients_of_one_server_are_sent_records_from_the_callback() -> None:
    with MockServer(Reply(pieces=PIECES, fault=Stall(after=10))) as server, serve(App(server).app) as url:
        with (
            httpx2.stream("GET", url, timeout=30) as first,
            httpx2.stream("GET", f"{url}/rest", timeout=30) as second,
        ):
            streams = [first.iter_raw(), second.iter_raw()]
            data = [b"", b""]
            for index, stream in enumerate(streams):
                while b"piece 9," not in data[index]:
                    data[index] += next(stream)
            while httpx2.get(f"{url}/taps").text != "2":
                pass
            server.release()
            data = [begun + b"".join(stream) for begun, stream in zip(data, streams, strict=True)]
        assert [text_of(one) for one in data] == ["".join(PIECES)] * 2
        assert len(server.requests) == 1


def test_a_client_that_does_not_read_for_a_while_misses_nothing() -> None:
    pieces = [f"{number:06}" + "x" * 1018 for number in range(12_000)]
    with MockServer(Reply(pieces=pieces)) as server:
        app = App(server)
        with serve(app.app) as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            # The answer is generated to its end meanwhile.
            while app.store._ended == {}:
                time.sleep(0.01)
            data = b"".join(iter(lambda: client.recv(1 << 16), b""))
            whole = httpx2.get(f"{url}/rest", timeout=60).content
    assert text_of(whole) == "".join(pieces)
    ids = [line for line in data.split(b"\n") if line.startswith(b"id: ")]
    assert ids == [line for line in whole.split(b"\n") if line.startswith(b"id: ")][1:]


@pytest.mark.parametrize(("fault", "status"), [(ErrorStatus(429), 429), (Cut("request"), 502), (None, 200)])
def test_an_error_of_the_model_before_the_first_chunk_is_a_status(fault: Any, status: int) -> None:
    with (
        MockServer(Reply(pieces=PIECES, fault=fault)) as server,
        serve(App(server, wait_for_first_chunk=True).app) as url,
    ):
        response = httpx2.get(url)
        assert response.status_code == status
        rest = httpx2.get(f"{url}/rest")
        assert (b'"type":"error"' in rest.content) is (status != 200)


@pytest.mark.parametrize("wire", ["vercel.ui", "text"])
def test_an_error_in_mid_stream_is_a_record_or_a_cut(wire: str) -> None:
    with MockServer(Reply(pieces=PIECES, fault=Cut(10))) as server, serve(App(server, wire).app) as url:
        if wire == "text":
            with pytest.raises(httpx2.TransportError):
                httpx2.get(url)
            with pytest.raises(httpx2.TransportError):
                httpx2.get(f"{url}/rest")
        else:
            data = httpx2.get(url).content
            assert text_of(data) == "".join(PIECES[:10])
            assert b"cut off before its end" in data
            assert data.endswith(b"data: [DONE]\n\n")
            assert httpx2.get(f"{url}/rest").content.endswith(data)


def test_middleware_that_has_a_task_of_its_own_gets_the_same_bytes() -> None:
    async def pass_on(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    with MockServer(Reply(pieces=PIECES)) as server:
        app = App(server)
        app.app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
        with serve(app.app) as url:
            data = httpx2.get(url).content
            assert text_of(data) == "".join(PIECES)
            assert httpx2.get(f"{url}/rest").content.endswith(data)


@pytest.mark.parametrize("wire", ["vercel.ui", "openai.chat", "ag-ui", "langchain.v2", "ndjson"])
def test_an_error_before_the_first_chunk_is_a_record_where_the_head_has_been_sent(wire: str) -> None:
    with MockServer(Reply(fault=ErrorStatus(429))) as server, serve(App(server, wire).app) as url:
        data = httpx2.get(url).content
        rest = httpx2.get(f"{url}/rest").content
        assert b"too many requests" in data
        assert rest.endswith(data)
        assert rest[: -len(data)].count(b"\n") in (0, 2)
