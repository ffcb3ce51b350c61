"""The pages about deploying, Flask and Django, under the servers that they name, started by their commands."""

import re
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import httpx2
import pytest

from millstream.testing import Endless, MockServer, Reply
from page_files import write_files
from pages import ROOT, find_blocks
from server_processes import ServerProcess, run_server, user_environment

HOW_TO = ROOT / "docs" / "how-to"
PIECES = ["Tr", "out."]
DELTA = '{"type":"text-delta","id":"0","delta":"Tr"}'


def find_command(page: str, start: str) -> list[str]:
    """Return the command of a page that begins with ``start``, for two workers on a free port."""
    (line,) = re.findall(rf"^({re.escape(start)}.*)$", (HOW_TO / page).read_text("utf-8"), re.MULTILINE)
    line = line.partition(" #")[0].replace("0.0.0.0", "127.0.0.1")
    return re.sub("800[01]", "PORT", line).replace("--workers 4", "--workers 2").split()


def deploy(
    command: Sequence[str], folder: Path, server: MockServer, path: str = "/"
) -> AbstractContextManager[ServerProcess]:
    environment = user_environment(server, HOME=str(folder))
    return run_server(command, folder, environment, path=path)


def write_flask_app(folder: Path) -> None:
    block = next(find_blocks((HOW_TO / "flask.md").read_text("utf-8")))
    (folder / "app.py").write_text(block.code, "utf-8")


def write_django_project(folder: Path) -> None:
    command = ["django-admin", "startproject", "shop", "."]
    with MockServer() as server:
        subprocess.run(command, cwd=folder, env=user_environment(server), check=True, timeout=60)
    write_files("how-to/django.md", folder)


def ask(url: str) -> str:
    answer = httpx2.post(url, data={"question": "Name a fish."}, timeout=60)
    assert answer.status_code == 200
    return answer.text


GUNICORN = "gunicorn app:app --bind 0.0.0.0:8000 --workers 4 --worker-class"
ASGI_COMMANDS = {
    "uvicorn": find_command("deploying.md", "uvicorn app:app"),
    "uvicorn's worker": find_command("deploying.md", f"{GUNICORN} uvicorn_worker"),
    "gunicorn's asgi": ["gunicorn", "app:app", "--bind", "127.0.0.1:PORT", "--worker-class", "asgi"],
}
WSGI_COMMAND = find_command("deploying.md", f"{GUNICORN} gthread")


@pytest.mark.parametrize("command", ASGI_COMMANDS.values(), ids=ASGI_COMMANDS)
def test_a_shutdown_sends_a_farewell(command: list[str], tmp_path: Path, mock_server: MockServer) -> None:
    write_files("how-to/deploying.md", tmp_path)
    mock_server.reply = Reply(pieces=PIECES)
    with deploy(command, tmp_path, mock_server) as server:
        assert DELTA in ask(f"{server.url}/chat")
        mock_server.reply = Reply(pieces=PIECES, fault=Endless(after=1))
        with httpx2.stream("POST", f"{server.url}/chat", content=b"hi", timeout=60) as response:
            lines = response.iter_lines()
            assert any(DELTA in line for line in lines)
            server.terminate()
            *_, error, done = filter(None, lines)
        assert '"errorText":"the server is shutting down: try again"' in error
        assert done == "data: [DONE]"
        mock_server.wait_until(lambda: mock_server.connections.open == 0)
        assert server.wait() == 0


WARM = "from app import app as app, model\nmodel.invoke('Before the fork.')\n"


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_a_model_that_was_used_before_a_fork_works_in_the_children(
    kind: str, tmp_path: Path, mock_server: MockServer
) -> None:
    if kind == "asgi":
        write_files("how-to/deploying.md", tmp_path)
    else:
        write_flask_app(tmp_path)
    (tmp_path / "warm.py").write_text(WARM)
    command = ASGI_COMMANDS["uvicorn's worker"] if kind == "asgi" else WSGI_COMMAND
    command = ["warm:app" if part == "app:app" else part for part in command]
    mock_server.reply = Reply(pieces=PIECES)
    with deploy([*command, "--preload"], tmp_path, mock_server) as server:
        for _ in range(4):
            assert DELTA in ask(f"{server.url}/chat")
        first, *others = mock_server.connections
        # The parent's connection has not been used again, and its children have not closed it.
        assert (first.requests, first.closed) == (1, False)
        assert sum(connection.requests for connection in others) == 4
    mock_server.wait_until(lambda: mock_server.connections.open == 0)


# Over httpx2, the thread of a sync stream waits for the next piece.
@pytest.mark.usefixtures("native")
def test_a_flask_app_streams_under_gunicorn(tmp_path: Path, mock_server: MockServer) -> None:
    write_flask_app(tmp_path)
    mock_server.reply = Reply(pieces=PIECES)
    command = find_command("flask.md", "gunicorn app:app")
    with deploy(command, tmp_path, mock_server) as server:
        assert DELTA in ask(f"{server.url}/chat")
        mock_server.reply = Reply(pieces=PIECES, fault=Endless(after=1))
        with httpx2.stream("POST", f"{server.url}/chat", data={"question": "?"}, timeout=60) as response:
            assert any(DELTA in line for line in response.iter_lines())
        assert mock_server.wait_closed(mock_server.requests[-1].connection_id).closed_by == "client"


# Over httpx2, the thread of a sync stream waits for the next piece.
@pytest.mark.usefixtures("native")
@pytest.mark.parametrize(("start", "path"), [("uvicorn shop", "/chat"), ("gunicorn shop", "/chat-sync")])
def test_a_django_project_streams(start: str, path: str, tmp_path: Path, mock_server: MockServer) -> None:
    write_django_project(tmp_path)
    mock_server.reply = Reply(pieces=PIECES)
    with deploy(find_command("django.md", start), tmp_path, mock_server, path) as server:
        assert DELTA in ask(server.url + path)
        mock_server.reply = Reply(pieces=PIECES, fault=Endless(after=1))
        with httpx2.stream("POST", server.url + path, data={"question": "?"}, timeout=60) as response:
            assert any(DELTA in line for line in response.iter_lines())
        assert mock_server.wait_closed(mock_server.requests[-1].connection_id).closed_by == "client"
