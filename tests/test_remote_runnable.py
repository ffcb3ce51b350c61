"""``RemoteRunnable`` against scripted servers: what it sends, its errors, its ends, and what it leaves behind."""

import asyncio
import copy
import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from starlette.responses import JSONResponse

from endings import aread, read_all
from langserve_script import END, Script, answering, data, scripted
from millstream import (
    APIConnectionError,
    RateLimitError,
    RemoteRunnable,
    UnsupportedError,
)
from millstream.callbacks import BaseCallbackHandler
from millstream.messages import AIMessageChunk, HumanMessage, ToolMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableLambda
from millstream.testing import assert_no_leaks


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Script, str]]:
    with scripted() as script:
        yield script


# What is sent.


def test_a_call_sends_its_input_and_its_configuration(served: tuple[Script, str]) -> None:
    with answering(served, invoke={"output": 1}) as (script, remote):
        config: Any = {"tags": ["t"], "metadata": {"k": 1, "object": object()}, "configurable": {"heat": 0.5}}
        config["run_name"] = "x"
        remote.invoke({"past": [HumanMessage("hi", name="ann")], "n": 1}, config)
    (body,) = script.bodies
    assert body["input"]["past"][0] == {
        **{
            "content": "hi",
            "additional_kwargs": {},
            "response_metadata": {},
            "type": "human",
            "name": "ann",
            "id": None,
        }
    }
    sent = {"tags": ["t"], "metadata": {"k": 1}, "configurable": {"heat": 0.5}, "recursion_limit": 25}
    assert body["config"] == sent
    assert body["kwargs"] == {}


def test_an_input_without_a_form_in_json_is_refused(served: tuple[Script, str]) -> None:
    with answering(served) as (script, remote):
        for call in (remote.invoke, lambda value: list(remote.stream(value))):
            with pytest.raises(TypeError, match="^object cannot be sent: a remote Runnable takes JSON"):
                call({"a": object()})
    assert script.bodies == []


@pytest.mark.parametrize("method", ["invoke", "stream", "astream", "astream_events", "astream_log"])
def test_arguments_that_a_server_ignores_are_refused(served: tuple[Script, str], method: str) -> None:
    with answering(served) as (script, remote):
        call = partial(getattr(remote.bind(stop=["x"]), method), 1)
        failure: Exception | None = None
        try:
            failure = read_all(call())[1]
        except UnsupportedError as error:
            failure = error
    assert str(failure).startswith("a remote Runnable takes no argument 'stop': the server ignores it;")
    assert script.bodies == []


def test_lone_surrogates_and_large_numbers_are_sent(served: tuple[Script, str]) -> None:
    with answering(served, invoke={"output": 1}) as (script, remote):
        remote.invoke([1 << 70, HumanMessage("\ud800"), {1: (2, {3})}])
    number, message, more = script.bodies[0]["input"]
    assert (number, message["content"], more) == (1 << 70, "\ud800", {"1": [2, [3]]})


def test_the_key_and_the_headers_are_sent_and_not_shown(served: tuple[Script, str]) -> None:
    script, url = served
    script.answers, script.headers = {"invoke": {"output": 1}}, []
    remote: Any = RemoteRunnable(url, api_key="secret", headers={"x-tenant": "hidden"})
    assert remote.invoke(1) == 1
    assert script.headers[0]["authorization"] == "Bearer secret"
    assert script.headers[0]["x-tenant"] == "hidden"
    assert repr(remote) == f"RemoteRunnable('{url}')"
    assert "secret" not in repr(vars(remote))


def test_a_key_is_asked_for_at_each_request(served: tuple[Script, str]) -> None:
    script, url = served
    script.answers, script.headers = {"invoke": {"output": 1}}, []
    keys = iter(["a", "b"])

    async def key() -> str:
        return next(keys)

    remote: Any = RemoteRunnable(url, api_key=key)

    async def main() -> None:
        await remote.ainvoke(1)
        await remote.ainvoke(1)

    asyncio.run(main())
    assert [headers["authorization"] for headers in script.headers] == ["Bearer a", "Bearer b"]


@pytest.mark.parametrize("url", ["chain", "ftp://host/chain", "http://"])
def test_what_is_not_a_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(APIConnectionError):
        RemoteRunnable(url)


def test_it_is_copied_and_pickled(served: tuple[Script, str]) -> None:
    with answering(served, invoke={"output": 1}) as (_, remote):
        assert copy.copy(remote).invoke(1) == pickle.loads(pickle.dumps(remote)).invoke(1) == 1


# What comes.


def test_values_are_objects_and_chunks_can_be_added(served: tuple[Script, str]) -> None:
    tool = {"type": "tool", "content": "2", "tool_call_id": "c", "status": "error"}
    with answering(served, invoke={"output": [tool]}, stream=[data({"a": "x"}), data({"a": "y", "b": 1}), END]) as (
        _,
        remote,
    ):
        assert remote.invoke(1) == [ToolMessage("2", tool_call_id="c", status="error")]
        first, second = remote.stream(1)
        assert first + second == {"a": "xy", "b": 1}


