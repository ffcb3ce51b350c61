"""``to_langchain`` of chat models: LangChain's machinery and agents run them as its own, beside langchain-openai's."""

import asyncio
import inspect
import pickle
from collections.abc import Iterator
from typing import Any

import langchain_core.caches
import langchain_core.callbacks
import pytest
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.tools import tool as their_tool
from pydantic import BaseModel

import millstream.caches
import millstream.rate_limiters
from endings import aread
from langchain_peer import KEY, achat_peer, apeer, chat_of, chat_peer, dump_messages, llm_of, normalize_events
from millstream.integrations.langchain import to_langchain
from millstream.language_models import FakeListChatModel
from millstream.testing import MockServer, Reply
from millstream.tools import tool as our_tool
from recording import chat_handlers, comparable_calls

CALL = {"name": "add", "args": {"a": 1, "b": 2}, "id": "call_1"}


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


def without_versions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_versions(item) for key, item in value.items() if key != "lc_versions"}
    return value


def both(server: MockServer, call: Any, **arguments: Any) -> tuple[Any, Any]:
    """Return what ``call``, which may be async, returns for langchain-openai's model and for ours, converted."""

    async def main() -> tuple[Any, Any]:
        async with achat_peer(server.url, model="m", **arguments) as theirs:
            expected = await finish(call(theirs))
        async with chat_of(server, model="m", **arguments) as ours:
            return expected, await finish(call(to_langchain(ours)))

    return asyncio.run(main())


async def finish(output: Any) -> Any:
    return await output if inspect.isawaitable(output) else output


def test_it_is_a_chat_model_of_langchains(server: MockServer) -> None:
    model: Any = to_langchain(chat_of(server, model="m", temperature=0.5, tags=["a"], metadata={"b": 1}))
    assert issubclass(type(model), BaseChatModel)
    assert isinstance(to_langchain(llm_of(server)), BaseLLM)
    assert (model._llm_type, model.get_name()) == ("openai-chat", "ChatOpenAI")
    assert (model.tags, without_versions(model.metadata)) == (["a"], {"b": 1})
    assert model.temperature == 0.5
    with pytest.raises(AttributeError):
        _ = model.nothing
    with chat_peer(server.url, model="m", temperature=0.5) as theirs:
        assert model._get_ls_params() == theirs._get_ls_params()
    again = pickle.loads(pickle.dumps(model))
    assert (again.model_name, again.tags) == ("m", ["a"])
    assert KEY not in repr(model)


WAYS: dict[str, Any] = {
    "invoke": lambda model: model.invoke("p"),
    "ainvoke": lambda model: model.ainvoke("p"),
    "batch": lambda model: model.batch(["p"]),
    "abatch": lambda model: model.abatch(["p"]),
    "generate": lambda model: model.generate([[HumanMessage("p")]]).generations[0][0].message,
    "sum": lambda model: sum_of(model.stream("p")),
    "asum": lambda model: asum_of(model.astream("p")),
}


async def asum_of(chunks: Any) -> Any:
    return sum_of(await aread(chunks))


def sum_of(chunks: Any) -> Any:
    first, *others = chunks
    total = first
    for chunk in others:
        total = total + chunk
    return total


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reply", [Reply(), Reply(tool_calls=[CALL])], ids=["text", "tool call"])
def test_its_answers_are_those_of_langchain_openai(way: str, reply: Reply) -> None:
    with MockServer(reply) as server:
        expected, found = both(server, WAYS[way])
    assert type(found) is type(expected)
    expected, found = dump_messages(expected), dump_messages(found)
    for answer in [expected, found] if isinstance(found, dict) else [*expected, *found]:
        answer["response_metadata"] = {
            key: value for key, value in answer["response_metadata"].items() if key in ("finish_reason", "model_name")
        }
        answer.pop("id")
    assert found == expected


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("reply", [Reply(), Reply(tool_calls=[CALL])], ids=["text", "tool call"])
def test_chunks_are_equal_whether_somebody_listens_or_not(way: str, reply: Reply) -> None:
    log: list[Any] = []

    async def read(model: Any, config: Any) -> list[Any]:
        return list(model.stream("p", config)) if way == "stream" else await aread(model.astream("p", config))

    async def main() -> tuple[Any, Any]:
        async with MockServer(reply) as server, chat_of(server, model="m") as ours:
            model = to_langchain(ours)
            return await read(model, None), await read(model, {"callbacks": [chat_handlers(log)[0]]})

    alone, observed = asyncio.run(main())
    assert {type(chunk) for chunk in alone} == {AIMessageChunk}
    assert dump_messages(alone) == dump_messages(observed)
    assert [event for _, event, *_ in log][:1] == ["on_chat_model_start"]


def test_handlers_are_called_as_for_langchain_openai(server: MockServer) -> None:
    logs = []
    for make in (chat_peer, None):
        log: list[Any] = []
        config: Any = {"callbacks": [chat_handlers(log)[0]], "tags": ["t"], "metadata": {"k": 1}}
        if make is not None:
            with make(server.url, model="m", temperature=0) as theirs:
                list(theirs.stream("p", config))
        else:
            with chat_of(server, model="m", temperature=0) as ours:
                list(to_langchain(ours).stream("p", config))
        logs.append([(event, sorted(dict(kwargs))) for _, event, _, kwargs in comparable_calls(log)])
    assert logs[1][0] == logs[0][0]
    assert {event for event, _ in logs[1]} == {event for event, _ in logs[0]}


