"""``EventStreamResponse`` under other servers and frameworks: whole bytes, an error, and a client that leaves."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from millstream import SSEParser
from millstream.testing import VERSE, ErrorFrame, MockServer, Reply, Stall

APPS = Path(__file__).parent / "served_apps.py"

SERVERS: dict[str, list[str]] = {
    "uvicorn, httptools and uvloop": ["uvicorn", "--http", "httptools", "--loop", "uvloop"],
    "uvicorn, h11 and asyncio": ["uvicorn", "--http", "h11", "--loop", "asyncio"],
    "hypercorn": ["hypercorn"],
    "granian": ["granian"],
}
FRAMEWORKS = ("bare", "starlette", "fastapi", "middleware", "litestar", "django")


def command(server: list[str], app: str, port: int) -> list[str]:
    name, *options = server
    target = f"served_apps:{app}"
    if name == "uvicorn":
        return [sys.executable, "-m", name, target, "--port", str(port), "--log-level", "warning", *options]
    if name == "hypercorn":
        return [sys.executable, "-m", name, target, "--bind", f"127.0.0.1:{port}"]
    return [sys.executable, "-m", name, "--interface", "asgi", "--port", str(port), "--no-log", target]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Running:
    """An app in a process of its own."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.process = process


@contextmanager
def running(server: list[str], app: str, upstream: MockServer) -> Iterator[Running]:
    """Run ``app`` in a process of its own."""
    port = free_port()
    environment = {"OPENAI_BASE_URL": upstream.url, "OPENAI_API_KEY": "k", "PYTHONPATH": ":".join(sys.path)}
    process = subprocess.Popen(command(server, app, port), cwd=APPS.parent, env=environment)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.02)
        yield Running(f"http://127.0.0.1:{port}/", process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def check(url: str, upstream: MockServer) -> None:
    """Check a whole answer, one with an error in it, and one whose client leaves."""
    response = httpx2.get(url)
    chunks = [event.json() for event in SSEParser().feed(response.content) if event.data != "[DONE]"]
    assert "".join(chunk.get("delta", "") for chunk in chunks) == "".join(VERSE)
    assert response.content.endswith(b"data: [DONE]\n\n")
    assert response.headers["x-accel-buffering"] == "no"

    upstream.reply = Reply(fault=ErrorFrame(after=3))
    failed = [event.json() for event in SSEParser().feed(httpx2.get(url).content) if event.data != "[DONE]"]
    assert failed[-1]["type"] == "error"

    for after in (3, -1):
        leave(url, upstream, after)


def leave(url: str, upstream: MockServer, after: int) -> None:
    """Leave in mid-stream, or before the upstream's head."""
    upstream.reply = Reply(fault=Stall(after=after), pace=0.002)
    requests = len(upstream.requests)
    with httpx2.stream("GET", url) as stream:
        assert stream.status_code == 200
        upstream.wait_until(lambda: len(upstream.requests) > requests)
        if after > 0:
            upstream.wait_until(lambda: upstream.requests[-1].pieces_sent == after)
    assert upstream.wait_closed(timeout=20).closed_by == "client"


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_sends_whole_answers_and_errors_and_notices_that_a_client_leaves(server: str) -> None:
    with MockServer(Reply(pace=0.002)) as upstream, running(SERVERS[server], "bare", upstream) as app:
        check(app.url, upstream)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_framework_does_too(framework: str) -> None:
    server = SERVERS["uvicorn, httptools and uvloop"]
    with MockServer(Reply(pace=0.002)) as upstream, running(server, framework, upstream) as app:
        check(app.url, upstream)


def test_litestar_mounts_a_response_too() -> None:
    with MockServer(Reply(pace=0.002)) as upstream, running(["uvicorn"], "litestar", upstream) as app:
        check(f"{app.url}mounted", upstream)


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("server", SERVERS)
def test_a_servers_send_is_called_from_the_callback_if_it_does_not_wait(server: str) -> None:
    with MockServer() as upstream, running(SERVERS[server], "counting", upstream) as app:
        # On a busy machine, a piece that follows soon may have arrived before its wait begins.
        for pace in (0.002, 0.02, 0.1):
            upstream.reply = Reply(pace=pace)
            assert httpx2.get(app.url).content.endswith(b"[DONE]\n\n")
            direct, sent = map(int, httpx2.get(f"{app.url}direct").text.split())
            # The head and the ends are sent from a task; how many messages are between them depends on the reads.
            expected = 0 if server == "granian" else sent - 3
            if direct == expected > 0 or server == "granian":
                break
    assert (direct, direct > 0) == (expected, server != "granian")


@pytest.mark.parametrize("workers", [1, 2])
def test_running_responses_say_farewell_when_uvicorn_stops(workers: int) -> None:
    server = ["uvicorn", "--workers", str(workers)]
    with (
        MockServer(Reply(fault=Stall(after=3))) as upstream,
        running(server, "fastapi", upstream) as app,
        httpx2.stream("GET", app.url) as response,
    ):
        upstream.wait_until(lambda: upstream.requests != [] and upstream.requests[-1].pieces_sent == 3)
        app.process.terminate()
        events = [event.json() for event in SSEParser().feed(response.read()) if event.data != "[DONE]"]
        assert events[-1] == {"type": "error", "errorText": "the server is shutting down: try again"}
        assert upstream.wait_closed().closed_by == "client"
        app.process.wait(20)


def test_a_hypercorn_app_says_farewell_in_its_own_handler() -> None:
    with (
        MockServer(Reply(fault=Stall(after=3))) as upstream,
        running(["hypercorn"], "stopping", upstream) as app,
        httpx2.stream("GET", app.url) as response,
    ):
        upstream.wait_until(lambda: upstream.requests != [] and upstream.requests[-1].pieces_sent == 3)
        httpx2.get(f"{app.url}stop")
        assert response.read().endswith(b"data: bye\n\n")
        assert upstream.wait_closed().closed_by == "client"
