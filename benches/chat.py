"""The contenders that stream a chat model's messages, and the records of its events."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

from millstream import ChatOpenAI, RecordWriter
from millstream.cli.bench.harness import Contender, over
from millstream.testing.memory import MemoryTransport

from .contenders import peer
from .fixtures import Reads

__all__ = (
    "chat_ids",
    "chat_records",
    "chat_streams",
    "langchain_chat_records",
    "message_events",
    "tool_streams",
)

_RUN: Any = {"run_id": UUID(int=7)}
_ID = re.compile(rb'"id": ?"[^"]*"')


def chat_streams(*, waits: bool) -> list[Contender]:
    """Return the ways to stream messages, sync or async."""
    method = "astream" if waits else "stream"
    found = [Contender("ours", f"ChatOpenAI.{method}", _astream if waits else _stream, _texts, waits=waits)]
    if known := peer("msgspec", "msgspec_loop"):
        loops, version = known

        async def acollected(reads: Reads) -> list[Any]:
            return [message async for message in loops.achat_messages(_source(reads))]

        run = over(acollected) if waits else over(lambda reads: list(loops.chat_messages(reads)))
        name = f"split + msgspec {version}, a generator of plain objects with the same fields"
        found.append(Contender("msgspec", name, run, _texts, waits=waits))
    return found + _langchain(_texts, waits=waits)


def tool_streams(*, waits: bool) -> list[Contender]:
    """Return the ways to stream messages that have pieces of tool calls, sync or async."""
    method = "astream" if waits else "stream"
    ours = Contender("ours", f"ChatOpenAI.{method}", _astream if waits else _stream, _arguments, waits=waits)
    return [ours, *_langchain(_arguments, waits=waits)]


def _langchain(shown: Callable[[list[Any]], list[str]], *, waits: bool) -> list[Contender]:
    if known := peer("langchain-openai", "langchain"):
        models, version = known
        bind, method = (models.achat, "astream") if waits else (models.chat, "stream")
        return [Contender("langchain", f"langchain-openai {version} ChatOpenAI.{method}", bind, shown, waits=waits)]
    return []


def chat_ids() -> list[Contender]:
    """Return our stream of a server with one id per response, and of one with an id per chunk."""

    def bind(reads: Reads) -> Callable[[], list[Any]]:
        return _stream([_ID.sub(b'"id":"%d"' % number, read) for number, read in enumerate(reads)])

    return [
        Contender("one", "ChatOpenAI.stream, one id", _stream, _texts),
        Contender("each", "ChatOpenAI.stream, an id for each chunk", bind, _texts),
    ]


def chat_records() -> list[Contender]:
    """Return the ways to make the records of a chat model's events."""
    found = [_ours_as_records()]
    if known := peer("msgspec", "msgspec_loop"):
        loops, number = known

        def bind(reads: Reads) -> Callable[[], Awaitable[list[bytes]]]:
            prefix, suffix = _template(reads)

            async def run() -> list[bytes]:
                return [records async for records in loops.achat_records(_source(reads), prefix, suffix)]

            return run

        name = f"split + msgspec {number}, a template of bytes"
        found.append(Contender("msgspec", name, bind, _texts_of_records, waits=True))
    return found


def langchain_chat_records() -> list[Contender]:
    """Return our records and langchain-openai's events, serialized as LangServe does."""
    found = [_ours_as_records()]
    if known := peer("langchain-openai", "langchain"):
        models, number = known
        name = f"langchain-openai {number} ChatOpenAI.astream_events v2, serialized as LangServe does"
        found.append(Contender("langchain", name, models.chat_records, _texts_of_records, waits=True))
    return found


def message_events(*, waits: bool) -> list[Contender]:
    """Return the ways to stream a message's events of version 3, sync or async."""
    method = "astream_events v3" if waits else "stream_events v3"
    ours = Contender("ours", f"ChatOpenAI.{method}", _aevents if waits else _events, _texts_of_events, waits=waits)
    if (known := peer("langchain-openai", "langchain")) is None:
        return [ours]
    models, version = known
    bind = models.amessage_events if waits else models.message_events
    name = f"langchain-openai {version} ChatOpenAI.{method}"
    return [ours, Contender("langchain", name, bind, _texts_of_events, waits=waits)]


def _ours_as_records() -> Contender:
    def bind(reads: Reads) -> Callable[[], Awaitable[list[bytes]]]:
        llm = _model(reads)

        async def run() -> list[bytes]:
            return [records async for records in llm.astream_records("a prompt")]

        return run

    return Contender("ours", "ChatOpenAI.astream_records", bind, _texts_of_records, waits=True)


def _template(reads: Reads) -> tuple[bytes, bytes]:
    """Return the bytes before and after a chunk's text in our records."""
    events = list(_model(reads).stream_events("a prompt", _RUN))
    chunk = next(event for event in events if event["data"].get("chunk") and event["data"]["chunk"].content)
    chunk["data"]["chunk"].content = "\0"
    prefix, _, suffix = RecordWriter().write(chunk).partition(b'"\\u0000"')
    return prefix, suffix


def _stream(reads: Reads) -> Callable[[], list[Any]]:
    llm = _model(reads)
    return lambda: list(llm.stream("a prompt"))


def _astream(reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
    llm = _model(reads)

    async def run() -> list[Any]:
        return [chunk async for chunk in llm.astream("a prompt")]

    return run


def _events(reads: Reads) -> Callable[[], list[Any]]:
    llm = _model(reads)
    return lambda: list(llm.stream_events("a prompt", version="v3"))


def _aevents(reads: Reads) -> Callable[[], Awaitable[list[Any]]]:
    llm = _model(reads)

    async def run() -> list[Any]:
        return [event async for event in await llm.astream_events("a prompt", version="v3")]

    return run


def _model(reads: Reads) -> ChatOpenAI:
    return ChatOpenAI(base_url="http://memory/v1", api_key="none", http_client=MemoryTransport(reads))


async def _source(reads: Reads) -> AsyncIterator[bytes]:
    """Yield the reads without waiting, as our in-memory transport does for async code."""
    for data in reads:
        yield data


def _texts(messages: list[Any]) -> list[str]:
    return [message.content for message in messages if message.content]


def _texts_of_events(events: list[Any]) -> list[str]:
    return [event["delta"]["text"] for event in events if event["event"] == "content-block-delta"]


def _arguments(messages: list[Any]) -> list[str]:
    return [piece["args"] for message in messages for piece in message.tool_call_chunks if piece["args"]]


def _texts_of_records(records: list[bytes]) -> list[str]:
    lines = b"".join(records).splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith(b"data: ")]
    chunks = [event["data"]["chunk"]["content"] for event in events if "chunk" in event["data"]]
    return [text for text in chunks if text]
