"""The programs of docs/tutorial.md, written and run as a reader does."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx2
import pytest

from millstream.testing import VERSE, Cut, ErrorStatus, MockServer, Reply, Stall
from page_files import write_files
from pages import ROOT
from server_processes import ServerProcess, run_server, user_environment

PAGE = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
TEXT = "".join(VERSE)
QUESTION = json.dumps([{"role": "human", "text": "Hello"}])
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tutorial")
    write_files("tutorial.md", folder)
    return folder


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture(scope="module")
def shared_relay(upstream: MockServer, folder: Path) -> Iterator[ServerProcess]:
    with run_relay(upstream, folder) as running:
        yield running


@pytest.fixture
def relay(upstream: MockServer, shared_relay: ServerProcess) -> Iterator[ServerProcess]:
    yield shared_relay
    upstream.reply = Reply()


def run_relay(upstream: MockServer, folder: Path) -> AbstractContextManager[ServerProcess]:
    """Run the page's command for a deployment, with fewer workers and on the loopback interface."""
    (command,) = re.findall(r"^(uvicorn .* --workers 4 .*)$", PAGE, re.MULTILINE)
    local = command.replace("0.0.0.0", "127.0.0.1").replace("8000", "PORT").replace("--workers 4", "--workers 2")
    return run_server(local.split(), folder, user_environment(upstream))


def run(name: str, folder: Path, server: MockServer, typed: str = "") -> str:
    """Return what a program prints."""
    command = ["python", name]
    environment = user_environment(server)
    done = subprocess.run(
        command, cwd=folder, env=environment, input=typed, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_the_first_stream_is_printed(folder: Path, mock_server: MockServer) -> None:
    assert run("first.py", folder, mock_server) == f"{TEXT}\n"


def test_the_chat_sends_the_whole_conversation(folder: Path, mock_server: MockServer) -> None:
    printed = run("chat.py", folder, mock_server, "Hello\nAnd now?\n\n")
    assert printed == f"You: {TEXT}\nYou: {TEXT}\nYou: "
    roles = [message["role"] for message in mock_server.requests[-1].body["messages"]]
    assert roles == ["system", "user", "assistant", "user"]


def test_the_relay_streams_and_its_page_is_there(relay: ServerProcess) -> None:
    assert httpx2.post(f"{relay.url}/chat", content=QUESTION, headers=JSON, timeout=60).text == TEXT
    assert "getReader" in httpx2.get(relay.url).text


def test_an_error_of_the_model_is_a_status_of_the_relay(relay: ServerProcess, upstream: MockServer) -> None:
    upstream.reply = Reply(fault=ErrorStatus(429))
    # The model asks again first, twice.
    answer = httpx2.post(f"{relay.url}/chat", content=QUESTION, headers=JSON, timeout=60)
    assert answer.status_code == 429


def test_a_cut_answer_does_not_look_whole(relay: ServerProcess, upstream: MockServer) -> None:
    upstream.reply = Reply(fault=Cut(after=3))
    with pytest.raises(httpx2.RemoteProtocolError):
        httpx2.post(f"{relay.url}/chat", content=QUESTION, headers=JSON, timeout=60)


def test_a_client_that_leaves_stops_the_model(relay: ServerProcess, upstream: MockServer) -> None:
    upstream.reply = Reply(fault=Stall(after=3))
    with httpx2.stream("POST", f"{relay.url}/chat", content=QUESTION, headers=JSON, timeout=60) as response:
        assert next(response.iter_bytes())
    assert upstream.wait_closed(upstream.requests[-1].connection_id).closed_by == "client"


def test_a_shutdown_ends_running_streams(folder: Path, mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stall(after=3))
    with run_relay(mock_server, folder) as relay:
        with httpx2.stream("POST", f"{relay.url}/chat", content=QUESTION, headers=JSON, timeout=60) as response:
            pieces = response.iter_bytes()
            assert next(pieces)
            relay.terminate()
            with pytest.raises(httpx2.RemoteProtocolError):
                list(pieces)
        assert mock_server.wait_closed().closed_by == "client"
        assert relay.wait() == 0


def test_the_readers_tests_pass(folder: Path, mock_server: MockServer) -> None:
    command = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), "test_app.py"]
    environment = user_environment(mock_server)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
