"""``batch`` in threads: the order of its outputs, its failures, and an interrupt that is not kept waiting."""

import subprocess
import sys
import threading
from typing import Any

import pytest

from millstream.runnables import RunnableLambda
from millstream.testing import MockServer, Reply, Stall


def test_outputs_come_in_the_order_of_the_inputs_whichever_ends_first() -> None:
    turns = [threading.Event() for _ in range(4)]
    turns[3].set()

    def after_the_next(place: int) -> int:
        assert turns[place].wait(30)
        if place:
            turns[place - 1].set()
        return place * 10

    assert RunnableLambda(after_the_next).batch(list(range(4))) == [0, 10, 20, 30]


def test_no_more_than_max_concurrency_run_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def count(place: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        return place

    assert RunnableLambda(count).batch(list(range(50)), {"max_concurrency": 2}) == list(range(50))
    assert most <= 2


def test_the_first_failure_in_order_is_raised_once_what_runs_has_ended() -> None:
    ended: list[int] = []
    failed = threading.Event()

    def call(place: int) -> int:
        if place == 1:
            failed.set()
            raise ValueError("1")
        assert failed.wait(30)
        ended.append(place)
        if place == 0:
            raise KeyError("0")
        return place

    with pytest.raises(KeyError):
        RunnableLambda(call).batch([0, 1], {"max_concurrency": 2})
    assert ended == [0]
    begun: list[Any] = []

    def note(place: int) -> None:
        begun.append(place)
        raise ValueError(str(place))

    with pytest.raises(ValueError, match="0"):
        RunnableLambda(note).batch(list(range(100)), {"max_concurrency": 1})
    assert begun == [0]
    outputs = RunnableLambda(note).batch([0, 1], return_exceptions=True)
    assert [str(output) for output in outputs] == ["0", "1"]


CODE = """
import os, signal, sys, threading
from millstream import ChatOpenAI, OpenAI
from millstream.prompts import PromptTemplate

kind, url, transport = sys.argv[1:]
model = {"chat": ChatOpenAI, "llm": OpenAI}[kind.partition("-")[0]](base_url=url, api_key="k", transport=transport)
if kind == "chat-chain":
    model = PromptTemplate.from_template("{p}") | model
inputs = [{"p": "a"}, {"p": "b"}] if kind == "chat-chain" else ["a", "b"]
def interrupt():
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
# A shell's background job ignores the signal, and so would this process.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    model.batch(inputs)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is another thing there")
@pytest.mark.parametrize("transport", ["native", "httpx2"])
@pytest.mark.parametrize(("kind", "requests"), [("chat", 2), ("chat-chain", 2), ("llm", 1)])
def test_an_interrupt_reaches_batch_at_once_while_a_server_stalls(kind: str, requests: int, transport: str) -> None:
    with MockServer(Reply(fault=Stall(after="request"))) as server:
        command = [sys.executable, "-c", CODE, kind, server.url, transport]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as child:  # type: ignore[call-overload]
            try:
                server.wait_until(lambda: len(server.requests) == requests, 60)
                said, errors = child.communicate("now\n", timeout=60)
            finally:
                child.kill()
        assert (said, errors, child.returncode) == ("interrupted\n", "", 0)
