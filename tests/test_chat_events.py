"""``astream_events`` of a chat model, compared with LangChain's: one server, equal fakes, key order included."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from cases import each
from endings import aread, read_all
from langchain_peer import KEY, achat_peer, allow_v1, events_of, normalize_events
from marks import versions
from test_chat_openai import DEFECTS, WIRE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.language_models import chat_models as their_chat_models
    from langchain_core.language_models import fake_chat_models as their_fakes
    from langchain_core.messages import AIMessage as TheirMessage
    from langchain_core.messages import AIMessageChunk as TheirMessageChunk
    from langchain_core.outputs import ChatGeneration as TheirGeneration
    from langchain_core.outputs import ChatGenerationChunk as TheirChunk
    from langchain_core.outputs import ChatResult as TheirResult
    from langchain_core.runnables import RunnableLambda as TheirLambda

from millstream import BaseChatModel, ChatOpenAI
from millstream.errors import ProviderError, StreamTruncatedError
from millstream.events.schema import EventVersion
from millstream.language_models import fake_chat_models as our_fakes
from millstream.messages import AIMessage, AIMessageChunk
from millstream.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from millstream.runnables import RunnableLambda
from millstream.testing import VERSE, Cut, ErrorFrame, MockServer, Reply

# ChatOpenAI compared with langchain_openai.

TOOLS = [{"type": "function", "function": {"name": "f"}}]
CALLS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("plain", {}, {}, {}),
    ("named", {"name": "mine"}, {}, {}),
    (
        "tagged",
        {"tags": ["model", "both"], "metadata": {"m": 1, "k": 0}},
        {"tags": ["call", "both"], "metadata": {"k": 2, "ls_provider": "x"}},
        {},
    ),
    ("run name", {}, {"run_name": "r", "run_id": UUID(int=5)}, {}),
    ("arguments", {"temperature": 0, "max_tokens": 5}, {}, {"temperature": 0.5, "max_tokens": 3, "model": "x"}),
    ("stop", {"stop": ["s"]}, {}, {"stop": ["\n"]}),
    ("usage", {"stream_usage": True}, {}, {}),
    ("tools", {}, {}, {"tools": TOOLS}),
    ("configurable", {}, {"configurable": {"model": "c", "other": "o"}}, {}),
    ("not in chunks", {"disable_streaming": True}, {}, {}),
    ("by type", {}, {}, {"include_types": ["chat_model"], "exclude_names": ["other"]}),
    ("by another type", {}, {}, {"include_types": ["llm"]}),
    ("by the model's tag", {"tags": ["m"]}, {}, {"include_tags": ["m"]}),
]


@versions
@pytest.mark.parametrize(("name", "fields", "config", "arguments"), CALLS, ids=[call[0] for call in CALLS])
def test_events_of_chat_openai_are_langchains(
    mock_server: MockServer,
    version: EventVersion,
    name: str,
    fields: dict[str, Any],
    config: dict[str, Any],
    arguments: dict[str, Any],
) -> None:
    async def theirs() -> list[dict[str, Any]]:
        async with achat_peer(mock_server.url, **fields) as model:
            return await aread(model.astream_events("p", dict(config), version=version, **arguments))

    with allow_v1():
        expected = asyncio.run(theirs())
    model = ChatOpenAI(base_url=mock_server.url, api_key=KEY, **fields)
    assert normalize(events_of(model, "p", config, version=version, **arguments)) == normalize(expected)


def normalize(events: list[dict[str, Any]]) -> Any:
    """Return normalized events, without the fields that the SDK adds to a complete answer."""

    def plain(value: Any) -> Any:
        if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
            named = [(key, plain(item)) for key, item in value]
            return [(key, item) for key, item in named if not (key.endswith("_details") and item is None)]
        if isinstance(value, str) and value.startswith("chatcmpl-mock"):
            return "chatcmpl"
        return [plain(item) for item in value] if isinstance(value, list) else value

    return [sort_events(plain(event)) for event in normalize_events(events)]


def sort_events(value: Any, *, within: bool = False) -> Any:
    """Return ``value`` with the provider's objects sorted by key: the SDK orders them differently."""
    if isinstance(value, tuple):
        return value[0], sort_events(value[1], within=within or value[0] in ("token_usage", "logprobs"))
    if isinstance(value, list):
        items = [sort_events(item, within=within) for item in value]
        return sorted(items, key=repr) if within else items
    return value


