"""Chains that are left early: the connection is closed, at once, and every run has one end."""

import asyncio
import contextlib
import weakref
from functools import partial
from typing import Any

import pytest

from chains import chain_of
from endings import assert_closed_by_us, read_all, read_into
from langchain_peer import KEY
from millstream import OpenAI
from millstream.errors import StreamTruncatedError
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableLambda
from millstream.testing import VERSE, Cut, MockServer, Reply, Stall
from recording import ahandlers, handlers
from user_code import Shouting, run, settled

pytestmark = pytest.mark.usefixtures("without_the_collector")

INPUT = {"text": "p"}
PROMPT = PromptTemplate.from_template("{text}")


def with_users_code(server: MockServer) -> Any:
    return PROMPT | OpenAI(base_url=server.url, api_key=KEY) | Shouting()


def with_users_code_first(server: MockServer) -> Any:
    return RunnableLambda(dict) | PROMPT | OpenAI(base_url=server.url, api_key=KEY)


def observed(server: MockServer) -> Any:
    return chain_of(server).with_config(callbacks=[handlers([])[1]])


def with_async_handlers(server: MockServer) -> Any:
    return chain_of(server).with_config(callbacks=[ahandlers([])[1]])


kinds = pytest.mark.parametrize(
    "make", [chain_of, with_users_code, with_users_code_first, observed, with_async_handlers]
)


async def alone() -> None:
    """Let tasks end that were left behind by a second cancellation, or by a break: each needs a few turns."""
    await settled(lambda: asyncio.all_tasks() == {asyncio.current_task()})


# Sync.


@kinds
def test_break_closes_when_the_last_reference_goes(make: Any, server: MockServer) -> None:
    for _ in make(server).stream(INPUT):
        break
    assert_closed_by_us(server)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_sync_events_close_as_their_stream_does(version: str, server: MockServer) -> None:
    for event in chain_of(server).stream_events(INPUT, version=version):
        if event["event"] == "on_chain_stream":
            break
    assert_closed_by_us(server)


@kinds
def test_close_closes(make: Any, server: MockServer) -> None:
    stream = make(server).stream(INPUT)
    assert next(stream).lower() == VERSE[0].lower()
    assert server.connections.open == 1
    stream.close()
    assert_closed_by_us(server)
    assert list(stream) == []


@kinds
def test_an_exception_in_the_loop_closes(make: Any, server: MockServer) -> None:
    def consume() -> None:
        with make(server).stream(INPUT) as stream:
            for _ in stream:
                raise KeyError("mine")

    with contextlib.suppress(KeyError):
        consume()
    assert_closed_by_us(server)


@kinds
def test_a_stream_that_was_never_begun_sends_nothing(make: Any, server: MockServer) -> None:
    chain = make(server)
    chain.stream(INPUT).close()
    asyncio.run(chain.astream(INPUT).aclose())
    chain.stream(INPUT)
    chain.astream(INPUT)
    chain.astream_events(INPUT)
    chain.astream_records(INPUT)
    assert server.requests == []


# Async.


@kinds
def test_async_break_closes_within_a_turn(make: Any, server: MockServer) -> None:
    async def main() -> None:
        async for _ in make(server).astream(INPUT):
            break
        await server.await_closed()
        await alone()

    run(main)
    assert_closed_by_us(server)


@kinds
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_events_and_records_close_as_their_stream_does(make: Any, version: str, server: MockServer) -> None:
    async def main() -> None:
        chain = make(server)
        async for event in chain.astream_events(INPUT, version=version):
            if event["event"] == "on_chain_stream" and event["name"] == "RunnableSequence":
                break
        await server.await_closed()
        async with chain.astream_records(INPUT, version=version) as records:
            async for record in records:
                # What has come at once is one item.
                if any(b"on_chain_stream" in one and b"RunnableSequence" in one for one in record.split(b"\n\n")):
                    break

    run(main)
    assert_closed_by_us(server)
    assert server.connections.closed == 2


@kinds
def test_aclose_closes_before_it_returns(make: Any, server: MockServer) -> None:
    async def main() -> None:
        stream = make(server).astream(INPUT)
        await anext(stream)
        await stream.aclose()
        assert [item async for item in stream] == []

    run(main)
    assert_closed_by_us(server)


@kinds
def test_cancelling_a_waiting_consumer_closes(make: Any, server: MockServer) -> None:
    async def main() -> None:
        seen: list[str] = []
        task = asyncio.create_task(read_into(seen, make(server).astream(INPUT)))
        await server.await_until(lambda: server.requests != [] and server.requests[-1].pieces_sent == 3)
        while len(seen) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    run(main)
    assert_closed_by_us(server)