@their_tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@our_tool
def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


class Answer(BaseModel):
    """An answer."""

    text: str


def test_tools_of_either_library_are_bound(server: MockServer) -> None:
    with chat_of(server, model="m") as ours:
        model = to_langchain(ours)
        bound: Any = model.bind_tools([add, to_langchain(multiply), multiply], tool_choice="any")
        assert bound.bound is model
        bound.invoke("p")
    sent = server.requests[-1].body
    assert [one["function"]["name"] for one in sent["tools"]] == ["add", "multiply", "multiply"]
    assert sent["tool_choice"] == "required"


def test_answers_follow_a_schema() -> None:
    async def main() -> Any:
        async with MockServer(Reply(pieces=['{"text": ', '"a"}'])) as server, chat_of(server, model="m") as ours:
            model = to_langchain(ours).with_structured_output(Answer)
            assert model.invoke("p") == Answer(text="a")
            assert await model.ainvoke([HumanMessage("p")]) == Answer(text="a")
            return to_langchain(ours).with_structured_output(Answer, include_raw=True).invoke("p")

    raw = asyncio.run(main())
    assert type(raw["raw"]) is AIMessage
    assert raw["parsed"] == Answer(text="a")


def test_usage_is_counted_by_langchains_handler(server: MockServer) -> None:
    def count(model: Any) -> Any:
        with langchain_core.callbacks.get_usage_metadata_callback() as usage:
            model.invoke("p")
            list(model.stream("p"))
        return usage.usage_metadata

    expected, found = both(server, count, stream_usage=True)
    assert found == expected
    assert found


def test_caches_of_either_library_hold_its_answers(server: MockServer) -> None:
    with chat_of(server, model="m", cache=millstream.caches.InMemoryCache()) as ours:
        model = to_langchain(ours)
        first, second = model.invoke("p"), asyncio.run(model.ainvoke("p"))  # the second one makes no request
        assert first.content == second.content
    assert len(server.requests) == 1
    set_llm_cache(langchain_core.caches.InMemoryCache())
    try:
        with chat_of(server, model="m") as ours:
            assert to_langchain(ours).invoke("p").content == to_langchain(ours).invoke("p").content
    finally:
        set_llm_cache(None)
    assert len(server.requests) == 2


def test_its_rate_limiter_is_asked_once_a_request(server: MockServer) -> None:
    asked: list[str] = []

    class Limiter(millstream.rate_limiters.BaseRateLimiter):
        def acquire(self, *, blocking: bool = True) -> bool:
            asked.append("sync")
            return True

        async def aacquire(self, *, blocking: bool = True) -> bool:
            asked.append("async")
            return True

    async def main() -> None:
        async with chat_of(server, model="m", rate_limiter=Limiter()) as ours:
            model = to_langchain(ours)
            model.invoke("p")
            list(model.stream("p"))
            await aread(model.astream("p"))

    asyncio.run(main())
    assert asked == ["sync", "sync", "async"]


def test_switches_of_streaming_are_kept() -> None:
    model = to_langchain(FakeListChatModel(responses=["ab"], disable_streaming=True))
    assert [chunk.content for chunk in model.stream("p")] == ["ab"]
    assert [chunk.content for chunk in asyncio.run(aread(model.astream("p")))] == ["ab"]


def test_a_completion_model_streams_text(server: MockServer) -> None:
    log: list[Any] = []

    async def main() -> None:
        async with apeer(server.url) as theirs, llm_of(server) as ours:
            model, expected = to_langchain(ours), list(theirs.stream("p"))
            assert list(model.stream("p")) == expected
            assert list(model.stream("p", {"callbacks": [chat_handlers(log)[0]]})) == expected
            assert await aread(model.astream("p")) == expected
            assert model.invoke("p") == theirs.invoke("p")
            assert model.batch(["p", "q"]) == theirs.batch(["p", "q"])

    asyncio.run(main())
    chunks = [kwargs["chunk"] for _, event, _, kwargs in log if event == "on_llm_new_token"]
    assert {type(chunk).__module__ for chunk in chunks} == {"langchain_core.outputs.generation"}


@pytest.mark.parametrize("reply", [Reply(), Reply(tool_calls=[CALL])], ids=["text", "tool call"])
@pytest.mark.parametrize("options", [{}, {"include_types": ["chat_model"]}, {"exclude_names": ["ChatOpenAI"]}], ids=str)
def test_events_are_equal_whether_somebody_listens_or_not(reply: Reply, options: Any) -> None:
    log: list[Any] = []
    config = {"tags": ["t"], "metadata": {"k": 1}, "run_name": "mine"}
    configs: list[Any] = [config, {**config, "callbacks": [chat_handlers(log)[0]]}]

    async def main() -> Any:
        async with MockServer(reply) as server, chat_of(server, model="m", tags=["own"], stream_usage=True) as ours:
            model = to_langchain(ours)
            return [await aread(model.astream_events("p", one, version="v2", stop=["x"], **options)) for one in configs]

    alone, observed = asyncio.run(main())
    assert normalize_events(alone) == normalize_events(observed)
    assert bool(alone) is ("exclude_names" not in options or "run_name" in config)
    assert {type(event["data"]["chunk"]) for event in alone if event["event"].endswith("stream")} == {AIMessageChunk}
