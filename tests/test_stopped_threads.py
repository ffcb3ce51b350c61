"""Threads of sync streams that wait for a server: leaving the stream ends their waits at once."""

import socket
import threading
from contextlib import closing
from typing import Any

import pytest

from langchain_peer import KEY
from millstream import ChatOpenAI, OpenAI
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableLambda, RunnableParallel
from millstream.testing import MockServer, Reply, Stall
from millstream.transport.native import NativeTransport
from recording import handlers
from scripted import client_context, read_request, scripted, server_context, tls_front

# The native transport ends such waits.
pytestmark = pytest.mark.usefixtures("native_transport")

INPUT = {"text": "p"}
kinds = pytest.mark.parametrize("kind", [OpenAI, ChatOpenAI])


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "millstream-stream"]


def workers_left() -> list[threading.Thread]:
    """Return the workers that go on: one that was not waiting when its stream was left ends with its next read."""
    for worker in workers():
        worker.join(30)
    return workers()


def nested(text: Any) -> Any:
    """A step of a user that runs in the thread of an event stream."""
    return text


@kinds
@pytest.mark.parametrize("place", [1, 3])
def test_events_of_a_chain_with_users_code(kind: Any, place: int) -> None:
    with MockServer(Reply(fault=Stall(after=3))) as server:
        model = kind(base_url=server.url, api_key=KEY)
        chain = RunnableLambda(nested) | PromptTemplate.from_template("{text}") | model
        count = 0
        with closing(chain.stream_events(INPUT)) as events:
            for event in events:
                count += event["event"] in ("on_llm_stream", "on_chat_model_stream")
                if count == place:
                    break
        assert workers_left() == []
        server.wait_until(lambda: server.connections.open == 0)


def test_runs_end_as_those_of_a_stream_that_is_left() -> None:
    log: list[Any] = []
    with MockServer(Reply(fault=Stall(after=3))) as server:
        steps = RunnableParallel({name: OpenAI(base_url=server.url, api_key=KEY) for name in "ab"})
        with closing(steps.stream("p", {"callbacks": [handlers(log)[1]]})) as chunks:
            for _ in range(6):
                next(chunks)
        assert workers_left() == []
    ends = [(event, type(args[0]).__name__) for _, event, args, _ in log if event in ("on_llm_end", "on_llm_error")]
    assert ends == [("on_llm_error", "GeneratorExit")] * 2


def test_a_head_that_does_not_come() -> None:
    asked = threading.Event()

    def say_nothing(sock: socket.socket) -> None:
        read_request(sock)
        asked.set()
        assert sock.recv(1) == b""

    with scripted(say_nothing) as url:
        waiting = OpenAI(base_url=url, api_key=KEY, max_retries=0)
        steps = RunnableParallel(waiting=waiting, other=RunnableLambda(lambda text: text))
        chunks = steps.stream("p")
        assert next(chunks) == {"other": "p"}
        assert asked.wait(30)
        chunks.close()
        assert workers_left() == []


def test_over_tls() -> None:
    with (
        MockServer(Reply(fault=Stall(after=3))) as server,
        tls_front(server.url, 2, server_context()) as url,
        closing_transport() as transport,
    ):
        steps = RunnableParallel({name: OpenAI(base_url=url, api_key=KEY, http_client=transport) for name in "ab"})
        with closing(steps.stream("p")) as chunks:
            for _ in range(6):
                next(chunks)
        assert workers_left() == []


def closing_transport() -> Any:
    return closing(NativeTransport(ssl_context=client_context()))


def test_a_request_after_the_stream_was_left_is_not_sent() -> None:
    entered, left = threading.Event(), threading.Event()

    with MockServer() as server:

        def late(text: str) -> Any:
            entered.set()
            assert left.wait(30)
            return OpenAI(base_url=server.url, api_key=KEY)

        steps = RunnableParallel(late=RunnableLambda(late), other=RunnableLambda(lambda text: text))
        chunks = steps.stream("p")
        assert next(chunks) == {"other": "p"}
        assert entered.wait(30)
        chunks.close()
        (worker,) = workers()
        left.set()
        worker.join(30)
        assert server.requests == []
