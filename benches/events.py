"""The contenders that make stream events: dicts for an application, records for a server's clients."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal
from uuid import UUID

from millstream import OpenAI, RecordWriter
from millstream.cli.bench.harness import Contender, over
from millstream.testing.memory import MemoryTransport

from .contenders import peer
from .fixtures import Reads

__all__ = ("event_dicts", "event_records", "langchain_dicts", "langchain_records")

_RUN: Any = {
    "run_id": str(UUID(int=7)),
    "name": "OpenAI",
    "tags": [],
    "metadata": {
        "ls_provider": "openai",
        "ls_model_type": "llm",
        "ls_model_name": "gpt-3.5-turbo-instruct",
        "ls_temperature": 0.7,
        "ls_max_tokens": 256,
    },
}

Version = Literal["v1", "v2"]


def event_dicts(version: Version) -> list[Contender]:
    """Return the ways to stream a completion's events as dicts."""
    found = [_ours_as_dicts(version)]
    if known := peer("orjson", "orjson_loop"):
        loops, number = known

        async def run(reads: Reads) -> list[Any]:
            return [event async for event in loops.acompletions_events(_source(reads), _RUN, version)]

        name = f"split + orjson {number}, a generator of the same dicts"
        found.append(Contender("orjson", name, over(run), _chunks, waits=True))
    return found


def langchain_dicts(version: Version) -> list[Contender]:
    """Return our events as dicts and langchain-openai's."""
    found = [_ours_as_dicts(version)]
    if known := peer("langchain-openai", "langchain"):
        models, number = known
        name = f"langchain-openai {number} OpenAI.astream_events {version}"
        found.append(Contender("langchain", name, lambda reads: models.events(reads, version), _chunks, waits=True))
    return found


def event_records() -> list[Contender]:
    """Return the ways to make the records of a completion's events."""
    found = [_ours_as_records()]
    if known := peer("msgspec", "msgspec_loop"):
        loops, number = known
        prefix, _, suffix = RecordWriter().write(_event("\0")).partition(b'"\\u0000"')

        async def run(reads: Reads) -> list[bytes]:
            return [records async for records in loops.acompletions_records(_source(reads), prefix, suffix)]

        name = f"split + msgspec {number}, a template of bytes"
        found.append(Contender("msgspec", name, over(run), _chunks_of_records, waits=True))
    return found


def langchain_records() -> list[Contender]:
    """Return our records and langchain-openai's events, serialized as LangServe does."""
    found = [_ours_as_records()]
    if known := peer("langchain-openai", "langchain"):
        models, number = known
        name = f"langchain-openai {number} OpenAI.astream_events v2, serialized as LangServe does"
        found.append(Contender("langchain", name, models.records, _chunks_of_records, waits=True))
    return found


def _ours_as_dicts(version: Version) -> Contender:
    def bind(reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
        llm = _model(reads)

        async def run() -> list[Any]:
            return [event async for event in llm.astream_events("a prompt", version=version)]

        return run

    return Contender("ours", f"OpenAI.astream_events {version}", bind, _chunks, waits=True)


def _ours_as_records() -> Contender:
    def bind(reads: Reads) -> Callable[[], Awaitable[list[bytes]]]:
        llm = _model(reads)

        async def run() -> list[bytes]:
            return [records async for records in llm.astream_records("a prompt")]

        return run

    return Contender("ours", "OpenAI.astream_records", bind, _chunks_of_records, waits=True)


def _model(reads: Reads) -> OpenAI:
    return OpenAI(base_url="http://memory/v1", api_key="none", http_client=MemoryTransport(reads))


def _event(chunk: str) -> dict[str, Any]:
    """Return a stream event of version 2, equal to ours, from which the template is made."""
    return {"event": "on_llm_stream", **_RUN, "data": {"chunk": chunk}, "parent_ids": []}


async def _source(reads: Reads) -> AsyncIterator[bytes]:
    """Yield the reads without waiting, as our in-memory transport does for async code."""
    for data in reads:
        yield data


def _chunks(events: list[Any]) -> list[str]:
    """Return the chunks that have text; only complete models emit starts and ends."""
    return [event["data"]["chunk"] for event in events if event["data"].get("chunk")]


def _chunks_of_records(records: list[bytes]) -> list[str]:
    lines = b"".join(records).splitlines()
    return _chunks([json.loads(line[6:]) for line in lines if line.startswith(b"data: ")])
