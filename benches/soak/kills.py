"""``python -m benches.soak.kills``: servers are killed while they generate, and their clients go on with the next one.

``MILLSTREAM_SOAK_KILLS`` (200) says how many servers, over SQLite and then over Redis where it is installed. No client
may miss or double an event: it gets all that was stored, and an explicit end. No answer may be generated twice.
"""

import asyncio
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx2

from millstream import SSEParser
from millstream.server.resumable import parse_position
from millstream.testing import MockServer, RecordedRequest, Reply, varied

from ..resumable.__main__ import redis

CLIENTS = 8
LOST = "the server that generated the answer was lost before the answer was complete"


class Client:
    """A client of one stream, which connects again after every end, as ``EventSource`` does."""

    def __init__(self, number: int, url: Callable[[], str]) -> None:
        self.number, self._url = number, url
        self.ids: list[str] = []
        self.data: list[str] = []
        self.last_id = ""

    async def run(self, http: httpx2.AsyncClient) -> None:
        """Read until the server answers that there is no more."""
        while True:
            try:
                if await self._connect(http):
                    return
            except httpx2.TransportError:
                await asyncio.sleep(0.01)

    async def _connect(self, http: httpx2.AsyncClient) -> bool:
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        async with http.stream("GET", f"{self._url()}/{self.number}", headers=headers) as response:
            if response.status_code == 204:
                return True
            assert response.status_code == 200, response.status_code
            parser = SSEParser()
            async for data in response.aiter_raw():
                for event in parser.feed(data):
                    self.ids.append(event.id)
                    self.data.append(event.data)
                self.last_id = parser.last_event_id or self.last_id
        return False

    def judge(self, whole: "Client") -> str:
        """Return how the stream ended, or what is wrong with it; ``whole`` has read what is stored."""
        places = [parse_position(text) for text in self.ids]
        documents = [json.loads(data) for data in self.data if data != "[DONE]"]
        # The records of a lost writer's end have an epoch of their own.
        last = places[-1].epoch if documents[-1].get("errorText") == LOST else 0
        own = [place.seq for place in places if place.epoch != last]
        end = [place.seq for place in places if place.epoch == last]
        if own != list(range(1, len(own) + 1)) or end != list(range(1, len(end) + 1)):
            return "wrong: events are missing or doubled"
        text = "".join(document.get("delta", "") for document in documents)
        expected = "".join(pieces_of(self.number))
        stored = len(whole.ids) - len(end)
        if self.ids[:stored] != whole.ids[:stored] or self.data[:stored] != whole.data[:stored]:
            return "wrong: not what is stored"
        if not end:
            return "whole" if text == expected and self.data[-1] == "[DONE]" else "wrong: another text"
        if self.ids[-2:] != whole.ids[-2:] or self.data[-1] != "[DONE]":
            return "wrong: no explicit end"
        return "lost" if expected.startswith(text) else "wrong: no prefix of the text"


def pieces_of(number: int) -> tuple[str, ...]:
    """Return the answer to a prompt."""
    return varied(20 + number % 90, number)


def reply_for(request: RecordedRequest) -> Reply:
    """Return the reply to a prompt, a number."""
    prompt = request.body["prompt"]
    return Reply(pieces=pieces_of(int(prompt if isinstance(prompt, str) else prompt[0])), pace=0.004)


async def start_server(place: str, upstream: str) -> tuple[Any, str]:
    """Start a server; return the process and its address."""
    command = [sys.executable, "-m", "benches.soak.kill_server", place, upstream]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    return process, f"http://127.0.0.1:{(await process.stdout.readline()).decode().strip()}"


async def kill_servers(kind: str, place: str, kills: int) -> bool:
    """Kill servers one after the other; return whether all was well."""
    ended: Counter[str] = Counter()
    source = random.Random(kills)
    servers: list[tuple[Any, str]] = []
    with MockServer(reply_for) as upstream:
        try:
            servers += [await start_server(place, upstream.url) for _ in range(2)]
            async with httpx2.AsyncClient(timeout=60, limits=httpx2.Limits(max_keepalive_connections=0)) as http:
                for round in range(kills):
                    spare = asyncio.create_task(start_server(place, upstream.url))
                    await kill_one(servers, round, source.uniform(0.05, 0.5), http, ended)
                    servers.append(await spare)
                    if (round + 1) % 20 == 0:
                        print(f"{kind}: {round + 1} servers killed, {dict(ended)}", flush=True)
        finally:
            for process, _ in servers:
                process.kill()
                await process.wait()
        prompts = Counter(str(request.body["prompt"]) for request in upstream.requests)
    twice = sum(1 for count in prompts.values() if count > 1)
    print(f"{kind}: {kills} servers killed, {dict(ended)}, {twice} answers generated twice")
    return not twice and all(not how.startswith("wrong") for how in ended) and ended["lost"] > 0


async def kill_one(
    servers: list[tuple[Any, str]], round: int, seconds: float, http: httpx2.AsyncClient, ended: Counter[str]
) -> None:
    """Kill the first server while it generates, and count how the streams of its clients end at the next one."""
    urls = [servers[0][1], servers[1][1]]
    clients = [Client(round * CLIENTS + number, lambda: urls[0]) for number in range(CLIENTS)]
    readers = [asyncio.create_task(client.run(http)) for client in clients]
    await asyncio.sleep(seconds)
    process, _ = servers.pop(0)
    process.kill()
    del urls[0]
    await asyncio.gather(*readers)
    for client in clients:
        whole = Client(client.number, lambda: urls[0])
        await whole.run(http)
        ended[client.judge(whole)] += 1
    await process.wait()


def main() -> int:
    """Run over each store."""
    kills = int(os.environ.get("MILLSTREAM_SOAK_KILLS", "200"))
    with tempfile.TemporaryDirectory() as folder, redis() as url:
        places = {"sqlite": f"{folder}/streams.db", **({"redis": url} if url else {})}
        results = [asyncio.run(kill_servers(kind, place, kills)) for kind, place in places.items()]
    print("no event was missed or doubled" if all(results) else "events were missed or doubled")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
