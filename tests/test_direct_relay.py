"""Records that the connection's callback sends: the same bytes, errors and context as a task's, and back pressure."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

from asgi_calls import Client, is_in_callback
from millstream import ChatOpenAI, OpenAI, StreamStalledError
from millstream.server import EventStreamResponse
from millstream.server.relaying import Relay
from millstream.server.sending import Sender
from millstream.streaming.relay import Pump
from millstream.testing import Compress, Cut, Endless, ErrorFrame, MockServer, Reply, Send, Stall
from millstream.transport import native
from millstream.transport.native import NativeTransport
from millstream.transport.native.asyncio_connection import Connection
from millstream.wires.names import WireOptions
from millstream.wires.record_stream import RecordStream
from native_cases import Run, both_loops
from scripted import client_context, tls_front
from user_code import run, settled

# The connection is the native transport's.
pytestmark = pytest.mark.usefixtures("native")

PACED: Any = {"pace": 0.002}
PIECES = [f" piece {number}" for number in range(8)]


@pytest.fixture(autouse=True, params=["core", "python"])
def relay(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relay in the core, or in Python, as where the core does not decode."""
    if request.param == "python":
        monkeypatch.setattr(Sender, "client", None)


REPLIES: dict[str, Reply] = {
    "whole": Reply(pieces=PIECES, **PACED),
    "byte by byte": Reply(pieces=PIECES, bytes_per_write=7, **PACED),
    "without an end mark": Reply(pieces=PIECES, done=False, **PACED),
    "without a finish": Reply(pieces=PIECES, finish_reason=None, done=False, **PACED),
    "an error frame": Reply(pieces=PIECES, fault=ErrorFrame(after=4), **PACED),
    "reset": Reply(pieces=PIECES, fault=Cut(4), **PACED),
    "cut": Reply(pieces=PIECES, fault=Cut(4, "fin", inside=True), **PACED),
    "ended": Reply(pieces=PIECES, fault=Cut(4, "end"), **PACED),
    "not JSON": Reply(pieces=PIECES, fault=Send(b"11\r\ndata: {nonsense\n\n\r\n", after=4), **PACED),
    "not HTTP": Reply(pieces=PIECES, fault=Send(b"nonsense", after=4), **PACED),
    "compressed": Reply(pieces=PIECES, fault=Compress(), **PACED),
    "by length": Reply(pieces=PIECES, framing="length", **PACED),
    "by close": Reply(pieces=PIECES, framing="close", **PACED),
    "a body that goes on": Reply(pieces=PIECES, fault=Endless(after="done", count=50), **PACED),
}


def response(server: MockServer, *, on_error: Any = None, options: Any = None, **model: Any) -> EventStreamResponse:
    llm = OpenAI(base_url=server.url, api_key="k", **{"max_retries": 0, **model})
    wire = WireOptions("vercel.ui", id="x", created=1)
    return EventStreamResponse(llm.astream_records("p", wire=wire), on_error=on_error, **(options or {}))


def outcome(reply: Reply, *, suspends: bool, **model: Any) -> tuple[bytes, list[str], bool]:
    """Return the body, the errors, and whether the connection's callback has sent some of it."""

    async def main() -> tuple[bytes, list[str], bool]:
        errors: list[str] = []
        client = Client(suspends=suspends)
        with MockServer(reply) as server:
            await client.call(response(server, on_error=lambda error: errors.append(repr(error)), **model))
            port = str(server.port)
        assert client.is_whole
        return client.body, [error.replace(port, "PORT") for error in errors], client.is_direct

    found: tuple[bytes, list[str], bool] = run(main)
    return found


@pytest.mark.parametrize("reply", REPLIES)
def test_a_callback_sends_what_a_task_sends(reply: str) -> None:
    direct, by_task = (outcome(REPLIES[reply], suspends=suspends) for suspends in (False, True))
    assert direct[:2] == by_task[:2]
    assert by_task[2] is False
    assert direct[2] is (reply != "compressed")


def test_an_upstream_that_sends_comments_alone_is_given_up() -> None:
    async def main(pace: float) -> bool:
        errors: list[Exception] = []
        client = Client()
        with MockServer(Reply(pieces=PIECES, fault=Stall(after=4, comment_every=0.01), pace=pace)) as server:
            llm = ChatOpenAI(base_url=server.url, api_key="k", stream_chunk_timeout=30 * pace)
            await client.call(EventStreamResponse(llm.astream_records("p", wire="vercel.ui"), on_error=errors.append))
            assert (await server.await_closed()).closed_by == "client"
        assert [type(error) for error in errors] == [StreamStalledError]
        return client.is_direct

    # On a busy machine, pieces arrive together unless they come slowly.
    assert any(run(partial(main, pace)) for pace in (0.02, 0.1, 0.5))


