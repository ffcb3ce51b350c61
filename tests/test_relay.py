"""The relay in ``examples/``, run by uvicorn on the loopback interface and read by httpx2."""

import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from millstream import SSEParser
from millstream.testing import VERSE, ErrorFrame, MockServer, Reply, Stall
from serving import serve

RELAY = Path(__file__).parents[1] / "examples" / "relay.py"


@contextmanager
def relayed(upstream: MockServer, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the example before ``upstream``."""
    patch.setenv("OPENAI_BASE_URL", upstream.url)
    patch.setenv("OPENAI_API_KEY", "k")
    with serve(runpy.run_path(str(RELAY))["app"]) as url:
        yield url


def records(data: bytes) -> list[Any]:
    """Return the records but the end mark."""
    return [event.json() for event in SSEParser().feed(data) if event.data != "[DONE]"]


def texts(data: bytes) -> tuple[str, ...]:
    return tuple(record["delta"] for record in records(data) if record["type"] == "text-delta")


def read_until(parts: Iterator[bytes], text: str) -> bytes:
    """Read until a record has ``text``."""
    data = b""
    for part in parts:
        data += part
        if text in texts(data):
            return data
    raise AssertionError(f"no text is {text!r}")


def test_the_example_is_short() -> None:
    assert len([line for line in RELAY.read_text("utf-8").splitlines() if line.strip()]) <= 15


def test_a_client_gets_the_answer(mock_server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with relayed(mock_server, monkeypatch) as url:
        response = httpx2.post(url, content="a prompt")
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert response.content.endswith(b"data: [DONE]\n\n")
    assert texts(response.content) == tuple(filter(None, VERSE))
    assert b"a prompt" not in response.content
    assert mock_server.requests[-1].body["prompt"] == "a prompt"


def test_records_arrive_while_the_model_still_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        MockServer(Reply(fault=Stall(after=2))) as upstream,
        relayed(upstream, monkeypatch) as url,
        httpx2.stream("POST", url, content="p") as response,
    ):
        parts = response.iter_raw()
        assert texts(read_until(parts, VERSE[1])) == VERSE[:2]
        upstream.release()
        assert b"".join(parts).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("after", [2, -1], ids=["in mid-stream", "before the model's head"])
def test_a_client_that_leaves_early_closes_the_upstream(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    with MockServer(Reply(fault=Stall(after=after))) as upstream, relayed(upstream, monkeypatch) as url:
        with httpx2.stream("POST", url, content="p") as response:
            parts = response.iter_raw()
            if after > 0:
                read_until(parts, VERSE[after - 1])
            upstream.wait_until(lambda: upstream.requests != [])
            assert upstream.connections.open == 1
        assert upstream.wait_closed().closed_by == "client"
        assert upstream.requests[-1].pieces_sent == max(after, 0)


def test_a_run_that_fails_ends_with_an_error_record(monkeypatch: pytest.MonkeyPatch) -> None:
    with MockServer(Reply(fault=ErrorFrame(after=3))) as upstream, relayed(upstream, monkeypatch) as url:
        response = httpx2.post(url, content="p")
    assert texts(response.content) == VERSE[:3]
    assert records(response.content)[-1]["type"] == "error"