@versions
@each([case for case in WIRE if case["name"] not in DEFECTS])
def test_events_of_every_vector_are_langchains(case: dict[str, Any], version: EventVersion) -> None:
    async def theirs(url: str) -> tuple[list[Any], bool]:
        events: list[Any] = []
        async with achat_peer(url) as model:
            try:
                async for event in model.astream_events("p", version=version):
                    events.append(event)  # noqa: PERF401
            except Exception:
                return events, False
        return events, True

    with MockServer(Reply(body=case["body"])) as server:
        with allow_v1():
            expected, well = asyncio.run(theirs(server.url))
        events, error = read_all(ChatOpenAI(base_url=server.url, api_key=KEY).astream_events("p", version=version))
    assert normalize(events) == normalize(expected)
    assert (error is None) is well


@versions
@pytest.mark.parametrize(
    ("fault", "error"), [(ErrorFrame(after=3), ProviderError), (Cut(after=3, how="reset"), StreamTruncatedError)]
)
def test_a_failing_run_yields_its_chunks_and_no_end_event(
    version: EventVersion, fault: Any, error: type[Exception]
) -> None:
    with MockServer(Reply(fault=fault)) as server:
        events, raised = read_all(ChatOpenAI(base_url=server.url, api_key=KEY).astream_events("p", version=version))
    assert isinstance(raised, error)
    assert [event["event"] for event in events] == ["on_chat_model_start", *["on_chat_model_stream"] * 4]
    assert [event["data"]["chunk"].content for event in events[1:]] == ["", *VERSE[:3]]


@versions
def test_sync_events_are_those_of_async_code(mock_server: MockServer, version: EventVersion) -> None:
    model = ChatOpenAI(base_url=mock_server.url, api_key=KEY)
    assert normalize_events(list(model.stream_events("p", version=version))) == normalize_events(
        events_of(model, "p", version=version)
    )


@versions
@pytest.mark.parametrize("input", ["text", [("human", "h"), ("ai", "a")], [{"role": "user", "content": "c"}]])
def test_the_start_event_contains_the_unchanged_input(
    mock_server: MockServer, version: EventVersion, input: Any
) -> None:
    start = events_of(ChatOpenAI(base_url=mock_server.url, api_key=KEY), input, version=version)[0]
    assert start["data"]["input"] is input


# Users' models compared with equal ones of LangChain's.


class WholeBody:
    size: int = 3

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        return self.result(messages[-1].content[: self.size])  # type: ignore[attr-defined]

    @property
    def _llm_type(self) -> str:
        return "echo"


class StreamBody(WholeBody):
    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        for piece in ("", *messages[-1].content[: self.size]):
            yield self.chunk(piece)  # type: ignore[attr-defined]


class AstreamBody(WholeBody):
    async def _astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        for piece in messages[-1].content[: self.size]:
            yield self.chunk(piece)  # type: ignore[attr-defined]


class BrokenBody(StreamBody):
    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        yield self.chunk("a")  # type: ignore[attr-defined]
        raise RuntimeError("broken")


class EmptyBody(StreamBody):
    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        yield from ()


BODIES = [WholeBody, StreamBody, AstreamBody]


def build_pair(body: type) -> tuple[Any, Any]:
    """Return one model of each library with the same methods."""
    theirs = {
        "chunk": staticmethod(lambda text: TheirChunk(message=TheirMessageChunk(content=text), generation_info=INFO)),
        "result": staticmethod(
            lambda text: TheirResult(
                generations=[TheirGeneration(message=TheirMessage(content=text), generation_info=INFO)],
                llm_output={"o": 1},
            )
        ),
    }
    ours = {
        "chunk": staticmethod(lambda text: ChatGenerationChunk(AIMessageChunk(text), INFO)),
        "result": staticmethod(lambda text: ChatResult([ChatGeneration(AIMessage(text), INFO)], {"o": 1})),
    }
    return (
        type("MyChat", (body, their_chat_models.BaseChatModel), theirs)(),
        type("MyChat", (body, BaseChatModel), ours)(),
    )


INFO = {"finish_reason": "stop", "count": ["c"]}