def both_outcomes(reply: Reply, limit: str) -> tuple[Any, Any]:
    """Return what a callback and a task send until a timeout, which a busy machine needs to be longer."""
    for seconds in (0.1, 0.5, 2.5, 12.5):
        direct, by_task = (outcome(reply, suspends=suspends, **{limit: seconds}) for suspends in (False, True))
        if direct[2] and direct[1] == by_task[1]:
            break
    assert direct[2]
    return direct, by_task


@pytest.mark.parametrize("limit", ["request_timeout", "total_timeout"])
def test_a_silent_upstream_is_given_up(limit: str) -> None:
    direct, by_task = both_outcomes(Reply(pieces=PIECES, fault=Stall(after=4), **PACED), limit)
    assert [error.partition("(")[0] for error in direct[1]] == ["StreamStalledError"]
    assert direct[1] == by_task[1]


def test_a_total_timeout_ends_a_stream_that_goes_on() -> None:
    direct, by_task = both_outcomes(Reply(pieces=PIECES * 5000, pace=0.001), "total_timeout")
    assert direct[1] == by_task[1]


def test_a_connection_that_is_lost_before_a_token_is_opened_again() -> None:
    async def main() -> bool:
        client = Client()
        lost = Reply(fault=Cut(after=0))
        with MockServer(Reply(pieces=PIECES, **PACED), script=[lost]) as server:
            await client.call(response(server, max_retries=1))
            assert len(server.requests) == 2
        assert client.body.count(b"piece") == len(PIECES)
        return client.is_direct

    assert run(main)


def test_a_send_has_the_requests_context_and_task() -> None:
    variable = ContextVar("variable", default="none")
    seen: set[tuple[str, Any]] = set()

    async def main() -> bool:
        client = Client(lambda message: seen.add((variable.get(), asyncio.current_task())))

        async def request(name: str, server: MockServer) -> Any:
            variable.set(name)
            await client.call(response(server))
            return asyncio.current_task()

        with MockServer(Reply(pieces=PIECES, **PACED)) as server:
            # The second request has the connection of the first one.
            tasks = [await asyncio.create_task(request(name, server)) for name in ("first", "second")]
            assert len(server.connections) == 1
        assert seen == {("first", tasks[0]), ("second", tasks[1])}
        return client.is_direct

    assert run(main)


class Gate:
    """A client that does not read while it is closed."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.opened.set()

    def on_send(self, message: Any) -> Any:
        return None if self.opened.is_set() else self.opened.wait()


def upstream_connection() -> Any:
    return next(
        connection
        for transport in native._transports
        for pool in transport._pools(of_loop=True)
        for connection in getattr(pool, "connections", ())
    )


def has_sent(server: MockServer, pieces: int) -> bool:
    return server.requests[-1].pieces_sent > pieces


def sent_directly(client: Client, start: int) -> bool:
    return any(client.callers[start:])


def test_a_send_that_waits_is_finished_by_the_task_and_then_the_callback_goes_on() -> None:
    async def main() -> None:
        gate = Gate()
        client = Client(gate.on_send)
        with MockServer(Reply(pieces=PIECES * 10, **PACED)) as server:
            task = asyncio.create_task(client.call(response(server)))
            await settled(lambda: client.is_direct)
            for _ in range(3):
                gate.opened.clear()
                sent = len(client.messages)
                await server.await_until(partial(has_sent, server, sent + 3))
                assert len(client.messages) <= sent + 1
                gate.opened.set()
                await settled(partial(sent_directly, client, len(client.callers) + 1))
            await task
        assert client.body.count(b"piece") == 80

    run(main)


def test_a_client_that_does_not_read_pauses_the_upstream() -> None:
    async def main() -> None:
        gate = Gate()
        client = Client(gate.on_send)
        reply = Reply(pieces=["x" * 10_000] * 2000)
        with MockServer(reply) as server:
            task = asyncio.create_task(client.call(response(server)))
            await settled(lambda: len(client.messages) > 2)
            gate.opened.clear()
            await settled(lambda: upstream_connection().is_paused)
            assert not upstream_connection().reads
            client.leave()
            await task
            assert (await server.await_closed()).closed_by == "client"

    run(main)


@pytest.mark.parametrize("wire", ["langchain.v2", "vercel.ui"])
def test_a_stream_that_is_sent_from_the_callback_does_not_keep_its_prompt(wire: Any) -> None:
    class Prompt(str):
        pass

    async def main() -> None:
        gate = Gate()
        client = Client(gate.on_send)
        with MockServer(Reply(pieces=PIECES * 10, **PACED)) as server:
            prompt = Prompt("p")
            kept = weakref.ref(prompt)
            stream = ChatOpenAI(base_url=server.url, api_key="k").astream_records(prompt, wire=wire)
            task = asyncio.create_task(client.call(EventStreamResponse(stream)))
            del prompt, stream
            await settled(lambda: client.is_direct)
            gate.opened.clear()
            await settled(lambda: upstream_connection().is_paused)
            assert kept() is None
            gate.opened.set()
            await task

    run(main)


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("a bug")], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("late", [False, True], ids=["at once", "after a wait"])
def test_an_error_of_send_reaches_the_request_and_closes_the_upstream(error: Exception, late: bool) -> None:
    async def main() -> None:
        async def fail_later() -> None:
            await asyncio.sleep(0)
            raise error

        def on_send(message: Any) -> Any:
            if client.is_called_back and len(client.messages) > 5:
                if late:
                    return fail_later()
                raise error
            return None

        client = Client(on_send)
        with MockServer(Reply(pieces=PIECES * 100, **PACED)) as server:
            call = client.call(response(server))
            if isinstance(error, OSError):
                await call
            else:
                with pytest.raises(RuntimeError, match="a bug"):
                    await call
            assert client.is_direct
            assert not client.is_whole
            assert (await server.await_closed()).closed_by == "client"

    run(main)


def ended_by(how: str) -> Callable[[Client, asyncio.Task[None]], None]:
    return {"disconnect": lambda client, task: client.leave(), "cancel": lambda client, task: task.cancel()}[how]


@pytest.mark.parametrize("how", ["disconnect", "cancel"])
def test_a_response_that_ends_early_leaves_nothing(how: str, no_leaks: None) -> None:
    async def main() -> None:
        client = Client()
        with MockServer(Reply(pieces=PIECES * 100, **PACED)) as server:
            task = asyncio.create_task(client.call(response(server)))
            await settled(lambda: client.is_direct)
            ended_by(how)(client, task)
            await asyncio.wait([task])
            assert task.cancelled() is (how == "cancel")
            assert (await server.await_closed()).closed_by == "client"

    run(main)


class Failing:
    """A record stream whose recorder raises at the fourth read of the callback."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _open_parts(self) -> Any:
        source, processor = self._stream._open_parts()
        return source, FailingProcessor(self, processor)


