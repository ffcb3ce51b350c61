"""Users' code in streams: nothing that it opens reaches the consumer, and its errors do."""

import asyncio
import contextvars
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from endings import read_all, read_into
from millstream import LLM
from millstream.callbacks import AsyncCallbackHandler
from millstream.errors import StreamTruncatedError
from millstream.language_models import BaseChatModel
from millstream.messages import AIMessageChunk
from millstream.outputs import ChatGenerationChunk, GenerationChunk
from millstream.streaming.channel import MAX_BUFFERED_ITEMS
from recording import AstreamBody, handlers, make_model
from user_code import Base, consume, run

pytestmark = pytest.mark.usefixtures("without_the_collector")

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


# Isolation.


class Scoped(Base):
    """Leaves a timeout open across its yields."""

    async def _astream(self, prompt: str, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
        async with asyncio.timeout(0.02):
            for piece in prompt:
                yield GenerationChunk(piece)
            await asyncio.Event().wait()


class AnyioScoped(Base):
    """Leaves a cancel scope of anyio's open across its yields."""

    async def _astream(self, prompt: str, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
        with anyio.fail_after(0.02):
            for piece in prompt:
                yield GenerationChunk(piece)
            await anyio.sleep_forever()


class Grouped(Base):
    """Leaves a task group open across its yields, one task of which fails."""

    async def _astream(self, prompt: str, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
        async with anyio.create_task_group() as group:

            async def fail() -> None:
                await anyio.sleep(0.01)
                raise KeyError("in the group")

            group.start_soon(fail)
            for piece in prompt:
                yield GenerationChunk(piece)
            await anyio.sleep_forever()


@pytest.mark.parametrize("model", [Scoped(), AnyioScoped()])
def test_a_timeout_left_open_hits_the_model_not_the_consumer(model: LLM) -> None:
    async def main() -> None:
        seen: list[str] = []
        with pytest.raises(TimeoutError):
            # The timeout strikes while the consumer is at work, and lets it finish.
            await consume(model.astream("ab"), seen, 0.05)
        assert seen == ["a", "b"]
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(main)


@pytest.mark.parametrize("model", [Scoped(), AnyioScoped()])
def test_a_timeout_left_open_reaches_a_model_that_waits_for_a_slow_consumer(model: LLM) -> None:
    async def main() -> int:
        seen: list[str] = []
        with pytest.raises(TimeoutError):
            await consume(model.astream("x" * (3 * MAX_BUFFERED_ITEMS)), seen, 0.05, pauses=1)
        return len(seen)

    # What was taken with the first chunk, and what filled the line after it.
    assert run(main) == 2 * MAX_BUFFERED_ITEMS


class Waiting(AsyncCallbackHandler):
    """Waits in its first callback for as long as nothing cancels it."""

    async def on_llm_new_token(self, *args: Any, **kwargs: Any) -> None:
        await asyncio.Event().wait()


class ScopedChat(BaseChatModel):
    """Leaves a timeout open across its yields; the handlers are notified of each chunk of a chat model."""

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        async with asyncio.timeout(0.02):
            yield ChatGenerationChunk(AIMessageChunk("a"))
            yield ChatGenerationChunk(AIMessageChunk("b"))

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    @property
    def _llm_type(self) -> str:
        return "scoped"


def test_a_timeout_left_open_that_ends_while_a_handler_is_awaited_reaches_the_model() -> None:
    async def main() -> None:
        seen: list[Any] = []
        with pytest.raises(TimeoutError):
            await consume(ScopedChat().astream("p", {"callbacks": [Waiting()]}), seen, 0)
        assert [chunk.content for chunk in seen] == ["a"]

    run(main)


def test_a_task_group_left_open_cancels_the_model_not_the_consumer() -> None:
    async def main() -> None:
        seen: list[str] = []
        with pytest.raises(ExceptionGroup) as caught:
            await consume(Grouped().astream("ab"), seen, 0.03)
        assert [str(error) for error in caught.value.exceptions] == ["'in the group'"]
        assert seen == ["a", "b"]

    run(main)


def test_a_scope_of_the_consumer_still_reaches_the_model() -> None:
    class Waiting(Base):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
            try:
                yield GenerationChunk("a")
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.log.append("cancelled")
                raise

    log: list[str] = []

    async def main() -> None:
        with anyio.move_on_after(0.02) as scope:
            await read_into([], Waiting(log=log).astream("p"))
        assert scope.cancelled_caught

    run(main)
    assert log == ["cancelled"]


class Setting(Base):
    """Sets a context variable in everything that can be written."""

    def _call(self, *args: Any, **kwargs: Any) -> str:
        return self._set("call")

    async def _acall(self, *args: Any, **kwargs: Any) -> str:
        return self._set("acall")

    def _set(self, value: str) -> str:
        seen = VARIABLE.get()
        VARIABLE.set(value)
        return f"{seen}>{VARIABLE.get()}"


class SettingStream(Setting):
    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
        yield GenerationChunk(self._set("one"))
        yield GenerationChunk(self._set("two"))


class SettingAstream(SettingStream):
    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
        yield GenerationChunk(self._set("one"))
        yield GenerationChunk(self._set("two"))


@pytest.mark.parametrize("events", [False, True])
@pytest.mark.parametrize(
    ("model", "sync", "asynchronous"),
    [
        (Setting(), ["outside>call"], ["outside>acall"]),
        (SettingStream(), ["outside>one", "one>two"], ["outside>one", "one>two"]),
        (SettingAstream(), ["outside>one", "one>two"], ["outside>one", "one>two"]),
    ],
)
def test_context_variables_reach_the_model_and_never_come_back(
    model: LLM, sync: list[str], asynchronous: list[str], events: bool
) -> None:
    def chunk(item: Any) -> Any:
        return item["data"].get("chunk") if events else item

    async def main() -> None:
        seen = []
        stream: Any = model.astream_events("p", version="v1") if events else model.astream("p")
        async for item in stream:
            seen.append(chunk(item))
            assert VARIABLE.get() == "outside"
        assert [item for item in seen if item] == asynchronous

    def consume() -> None:
        VARIABLE.set("outside")
        seen = []
        stream: Any = model.stream_events("p", version="v1") if events else model.stream("p")
        for item in stream:
            seen.append(chunk(item))
            assert VARIABLE.get() == "outside"
        assert [item for item in seen if item] == sync
        run(main)

    contextvars.copy_context().run(consume)


class Shared(AsyncCallbackHandler):
    """Opens a scope at the start of a run and leaves it open."""

    async def on_llm_start(self, *args: Any, **kwargs: Any) -> None:
        self.scope = anyio.CancelScope(deadline=anyio.current_time() + 0.01)
        self.scope.__enter__()

    async def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.scope.__exit__(None, None, None)


@pytest.mark.parametrize("body", [AstreamBody])
def test_a_scope_that_a_handler_leaves_open_does_not_reach_the_consumer(body: type) -> None:
    async def main() -> None:
        async for _ in make_model(body).astream("abc", {"callbacks": [Shared()]}):
            await asyncio.sleep(0.03)
        await make_model(body).ainvoke("abc", {"callbacks": [Shared()]})
        await asyncio.sleep(0.03)

    run(main)


# Handing over.


def test_what_comes_without_a_suspension_is_handed_over_at_once() -> None:
    class Bursts(Base):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
            for _ in range(3):
                for _ in range(10):
                    yield GenerationChunk("x")
                await asyncio.sleep(0)

    async def main() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        counter = asyncio.create_task(count())
        assert [chunk async for chunk in Bursts().astream("p")] == ["x"] * 30
        counter.cancel()
        await asyncio.wait([counter])
        return turns

    # A turn or two for each burst, not one for each chunk.
    assert run(main) < 15


def test_a_slow_consumer_holds_up_the_model() -> None:
    class Counting(Base):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
            for number in range(10 * MAX_BUFFERED_ITEMS):
                self.log.append(number)
                yield GenerationChunk("x")

    class CountingSync(Base):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[GenerationChunk]:
            for number in range(10 * MAX_BUFFERED_ITEMS):
                self.log.append(number)
                yield GenerationChunk("x")

    async def ahead(model: Any) -> None:
        taken = 0
        async for _ in model.astream("p"):
            taken += 1
            await asyncio.sleep(0)
            # What waits, what was taken with the chunk that is being read, and the one that is being made.
            assert len(model.log) - taken <= 2 * MAX_BUFFERED_ITEMS
        assert taken == 10 * MAX_BUFFERED_ITEMS

    run(lambda: ahead(Counting(log=[])))
    run(lambda: ahead(CountingSync(log=[])))


# Errors.


@pytest.mark.parametrize(
    "error", [KeyError("mine"), ConnectionResetError("mine"), StreamTruncatedError("mine"), StopAsyncIteration("mine")]
)
def test_what_users_code_raises_goes_up_as_it_is(error: Exception) -> None:
    class Failing(Base):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
            yield GenerationChunk("a")
            raise error

        async def _acall(self, *args: Any, **kwargs: Any) -> str:
            raise error

    for events in (False, True):
        model = Failing()
        items, raised = read_all(model.astream_events("p") if events else model.astream("p"))
        assert len(items) == (2 if events else 1)
        if isinstance(error, StopAsyncIteration):
            # Python makes a RuntimeError of it where it leaves a generator.
            assert raised is not None
            assert raised.__cause__ is error
        else:
            assert raised is error


def test_an_error_is_in_no_cycle() -> None:
    class Marked(Exception):
        pass

    class Failing(Base):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
            yield GenerationChunk("a")
            raise Marked

        async def _acall(self, *args: Any, **kwargs: Any) -> str:
            raise Marked

    async def main() -> list[weakref.ref[Any]]:
        refs = []
        log: list[Any] = []
        configs: list[Any] = [{}, {"callbacks": [handlers(log, run_inline=True)[1]]}]
        for config in configs:
            for stream in (Failing().astream("p", config), Failing().astream_events("p", config)):
                try:
                    await read_into([], stream)
                except Marked as error:
                    refs.append(weakref.ref(error))
            try:
                await Failing().ainvoke("p", config)
            except Marked as error:
                refs.append(weakref.ref(error))
            log.clear()
        return refs

    assert [ref() for ref in run(main)] == [None] * 6


def test_what_a_model_raises_while_it_is_closed_reaches_whoever_closes_it() -> None:
    class Clumsy(Base):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
            try:
                yield GenerationChunk("a")
                await asyncio.Event().wait()
            finally:
                raise KeyError("while closing")

    async def main() -> None:
        stream = Clumsy().astream("p")
        await anext(stream)
        with pytest.raises(KeyError, match="while closing"):
            await stream.aclose()

    run(main)