@kinds
@pytest.mark.parametrize("times", [1, 3])
def test_cancellation_at_any_step_leaves_nothing(make: Any, times: int) -> None:
    async def main(server: MockServer, turns: int) -> bool:
        task = asyncio.create_task(read_into([], make(server).astream(INPUT)))
        for _ in range(turns):
            await asyncio.sleep(0)
        for _ in range(times):
            if task.done():
                break
            task.cancel()
            await asyncio.sleep(0)
        done, _ = await asyncio.wait([task])
        assert done
        assert task.cancelled() or task.result() is None
        await alone()
        return task.cancelled()

    with MockServer(Reply(pieces_per_write=10)) as server:
        outcomes = [run(partial(main, server, turns)) for turns in range(0, 60, 2)]
        assert outcomes[0]
        assert outcomes[2]
        list(chain_of(server).stream(INPUT))
        server.wait_until(lambda: server.connections.open == 1)


@pytest.mark.parametrize("kind", [handlers, ahandlers])
def test_a_chain_of_our_own_steps_needs_no_task(kind: Any, server: MockServer) -> None:
    async def main() -> None:
        observed = chain_of(server).with_config(callbacks=[kind([], run_inline=True)[1]])
        for stream in (
            chain_of(server).astream(INPUT),
            chain_of(server).astream_events(INPUT),
            observed.astream(INPUT),
        ):
            async with stream:
                for _ in range(3):
                    await anext(stream)
                    assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main)


# What fails.


@kinds
def test_a_truncated_stream_closes_its_connection_before_it_raises(make: Any) -> None:
    with MockServer(Reply(fault=Cut(after=3, how="fin"))) as server:
        seen, error = read_all(make(server).stream(INPUT))
        assert isinstance(error, StreamTruncatedError)
        assert [chunk.lower() for chunk in seen] == [piece.lower() for piece in VERSE[:3]]
        server.wait_closed()
        assert server.connections.open == 0


class Refusing(StrOutputParser):
    """A step that refuses its third chunk."""

    def _as_stage(self) -> Any:
        return RefusesTheThird()


class RefusesTheThird:
    count = 0

    def feed(self, item: str) -> list[str]:
        self.count += 1
        if self.count == 3:
            raise ValueError("refused")
        return [item]

    def close(self) -> list[str]:
        return []


def test_a_stage_that_fails_closes_the_connection_after_what_came_before() -> None:
    async def main(server: MockServer) -> None:
        chain = PROMPT | OpenAI(base_url=server.url, api_key=KEY) | Refusing() | StrOutputParser()
        for version in ("v1", "v2"):
            events: list[Any] = []
            with pytest.raises(ValueError, match="refused"):
                await read_into(events, chain.astream_events(INPUT, version=version))
            reported = [event["data"]["chunk"] for event in events if event["event"] == "on_chain_stream"]
            assert reported == list(VERSE[:2])
            await left(server)
        chunks: list[str] = []
        with pytest.raises(ValueError, match="refused"):
            await read_into(chunks, chain.astream(INPUT))
        assert chunks == list(VERSE[:2])
        await left(server)

    async def left(server: MockServer) -> None:
        # An answer that had arrived whole leaves its connection to the next one.
        if reply.fault is not None:
            await server.await_closed()

    # In one read, and in many.
    for reply in (Reply(pieces_per_write=100), Reply(fault=Stall(after=3))):
        with MockServer(reply) as server:
            run(partial(main, server))


class Marked(Exception):
    """An exception that can be watched."""


class Breaking(StrOutputParser):
    def _as_stage(self) -> Any:
        class Breaks(RefusesTheThird):
            def feed(self, item: str) -> list[str]:
                raise Marked

        return Breaks()


class Unprompted(PromptTemplate):
    def _as_function(self) -> Any:
        def fail(input: Any) -> Any:
            raise Marked

        return fail


@pytest.mark.parametrize("fails", ["stage", "prompt"])
def test_an_error_of_a_step_is_in_no_cycle(fails: str) -> None:
    with MockServer() as server:
        llm = OpenAI(base_url=server.url, api_key=KEY)
        unprompted = Unprompted(template="{text}")
        chain = PROMPT | llm | Breaking() if fails == "stage" else unprompted | llm | StrOutputParser()
        gone: list[Any] = []

        async def areads(stream: Any) -> None:
            try:
                await read_into([], stream)
            except Marked as error:
                gone.append(weakref.ref(error))

        def reads(stream: Any) -> None:
            try:
                list(stream)
            except Marked as error:
                gone.append(weakref.ref(error))

        reads(chain.stream(INPUT))
        reads(chain.stream_events(INPUT))
        assert [one() for one in gone] == [None] * 2

        async def main() -> None:
            await areads(chain.astream(INPUT))
            await areads(chain.astream_events(INPUT, version="v1"))
            await areads(chain.astream_records(INPUT))

        run(main)
        assert [one() for one in gone] == [None] * 5