class FailingProcessor:
    def __init__(self, owner: Failing, processor: Any) -> None:
        self._owner = owner
        self._processor = processor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._processor, name)

    @property
    def recorder(self) -> Any:
        recorder = self._processor.recorder

        def record(*args: Any) -> Any:
            self._owner.calls += is_in_callback()
            if self._owner.calls == 4:
                raise ValueError("a bug")
            return recorder(*args)

        return record


def test_an_error_of_the_recorder_reaches_the_request_and_closes_the_upstream() -> None:
    async def main() -> list[Exception]:
        errors: list[Exception] = []
        client = Client()
        with MockServer(Reply(pieces=PIECES * 10, **PACED)) as server:
            records = OpenAI(base_url=server.url, api_key="k").astream_records("p", wire="vercel.ui")
            content: Any = Failing(records)
            await client.call(EventStreamResponse(content, include_input=True, on_error=errors.append))
            assert (await server.await_closed()).closed_by == "client"
        assert client.is_whole
        assert b'"type":"error"' in client.body
        return errors

    assert [repr(error) for error in run(main)] == ["ValueError('a bug')"]


@both_loops
def test_a_callback_sends_what_comes_over_tls(run: Run) -> None:
    async def main() -> None:
        client = Client()
        transport = NativeTransport(ssl_context=client_context())
        with MockServer(Reply(pieces=PIECES * 20, **PACED)) as server, tls_front(server.url, 1) as url:
            llm = OpenAI(base_url=url, api_key="k", http_client=transport)
            await client.call(EventStreamResponse(llm.astream_records("p", wire="text")))
            await transport.aclose()
        assert client.body.decode() == "".join(PIECES * 20)
        assert client.is_direct

    run(main())


@pytest.mark.parametrize("reply", ["whole", "an error frame", "cut", "reset"])
@pytest.mark.parametrize("slow_client", ["wait", "snapshot"])
def test_a_response_that_is_over_is_freed_at_once(reply: str, slow_client: Any, no_leaks: None) -> None:
    async def main() -> None:
        client = Client()
        with MockServer(REPLIES[reply]) as server:
            records = OpenAI(base_url=server.url, api_key="k", max_retries=0).astream_records("p", wire="ndjson")
            task = asyncio.create_task(client.call(EventStreamResponse(records, slow_client=slow_client)))
            await task
            assert client.is_direct
        del client, records, task
        await asyncio.sleep(0)
        # The collector is off meanwhile.
        assert living() - before == set()

    gc.collect()
    before = living()
    run(main)


def living() -> set[str]:
    """Return the objects of the server and of connections that exist, without idle connections."""
    kinds = (EventStreamResponse, Relay, Sender, Pump, RecordStream, Connection)
    found = [one for one in gc.get_objects() if isinstance(one, kinds)]
    return {object.__repr__(one) for one in found if not isinstance(one, Connection) or one.is_lost}
