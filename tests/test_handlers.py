"""Handlers that raise, set context variables or call models, and their calls when a stream is closed early."""

import asyncio
import contextlib
import contextvars
import logging
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from endings import read_all, read_into
from langchain_peer import KEY
from recording import AstreamBody, CallBody, StreamBody, handlers, make_model

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.callbacks import BaseCallbackHandler as TheirHandler
    from langchain_core.callbacks import StdOutCallbackHandler as TheirStdOut
    from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
    from langchain_core.tracers.stdout import ConsoleCallbackHandler

from millstream import LLM, OpenAI
from millstream.callbacks import (
    AsyncCallbackHandler,
    BaseCallbackHandler,
    StreamingStdOutCallbackHandler,
)
from millstream.language_models import langsmith
from millstream.outputs import GenerationChunk
from millstream.testing import VERSE, ErrorFrame, MockServer, Reply

# Handlers that raise.


class Raising(BaseCallbackHandler):
    def __init__(self, log: list[Any], event: str, *, raise_error: bool) -> None:
        self.log = log
        self.event = event
        self.raise_error = raise_error

    def _record(self, event: str) -> None:
        self.log.append(event)
        if event == self.event:
            raise KeyError(event)

    def on_llm_start(self, *args: Any, **kwargs: Any) -> Any:
        self._record("start")

    def on_llm_new_token(self, *args: Any, **kwargs: Any) -> Any:
        self._record("token")

    def on_llm_end(self, *args: Any, **kwargs: Any) -> Any:
        self._record("end")

    def on_llm_error(self, *args: Any, **kwargs: Any) -> Any:
        self._record("error")


class RaisingAsync(Raising, AsyncCallbackHandler):
    async def on_llm_start(self, *args: Any, **kwargs: Any) -> Any:
        self._record("start")

    async def on_llm_new_token(self, *args: Any, **kwargs: Any) -> Any:
        self._record("token")

    async def on_llm_end(self, *args: Any, **kwargs: Any) -> Any:
        self._record("end")

    async def on_llm_error(self, *args: Any, **kwargs: Any) -> Any:
        self._record("error")


HANDLER_CLASSES = pytest.mark.parametrize("handler_class", [Raising, RaisingAsync])
EVENTS = pytest.mark.parametrize("event", ["start", "token", "end"])


