"""``EventStreamResponse``: heads, contents, errors, keep-alive bytes, and clients that leave, under uvicorn."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from endings import assert_closed_by_us, read_all
from millstream import OpenAI, ServerSentEvent, SSEParser
from millstream.server import EventStreamResponse, keep_alive
from millstream.testing import VERSE, ErrorFrame, ErrorStatus, MockServer, Reply, Stall
from serving import serve


def answering(make: Callable[[], EventStreamResponse]) -> Any:
    """Return an ASGI app that answers each request with a response."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await make()(scope, receive, send)

    return app


def records(server: MockServer, max_retries: int = 0, **options: Any) -> Any:
    return OpenAI(base_url=server.url, api_key="sk-key", max_retries=max_retries).astream_records("p", **options)


def get(make: Callable[[], EventStreamResponse], method: str = "GET") -> httpx2.Response:
    with serve(answering(make)) as url:
        return httpx2.request(method, url)


def events(data: bytes) -> list[Any]:
    return [(event.event, json.loads(event.data)) for event in SSEParser().feed(data) if event.data]


async def three() -> AsyncIterator[Any]:
    yield "a\nb"
    yield ServerSentEvent("token", "c", "7", 5)
    yield b"data: d\n\n"


def test_the_head_is_that_of_a_stream(mock_server: MockServer) -> None:
    response = get(lambda: EventStreamResponse(records(mock_server), headers={"X-Own": "1", "Content-Length": "3"}))
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["x-own"] == "1"
    assert "content-length" not in response.headers


def test_a_header_of_the_caller_wins() -> None:
    response = get(lambda: EventStreamResponse(three(), headers={"Cache-Control": "private"}, status_code=202))
    assert (response.status_code, response.headers.get_list("cache-control")) == (202, ["private"])


def test_records_are_sent_without_inputs_and_metadata(mock_server: MockServer) -> None:
    lean = events(get(lambda: EventStreamResponse(records(mock_server))).content)
    whole = events(get(lambda: EventStreamResponse(records(mock_server), include_input=True)).content)
    texts = [event["data"]["chunk"] for _, event in lean if event["event"] == "on_llm_stream"]
    assert tuple(texts) == VERSE
    assert "input" not in lean[0][1]["data"]
    assert whole[0][1]["data"] == {"input": "p"}


def test_strings_and_events_are_encoded_and_bytes_are_sent_as_they_are() -> None:
    response = get(lambda: EventStreamResponse(three()))
    assert response.content == b"data: a\ndata: b\n\nevent: token\nid: 7\nretry: 5\ndata: c\n\ndata: d\n\n"


def test_events_of_a_model_are_records(mock_server: MockServer) -> None:
    llm = OpenAI(base_url=mock_server.url, api_key="k")
    sent = get(lambda: EventStreamResponse(llm.astream_events("p", version="v2"))).content
    assert [event["event"] for _, event in events(sent)] == [
        "on_llm_start",
        *["on_llm_stream"] * len(VERSE),
        "on_llm_end",
    ]


def test_a_record_is_sent_when_it_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "_TICK_SECONDS", 1000.0)
    with (
        MockServer(Reply(fault=Stall(after=2))) as server,
        serve(answering(lambda: EventStreamResponse(records(server), ping_interval=None))) as url,
        httpx2.stream("GET", url) as response,
    ):
        parts, data = response.iter_raw(), b""
        while data.count(b"on_llm_stream") < 2:
            data += next(parts)
        server.release()
        assert b"".join(parts).endswith(b"event: end\n\n")


@pytest.mark.parametrize("content", [None, [b"a"], "text"])
def test_other_contents_are_refused(content: Any) -> None:
    with pytest.raises(TypeError, match="the content of a response is an async stream or iterator"):
        EventStreamResponse(content)


def test_a_wire_that_the_records_do_not_have_is_refused(mock_server: MockServer) -> None:
    with pytest.raises(ValueError, match="the stream has records of the wire 'langchain.v2' already, not of 'text'"):
        EventStreamResponse(records(mock_server), wire="text")


@pytest.mark.parametrize("option", ["ping_interval", "send_timeout"])
def test_a_limit_of_nothing_is_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must be greater than 0, or None, not 0"):
        EventStreamResponse(three(), **cast("Any", {option: 0}))


def test_a_head_request_opens_no_upstream(mock_server: MockServer) -> None:
    response = get(lambda: EventStreamResponse(records(mock_server)), "HEAD")
    assert (response.status_code, response.content, mock_server.requests) == (200, b"", [])


# Errors.


@pytest.mark.parametrize(
    ("status", "sent"), [(429, 429), (401, 401), (503, 503), (500, 502), (418, 400)], ids=lambda status: str(status)
)
def test_an_error_before_the_first_chunk_is_a_status(status: int, sent: int) -> None:
    with MockServer(Reply(fault=ErrorStatus(status, headers={"retry-after": "7"}))) as server:
        response = get(lambda: EventStreamResponse(records(server), wait_for_first_chunk=True))
    assert response.status_code == sent
    assert response.headers["retry-after"] == "7"
    assert response.json()["error"].keys() == {"message", "type", "param", "code"}
    assert "sk-key" not in response.text
    assert server.url not in response.text


def test_an_error_after_the_head_is_a_record(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Exception] = []
    with MockServer(Reply(fault=ErrorFrame(after=3))) as server:
        response = get(lambda: EventStreamResponse(records(server), on_error=seen.append))
    assert response.status_code == 200
    assert events(response.content)[-1][0] == "error"
    assert [type(error).__name__ for error in seen] == ["ProviderError"]
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [(record.name, record.exc_info) for record in logged] == [("millstream.server", None)]


