"""``stream_timing``: when the chunks of an answer came, in its metadata."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from millstream import BaseChatModel, ChatAnthropic, ChatGoogleGenerativeAI, ChatOllama, ChatOpenAI, OpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.errors import StreamError
from millstream.language_models import FakeListChatModel
from millstream.language_models.chunk_timer import ChunkTimer
from millstream.messages import AIMessage, AIMessageChunk
from millstream.output_parsers import StrOutputParser
from millstream.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableLambda
from millstream.testing import Cut, MockServer, Reply

KEYS = {"first_chunk_seconds", "chunks_per_second"}
MODELS: dict[str, Callable[..., Any]] = {
    "chat": lambda server, **fields: ChatOpenAI(model="m", api_key="k", base_url=server.url, **fields),
    "responses": lambda server, **fields: ChatOpenAI(
        model="m", api_key="k", base_url=server.url, use_responses_api=True, **fields
    ),
    "anthropic": lambda server, **fields: ChatAnthropic(
        model="claude-haiku-4-5", api_key="k", base_url=server.origin, **fields
    ),
    "google": lambda server, **fields: ChatGoogleGenerativeAI(
        model="gemini-2.5-flash", api_key="k", base_url=server.origin, **fields
    ),
    "ollama": lambda server, **fields: ChatOllama(model="m", base_url=server.origin, **fields),
}


class Loud(BaseCallbackHandler):
    """Is called for each chunk."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        """Do nothing."""

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.results.append(response.generations[0][0])


async def aread(chunks: AsyncIterator[Any]) -> list[Any]:
    return [chunk async for chunk in chunks]


def total(chunks: list[Any]) -> Any:
    """Return the sum, after a check that the last chunk alone has the times."""
    assert [bool(KEYS & chunk.response_metadata.keys()) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


def end_of(events: list[Any]) -> Any:
    return events[-1]["data"]["output"]


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "stream": lambda model, config: total(list(model.stream("p", config))),
    "astream": lambda model, config: total(asyncio.run(aread(model.astream("p", config)))),
    "events": lambda model, config: end_of(list(model.stream_events("p", config, version="v2"))),
    "aevents": lambda model, config: end_of(asyncio.run(aread(model.astream_events("p", config, version="v2")))),
    "invoke": lambda model, config: model.invoke("p", config, stream=True),
    "ainvoke": lambda model, config: asyncio.run(model.ainvoke("p", config, stream=True)),
    "batch": lambda model, config: model.batch(["p", "q"], config, stream=True)[1],
    "abatch": lambda model, config: asyncio.run(model.abatch(["p", "q"], config, stream=True))[1],
}


@pytest.mark.parametrize("is_observed", [False, True], ids=["", "with a handler"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("which", MODELS)
def test_the_times_are_in_the_metadata_of_the_last_chunk_and_of_the_message(
    which: str, way: str, is_observed: bool
) -> None:
    with MockServer(Reply(pieces=["a", "b", "c"], pace=0.01)) as server:
        model = MODELS[which](server, stream_timing=True)
        message = WAYS[way](model, {"callbacks": [Loud()] if is_observed else []})
    assert message.response_metadata.keys() >= KEYS
    assert message.response_metadata["first_chunk_seconds"] > 0
    assert message.response_metadata["chunks_per_second"] > 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("which", MODELS)
def test_without_the_field_there_are_none(which: str, way: str) -> None:
    with MockServer(Reply(pieces=["a", "b"])) as server:
        model = MODELS[which](server)
        messages = list(model.stream("p")) if way in ("stream", "astream") else [WAYS[way](model, {})]
    assert not any(KEYS & message.response_metadata.keys() for message in messages)


@pytest.mark.parametrize("which", MODELS)
def test_the_records_of_events_have_them(which: str) -> None:
    with MockServer(Reply(pieces=["a", "b"])) as server:
        model = MODELS[which](server, stream_timing=True)
        records = b"".join(asyncio.run(aread(model.astream_records("p", version="v2"))))
    (end,) = [record for record in records.splitlines() if b"on_chat_model_end" in record]
    output = json.loads(end.removeprefix(b"data: "))["data"]["output"]
    assert output["response_metadata"].keys() >= KEYS


@pytest.mark.parametrize("is_async", [False, True])
def test_a_fused_chain_hands_them_out(is_async: bool) -> None:
    with MockServer(Reply(pieces=["a", "b"])) as server:
        model = MODELS["chat"](server, stream_timing=True)
        chain = ChatPromptTemplate.from_template("{x}") | model
        chunks = asyncio.run(aread(chain.astream({"x": "p"}))) if is_async else list(chain.stream({"x": "p"}))
        assert total(chunks).response_metadata.keys() >= KEYS
        assert "".join((chain | StrOutputParser()).stream({"x": "p"})) == "ab"
        events = list(chain.stream_events({"x": "p"}, version="v2"))
    (end,) = [event for event in events if event["event"] == "on_chat_model_end"]
    assert end["data"]["output"].response_metadata.keys() >= KEYS


@pytest.mark.parametrize("way", ["generate", "agenerate"])
@pytest.mark.parametrize("is_observed", [False, True], ids=["", "with a handler"])
def test_the_result_of_an_llm_has_them_in_its_info(way: str, is_observed: bool) -> None:
    config = [Loud()] if is_observed else []
    with MockServer(Reply(pieces=["a", "b"])) as server:
        llm = OpenAI(api_key="k", base_url=server.url, streaming=True, stream_timing=True)
        result: Any = (
            llm.generate(["p"], None, config) if way == "generate" else asyncio.run(llm.agenerate(["p"], None, config))
        )
    assert result.generations[0][0].generation_info.keys() >= KEYS


@pytest.mark.parametrize("way", ["stream", "stream_events"])
def test_handlers_of_a_streamed_llm_receive_them(way: str) -> None:
    loud = Loud()
    with MockServer(Reply(pieces=["a", "b"])) as server:
        llm = OpenAI(api_key="k", base_url=server.url, stream_timing=True)
        assert list(getattr(llm, way)("p", {"callbacks": [loud]}))
    assert loud.results[0].generation_info.keys() >= KEYS


class Speaking(BaseChatModel):
    """A user's model."""

    marks_last: bool = False

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult([ChatGeneration(AIMessage("ab"))])

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for text in ("", "a", "b"):
            yield ChatGenerationChunk(AIMessageChunk(text))
        if self.marks_last:
            yield ChatGenerationChunk(AIMessageChunk("", chunk_position="last"))

    @property
    def _llm_type(self) -> str:
        return "speaking"


