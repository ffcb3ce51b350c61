"""A handler that is not called for chunks leaves a stream on its direct path, and is called as others are."""

import asyncio
import re
from collections.abc import Callable
from contextlib import aclosing, closing, suppress
from typing import Any

import pytest

from langchain_peer import dump_messages
from millstream import ChatAnthropic, ChatGoogleGenerativeAI, ChatOllama, ChatOpenAI, OpenAI
from millstream.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from millstream.errors import MillstreamError
from millstream.testing import Cut, ErrorFrame, ErrorStatus, MockServer, Refuse, Reply, assert_no_leaks

EVENTS = ("on_llm_start", "on_chat_model_start", "on_llm_end", "on_llm_error")


def _method(event: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> None:
        self.log.append((event, args, kwargs))

    return method


def _amethod(event: str) -> Any:
    async def method(self: Any, *args: Any, **kwargs: Any) -> None:
        await asyncio.sleep(0)
        self.log.append((event, args, kwargs))

    return method


class Quiet(BaseCallbackHandler):
    """Records the start and the end of runs."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    on_llm_start, on_chat_model_start, on_llm_end, on_llm_error = map(_method, EVENTS)


class QuietAsync(AsyncCallbackHandler):
    """Records the start and the end of runs, in coroutines."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    on_llm_start, on_chat_model_start, on_llm_end, on_llm_error = map(_amethod, EVENTS)


class Loud(Quiet):
    """Is called for each chunk too."""

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        """Do nothing."""


HANDLERS: dict[str, type[Any]] = {"sync": Quiet, "async": QuietAsync}
MODELS: dict[str, Callable[[MockServer], Any]] = {
    "completions": lambda server: OpenAI(api_key="k", base_url=server.url, max_retries=1, stream_usage=True),
    "chat": lambda server: ChatOpenAI(model="m", api_key="k", base_url=server.url, max_retries=1, stream_usage=True),
    "responses": lambda server: ChatOpenAI(
        model="m", api_key="k", base_url=server.url, max_retries=1, use_responses_api=True
    ),
    "anthropic": lambda server: ChatAnthropic(model="claude-haiku-4-5", api_key="k", base_url=server.origin).bind_tools(
        [{"name": "f", "description": "A tool.", "input_schema": {"type": "object", "properties": {}}}]
    ),
    "google": lambda server: ChatGoogleGenerativeAI(model="gemini-2.5-flash", api_key="k", base_url=server.origin),
    "ollama": lambda server: ChatOllama(model="m", base_url=server.origin),
}
REPLIES = {
    "whole": [Reply()],
    "calls": [Reply(pieces=["a"], tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c1"}])],
    "truncated": [Reply(fault=Cut(3))],
    "an error on the way": [Reply(fault=ErrorFrame(2))],
    "an error status": [Reply(fault=ErrorStatus(400))],
    "lost and sent again": [Reply(fault=Refuse()), Reply()],
    "cut at once, and sent again": [Reply(fault=Cut(0)), Reply()],
    "cut at once, twice": [Reply(fault=Cut(0)), Reply(fault=Cut(0)), Reply(fault=Cut(0))],
}


async def _acollect(chunks: Any, take: int | None = None) -> None:
    async with aclosing(chunks):
        count = 0
        async for _ in chunks:
            count += 1
            if count == take:
                break


def _collect(chunks: Any, take: int) -> None:
    with closing(chunks):
        for count, _ in enumerate(chunks, 1):
            if count == take:
                break


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "stream": lambda model, config: list(model.stream("p", config)),
    "astream": lambda model, config: asyncio.run(_acollect(model.astream("p", config))),
    "events": lambda model, config: list(model.stream_events("p", config, version="v2")),
    "aevents": lambda model, config: asyncio.run(_acollect(model.astream_events("p", config, version="v2"))),
    "records": lambda model, config: asyncio.run(_acollect(model.astream_records("p", config))),
    "a wire": lambda model, config: asyncio.run(_acollect(model.astream_records("p", config, wire="ndjson"))),
    "left": lambda model, config: _collect(model.stream("p", config), 2),
    "left, async": lambda model, config: asyncio.run(_acollect(model.astream("p", config), 2)),
    "invoke": lambda model, config: model.invoke(
        "p", config, **({} if isinstance(model, OpenAI) else {"stream": True})
    ),
}


def calls(which: str, way: str, replies: list[Reply], handler: Any) -> Any:
    """Return the calls of the handler, without ids and addresses."""
    with MockServer(script=replies) as server, suppress(MillstreamError):
        WAYS[way](MODELS[which](server), {"callbacks": [handler]})
    text = repr([(event, dump_messages(args), sorted(kwargs.items(), key=str)) for event, args, kwargs in handler.log])
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|127\.0\.0\.1:\d+|mock-?\d+|0x[0-9a-f]+", "ID", text)
    return [event for event, *_ in handler.log], text


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send requests again without a wait."""
    monkeypatch.setattr("millstream.providers.http.retry._FIRST_DELAY", 0.001)


@pytest.mark.parametrize("kind", REPLIES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("which", MODELS)
def test_it_receives_what_a_handler_of_chunks_receives(which: str, way: str, kind: str) -> None:
    names, text = calls(which, way, REPLIES[kind], Loud())
    quiet_names, quiet_text = calls(which, way, REPLIES[kind], Quiet())
    assert quiet_names == names
    assert len(names) == 2
    if "left" not in way:
        # What a stream that is left had received depends on how the network cut it.
        assert quiet_text == text


@pytest.mark.parametrize("kind", ["whole", "truncated", "an error status"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS)
def test_the_stream_runs_as_without_a_handler(
    handler: type[Any], way: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("millstream.language_models.streams._run_stream", None)
    monkeypatch.setattr("millstream.providers.chat_model.HTTPChatModel._read_generations", None)
    names, _ = calls("chat", way, REPLIES[kind], handler())
    has_ended = kind == "whole" and "left" not in way
    assert names == ["on_chat_model_start", "on_llm_end" if has_ended else "on_llm_error"]


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS)
@pytest.mark.parametrize("which", MODELS)
def test_leaving_a_stream_leaves_nothing(which: str, handler: type[Any]) -> None:
    with MockServer() as server, assert_no_leaks():
        for way in ("left", "left, async", "stream"):
            WAYS[way](MODELS[which](server), {"callbacks": [handler()]})


def test_a_stream_that_the_collector_closes_reports_it_once() -> None:
    quiet = Quiet()
    with MockServer() as server:
        stream = iter(MODELS["chat"](server).stream("p", {"callbacks": [quiet]}))
        next(stream)
        del stream
    assert [event for event, *_ in quiet.log] == ["on_chat_model_start", "on_llm_error"]
    assert isinstance(quiet.log[1][1][0], GeneratorExit)


def test_a_cancelled_task_is_the_reason_of_the_end() -> None:
    quiet = Quiet()
    quiet.run_inline = True

    async def main(model: Any) -> None:
        begun = asyncio.Event()

        async def read() -> None:
            async for _ in model.astream("p", {"callbacks": [quiet]}):
                begun.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    with MockServer() as server:
        asyncio.run(main(MODELS["chat"](server)))
    assert [event for event, *_ in quiet.log] == ["on_chat_model_start", "on_llm_error"]


@pytest.mark.parametrize("which", MODELS)
def test_the_record_of_the_end_has_the_text_and_nothing_else(which: str) -> None:
    async def read(model: Any) -> Any:
        return [record async for record in model.astream_records("p", version="v2")][-1]

    with MockServer(Reply(pieces=["a", "b"])) as server:
        record = asyncio.run(read(MODELS[which](server))).decode()
    assert '"on_chat_model_end"' in record or '"on_llm_end"' in record
    assert re.search(r'"(content|text)":"ab"|"text":"ab"', record)


def test_an_error_of_the_handler_reaches_the_caller_where_it_asks_for_it() -> None:
    class Raising(Quiet):
        raise_error = True

        def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
            raise KeyError("end")

    with MockServer() as server, pytest.raises(KeyError, match="end"):
        list(MODELS["chat"](server).stream("p", {"callbacks": [Raising()]}))


def test_a_base_class_with_the_methods_of_its_own_is_asked_too() -> None:
    class Child(Loud):
        pass

    child = Child()
    seen: list[str] = []
    child.on_llm_new_token = lambda token, **kwargs: seen.append(token)  # type: ignore[method-assign]
    with MockServer(Reply(pieces=["a", "b"])) as server:
        list(MODELS["chat"](server).stream("p", {"callbacks": [child]}))
    assert "".join(seen) == "ab"
