"""``WSGIEventStreamResponse``: a sync stream as the response of a WSGI application, over servers and sockets."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self
from wsgiref.validate import validator

import flask
import orjson
import pytest

from endings import assert_closed_by_us
from millstream import ChatOpenAI, ServerSentEvent, SSEParser
from millstream.server import WSGIEventStreamResponse
from millstream.testing import ErrorFrame, ErrorStatus, MockServer, Reply, Stall, assert_no_leaks
from wsgi_servers import SERVERS, ask, leaving, serving

SECRET = "the upstream's own words"
PIECES = ["Trout", ", ", "eel", "."]


def model(server: MockServer) -> ChatOpenAI:
    return ChatOpenAI(base_url=server.url, api_key="sk-secret", max_retries=0)


def responding(make: Callable[[], WSGIEventStreamResponse]) -> Any:
    """Return an application that makes a response for each request."""
    return lambda environ, start_response: make()(environ, start_response)


def records(server: MockServer, **arguments: Any) -> Any:
    """Return an application that sends the records of a model."""
    return responding(lambda: WSGIEventStreamResponse(model(server).stream_records("Name a fish."), **arguments))


def events_of(body: bytes) -> list[ServerSentEvent]:
    return list(SSEParser().feed(body))


def text_of(body: bytes) -> str:
    """Return the text in the events of a chat model."""
    events = [orjson.loads(event.data) for event in events_of(body) if event.event == "data"]
    return "".join(one["data"]["chunk"]["content"] for one in events if one["event"] == "on_chat_model_stream")


@pytest.fixture
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let silent responses look at their sockets without a wait of a second."""
    monkeypatch.setattr("millstream.server.wsgi._LOOK_SECONDS", 0.02)


@pytest.mark.parametrize("ping_interval", [15.0, None])
@pytest.mark.parametrize("kind", SERVERS)
def test_the_whole_stream_arrives(kind: str, ping_interval: float | None) -> None:
    with assert_no_leaks(), MockServer(Reply(pieces=PIECES)) as server:
        with serving(records(server, ping_interval=ping_interval), kind) as port:
            answer = ask(port)
        assert (answer.status, text_of(answer.body), answer.is_cut) == (200, "".join(PIECES), False)


@pytest.mark.parametrize("kind", SERVERS)
def test_the_headers_keep_proxies_from_buffering(kind: str) -> None:
    app = responding(lambda: WSGIEventStreamResponse(iter(["a"]), headers={"X-Own": "1", "Connection": "close"}))
    with serving(app, kind) as port:
        headers = ask(port).headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-own"] == "1"


def test_a_response_keeps_to_the_interface() -> None:
    def make() -> WSGIEventStreamResponse:
        return WSGIEventStreamResponse(iter(["a", b"data: b\n\n", ServerSentEvent("kind", "c", "7", 5)]))

    with serving(validator(responding(make))) as port:
        assert ask(port).body == b"data: a\n\ndata: b\n\nevent: kind\nid: 7\nretry: 5\ndata: c\n\n"
        assert ask(port, method="HEAD").body == b""


def test_inputs_and_metadata_leave_when_they_are_asked_for(mock_server: MockServer) -> None:
    with serving(records(mock_server)) as port:
        assert b"Name a fish." not in ask(port).body
    with serving(records(mock_server, include_input=True)) as port:
        assert b"Name a fish." in ask(port).body