def test_an_error_of_other_code_is_an_event_without_details() -> None:
    async def failing() -> AsyncIterator[str]:
        yield "a"
        raise ValueError("secret")

    response = get(lambda: EventStreamResponse(failing()))
    error = {"message": "the server failed to answer", "type": "server_error", "param": None, "code": None}
    assert response.content.startswith(b"data: a\n\n")
    assert events(response.content[9:]) == [("error", {"error": error})]


@pytest.mark.parametrize("wait", [False, True])
def test_an_error_after_bytes_cuts_the_connection(wait: bool) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"data: a\n\n"
        raise ValueError("secret")

    with pytest.raises(httpx2.RemoteProtocolError):
        get(lambda: EventStreamResponse(failing(), wait_for_first_chunk=wait))


@pytest.mark.parametrize("wait", [False, True])
def test_an_error_on_a_wire_without_error_records_cuts_the_connection(wait: bool) -> None:
    with (
        MockServer(Reply(fault=ErrorFrame(after=3))) as server,
        serve(answering(lambda: EventStreamResponse(records(server, wire="text"), wait_for_first_chunk=wait))) as url,
        httpx2.stream("GET", url) as response,
    ):
        parts, error = read_all(response.iter_raw())
    assert b"".join(parts).decode() == "".join(VERSE[:3])
    assert isinstance(error, httpx2.RemoteProtocolError)


def test_bytes_of_another_type_have_neither_comments_nor_error_events() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"\x00"
        await asyncio.sleep(0.1)
        raise ValueError

    headers = {"Content-Type": "application/octet-stream"}
    make = answering(lambda: EventStreamResponse(failing(), headers=headers, ping_interval=0.01))
    with serve(make) as url, httpx2.stream("GET", url) as response:
        parts, error = read_all(response.iter_raw())
    assert (response.headers["content-type"], parts) == ("application/octet-stream", [b"\x00"])
    assert isinstance(error, httpx2.RemoteProtocolError)


@pytest.mark.parametrize("fault", [None, ErrorFrame(after=3), ErrorStatus(500)], ids=["whole", "frame", "status"])
def test_the_background_task_runs_after_the_response(fault: Any) -> None:
    ran: list[str] = []
    with MockServer(Reply(fault=fault)) as server:
        task = BackgroundTask(ran.append, "ran")
        get(lambda: EventStreamResponse(records(server), background=task))
    assert ran == ["ran"]


# Silence, and clients that leave.


def test_keep_alive_bytes_are_sent_while_the_upstream_is_silent() -> None:
    with (
        MockServer(Reply(fault=Stall(after=-1))) as server,
        serve(answering(lambda: EventStreamResponse(records(server), ping_interval=0.01))) as url,
        httpx2.stream("GET", url) as response,
    ):
        parts = response.iter_raw()
        data = b""
        while data.count(b": keep-alive\n") < 3:
            data += next(parts)
        server.release()
        data += b"".join(parts)
    assert [event["event"] for _, event in events(data)][-1] == "on_llm_end"


def test_a_silent_stream_without_an_interval_stays_silent() -> None:
    async def slow() -> AsyncIterator[str]:
        yield "a"
        await asyncio.sleep(0.1)
        yield "b"

    assert get(lambda: EventStreamResponse(slow(), ping_interval=None)).content == b"data: a\n\ndata: b\n\n"


@pytest.mark.parametrize("after", [2, 0, -1], ids=["in mid-stream", "before a token", "before the upstream's head"])
@pytest.mark.parametrize("wait", [False, True])
def test_a_client_that_leaves_closes_the_upstream(after: int, wait: bool) -> None:
    with (
        MockServer(Reply(fault=Stall(after=after))) as server,
        serve(answering(lambda: EventStreamResponse(records(server), wait_for_first_chunk=wait))) as url,
    ):
        client = httpx2.Client(timeout=httpx2.Timeout(5, read=0.3))
        with client, pytest.raises(httpx2.ReadTimeout), client.stream("GET", url) as response:
            for _ in response.iter_raw():
                pass
        assert_closed_by_us(server)


def test_an_upstream_request_body_that_was_not_read_is_no_disconnect(mock_server: MockServer) -> None:
    with serve(answering(lambda: EventStreamResponse(records(mock_server)))) as url:
        response = httpx2.post(url, content=b"x" * 100_000)
    assert events(response.content)[-1][1]["event"] == "on_llm_end"


# Clients of tests.


@pytest.mark.parametrize("fault", [None, ErrorFrame(after=3)], ids=["whole", "failing"])
def test_starlettes_test_client_reads_a_response(fault: Any) -> None:
    with MockServer(Reply(fault=fault)) as server, TestClient(answering_app(server)) as client:
        response = client.get("/")
    assert events(response.content)[-1][0] == ("data" if fault is None else "error")


def test_a_client_over_an_asgi_transport_reads_a_response(mock_server: MockServer) -> None:
    async def main() -> bytes:
        transport = httpx2.ASGITransport(answering(lambda: EventStreamResponse(records(mock_server))))
        async with httpx2.AsyncClient(transport=transport, base_url="http://app") as client:
            return (await client.get("/")).content

    assert events(asyncio.run(main()))[-1][1]["event"] == "on_llm_end"


def answering_app(server: MockServer) -> Any:
    async def answer(request: Request) -> EventStreamResponse:
        return EventStreamResponse(records(server))

    return Starlette(routes=[Route("/", answer)])


def test_without_starlette_the_import_says_what_to_install() -> None:
    code = "import sys; sys.modules['starlette'] = None\nfrom millstream.server import EventStreamResponse"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'millstream[server]'" in found.stderr.splitlines()[-1]