@HANDLER_CLASSES
@EVENTS
@pytest.mark.parametrize("for_async", [False, True])
def test_an_exception_of_a_handler_is_logged(
    handler_class: Any, event: str, for_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[Any] = []
    config = {"callbacks": [handler_class(log, event, raise_error=False)]}
    model = make_model(StreamBody)
    with caplog.at_level(logging.WARNING, "millstream"):
        if for_async:
            asyncio.run(read_into([], model.astream("ab", config)))
        else:
            assert list(model.stream("ab", config)) == ["", "a", "b"]
    assert log == ["start", "token", "token", "token", "end"]
    assert f"Error in {handler_class.__name__}.on_llm_" in caplog.text
    assert len(caplog.records) == log.count(event)


@EVENTS
@pytest.mark.parametrize("for_async", [False, True])
def test_with_raise_error_the_exception_is_raised_and_the_run_still_ends_once(event: str, for_async: bool) -> None:
    logs: list[list[Any]] = [[], [], []]
    config = {"callbacks": [Raising(logs[0], "", raise_error=False), Raising(logs[1], event, raise_error=True)]}
    config["callbacks"].append(Raising(logs[2], "", raise_error=False))
    model = make_model(StreamBody)
    _, raised = read_all(model.astream("ab", config) if for_async else model.stream("ab", config))
    assert (type(raised), str(raised)) == (KeyError, repr(event))
    for log in logs:
        assert log.count("start") == log.count("end") + log.count("error")
    assert logs[1][-1] == ("end" if event == "end" else "error")
    # A handler that did not receive the start is not called at all.
    assert bool(logs[2]) is (event != "start")


def test_an_exception_of_an_async_handler_in_sync_code_is_raised_too() -> None:
    # LangChain logs it, even with `raise_error`.
    model = make_model(CallBody)
    with pytest.raises(KeyError, match="end"):
        model.invoke("p", {"callbacks": [RaisingAsync([], "end", raise_error=True)]})


# Closing a stream early.


class Noting(BaseCallbackHandler):
    """Records how runs end, and their results so far."""

    run_inline = True

    def __init__(self) -> None:
        self.ends: list[Any] = []
        self.starts = 0

    def on_llm_start(self, *args: Any, **kwargs: Any) -> None:
        self.starts += 1

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.ends.append(("end", response.generations[0][0].text))

    def on_llm_error(self, error: BaseException, *, response: Any = None, **kwargs: Any) -> None:
        self.ends.append((type(error).__name__, [choices[0].text for choices in response.generations]))


@pytest.mark.parametrize("body", [StreamBody, AstreamBody])
def test_closing_a_stream_early_is_an_error_with_all_chunks_so_far(body: type) -> None:
    model = make_model(body)
    sync = Noting()
    for chunk in model.stream("abc", {"callbacks": [sync]}):
        if chunk == "a":
            break
    # LangChain omits the last chunk.
    assert (sync.starts, sync.ends) == (1, [("GeneratorExit", ["a"])])

    class Slow(body):  # type: ignore[misc]
        async def _astream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            yield self.chunk("a")
            await asyncio.Event().wait()

    noted = [Noting(), Noting(), Noting()]

    async def leave() -> None:
        slow = make_model(Slow)
        async with slow.astream("abc", {"callbacks": [noted[0]]}) as stream:
            await anext(stream)
        async for _ in slow.astream("abc", {"callbacks": [noted[1]]}):
            break
        task = asyncio.create_task(read_into([], slow.astream("abc", {"callbacks": [noted[2]]})))
        while not noted[2].starts:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert [note.ends for note in noted] == [
        [("GeneratorExit", ["a"])],
        [("GeneratorExit", ["a"])],
        [("CancelledError", ["a"])],
    ]


def test_an_error_of_the_provider_is_reported_with_the_partial_result() -> None:
    noted = [Noting(), Noting()]
    with MockServer(Reply(fault=ErrorFrame(after=2))) as server:
        model = OpenAI(base_url=server.url, api_key=KEY)
        with contextlib.suppress(Exception):
            list(model.stream("p", {"callbacks": [noted[0]]}))
        with contextlib.suppress(Exception):
            asyncio.run(read_into([], model.astream("p", {"callbacks": [noted[1]]})))
    for note in noted:
        assert note.ends == [("ProviderError", ["\n\nSpark"])]


# Context variables, and models called by handlers.


def test_a_context_variable_set_by_a_handler_keeps_its_value_for_the_whole_run() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    class Setting(BaseCallbackHandler):
        def on_llm_start(self, *args: Any, **kwargs: Any) -> None:
            seen.append(variable.get())
            self.token = variable.set("inside")

        def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
            seen.append(variable.get())
            variable.reset(self.token)

    class SettingAsync(AsyncCallbackHandler):
        async def on_llm_start(self, *args: Any, **kwargs: Any) -> None:
            await asyncio.sleep(0)
            seen.append(variable.get())
            self.token = variable.set("inside")

        async def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
            await asyncio.sleep(0)
            seen.append(variable.get())
            variable.reset(self.token)

    seen: list[str] = []
    model = make_model(StreamBody)

    async def run(handler: Any) -> None:
        config = {"callbacks": [handler]}
        async for _ in model.astream("ab", config):
            assert variable.get() == "outside"
        await model.ainvoke("ab", config)
        for _ in model.stream("ab", config):
            assert variable.get() == "outside"
        model.invoke("ab", config)
        assert variable.get() == "outside"

    variable.set("outside")
    asyncio.run(run(Setting()))
    asyncio.run(run(SettingAsync()))
    variable.set("unset")
    assert seen == ["outside", "inside"] * 8


def test_a_model_called_by_a_handler_is_a_child_run_for_which_the_handler_is_not_called() -> None:
    class Calling(BaseCallbackHandler):
        def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
            runs.append(run_id)
            make_model(CallBody).invoke("inner")

    runs: list[UUID] = []
    log: list[Any] = []
    make_model(CallBody).invoke("outer", {"callbacks": [Calling(), handlers(log)[1]]})
    assert len(runs) == 1
    parents = [kwargs["parent_run_id"] for _, event, _, kwargs in log if event == "on_llm_start"]
    assert parents == [None, runs[0]]


def test_async_handlers_of_a_sync_model_run_on_the_loop_of_the_consumer() -> None:
    loops: list[Any] = []

    class Where(AsyncCallbackHandler):
        async def on_llm_new_token(self, *args: Any, **kwargs: Any) -> None:
            loops.append(asyncio.get_running_loop())

    async def run() -> None:
        await read_into([], make_model(StreamBody).astream("ab", {"callbacks": [Where()]}))
        assert loops == [asyncio.get_running_loop()] * 3

    asyncio.run(run())


# Without handlers.


def test_tracing_that_is_configured_but_not_supported_warns_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    langsmith._warn_once.cache_clear()
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    with caplog.at_level(logging.WARNING, "millstream"):
        make_model(CallBody).invoke("p")
        make_model(CallBody).invoke("p")
    assert len(caplog.records) == 1
    assert "sends no traces" in caplog.text
    langsmith._warn_once.cache_clear()


class Plain(LLM):
    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        assert run_manager is not None
        return GenerationChunk(prompt).text

    @property
    def _llm_type(self) -> str:
        return "plain"


def test_a_model_gets_its_run_manager_without_handlers_too() -> None:
    assert Plain().invoke("p") == "p"
    assert list(Plain().stream("p")) == ["p"]


# LangChain's own handlers.


def test_tracers_and_printers_of_langchain_are_accepted(
    mock_server: MockServer, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    collector, printer = RunCollectorCallbackHandler(), StreamingStdOutCallbackHandler()
    model = OpenAI(base_url=mock_server.url, api_key=KEY)
    config: Any = {"callbacks": [collector, ConsoleCallbackHandler(), TheirStdOut(), printer], "run_name": "r"}
    list(model.stream("p", config))
    asyncio.run(read_into([], model.astream("p", config)))
    model.invoke("p", config)
    assert [run.name for run in collector.traced_runs] == ["r"] * 3
    outputs = [run.outputs["generations"][0][0]["text"] for run in collector.traced_runs if run.outputs]
    assert outputs == ["".join(VERSE)] * 3
    assert capsys.readouterr().out.count("Sparkling") > 3
    assert caplog.text == ""


# Cancelling.


def test_a_second_cancellation_does_not_prevent_the_handlers_call_for_the_first() -> None:
    class Slow(AsyncCallbackHandler):
        async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
            await released.wait()
            received.put_nowait(type(error).__name__)

    class Forever(CallBody):
        async def _acall(self, *args: Any, **kwargs: Any) -> str:
            begun.set()
            await asyncio.Event().wait()
            return ""

        async def _astream(self, *args: Any, **kwargs: Any) -> Any:
            yield self.chunk("a")  # type: ignore[attr-defined]
            begun.set()
            await asyncio.Event().wait()

    received: asyncio.Queue[str] = asyncio.Queue()
    begun, released = asyncio.Event(), asyncio.Event()

    async def main() -> None:
        config: Any = {"callbacks": [Slow()]}
        for call in (make_model(Forever).ainvoke("p", config), read_into([], make_model(Forever).astream("p", config))):
            begun.clear()
            task = asyncio.ensure_future(call)
            await begun.wait()
            for _ in range(2):
                task.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await task
        assert received.empty()
        released.set()
        assert [await received.get() for _ in range(2)] == ["CancelledError"] * 2

    asyncio.run(main())


@pytest.mark.parametrize("base", [BaseCallbackHandler, TheirHandler])
def test_a_method_that_a_handler_does_not_write_waits_for_no_thread(base: type[Any]) -> None:
    class Ends(base):  # type: ignore[misc]
        def on_llm_end(self, response: Any, **kwargs: Any) -> None:
            """Do nothing, in a thread."""

    class Counting(ThreadPoolExecutor):
        count = 0

        def submit(self, *args: Any, **kwargs: Any) -> Any:
            Counting.count += 1
            return super().submit(*args, **kwargs)

    async def read() -> None:
        asyncio.get_running_loop().set_default_executor(Counting())
        model = make_model(AstreamBody)
        assert [chunk async for chunk in model.astream("p", {"callbacks": [Ends()]})]

    asyncio.run(read())
    assert Counting.count == 1