def without_stops(value: Any) -> Any:
    """Return LangChain's events with the finish reasons corrected."""
    if isinstance(value, list):
        return [without_stops(item) for item in value]
    if isinstance(value, tuple):
        return (value[0], "stop") if value[0] == "finish_reason" else (value[0], without_stops(value[1]))
    return value


@versions
@pytest.mark.parametrize("body", BODIES)
def test_events_of_a_users_model_are_langchains(body: type, version: EventVersion) -> None:
    theirs, ours = build_pair(body)
    config = {"tags": ["t"], "metadata": {"k": 1}}
    expected = events_of(theirs, "hello", dict(config), version=version, stop=["x"])
    found = events_of(ours, "hello", config, version=version, stop=["x"])
    # LangChain merges two finish reasons into "stopstop".
    assert normalize_events(found) == without_stops(normalize_events(expected))


@versions
def test_a_model_may_yield_langchains_chunks(version: EventVersion) -> None:
    theirs, ours = build_pair(StreamBody)
    type(ours).chunk = staticmethod(type(theirs).chunk)
    expected = normalize_events(events_of(theirs, "hi", version=version))
    assert normalize_events(events_of(ours, "hi", version=version)) == expected


@versions
@pytest.mark.parametrize(("body", "error"), [(BrokenBody, RuntimeError), (EmptyBody, ValueError)])
def test_events_before_an_error_are_langchains(body: type, error: type[Exception], version: EventVersion) -> None:
    results = []
    for model in build_pair(body):
        with allow_v1():
            events, raised = read_all(model.astream_events("p", version=version))
        assert isinstance(raised, error)
        results.append((normalize_events(events), str(raised)))
    # LangChain's first version has no events of a run that yields nothing.
    if not (version == "v1" and body is EmptyBody):
        assert results[0] == results[1]
    assert len(results[1][0]) == (2 if body is BrokenBody else 1)


FAKES: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("generic", lambda fakes, message: fakes.GenericFakeChatModel(messages=iter([message("a b  c", id="m"), "d e"]))),
    (
        "generic with a function call",
        lambda fakes, message: fakes.GenericFakeChatModel(
            messages=iter([message("", additional_kwargs={"function_call": {"name": "f", "arguments": "a,b"}})])
        ),
    ),
    ("list", lambda fakes, message: fakes.FakeListChatModel(responses=["ab", "c"])),
    ("messages", lambda fakes, message: fakes.FakeMessagesListChatModel(responses=[message("a", id="m")])),
    ("parrot", lambda fakes, message: fakes.ParrotFakeChatModel()),
    ("fake", lambda fakes, message: fakes.FakeChatModel()),
]


@versions
@pytest.mark.parametrize("make", [fake[1] for fake in FAKES], ids=[fake[0] for fake in FAKES])
def test_events_of_the_fakes_are_langchains(make: Any, version: EventVersion) -> None:
    expected = events_of(make(their_fakes, TheirMessage), "hi", version=version)
    assert normalize_events(events_of(make(our_fakes, AIMessage), "hi", version=version)) == normalize_events(expected)


# Child runs.


@versions
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("body", BODIES)
def test_events_of_a_chat_model_in_a_function_are_langchains(body: type, way: str, version: EventVersion) -> None:
    async def read(model: Any, input: Any) -> Any:
        if way == "ainvoke":
            return (await model.ainvoke(input)).content
        return [chunk.content async for chunk in model.astream(input)]

    def sync_read(model: Any, input: Any) -> Any:
        return model.invoke(input).content if way == "invoke" else [chunk.content for chunk in model.stream(input)]

    results = []
    for model, wrap in zip(build_pair(body), (TheirLambda, RunnableLambda), strict=True):

        async def call(input: Any, model: Any = model) -> Any:
            return await read(model, input)

        def sync_call(input: Any, model: Any = model) -> Any:
            return sync_read(model, input)

        wrapped: Any = wrap(call if way.startswith("a") else sync_call)
        events = events_of(wrapped.with_config(run_name="f"), "hello", version=version)
        shown = [event for event in events if "chat_model" in event["event"]]
        results.append([{**event, "parent_ids": len(event["parent_ids"])} for event in shown])
    assert normalize_events(results[1]) == without_stops(normalize_events(results[0]))
    assert len(results[1]) >= 2
