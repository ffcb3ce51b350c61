"""``LLM``: custom models, written as for LangChain."""

import asyncio
import contextvars
import gc
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from endings import read_all
from millstream import LLM
from millstream.language_models import BaseLLM
from millstream.outputs import Generation, GenerationChunk, LLMResult, RunInfo
from millstream.runnables import Runnable, RunnableConfig, Stream


class Echo(LLM):
    """The model in LangChain's guide to custom models."""

    n: int = 5

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return prompt[: self.n]

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": "CustomChatModel"}

    @property
    def _llm_type(self) -> str:
        return "custom"


class Streaming(Echo):
    def _stream(
        self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[GenerationChunk]:
        for char in prompt[: self.n]:
            chunk = GenerationChunk(text=char)
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk


class AsyncStreaming(Echo):
    async def _astream(
        self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[GenerationChunk]:
        for char in prompt[: self.n].upper():
            yield GenerationChunk(text=char)


def collect(stream: Any) -> list[Any]:
    """Return all chunks of an async stream."""

    async def read() -> list[Any]:
        return [item async for item in stream]

    return asyncio.run(read())


# The default in the guide.


def test_a_model_with_call_alone_yields_exactly_one_value() -> None:
    assert list(Echo().stream("hello world")) == ["hello"]
    assert collect(Echo().astream("hello world")) == ["hello"]


def test_a_model_with_stream_streams() -> None:
    assert list(Streaming().stream("hello world")) == list("hello")
    assert collect(Streaming().astream("hello world")) == list("hello")


def test_a_model_with_astream_streams_for_async_code_only() -> None:
    assert collect(AsyncStreaming().astream("hello world")) == list("HELLO")
    assert list(AsyncStreaming().stream("hello world")) == ["hello"]


def test_invoke_batch_and_generate_call() -> None:
    model = Echo(n=2)
    assert (model.invoke("abc"), asyncio.run(model.ainvoke("abc"))) == ("ab", "ab")
    assert model.batch(["abc", "def", "ghi"]) == ["ab", "de", "gh"]
    assert asyncio.run(model.abatch(["abc", "def"], {"max_concurrency": 1})) == ["ab", "de"]
    result = model.generate(["abc", "def"])
    assert result == LLMResult([[Generation("ab")], [Generation("de")]])
    assert result.run is not None
    assert all(isinstance(run, RunInfo) for run in result.run)
    with pytest.raises(ValueError, match="list"):
        model.generate("abc")  # type: ignore[arg-type]


def test_a_stream_is_an_iterator_and_a_context_manager() -> None:
    with Streaming().stream("hello") as stream:
        assert isinstance(stream, Stream)
        assert (next(stream), next(stream)) == ("h", "e")
    assert list(stream) == []


def test_an_empty_stream_of_a_users_model_is_an_error() -> None:
    class Empty(Echo):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            yield from ()

    with pytest.raises(ValueError, match="No generation chunks were returned"):
        list(Empty().stream("p"))
    with pytest.raises(ValueError, match="No generation chunks were returned"):
        collect(Empty().astream("p"))


def test_an_exception_of_users_code_is_raised_unchanged_after_its_chunks() -> None:
    class Broken(Echo):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            yield GenerationChunk("a")
            raise ConnectionResetError("mine")

    for stream in (Broken().stream("p"), Broken().astream("p")):
        seen, raised = read_all(stream)
        assert (seen, type(raised), str(raised)) == (["a"], ConnectionResetError, "mine")


def test_an_object_that_is_not_a_chunk_raises() -> None:
    class Wrong(Echo):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
            yield "text"

    with pytest.raises(TypeError, match="GenerationChunk"):
        list(Wrong().stream("p"))


def test_stop_and_other_arguments_reach_the_model() -> None:
    class Telling(Echo):
        def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            return f"{stop} {kwargs}"

    model = Telling()
    assert model.invoke("p", stop=["x"], k=1) == "['x'] {'k': 1}"
    assert model.bind(k=2).invoke("p") == "None {'k': 2}"
    assert list(model.stream("p", stop=["x"])) == ["['x'] {}"]
    assert asyncio.run(model.ainvoke("p", k=3)) == "None {'k': 3}"


def test_methods_without_a_run_manager_parameter_receive_none() -> None:
    class Old(LLM):
        def _call(self, prompt: str, stop: Any = None) -> str:  # type: ignore[override]
            return prompt

        @property
        def _llm_type(self) -> str:
            return "old"

    assert (Old().invoke("p"), asyncio.run(Old().ainvoke("p"))) == ("p", "p")


def test_async_code_calls_acall() -> None:
    class Async(Echo):
        async def _acall(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            return "async"

    assert asyncio.run(Async().ainvoke("p")) == "async"
    assert collect(Async().astream("p")) == ["async"]
    assert Async().invoke("hello") == "hello"


def test_a_model_that_generates_for_many_prompts_is_called_once() -> None:
    class Many(BaseLLM):
        def _generate(self, prompts: list[str], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> LLMResult:
            calls.append(prompts)
            return LLMResult([[Generation(prompt.upper())] for prompt in prompts])

        @property
        def _llm_type(self) -> str:
            return "many"

    calls: list[list[str]] = []
    assert Many().batch(["a", "b", "c"]) == ["A", "B", "C"]
    assert Many().batch(["a", "b", "c"], {"max_concurrency": 2}) == ["A", "B", "C"]
    assert calls == [["a", "b", "c"], ["a", "b"], ["c"]]


def test_abstract_methods_must_be_implemented() -> None:
    with pytest.raises(TypeError, match="abstract"):
        LLM()  # type: ignore[abstract]


def test_names_types_and_parameters_are_as_langchains() -> None:
    model = Echo()
    assert (model.get_name(), Echo(name="mine").get_name()) == ("Echo", "mine")
    assert model.asdict() == {"model_name": "CustomChatModel", "_type": "custom"}


# Runnables.


class Doubling(Runnable[int, int]):
    def invoke(self, input: int, config: RunnableConfig | None = None, **kwargs: Any) -> int:
        if input < 0:
            raise ValueError("negative")
        return input * 2


def test_a_subclass_with_invoke_alone_has_every_method() -> None:
    runnable = Doubling()
    assert list(runnable.stream(1)) == [2]
    assert collect(runnable.astream(1)) == [2]
    assert runnable.batch([1, 2, 3]) == [2, 4, 6]
    outputs = runnable.batch([1, -1, 3], return_exceptions=True)
    assert (outputs[0], type(outputs[1]), outputs[2]) == (2, ValueError, 6)
    assert asyncio.run(runnable.abatch([1, 2, 3], {"max_concurrency": 2})) == [2, 4, 6]
    with pytest.raises(ValueError, match="negative"):
        runnable.batch([-1, 1])
    with pytest.raises(ValueError, match="negative"):
        asyncio.run(runnable.abatch([-1, 1]))


def test_configurations_of_a_batch_must_be_as_many_as_its_inputs() -> None:
    with pytest.raises(ValueError, match="same length"):
        Echo().batch(["a", "b"], [{}])


# Threads.


def test_a_sync_stream_in_async_code_does_not_block_the_loop() -> None:
    class Slow(Echo):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            threads.add(threading.current_thread())
            yield GenerationChunk("a")
            assert may_go_on.wait(5)
            yield GenerationChunk("b")

    threads: set[threading.Thread] = set()
    may_go_on = threading.Event()

    async def run() -> list[str]:
        stream = Slow().astream("p")
        chunks = [await anext(stream)]
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        may_go_on.set()
        return [*chunks, await waiting]

    assert asyncio.run(run()) == ["a", "b"]
    assert threading.main_thread() not in threads


def test_context_variables_reach_the_model_and_its_changes_stay_there() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    class Reading(Echo):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            yield GenerationChunk(variable.get())
            variable.set("inside")
            yield GenerationChunk(variable.get())

    async def run() -> None:
        variable.set("outside")
        assert [chunk async for chunk in Reading().astream("p")] == ["outside", "inside"]
        assert variable.get() == "outside"

    asyncio.run(run())


def test_a_users_generator_is_closed_with_the_stream() -> None:
    closed: list[str] = []

    class Closing(Echo):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            try:
                yield GenerationChunk("a")
                yield GenerationChunk("b")
            finally:
                closed.append("sync")

        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
            try:
                yield GenerationChunk("a")
                yield GenerationChunk("b")
            finally:
                closed.append("async")

    class Threaded(Closing):
        _astream = BaseLLM._astream

    async def leave(model: LLM) -> None:
        async with model.astream("p") as stream:
            await anext(stream)
        async for _ in model.astream("p"):
            break
        await asyncio.sleep(0)
        deadline = time.monotonic() + 5
        while len(closed) % 2 and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    gc.disable()
    try:
        for _ in Closing().stream("p"):
            break
        assert closed == ["sync"]
        closed.clear()
        asyncio.run(leave(Closing()))
        assert closed == ["async", "async"]
        closed.clear()
        asyncio.run(leave(Threaded()))
        assert closed == ["sync", "sync"]
    finally:
        gc.enable()


def test_cancelling_does_not_wait_for_a_blocked_thread() -> None:
    blocks = threading.Event()
    may_go_on = threading.Event()
    closed = threading.Event()

    class Blocked(Echo):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            try:
                yield GenerationChunk("a")
                blocks.set()
                assert may_go_on.wait(5)
                yield GenerationChunk("b")
            finally:
                closed.set()

    async def run() -> None:
        stream = Blocked().astream("p")
        await anext(stream)
        task = asyncio.ensure_future(anext(stream))
        assert await asyncio.to_thread(blocks.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not closed.is_set()
        may_go_on.set()

    asyncio.run(run())
    assert closed.wait(5)
