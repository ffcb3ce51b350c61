"""A chain that LangServe publishes shows its clients the same with langchain-openai's model and with Millstream's."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from langchain_core.prompts import ChatPromptTemplate

from app_kits import KITS, App, Kit, made, shown, shown_by_langchain
from endings import aread, assert_closed_by_us
from langchain_peer import allow_v1
from langserve_apps import mount, their_app, their_client
from millstream.testing import ErrorStatus, MockServer, RecordedRequest, Reply, Stall
from serving import serve

PROMPT = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{text}")])
FILL = {"text": "Name a fish."}


@contextmanager
def published(kit: Kit, chain: Any) -> Iterator[Any]:
    """Publish ``chain`` on the loopback interface, and yield LangServe's client of it."""
    app = their_app()
    mount(app, chain, by_langserve=True)
    with serve(app, kit.aclose) as url, their_client(f"{url}/chain") as remote:
        yield remote


def by_prompt(request: RecordedRequest) -> Reply:
    return Reply(pieces=[request.body["messages"][-1]["content"], " is ", "fine", "."])


async def aevents(remote: Any, version: Any) -> list[Any]:
    with allow_v1():
        return await aread(remote.astream_events(FILL, version=version))


WAYS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda remote: [remote.invoke(FILL)],
    "batch": lambda remote: remote.batch([FILL, {"text": "Name a bird."}]),
    "stream": lambda remote: remote.stream(FILL),
    "astream": lambda remote: aread(remote.astream(FILL)),
    "log": lambda remote: aread(remote.astream_log(FILL)),
    "events v1": lambda remote: aevents(remote, "v1"),
    "events v2": lambda remote: aevents(remote, "v2"),
}
CHAINS: dict[str, Callable[[Kit], Any]] = {
    "messages": lambda kit: PROMPT | kit.model(stream_usage=True),
    "text": lambda kit: PROMPT | kit.model() | kit.parser(),
}


def app_of(make: Callable[[Kit], Any], way: str) -> App:
    def app(kit: Kit) -> Iterator[Any]:
        kit.server.reply = by_prompt
        with published(kit, make(kit)) as remote:
            values = WAYS[way](remote)
            yield from asyncio.run(values) if inspect.iscoroutine(values) else values

    return app


def failure(kit: Kit) -> Iterator[Any]:
    kit.script(Reply(fault=ErrorStatus(429)))
    with published(kit, PROMPT | kit.model(max_retries=0)) as remote:
        try:
            yield from remote.stream(FILL)
        except httpx.HTTPStatusError as error:
            yield error


APPS: dict[str, App] = {
    **{f"{name}, {way}": app_of(make, way) for name, make in CHAINS.items() for way in WAYS},
    "failure": failure,
}


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("kit", KITS)
def test_a_published_chain_shows_what_it_shows_with_langchains_model(app: str, kit: str) -> None:
    assert shown(APPS[app], KITS[kit]) == shown_by_langchain(APPS[app])


def read_until_waiting(stream: Iterator[Any], remote: Any) -> None:
    """Read all that comes until the published chain waits for its model.

    A chain of LangChain's that is cancelled in one of its own tasks, between two pieces, leaves its generators to the
    garbage collector. By the time other requests are answered, these tasks have run.
    """
    while "trout" not in str(next(stream)):
        pass
    for _ in range(5):
        remote.sync_client.get("input_schema").raise_for_status()


@pytest.mark.parametrize("make", CHAINS)
@pytest.mark.parametrize("kit", KITS)
def test_a_client_that_leaves_closes_the_connection_of_the_model(make: str, kit: str, server: MockServer) -> None:
    server.reply = Reply(pieces=["A ", "brown ", "trout", "."], fault=Stall(after=3))
    with made(KITS[kit], server) as own, published(own, CHAINS[make](own)) as remote:
        stream = remote.stream(FILL)
        read_until_waiting(stream, remote)
        stream.close()
        assert_closed_by_us(server)
