"""``django_response``: streams from Django's views, async ones under ASGI and sync ones under WSGI."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from django.http import HttpResponse
from starlette.applications import Starlette
from starlette.routing import Mount, Route

import django_project
from endings import assert_closed_by_us
from millstream import ChatOpenAI, SSEParser
from millstream.server import EventStreamResponse, adjango_response, django_response
from millstream.server import wsgi as wsgi_module
from millstream.testing import ErrorFrame, ErrorStatus, MockServer, Reply, Stall, assert_no_leaks
from serving import serve
from wsgi_servers import ask, leaving, serving

SECRET = "the upstream's own words"
PIECES = ["Trout", ", ", "eel", "."]
# Django keeps threads for sync code in async views.
THREADS = ("millstream-watchdog", "asyncio_", "ThreadPoolExecutor")


def model(server: MockServer) -> ChatOpenAI:
    return ChatOpenAI(base_url=server.url, api_key="sk-secret", max_retries=0)


@contextmanager
def serving_asgi(app: Any) -> Iterator[int]:
    """Run an ASGI application under uvicorn; yield the port."""
    with serve(app) as url:
        yield int(url.rpartition(":")[2])


@contextmanager
def serving_view(way: str, server: MockServer, middleware: tuple[str, ...] = (), **arguments: Any) -> Iterator[int]:
    """Serve Django's view of a model's records, by a sync view under WSGI or an async one under ASGI."""

    def sync(request: Any) -> Any:
        return django_response(model(server).stream_records("p"), **arguments)

    async def async_(request: Any) -> Any:
        records = model(server).astream_records("p")
        waits = "wait_for_first_chunk" in arguments
        return await adjango_response(records, **arguments) if waits else django_response(records, **arguments)

    wsgi, asgi = django_project.applications(sync, async_, middleware=middleware)
    with serving(wsgi) if way == "sync" else serving_asgi(asgi) as port:
        yield port


def view_of(make: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda request: django_response(make())


async def no_view(request: Any) -> Any:
    raise AssertionError("this view is not called")


def no_sync_view(request: Any) -> Any:
    raise AssertionError("this view is not called")


def noting(app: Any, errors: list[str]) -> Any:
    """Return ``app``, with what it raises noted."""

    async def noted(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            # Raised, it would stay in the log of the test.
            errors.append(str(error))

    return noted


def text_of(body: bytes) -> str:
    events = [orjson.loads(event.data) for event in SSEParser().feed(body) if event.event == "data"]
    return "".join(one["data"]["chunk"]["content"] for one in events if one["event"] == "on_chat_model_stream")


@pytest.fixture(scope="module", autouse=True)
def _first_request() -> None:
    """Let uvicorn and Django open what they open once per process."""
    with MockServer() as server, serving_view("async", server) as port:
        ask(port, "/async")


@pytest.mark.parametrize("ping_interval", [15.0, None])
@pytest.mark.parametrize("way", ["sync", "async"])
def test_the_whole_stream_arrives(way: str, ping_interval: float | None, mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES)
    with assert_no_leaks(threads=THREADS), serving_view(way, mock_server, ping_interval=ping_interval) as port:
        answer = ask(port, f"/{way}")
    assert (answer.status, text_of(answer.body), answer.is_cut) == (200, "".join(PIECES), False)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-accel-buffering"] == "no"


@pytest.mark.parametrize("way", ["sync", "async"])
def test_an_error_before_the_first_chunk_is_a_status(way: str, mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=ErrorStatus(429, SECRET, headers={"retry-after": "7"}))
    with serving_view(way, mock_server, wait_for_first_chunk=True) as port:
        answer = ask(port, f"/{way}")
    assert (answer.status, answer.headers["retry-after"], SECRET.encode() in answer.body) == (429, "7", False)


def test_bytes_of_another_type_have_neither_comments_nor_error_events() -> None:
    async def main() -> bytes:
        was_silent = asyncio.Event()

        async def failing() -> AsyncIterator[bytes]:
            yield b"{"
            await was_silent.wait()
            raise ValueError

        response = django_response(failing(), headers={"Content-Type": "application/json"}, ping_interval=0.01)
        parts: list[bytes] = []
        with pytest.raises(ValueError):  # noqa: PT012
            async for part in response:
                parts.append(part)
                if b"{" in parts and len(parts) > 4:
                    was_silent.set()
        return b"".join(parts)

    assert asyncio.run(main()) == b"{"


@pytest.mark.parametrize("waits", [{}, {"wait_for_first_chunk": True}])
@pytest.mark.parametrize("way", ["sync", "async"])
def test_an_error_in_the_middle_is_a_record(way: str, waits: dict[str, Any], mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES, fault=ErrorFrame(after=2, message=SECRET))
    with serving_view(way, mock_server, **waits) as port:
        answer = ask(port, f"/{way}")
    assert (answer.status, text_of(answer.body), answer.is_cut) == (200, "Trout, ", False)
    assert SSEParser().feed(answer.body)[-1].event == "error"
    assert SECRET.encode() not in answer.body


@pytest.mark.parametrize("way", ["sync", "async"])
def test_keep_alive_bytes_are_sent_while_the_stream_is_silent(way: str, server: MockServer) -> None:
    with serving_view(way, server, ping_interval=0.02) as port, leaving(port, f"/{way}", b": keep-alive") as seen:
        assert b"on_chat_model_stream" in seen


# Over httpx2, the thread of a sync stream waits for the next piece.
@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_client_that_leaves_a_silent_stream_closes_the_upstream(way: str, server: MockServer) -> None:
    # Under ASGI the disconnect is a message; under WSGI a keep-alive finds it.
    interval = 600.0 if way == "async" else 0.02
    with assert_no_leaks(threads=THREADS), serving_view(way, server, ping_interval=interval) as port:
        with leaving(port, f"/{way}", b"on_chat_model_stream"):
            pass
        assert_closed_by_us(server)


# Over httpx2, the thread of a sync stream waits for the next piece.
@pytest.mark.usefixtures("native")
def test_a_server_that_has_the_clients_socket_sees_it_leave(
    server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wsgi_module, "_LOOK_SECONDS", 0.02)
    wsgi, _ = django_project.applications(view_of(lambda: model(server).stream_records("p")), no_view)
    with assert_no_leaks(threads=THREADS), serving(wsgi, "werkzeug") as port:
        with leaving(port, "/sync", b"on_chat_model_stream"):
            pass
        assert_closed_by_us(server)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_client_that_leaves_a_flowing_stream_closes_the_upstream(way: str, mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["x" * 64] * 100_000, pieces_per_write=8)
    with assert_no_leaks(threads=THREADS), serving_view(way, mock_server) as port:
        with leaving(port, f"/{way}", b"on_chat_model_stream"):
            pass
        assert_closed_by_us(mock_server)


def test_a_client_that_leaves_before_the_first_chunk_closes_the_upstream(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stall(after="head"))
    with assert_no_leaks(threads=THREADS), serving_view("async", mock_server, wait_for_first_chunk=True) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /async HTTP/1.1\r\nHost: test\r\n\r\n")
            mock_server.wait_until(lambda: len(mock_server.requests) == 1)
        assert_closed_by_us(mock_server)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_djangos_compression_does_not_hold_records_back(way: str, server: MockServer) -> None:
    gzip = ("django.middleware.gzip.GZipMiddleware",)
    with serving_view(way, server, middleware=gzip, ping_interval=0.02) as port:
        request = leaving(port, f"/{way}", b"on_chat_model_stream", {"accept-encoding": "gzip"})
        with request as seen:
            assert b"content-encoding" not in seen.lower()


# Over httpx2, the thread of a sync stream waits for the next piece.
@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_middleware_may_wrap_the_stream(way: str, server: MockServer) -> None:
    middleware = (f"django_project.upper_{way}",)
    with (
        assert_no_leaks(threads=THREADS),
        serving_view(way, server, middleware=middleware, ping_interval=0.02) as port,
    ):
        with leaving(port, f"/{way}", b"ON_CHAT_MODEL_STREAM"):
            pass
        assert_closed_by_us(server)


def test_an_async_stream_under_wsgi_is_refused(mock_server: MockServer, capfd: pytest.CaptureFixture[str]) -> None:
    wsgi, _ = django_project.applications(view_of(lambda: model(mock_server).astream_records("p")), no_view)
    with serving(wsgi) as port:
        assert ask(port, "/sync").status == 500
    assert (
        "TypeError: an async stream needs Django's ASGI handler: serve the app with `get_asgi_application()`, or return"
        " `django_response(chain.stream_records(...))` from a sync view"
    ) in capfd.readouterr().err
    assert mock_server.requests == []


@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")  # Django's own, of the request's body
def test_a_sync_stream_under_asgi_is_refused(mock_server: MockServer) -> None:
    errors: list[str] = []
    _, asgi = django_project.applications(view_of(lambda: model(mock_server).stream_records("p")), no_view)
    with serving_asgi(noting(asgi, errors)) as port:
        answer = ask(port, "/sync")
    assert (answer.body, answer.is_cut) == (b"", True)
    # What raised it is freed here, with the warning.
    gc.collect()
    assert errors == [
        "under Django's ASGI handler a response needs an async stream: return"
        " `django_response(chain.astream_records(...))` from an async view"
    ]
    assert mock_server.requests == []


def test_waiting_for_the_first_chunk_of_an_async_stream_is_awaited(mock_server: MockServer) -> None:
    stream = model(mock_server).astream_records("p")
    with pytest.raises(TypeError) as caught:
        django_response(stream, wait_for_first_chunk=True)
    assert str(caught.value) == (
        "waiting for the first chunk of an async stream has to be awaited:"
        " `return await adjango_response(stream, wait_for_first_chunk=True)`"
    )


def test_an_app_of_starlette_stands_beside_djangos(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=PIECES)

    async def chat(request: Any) -> EventStreamResponse:
        return EventStreamResponse(model(mock_server).astream_records("p"))

    async def page(request: Any) -> Any:
        return HttpResponse("a page")

    _, asgi = django_project.applications(no_sync_view, page)
    app = Starlette(routes=[Route("/chat", chat), Mount("/", asgi)])
    with serving_asgi(app) as port:
        assert text_of(ask(port, "/chat").body) == "".join(PIECES)
        assert ask(port, "/async").body == b"a page"
