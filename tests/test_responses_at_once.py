"""Many responses at once, with faults of client and upstream: every text is accounted for, and nothing is left."""

import asyncio
import json
import random
from typing import Any

import pytest

from asgi_calls import Client
from millstream import ChatOpenAI
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.server import EventStreamResponse, keep_alive
from millstream.testing import Cut, ErrorFrame, ErrorStatus, MockServer, RecordedRequest, Reply, Stall
from user_code import run

FAULTS = (None, None, None, Cut(5), Cut(0), ErrorFrame(after=4), ErrorStatus(429), Stall(after=6))


def pieces_for(request: RecordedRequest) -> list[str]:
    number = int(request.body["messages"][-1]["content"])
    return [f"{number}.{place} " for place in range(12)]


def reply(request: RecordedRequest) -> Reply:
    number = int(request.body["messages"][-1]["content"])
    return Reply(pieces=pieces_for(request), pace=0.001 * (number % 4), fault=FAULTS[number % len(FAULTS)])


def stream(server: MockServer, number: int, kind: str) -> Any:
    model = ChatOpenAI(base_url=server.url, api_key="k", max_retries=0, stream_chunk_timeout=0.8)
    if kind == "model":
        return model.astream_records(str(number), wire="ndjson")
    chain = ChatPromptTemplate.from_template("{p}") | model | StrOutputParser()
    return chain.astream_records({"p": str(number)}, wire="ndjson")


class ReadingClient(Client):
    """A client that is slow now and then, and leaves after a number of messages."""

    def __init__(self, number: int) -> None:
        super().__init__(self.read)
        self.random = random.Random(number)
        self.leaves_after = self.random.randrange(1, 12) if number % 5 == 0 else None

    def read(self, message: Any) -> Any:
        if self.leaves_after == len(self.messages):
            self.leave()
        return asyncio.sleep(self.random.random() * 0.01) if self.random.random() < 0.2 else None


def check(client: ReadingClient, number: int) -> None:
    lines = [json.loads(line) for line in client.body.splitlines() if line]
    text = "".join(line.get("text", "") for line in lines)
    whole = "".join(f"{number}.{place} " for place in range(12))
    assert whole.startswith(text)
    failed = any("error" in line for line in lines)
    if client.leaves_after is None:
        assert client.is_whole
        assert failed is (FAULTS[number % len(FAULTS)] is not None)
        assert failed or text == whole


@pytest.mark.parametrize("kind", ["model", "chain"])
def test_many_responses_with_faults_are_all_accounted_for(kind: str, no_leaks: None) -> None:
    async def main() -> None:
        with MockServer(reply) as server:

            async def request(number: int) -> None:
                client = ReadingClient(number)
                await client.call(EventStreamResponse(stream(server, number, kind), ping_interval=0.02))
                check(client, number)

            for start in range(0, 160, 40):
                await asyncio.gather(*(request(number) for number in range(start, start + 40)))
            assert not keep_alive._tickers

    run(main)
