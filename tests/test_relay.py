"""The relay in ``examples/``, run by uvicorn on the loopback interface and read by httpx2."""

import runpy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from endings import read_all
from millstream import SSEParser
from millstream.testing import VERSE, ErrorFrame, MockServer, Reply, Stall

RELAY = Path(__file__).parents[1] / "examples" / "relay.py"


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve ``app`` in a thread, and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],), name="relay")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


@contextmanager
def adrive_records(upstream: MockServer, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the example before ``upstream``."""
    patch.setenv("OPENAI_BASE_URL", upstream.url)
    patch.setenv("OPENAI_API_KEY", "k")
    with served(runpy.run_path(str(RELAY))["app"]) as url:
        yield url


def read_until(parts: Iterator[bytes], text: str) -> list[Any]:
    """Read events until one has ``text`` for its chunk."""
    parser, events = SSEParser(), list[Any]()
    for data in parts:
        events += [event.json() for event in parser.feed(data)]
        if events and events[-1]["data"].get("chunk") == text:
            return events
    raise AssertionError(f"no chunk is {text!r}")


def test_the_example_is_short() -> None:
    assert len([line for line in RELAY.read_text("utf-8").splitlines() if line.strip()]) <= 15


def test_a_client_gets_the_records_of_the_run(mock_server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with adrive_records(mock_server, monkeypatch) as url:
        response = httpx2.post(url, content="a prompt")
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.content.endswith(b"\n\nevent: end\n\n")
    records = SSEParser().feed(response.content)
    assert {record.event for record in records} == {"data"}
    events = [record.json() for record in records]
    assert [event["event"] for event in events] == ["on_llm_start", *["on_llm_stream"] * len(VERSE), "on_llm_end"]
    assert events[0]["data"] == {"input": "a prompt"}
    assert tuple(event["data"]["chunk"] for event in events[1:-1]) == VERSE
    assert events[-1]["data"]["output"]["generations"][0][0]["text"] == "".join(VERSE)
    assert mock_server.requests[-1].body["prompt"] == "a prompt"


def test_records_arrive_while_the_model_still_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        MockServer(Reply(fault=Stall(after=2))) as upstream,
        adrive_records(upstream, monkeypatch) as url,
        httpx2.stream("POST", url, content="p") as response,
    ):
        parts = response.iter_raw()
        assert len(read_until(parts, VERSE[1])) == 3
        upstream.release()
        assert b"".join(parts).endswith(b"event: end\n\n")


@pytest.mark.parametrize("after", [2, -1], ids=["in mid-stream", "before the model's head"])
def test_a_client_that_leaves_early_closes_the_upstream(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    with MockServer(Reply(fault=Stall(after=after))) as upstream, adrive_records(upstream, monkeypatch) as url:
        with httpx2.stream("POST", url, content="p") as response:
            parts = response.iter_raw()
            if after > 0:
                read_until(parts, VERSE[after - 1])
            else:
                next(parts)
            upstream.wait_until(lambda: upstream.requests != [])
            assert upstream.connections.open == 1
        assert upstream.wait_closed().closed_by == "client"
        assert upstream.requests[-1].pieces_sent == max(after, 0)


def test_a_run_that_fails_breaks_the_response_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        MockServer(Reply(fault=ErrorFrame(after=3))) as upstream,
        adrive_records(upstream, monkeypatch) as url,
        httpx2.stream("POST", url, content="p") as response,
    ):
        parts, error = read_all(response.iter_raw())
    assert isinstance(error, httpx2.RemoteProtocolError)
    chunks = [event.json()["data"].get("chunk") for event in SSEParser().feed(b"".join(parts))]
    assert chunks == [None, *VERSE[:3]]
