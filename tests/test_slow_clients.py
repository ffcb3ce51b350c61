"""``slow_client="snapshot"``: the upstream is read on, and one record replaces those that were dropped."""

import asyncio
import json
from typing import Any

import pytest

from asgi_calls import Client
from millstream import ChatOpenAI, OpenAI, UnsupportedError
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.server import EventStreamResponse
from millstream.testing import MockServer, Reply
from user_code import run, settled

PIECES = [f"piece {number} {'x' * 500} " for number in range(400)]
TEXT = "".join(PIECES)


class SlowClient(Client):
    """A client that takes ``taken`` messages and then none until ``opened``."""

    def __init__(self, taken: int, *, suspends: bool = False) -> None:
        super().__init__(self.wait, suspends=suspends)
        self.opened = asyncio.Event()
        self.taken = taken

    def wait(self, message: Any) -> Any:
        return self.opened.wait() if len(self.messages) >= self.taken else None


def assembled(body: bytes) -> tuple[str, int]:
    """Return the text that a client of ``ndjson`` has, and the number of records that it was not sent."""
    text, dropped = "", 0
    for line in body.splitlines():
        record = json.loads(line) if line else {}
        dropped += record.get("dropped", 0)
        text = record.get("snapshot", text) + record.get("text", "")
    return text, dropped


def chain(url: str) -> Any:
    return ChatPromptTemplate.from_template("{p}") | ChatOpenAI(base_url=url, api_key="k") | StrOutputParser()


MODELS: dict[str, Any] = {
    "a model": lambda url: OpenAI(base_url=url, api_key="k").astream_records("p", wire="ndjson"),
    "a chain": lambda url: chain(url).astream_records({"p": "p"}, wire="ndjson"),
    "chunks": lambda url: chain(url).astream({"p": "p"}),
}


@pytest.mark.parametrize("suspends", [False, True], ids=["direct", "by task"])
@pytest.mark.parametrize("model", MODELS)
def test_a_client_that_reads_again_has_the_whole_text(model: str, suspends: bool) -> None:
    async def main() -> None:
        client = SlowClient(6, suspends=suspends)
        with MockServer(Reply(pieces=PIECES, pace=0.001)) as server:
            content = MODELS[model](server.url)
            task = asyncio.create_task(
                client.call(EventStreamResponse(content, wire="ndjson", slow_client="snapshot", ping_interval=None))
            )
            await server.await_until(lambda: bool(server.requests) and server.requests[-1].pieces_sent > 300)
            await asyncio.sleep(0)
            assert len(client.messages) <= 6
            client.opened.set()
            await task
        assert client.is_whole
        text, dropped = assembled(client.body)
        assert text == TEXT
        assert dropped > 100
        assert len(client.messages) < 300

    run(main)


def test_a_short_wait_drops_nothing() -> None:
    async def main() -> None:
        client = SlowClient(6)
        with MockServer(Reply(pieces=[f"{number} " for number in range(100)], pace=0.001)) as server:
            response = EventStreamResponse(MODELS["a model"](server.url), slow_client="snapshot")
            task = asyncio.create_task(client.call(response))
            await server.await_until(lambda: bool(server.requests) and server.requests[-1].pieces_sent > 50)
            client.opened.set()
            await task
        assert assembled(client.body) == ("".join(f"{number} " for number in range(100)), 0)

    run(main)


def test_a_stream_that_ends_while_its_client_does_not_read_is_sent_when_it_does() -> None:
    async def main() -> None:
        client = SlowClient(6)
        with MockServer(Reply(pieces=PIECES, pace=0.001)) as server:
            response = EventStreamResponse(MODELS["a model"](server.url), slow_client="snapshot")
            task = asyncio.create_task(client.call(response))
            await server.await_until(lambda: bool(server.requests) and server.requests[-1].pieces_sent >= len(PIECES))
            await server.await_until(lambda: server.requests[-1].over)
            client.opened.set()
            await task
        assert assembled(client.body)[0] == TEXT

    run(main)


@pytest.mark.parametrize("how", ["leaves", "never reads", "fails"])
def test_a_client_that_is_gone_ends_the_response(how: str, no_leaks: None) -> None:
    async def main() -> None:
        client = SlowClient(6)
        with MockServer(Reply(pieces=PIECES * 20, pace=0.001)) as server:
            response = EventStreamResponse(MODELS["a model"](server.url), slow_client="snapshot", send_timeout=0.2)
            task = asyncio.create_task(client.call(response))
            await settled(lambda: len(client.messages) == 6)
            if how == "leaves":
                client.leave()
            elif how == "fails":
                client.wait = fail  # type: ignore[method-assign]
                client._on_send = fail
                client.opened.set()
            await asyncio.wait([task])
            assert (await server.await_closed()).closed_by == "client"
        assert not client.is_whole
        assert (task.exception() is None) is (how != "never reads")

    def fail(message: Any) -> Any:
        raise OSError("gone")

    run(main)


def test_tool_calls_that_were_dropped_cannot_be_replaced() -> None:
    async def main() -> None:
        client = SlowClient(2)
        calls = [{"name": "f", "args": {"text": "x" * 16_000}}]
        with MockServer(Reply(tool_calls=calls, pace=0.0002)) as server:
            model = ChatOpenAI(base_url=server.url, api_key="k")
            response = EventStreamResponse(model.astream_records("p", wire="ndjson"), slow_client="snapshot")
            task = asyncio.create_task(client.call(response))
            await server.await_until(lambda: server.requests[-1].over if server.requests else False)
            client.opened.set()
            await task
        assert client.is_whole
        assert b'"error"' in client.body.splitlines()[-1]

    run(main)


def test_a_wire_without_snapshots_is_refused(mock_server: MockServer) -> None:
    model = OpenAI(base_url=mock_server.url, api_key="k")
    for content in (model.astream_records("p"), model.astream_records("p", wire="text")):
        with pytest.raises(
            UnsupportedError, match="has no record for a snapshot: choose slow_client='wait', or another"
        ):
            EventStreamResponse(content, slow_client="snapshot")


def test_an_unknown_policy_is_refused(mock_server: MockServer) -> None:
    with pytest.raises(ValueError, match="slow_client must be 'wait' or 'snapshot', not 'drop'"):
        EventStreamResponse(MODELS["a model"](mock_server.url), slow_client="drop")  # type: ignore[arg-type]