@pytest.mark.parametrize("marks_last", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_a_model_of_the_user_has_them_too(way: str, marks_last: bool) -> None:
    message = WAYS[way](Speaking(stream_timing=True, marks_last=marks_last), {})
    assert message.response_metadata.keys() == KEYS


def test_a_model_that_does_not_stream_has_none() -> None:
    message = FakeListChatModel(responses=["a"], stream_timing=True).invoke("p")
    assert message.response_metadata == {}


@pytest.mark.parametrize("which", MODELS)
def test_one_chunk_has_a_rate_of_zero(which: str) -> None:
    with MockServer(Reply(pieces=["a"])) as server:
        metadata = total(list(MODELS[which](server, stream_timing=True).stream("p"))).response_metadata
    assert metadata["chunks_per_second"] == 0.0
    assert metadata["first_chunk_seconds"] > 0


@pytest.mark.parametrize("which", MODELS)
def test_an_empty_answer_has_none(which: str) -> None:
    with MockServer(Reply(pieces=[""])) as server:
        chunks = list(MODELS[which](server, stream_timing=True).stream("p"))
    assert not any(KEYS & chunk.response_metadata.keys() for chunk in chunks)


def test_a_stream_that_was_cut_has_none_and_raises_as_before() -> None:
    chunks: list[Any] = []
    with MockServer(Reply(fault=Cut(3))) as server, pytest.raises(StreamError):
        chunks.extend(MODELS["chat"](server, stream_timing=True).stream("p"))
    assert not any(KEYS & chunk.response_metadata.keys() for chunk in chunks)


def test_the_time_is_that_of_the_first_chunk_with_content() -> None:
    def wait(value: str) -> str:
        return value

    with MockServer(Reply(pieces=["", "a", "b"], pace=0.02)) as server:
        chain = RunnableLambda(wait) | MODELS["chat"](server, stream_timing=True)
        metadata = total(list(chain.stream("p"))).response_metadata
    assert metadata["first_chunk_seconds"] >= 0.02
    assert metadata["chunks_per_second"] > 0


def test_the_timer_counts_chunks_and_measures_the_time_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([1.0, 3.0, 4.0, 7.0])
    monkeypatch.setattr("millstream.language_models.chunk_timer.time.monotonic", lambda: next(times))
    timer = ChunkTimer()
    assert timer.metadata() == {}
    for count in (0, 1, 1, 3, 7):
        timer.see(count)
    assert (timer.count, timer.first, timer.later) == (7, 2.0, 4.0)
    assert timer.metadata() == {"first_chunk_seconds": 2.0, "chunks_per_second": 1.5}


@pytest.mark.parametrize("which", MODELS)
def test_without_the_field_no_chunk_is_timed(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ChunkTimer", "TimedChunks"):
        monkeypatch.setattr(f"millstream.language_models.chunk_timer.{name}", None)
    with MockServer() as server:
        list(MODELS[which](server).stream("p", {"callbacks": [Loud()]}))
        list(MODELS[which](server).stream("p"))
