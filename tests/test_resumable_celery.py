"""The worker and the server of docs/how-to/celery.md, as processes, over the stores that processes share."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from millstream.testing import ErrorStatus, MockServer, Reply, Stall
from page_files import find_files
from resumable_stores import SHARED, place_for
from server_processes import run_process, run_server, user_environment

pytest.importorskip("celery")

FOLDERS = dict.fromkeys(("data_folder_in", "data_folder_out"), "queue") | {"control_folder": "control"}


def write_programs(place: str, folder: Path) -> None:
    """Write the programs; for a store in a file, with that store and a broker in a folder."""
    for name, text in find_files("how-to/celery.md").items():
        if not place.startswith("redis:"):
            text = text.replace("RedisStore", "SQLiteStore")
            text = text.replace("broker=REDIS", f'broker="filesystem://", broker_transport_options={FOLDERS!r}')
        (folder / name).write_text(text, "utf-8")
    for name in ("queue", "control"):
        (folder / name).mkdir()


WORKER = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--concurrency", "2", "--loglevel", "CRITICAL"]


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture(scope="module", params=SHARED)
def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, upstream: MockServer
) -> Iterator[str]:
    """Run the worker and the server; return the server's address."""
    folder = tmp_path_factory.mktemp("celery")
    with place_for(request.param, folder) as place:
        write_programs(place, folder)
        environment = user_environment(upstream, REDIS_URL=place)
        command = [sys.executable, "-m", "uvicorn", "web:app", "--port", "PORT", "--log-level", "warning"]
        with (
            run_process(WORKER, folder, environment, output=subprocess.DEVNULL),
            run_server(command, folder, environment) as server,
        ):
            yield server.url


def ask(app: str) -> str:
    """Begin an answer; return its address."""
    answer = httpx2.post(f"{app}/answers", json={"text": "Name a fish."}, timeout=60)
    return app + str(answer.json()["url"])


def test_an_answer_is_followed_from_the_queue_to_its_end(app: str, upstream: MockServer) -> None:
    upstream.reply = Reply(pieces=["Tr", "out."])
    url = ask(app)
    answer = httpx2.get(url, timeout=60)
    assert '"delta":"Tr"' in answer.text
    assert answer.text.endswith("data: [DONE]\n\n")
    # A client that has lost its connection goes on; one that has all of it is sent no content.
    ids = [line.removeprefix("id: ") for line in answer.text.splitlines() if line.startswith("id: ")]
    rest = httpx2.get(url, headers={"last-event-id": ids[-2]}, timeout=60).text
    assert rest.endswith("data: [DONE]\n\n")
    assert '"delta":"Tr"' not in rest
    assert httpx2.get(url, headers={"last-event-id": ids[-1]}, timeout=60).status_code == 204


def test_an_error_of_the_model_reaches_the_client(app: str, upstream: MockServer) -> None:
    upstream.reply = Reply(fault=ErrorStatus(400))
    assert "the model's server refused the request" in httpx2.get(ask(app), timeout=60).text


def test_a_running_answer_is_cancelled(app: str, upstream: MockServer) -> None:
    upstream.reply = Reply(fault=Stall(after=3))
    url = ask(app)
    with httpx2.stream("GET", url, timeout=60) as response:
        assert any('"type":"text-delta"' in line for line in response.iter_lines())
    assert httpx2.delete(url, timeout=60).json() == {"stopped": True}
    assert "the stream was stopped" in httpx2.get(url, timeout=60).text
    assert upstream.wait_closed(upstream.requests[-1].connection_id).closed_by == "client"