def test_events_that_are_not_known_are_passed_over(served: tuple[Script, str]) -> None:
    pieces = [b": ping\r\n\r\n", data({"run_id": "r"}, "metadata"), data("a"), data(1, "news"), data("b"), END]
    with answering(served, stream=pieces) as (_, remote):
        assert list(remote.stream(1)) == ["a", "b"]


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"])
def test_the_end_is_found_however_it_is_split(served: tuple[Script, str], size: int, line_end: bytes) -> None:
    whole = (data("event: end\n\n") + data("b") + END).replace(b"\r\n", line_end)
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    with answering(served, stream=pieces) as (_, remote):
        assert list(remote.stream(1)) == ["event: end\n\n", "b"]


def test_a_batch_is_one_request(served: tuple[Script, str]) -> None:
    with answering(served, batch={"output": [1, 2]}) as (script, remote):
        assert remote.batch(["a", "b"], [{"tags": ["x"]}, {}]) == [1, 2]
        assert asyncio.run(remote.abatch(["a", "b"])) == [1, 2]
        assert remote.batch([]) == []
    assert [body["inputs"] for body in script.bodies] == [["a", "b"], ["a", "b"]]
    assert script.bodies[0]["config"][0]["tags"] == ["x"]


def test_a_batch_with_exceptions_has_a_request_for_each_input(served: tuple[Script, str]) -> None:
    with answering(served, invoke=JSONResponse({"detail": "no"}, 429)) as (script, remote):
        outputs = remote.batch(["a", "b"], return_exceptions=True)
        outputs += asyncio.run(remote.abatch(["a", "b"], return_exceptions=True))
    assert [type(output) for output in outputs] == [RateLimitError] * 4
    assert sorted(body["input"] for body in script.bodies) == ["a", "a", "b", "b"]


def test_the_log_is_patches_or_states(served: tuple[Script, str]) -> None:
    patches = [
        {"ops": [{"op": "replace", "path": "", "value": {"streamed_output": [], "final_output": None}}]},
        {"ops": [{"op": "add", "path": "/streamed_output/-", "value": {"type": "AIMessageChunk", "content": "a"}}]},
    ]
    with answering(served, stream_log=[*map(data, patches), END]) as (script, remote):
        assert asyncio.run(aread(remote.astream_log(1, include_names=["x"])))[1].ops[0]["value"] == AIMessageChunk("a")
        logs: Any = asyncio.run(aread(remote.astream_log(1, diff=False)))
    assert logs[-1].state["streamed_output"] == [AIMessageChunk("a")]
    assert script.bodies[0]["include_names"] == ["x"]


# In chains, and left.


class Recorder(BaseCallbackHandler):
    """Records the starts and ends of runs."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self.calls.append(("start", kwargs["name"], inputs))

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.calls.append(("end", outputs))

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self.calls.append(("error", type(error)))


def test_handlers_are_notified_of_a_run(served: tuple[Script, str]) -> None:
    with answering(served, invoke={"output": 1}, stream=[data("a"), data("b"), END]) as (_, remote):
        handler = Recorder()
        remote.invoke("x", {"callbacks": [handler]})
        list(remote.stream("x", {"callbacks": [handler], "run_name": "far"}))
        asyncio.run(aread(remote.astream("x", {"callbacks": [handler]})))
    started = ("start", "RemoteRunnable", "x")
    assert handler.calls == [started, ("end", 1), ("start", "far", "x"), ("end", "ab"), started, ("end", "ab")]


def test_it_is_a_step_of_a_chain(served: tuple[Script, str]) -> None:
    pieces = [data({"type": "AIMessageChunk", "content": text}) for text in ("a", "b")]
    answer = {"output": {"type": "ai", "content": "ab"}}
    with answering(served, stream=[*pieces, END], invoke=answer) as (script, remote):
        chain = ChatPromptTemplate.from_template("{x}") | remote | StrOutputParser() | RunnableLambda(str.upper)
        assert chain.invoke({"x": "1"}) == "AB"
        assert list(chain.stream({"x": "1"})) == ["AB"]
        assert asyncio.run(aread(chain.astream({"x": "1"}))) == ["AB"]
        names = {event["name"] for event in asyncio.run(aread(chain.astream_events({"x": "1"})))}
    assert "RemoteRunnable" in names
    assert script.bodies[0]["input"]["messages"][0]["content"] == "1"


def test_a_stream_that_is_left_closes_the_connection(served: tuple[Script, str]) -> None:
    with answering(served, stream=[data("a"), None], stream_events=[data({"a": 1}), None]) as (script, remote):

        async def main() -> None:
            for stream in (remote.astream(1), remote.astream_events(1)):
                async with stream as opened:
                    await anext(opened)

        with assert_no_leaks():
            asyncio.run(main())
            with remote.stream(1) as stream:
                assert next(stream) == "a"
            assert all(script.closed.acquire(timeout=20) for _ in range(3))


def test_a_cancelled_call_closes_the_connection(served: tuple[Script, str]) -> None:
    with answering(served, invoke=[b'{"output":', None]) as (script, remote):

        async def main() -> None:
            arrived, loop = asyncio.Event(), asyncio.get_running_loop()
            script.on_request = lambda: loop.call_soon_threadsafe(arrived.set)
            task = asyncio.ensure_future(remote.ainvoke(1))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        with assert_no_leaks():
            asyncio.run(main())
            assert script.closed.acquire(timeout=20)