@pytest.mark.parametrize("kind", SERVERS)
def test_an_error_before_the_first_chunk_is_a_status(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    reply = Reply(fault=ErrorStatus(429, SECRET, headers={"retry-after": "7"}))
    with (
        assert_no_leaks(),
        MockServer(reply) as server,
        serving(records(server, wait_for_first_chunk=True), kind) as port,
    ):
        answer = ask(port)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert SECRET.encode() not in answer.body
    assert orjson.loads(answer.body)["error"]["type"] == "rate_limit_error"
    assert "RateLimitError" in caplog.text


def test_an_error_before_the_first_chunk_may_be_a_record(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=ErrorStatus(503, SECRET))
    with serving(records(mock_server)) as port:
        answer = ask(port)
    assert answer.status == 200
    assert (events_of(answer.body)[-1].event, SECRET.encode() in answer.body) == ("error", False)
    assert orjson.loads(events_of(answer.body)[-1].data)["status_code"] == 503


def test_bytes_of_another_type_have_neither_comments_nor_error_events() -> None:
    was_silent = threading.Event()

    def failing() -> Iterator[bytes]:
        yield b"{"
        was_silent.wait()
        raise ValueError

    response = WSGIEventStreamResponse(failing(), headers={"Content-Type": "application/json"}, ping_interval=0.01)
    parts: list[bytes] = []
    with pytest.raises(ValueError):  # noqa: PT012
        for part in response({}, lambda *_: None):  # type: ignore[arg-type]
            parts.append(part)
            if b"{" in parts and len(parts) > 4:
                was_silent.set()
    assert b"".join(parts) == b"{"


@pytest.mark.parametrize("waits", [False, True])
def test_an_error_in_the_middle_is_a_record(waits: bool, mock_server: MockServer) -> None:
    errors: list[Exception] = []
    mock_server.reply = Reply(fault=ErrorFrame(after=2, message=SECRET))
    app = records(mock_server, wait_for_first_chunk=waits, on_error=errors.append)
    with serving(app) as port:
        answer = ask(port)
    *_, chunk, error = events_of(answer.body)
    assert (answer.status, chunk.event, error.event) == (200, "data", "error")
    assert SECRET.encode() not in answer.body
    assert [SECRET in str(one) for one in errors] == [True]


def test_an_error_after_bytes_cuts_the_connection() -> None:
    def failing() -> Iterator[bytes]:
        yield b"data: a\n\n"
        raise LookupError(SECRET)

    app = responding(lambda: WSGIEventStreamResponse(failing(), on_error=lambda error: None))
    with serving(app, "werkzeug") as port:
        answer = ask(port)
    assert (answer.body, answer.is_cut) == (b"data: a\n\n", True)


def test_a_stream_of_chunks_is_written_in_a_wire(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES)
    app = responding(lambda: WSGIEventStreamResponse(model(mock_server).stream("p"), wire="ndjson"))
    with serving(app) as port:
        answer = ask(port)
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [orjson.loads(line) for line in answer.body.splitlines()]
    assert "".join(line.get("text", "") for line in lines) == "".join(PIECES)


def test_an_error_in_plain_text_cuts_the_connection(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES, fault=ErrorFrame(after=2, message=SECRET))
    app = responding(lambda: WSGIEventStreamResponse(model(mock_server).stream_records("p", wire="text")))
    with serving(app, "werkzeug") as port:
        answer = ask(port)
    assert (answer.status, answer.body, answer.is_cut) == (200, b"Trout, ", True)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_keep_alive_bytes_are_sent_while_the_stream_is_silent(server: MockServer) -> None:
    with serving(records(server, ping_interval=0.02)) as port, leaving(port, until=b": keep-alive") as seen:
        assert b"on_chat_model_stream" in seen


def test_the_head_leaves_before_there_is_a_record(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stall(after="request"))
    app = responding(lambda: WSGIEventStreamResponse(model(mock_server).stream("p"), wire="ndjson"))
    for kind in SERVERS:
        with serving(app, kind) as port, leaving(port) as seen:
            assert seen.startswith(b"HTTP/1.")
            mock_server.release()


# Over httpx2, the thread of a sync stream waits for the next piece.
@pytest.mark.usefixtures("native")
@pytest.mark.usefixtures("_looks_often")
@pytest.mark.parametrize("kind", SERVERS)
def test_a_client_that_leaves_a_silent_stream_closes_the_upstream(kind: str, server: MockServer) -> None:
    # Werkzeug has the socket at hand; over another server a keep-alive finds that it is closed.
    interval = 600.0 if kind == "werkzeug" else 0.02
    with assert_no_leaks(), serving(records(server, ping_interval=interval), kind) as port:
        with leaving(port, until=b"on_chat_model_stream"):
            pass
        assert_closed_by_us(server)


# Over httpx2, the thread of a sync stream waits for the next piece.
@pytest.mark.usefixtures("native")
@pytest.mark.usefixtures("_looks_often")
def test_a_client_that_leaves_before_the_first_chunk_closes_the_upstream(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stall(after="head"))
    app = records(mock_server, wait_for_first_chunk=True)
    with assert_no_leaks(), serving(app, "werkzeug") as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            mock_server.wait_until(lambda: len(mock_server.requests) == 1)
        assert_closed_by_us(mock_server)


@pytest.mark.parametrize("ping_interval", [0.02, None])
def test_a_client_that_leaves_a_flowing_stream_closes_the_upstream(ping_interval: float | None) -> None:
    with (
        assert_no_leaks(),
        MockServer(Reply(pieces=["x" * 64] * 100_000, pieces_per_write=8)) as server,
        serving(records(server, ping_interval=ping_interval)) as port,
    ):
        with leaving(port, until=b"on_chat_model_stream"):
            pass
        assert_closed_by_us(server)


def test_a_head_request_opens_nothing(mock_server: MockServer) -> None:
    with serving(records(mock_server)) as port:
        answer = ask(port, method="HEAD")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache, no-transform")
    assert mock_server.requests == []


def test_a_response_that_is_never_sent_closes_its_stream() -> None:
    closed: list[str] = []

    class Items:
        def __iter__(self) -> Self:
            return self

        def __next__(self) -> str:
            raise StopIteration

        def close(self) -> None:
            closed.append("items")

    response: Any = WSGIEventStreamResponse(Items())
    response({"REQUEST_METHOD": "HEAD"}, lambda status, headers: None)
    assert closed == ["items"]


def test_a_flask_view_returns_the_response(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES)
    app = flask.Flask(__name__)

    @app.get("/fish")
    def fish() -> Any:
        return WSGIEventStreamResponse(model(mock_server).stream_records("p"), headers={"x-view": "fish"})

    @app.get("/seen")
    def seen() -> Any:
        def items() -> Iterator[str]:
            yield flask.request.path

        return WSGIEventStreamResponse(items())

    @app.after_request
    def mark(response: flask.Response) -> flask.Response:
        response.headers["x-after"] = "yes"
        return response

    with assert_no_leaks(), serving(app, "werkzeug") as port:
        answer = ask(port, "/fish")
        assert text_of(answer.body) == "".join(PIECES)
        assert (answer.headers["x-view"], answer.headers["x-after"]) == ("fish", "yes")
        assert ask(port, "/seen").body == b"data: /seen\n\n"


# Over httpx2, the thread of a sync stream waits for the next piece.
@pytest.mark.usefixtures("native")
@pytest.mark.usefixtures("_looks_often")
def test_a_client_that_leaves_a_flask_view_closes_the_upstream(server: MockServer) -> None:
    app = flask.Flask(__name__)
    app.get("/")(lambda: WSGIEventStreamResponse(model(server).stream_records("p"), ping_interval=600.0))
    with assert_no_leaks(), serving(app, "werkzeug") as port:
        with leaving(port, until=b"on_chat_model_stream"):
            pass
        assert_closed_by_us(server)


def test_the_stream_is_read_in_the_servers_thread_without_keep_alive() -> None:
    def items(threads: list[str]) -> Iterator[str]:
        threads.append(threading.current_thread().name)
        yield "a"

    def app(environ: Any, start_response: Any) -> Any:
        own: list[str] = []
        pieces = WSGIEventStreamResponse(items(own), ping_interval=None)(environ, start_response)
        assert b"".join(pieces) == b"data: a\n\n"
        return [str(own == [threading.current_thread().name]).encode()]

    with serving(app) as port:
        assert ask(port).body == b"True"


async def no_items() -> Any:
    yield b""


def test_an_async_stream_is_refused(mock_server: MockServer) -> None:
    with pytest.raises(TypeError, match="not RecordStream: write"):
        WSGIEventStreamResponse(model(mock_server).astream_records("p"))  # type: ignore[arg-type]
    with pytest.raises(TypeError) as caught:
        WSGIEventStreamResponse(no_items())
    assert str(caught.value) == (
        "the content of a WSGI response is a sync stream or iterator, not async_generator:"
        " write `model.stream_records(...)`, or use an ASGI server and `EventStreamResponse`"
    )


def test_a_whole_answer_is_refused(mock_server: MockServer) -> None:
    answer: Any = model(mock_server).invoke("p")
    for content in (answer, answer.text, answer.text.encode(), {"text": answer.text}):
        with pytest.raises(TypeError, match=f"not {type(content).__name__}: write `model.stream_records"):
            WSGIEventStreamResponse(content)


def test_records_have_their_wire(mock_server: MockServer) -> None:
    with model(mock_server).stream_records("p") as stream, pytest.raises(ValueError) as caught:
        WSGIEventStreamResponse(stream, wire="text")
    assert str(caught.value) == "the stream has records of the wire 'langchain.v2' already, not of 'text'"


def test_no_time_is_no_interval() -> None:
    with pytest.raises(ValueError) as caught:
        WSGIEventStreamResponse(iter(()), ping_interval=0)
    assert str(caught.value) == "ping_interval must be greater than 0, or None, not 0"
