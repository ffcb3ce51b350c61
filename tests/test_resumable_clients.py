"""Clients of other projects resume our streams: OpenAI's SDK by ``starting_after``, readers by the ids of events."""

import json
from typing import Any

import httpx
import httpx2
import openai
import pytest
from httpx_sse import connect_sse
from starlette.applications import Starlette
from starlette.requests import Request

from millstream import OpenAI
from millstream.server.resumable import MemoryStore, resumable_routes
from millstream.testing import MockServer, Reply, Stall
from millstream.wires.names import WireOptions
from serving import serve

PIECES = [f"piece {number}, " for number in range(30)]


def app(server: MockServer, wire: Any, **options: Any) -> Starlette:
    """Return an app with the routes of ``/v1/responses``."""
    model = OpenAI(base_url=server.url, api_key="k", max_retries=0)

    def create(request: Request) -> Any:
        name = request.state.stream_id.removeprefix("resp_")
        return model.astream_records("p", wire=WireOptions(wire, id=name))

    routes = resumable_routes(
        MemoryStore(), create, path="/v1/responses", make_id=lambda: "resp_abc123", retry=(0.1, 0.2), options=options
    )
    return Starlette(routes=routes)


def test_the_sdk_of_openai_takes_up_a_response_after_a_sequence_number() -> None:
    with MockServer(Reply(pieces=PIECES, pace=0.002)) as server, serve(app(server, "openai.responses")) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="k")
        seen: list[Any] = []
        with client.responses.create(model="m", input="p", stream=True) as stream:
            for event in stream:
                seen.append(event)
                if len(seen) == 9:
                    break
        name = seen[0].response.id
        assert name == "resp_abc123"
        for count in (17, 23, 1000):
            last = seen[-1].sequence_number
            with client.responses.retrieve(name, stream=True, starting_after=last) as rest:
                for event in rest:
                    seen.append(event)
                    if len(seen) == count:
                        break
        assert [event.sequence_number for event in seen] == list(range(len(seen)))
        deltas = [event.delta for event in seen if event.type == "response.output_text.delta"]
        assert "".join(deltas) == "".join(PIECES)
        assert seen[-1].type == "response.completed"
        assert len(server.requests) == 1


@pytest.mark.parametrize("wire", ["openai.chat", "openai.completions"])
def test_the_sdk_reads_ids_and_keep_alive_bytes_on_openais_wires(wire: str) -> None:
    # Its reader takes a comment with a blank line for an event without data, once an event has had an id.
    reply = Reply(pieces=PIECES, fault=Stall(after=5))
    with MockServer(reply) as server, serve(app(server, wire, ping_interval=0.02)) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="k")
        with httpx2.stream("POST", f"{url}/v1/responses") as response:
            data = b""
            for part in response.iter_raw():
                data += part
                if data.count(b": keep-alive\n") >= 2:
                    server.release()
        assert data.count(b"id: ") == data.count(b"data: ")
        stream = openai.Stream[Any](cast_to=object, client=client, response=_response(data))
        chunks = list(stream)
        name = "text" if wire == "openai.completions" else "delta"
        texts = [chunk["choices"][0][name] for chunk in chunks if chunk["choices"]]
        texts = [text if isinstance(text, str) else text.get("content") or "" for text in texts]
        assert "".join(texts) == "".join(PIECES)


def _response(data: bytes) -> Any:
    return httpx2.Response(200, content=data, request=httpx2.Request("GET", "http://127.0.0.1"))


def test_httpx_sse_resumes_with_the_id_of_its_last_event() -> None:
    with MockServer(Reply(pieces=PIECES, pace=0.002)) as server, serve(app(server, "vercel.ui")) as url:
        seen: list[Any] = []
        one = f"{url}/v1/responses/mine"
        with httpx.Client() as client:
            with connect_sse(client, "POST", one) as source:
                for event in source.iter_sse():
                    seen.append(event)
                    if len(seen) == 7:
                        break
            assert 100 <= seen[0].retry <= 200
            with connect_sse(client, "GET", one, headers={"Last-Event-ID": seen[-1].id}) as source:
                seen += [event for event in source.iter_sse() if event.data]
        texts = [json.loads(event.data).get("delta", "") for event in seen if event.data != "[DONE]"]
        assert "".join(texts) == "".join(PIECES)
        assert seen[-1].data == "[DONE]"
