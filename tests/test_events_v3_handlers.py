"""Handlers of the events of version 3, models that make their events themselves, and calls for such handlers."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import langchain_core.caches
import langchain_core.callbacks
import langchain_core.language_models.chat_models
import langchain_core.language_models.fake_chat_models
import langchain_core.messages
import langchain_core.outputs
import pytest
from langchain_core.tracers._streaming import _V2StreamingCallbackHandler

import millstream.caches
import millstream.callbacks
import millstream.language_models.chat_models
import millstream.language_models.fake_chat_models
import millstream.messages
import millstream.outputs
from endings import aread
from events_v3 import ANSWERS, both_models, plain, reply_of
from millstream.testing import ErrorStatus, MockServer, Reply

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")


def names_of(package: Any) -> Any:
    parts = (package.caches, package.callbacks, package.messages, package.outputs, package.language_models.chat_models)
    names: dict[str, Any] = {}
    for module in (*parts, package.language_models.fake_chat_models):
        names |= (
            {name: getattr(module, name) for name in module.__all__} if hasattr(module, "__all__") else vars(module)
        )
    return SimpleNamespace(**names)


LIBRARIES = [names_of(millstream), names_of(langchain_core)]
ours, theirs = LIBRARIES


def recorder_of(lib: Any, *bases: type, is_async: bool = False) -> Any:
    """Return a handler that keeps the names and the values of its events."""
    calls: list[Any] = []

    def keep(name: str) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> None:
            value = args[0] if name in ("on_stream_event", "on_llm_new_token") else None
            if name == "on_llm_end":
                value = args[0].generations[0][0].message
            if name == "on_llm_error":
                value = type(args[0]).__name__, [len(some) for some in kwargs["response"].generations]
            calls.append((name, plain(value)))

        async def acall(self: Any, *args: Any, **kwargs: Any) -> None:
            call(self, *args, **kwargs)

        return acall if is_async else call

    events = ("on_chat_model_start", "on_stream_event", "on_llm_new_token", "on_llm_end", "on_llm_error")
    base = lib.AsyncCallbackHandler if is_async else lib.BaseCallbackHandler
    kind = type("Recorder", (base, *bases), {name: keep(name) for name in events})
    handler: Any = kind()
    handler.calls = calls
    return handler


@pytest.mark.parametrize("which", ANSWERS)
def test_handlers_receive_the_same_events_in_the_same_order(which: str) -> None:
    found: list[Any] = []
    with MockServer(reply_of(ANSWERS[which])) as server:
        for lib, model in zip(LIBRARIES, both_models(server), strict=True):
            sync, of_async = recorder_of(lib), recorder_of(lib, is_async=True)
            list(model.stream_events("p", {"callbacks": [sync]}, version="v3"))

            async def main(model: Any = model, handler: Any = of_async) -> None:
                stream = await model.astream_events("p", {"callbacks": [handler]}, version="v3")
                await aread(stream)
                # LangChain's run ends some turns of the loop after its last event.
                await stream

            asyncio.run(main())
            found.append((sync.calls, of_async.calls))
    assert found[0] == found[1]


def test_a_request_that_fails_is_reported_alike() -> None:
    found: list[Any] = []
    with MockServer(Reply(fault=ErrorStatus(429))) as server:
        for lib, model in zip(LIBRARIES, both_models(server), strict=True):
            handler = recorder_of(lib)
            with pytest.raises(Exception, match="429|Too Many|mock"):
                list(model.stream_events("p", {"callbacks": [handler]}, version="v3"))
            (name, (error, counts)) = handler.calls.pop()
            found.append((handler.calls, name, error.removeprefix("OpenAI"), counts))
    assert found[0] == found[1]


def test_the_run_has_ended_when_the_last_event_is_there() -> None:
    handler = recorder_of(ours)
    with MockServer(reply_of(ANSWERS["a text"])) as server:
        for event in both_models(server)[0].stream_events("p", {"callbacks": [handler]}, version="v3"):
            if event["event"] == "message-finish":
                break
    assert handler.calls[-1][0] == "on_llm_end"


def test_a_stream_that_is_left_is_reported_as_left() -> None:
    handler = recorder_of(ours)
    with MockServer(reply_of(ANSWERS["a text"])) as server:
        stream = both_models(server)[0].stream_events("p", {"callbacks": [handler]}, version="v3")
        next(iter(stream.text))
        stream.close()
    assert handler.calls[-1] == ("on_llm_error", ["GeneratorExit", []])


# Models that make their events themselves.


def own_events(lib: Any, **hooks: Any) -> Any:
    """Return a model with hooks, or with what else ``hooks`` are."""

    class Model(lib.BaseChatModel):  # type: ignore[misc]
        @property
        def _llm_type(self) -> str:
            return "own"

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            return lib.ChatResult(generations=[lib.ChatGeneration(message=lib.AIMessage(content="whole"))])

    for name, hook in hooks.items():
        setattr(Model, name, hook)
    return Model()


EVENTS: list[dict[str, Any]] = [
    {"event": "message-start", "role": "ai", "id": "m1", "metadata": {"provider": "p", "model": "mo"}},
    {"event": "content-block-start", "index": 0, "content": {"type": "text", "text": ""}},
    {"event": "content-block-delta", "index": 0, "delta": {"type": "text-delta", "text": "own"}},
    {"event": "content-block-finish", "index": 0, "content": {"type": "text", "text": "own words"}},
]
FINISH = {"event": "message-finish", "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}}


def hook(*more: Any) -> Any:
    def stream(self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        yield from (*EVENTS, *more)

    return stream


def ahook(*more: Any) -> Any:
    async def stream(self: Any, messages: Any, **kwargs: Any) -> AsyncIterator[Any]:
        for event in (*EVENTS, *more):
            yield event

    return stream


@pytest.mark.parametrize("more", [(), (FINISH,)])
def test_a_models_own_events_are_passed_on(more: tuple[Any, ...]) -> None:
    found = []
    for lib in LIBRARIES:
        handler = recorder_of(lib)
        model = own_events(lib, _stream_chat_model_events=hook(*more), _astream_chat_model_events=ahook(*more))
        stream = model.stream_events("p", {"callbacks": [handler]}, version="v3")
        events, output = list(stream), plain(stream.output)

        async def main(model: Any = model) -> Any:
            stream = await model.astream_events("p", version="v3")
            return await aread(stream), plain(await stream.output), await aread(stream.text)

        found.append((events[:5], output, asyncio.run(main()), handler.calls[-1]))
    assert found[0][1:] == found[1][1:]
    assert found[0][0][:4] == EVENTS
    assert found[0][2][2] == ["own", " words"]


def test_events_behind_the_last_one_are_not_passed_on() -> None:
    model = own_events(ours, _stream_chat_model_events=hook(FINISH, EVENTS[0]))
    assert list(model.stream_events("p", version="v3")) == [*EVENTS, FINISH]


def test_async_code_runs_a_hook_for_sync_code_in_a_thread() -> None:
    model = own_events(ours, _stream_chat_model_events=hook(FINISH))

    async def main() -> Any:
        return await (await model.astream_events("p", version="v3"))

    assert asyncio.run(main()).text == "own words"


def test_an_error_event_of_a_model_ends_the_stream_with_an_error() -> None:
    handler = recorder_of(ours)
    model = own_events(ours, _stream_chat_model_events=hook({"event": "error", "message": "no more"}, EVENTS[0]))
    stream = model.stream_events("p", {"callbacks": [handler]}, version="v3")
    events: list[Any] = []
    with pytest.raises(RuntimeError, match="no more"):
        events.extend(stream)
    assert [event["event"] for event in handler_events(handler)][-1] == "error"
    assert handler.calls[-1][0] == "on_llm_error"


def handler_events(handler: Any) -> list[Any]:
    return [value for name, value in handler.calls if name == "on_stream_event"]


def test_a_model_that_does_not_stream_has_the_events_of_its_answer() -> None:
    handler = recorder_of(ours)
    model = own_events(ours)
    stream = model.stream_events("p", {"callbacks": [handler]}, version="v3")
    assert [event["event"] for event in stream] == [
        "message-start",
        "content-block-start",
        "content-block-delta",
        "content-block-finish",
        "message-finish",
    ]
    assert stream.output.text == "whole"
    assert [name for name, _ in handler.calls] == ["on_chat_model_start", *["on_stream_event"] * 5, "on_llm_end"]

    async def main() -> Any:
        return await (await model.astream_events("p", version="v3")).text

    assert asyncio.run(main()) == "whole"


def test_a_model_that_streams_nothing_is_an_error() -> None:
    model = own_events(ours, _stream=lambda self, messages, stop=None, run_manager=None, **kwargs: iter(()))
    handler = recorder_of(ours)
    with pytest.raises(ValueError, match="No generation chunks were returned"):
        list(model.stream_events("p", {"callbacks": [handler]}, version="v3"))
    assert [name for name, _ in handler.calls] == ["on_chat_model_start", "on_llm_error"]


# Calls for a handler that asks for events.


@pytest.mark.parametrize("cached", [False, True])
def test_a_call_reports_events_to_a_handler_that_asks_for_them(cached: bool) -> None:
    found: list[Any] = []
    for lib in LIBRARIES:
        model = lib.FakeListChatModel(responses=["ab"], cache=lib.InMemoryCache() if cached else None)
        handlers = [recorder_of(lib, _V2StreamingCallbackHandler) for _ in range(2)]
        outputs = [model.invoke("p", {"callbacks": [handler]}) for handler in handlers]
        of_async = recorder_of(lib, _V2StreamingCallbackHandler, is_async=True)
        outputs.append(asyncio.run(model.ainvoke("p", {"callbacks": [of_async]})))
        found.append([plain(output.text) for output in outputs])
        found.append([[call for call in one.calls if call[0] != "on_llm_end"] for one in (*handlers, of_async)])
    assert found[:2] == found[2:]
    assert found[1][0][1][1]["event"] == "message-start"


def test_a_call_that_may_not_stream_reports_no_events() -> None:
    model = ours.FakeListChatModel(responses=["ab"], disable_streaming=True)
    handler = recorder_of(ours, _V2StreamingCallbackHandler)
    assert model.invoke("p", {"callbacks": [handler]}).text == "ab"
    assert handler_events(handler) == []
