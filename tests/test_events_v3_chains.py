"""Version 3 of the events of chains: the protocol events of the chat models in them, and where these run."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from endings import aread, assert_closed_by_us
from langchain_peer import KEY
from millstream import ChatOpenAI, OpenAI
from millstream.callbacks import BaseCallbackHandler, dispatch_custom_event
from millstream.errors import StreamTruncatedError
from millstream.language_models import FakeListChatModel
from millstream.messages import AIMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableBranch, RunnableConfig, RunnableLambda, RunnableParallel, RunnablePick
from millstream.testing import VERSE, Cut, MockServer, Reply

PROMPT = ChatPromptTemplate.from_template("{text}")
TEXT = "".join(VERSE)


def model(server: MockServer, **arguments: Any) -> ChatOpenAI:
    return ChatOpenAI(base_url=server.url, api_key=KEY, **{"max_retries": 0, **arguments})


def read(chain: Any, input: Any, **arguments: Any) -> tuple[list[Any], list[Any], Any]:
    """Return the events, the streams of messages, and the output of a run, for sync code."""
    run = chain.stream_events(input, version="v3", **arguments)
    return list(run), list(run.messages), run.output


async def aread_run(chain: Any, input: Any, **arguments: Any) -> tuple[list[Any], list[Any], Any]:
    run = await chain.astream_events(input, version="v3", **arguments)
    messages = [message async for message in run.messages]
    events = await aread(run)
    for message in messages:
        await message.output
    return events, messages, await run.output()


def both(chain: Any, input: Any, **arguments: Any) -> list[tuple[list[Any], list[Any], Any]]:
    """Return what :func:`read` returns, for sync and for async code."""
    return [read(chain, input, **arguments), asyncio.run(aread_run(chain, input, **arguments))]


def protocol_events(events: list[Any], run_id: str | None = None) -> list[Any]:
    found = [event["params"]["data"] for event in events if event["method"] == "messages"]
    return [event for event, metadata in found if run_id in (None, metadata["run_id"])]


def names_in(namespace: list[str]) -> list[str]:
    return [segment.partition(":")[0] for segment in namespace]


def test_a_chain_has_the_events_of_its_model_and_its_output(mock_server: MockServer) -> None:
    chain = PROMPT | model(mock_server) | StrOutputParser()
    for events, messages, output in both(chain, {"text": "p"}):
        assert output == TEXT
        assert_valid_event_stream(protocol_events(events))
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert {event["type"] for event in events} == {"event"}
        assert all(event["params"]["namespace"] == [] for event in events)
        assert (events[-1]["method"], events[-1]["params"]["data"]) == ("values", TEXT)
        (message,) = messages
        assert message.output_message.text == TEXT
        assert message.message_id.startswith("lc_run--")


def test_the_events_of_a_models_step_are_those_of_the_model(mock_server: MockServer) -> None:
    one = model(mock_server, stream_usage=True)
    alone = [{**event, "id": ""} if "id" in event else event for event in one.stream_events("p", version="v3")]
    for events, _, _ in both(PROMPT | one, {"text": "p"}):
        found = [{**event, "id": ""} if "id" in event else event for event in protocol_events(events)]
        assert found == alone


async def _acall(one: Any, text: str) -> str:
    answer: AIMessage = await one.ainvoke(text)
    return answer.text


PROMPT_OF_TEXT: Any = RunnableLambda(lambda text: [("human", text)])
COMPOSITIONS: dict[str, tuple[Callable[[Any], Any], list[str], int]] = {
    "a model that a function calls": (
        lambda one: RunnableLambda(lambda text: one.invoke(text).text, afunc=partial(_acall, one)),
        [],
        1,
    ),
    "a function in a sequence": (
        lambda one: StrOutputParser() | RunnableLambda(lambda text: one.invoke(text), name="ask"),
        ["ask"],
        1,
    ),
    "two branches": (
        lambda one: RunnableParallel(a=one, b=RunnableLambda(lambda text: one.invoke(text), name="ask")),
        ["", "ask"],
        2,
    ),
    "a sequence in a sequence": (
        lambda one: RunnableLambda(str) | RunnableBranch((lambda _: True, PROMPT_OF_TEXT | one), one),
        ["RunnableBranch", "RunnableSequence"],
        1,
    ),
    "a retry": (lambda one: one.with_retry(), [], 1),
    "fallbacks": (lambda one: one.with_fallbacks([one]), [], 1),
    "a list": (lambda one: RunnableLambda(lambda text: [text] * 2) | one.map(), [""], 2),
    "a configurable model": (lambda one: one.with_config(tags=["t"]) | StrOutputParser(), [], 1),
}


@pytest.mark.parametrize("which", COMPOSITIONS)
def test_compositions_name_the_runs_in_which_their_models_run(mock_server: MockServer, which: str) -> None:
    make, names, count = COMPOSITIONS[which]
    for events, messages, _ in both(make(model(mock_server)), "p"):
        assert len(messages) == count
        assert all(message.output_message.text == TEXT for message in messages)
        run_ids = {event["params"]["data"][1]["run_id"] for event in events if event["method"] == "messages"}
        assert len(run_ids) == count
        for run_id in run_ids:
            assert_valid_event_stream(protocol_events(events, run_id))
        found = [name for message in messages for name in names_in(message.namespace)]
        if count == 1:
            assert found == names
        else:
            assert {name for name in found if not name.startswith("Runnable")} <= {*names}


def test_a_call_returns_what_it_returns_without_the_events(mock_server: MockServer) -> None:
    one = model(mock_server)
    for _, messages, output in both(RunnableLambda(lambda text: one.invoke(text)), "p"):
        assert output.content == TEXT
        assert [block["type"] for block in messages[0].output_message.content] == ["text"]


def test_a_function_may_stream_the_events_of_a_model_itself(mock_server: MockServer) -> None:
    one = model(mock_server)
    chain = RunnableLambda(lambda text: str(one.stream_events(text, version="v3").text), name="ask")
    events, messages, output = read(StrOutputParser() | chain, "p")
    assert output == messages[0].output_message.text == TEXT
    assert_valid_event_stream(protocol_events(events))
    assert names_in(messages[0].namespace) == ["ask"]


def test_models_that_answer_at_once_are_told_apart(mock_server: MockServer) -> None:
    chain = RunnableParallel(a=model(mock_server), b=FakeListChatModel(responses=["other"]))
    for _, messages, output in both(chain, "p"):
        assert sorted(message.output_message.text for message in messages) == sorted([TEXT, "other"])
        assert output["b"].text == "other"


def test_a_model_that_answers_whole_is_in_the_events() -> None:
    chain = FakeListChatModel(responses=["whole"], disable_streaming=True) | StrOutputParser()
    for events, messages, output in both(chain, "p"):
        assert_valid_event_stream(protocol_events(events))
        assert messages[0].output_message.text == output == "whole"


def test_users_own_events_are_there_with_their_namespace() -> None:
    def report(text: str, config: RunnableConfig) -> str:
        dispatch_custom_event("progress", {"done": 1}, config=config)
        return text

    chain = RunnableLambda(str) | RunnableLambda(report, name="report")
    run = chain.stream_events("p", version="v3")
    (event,) = [event for event in run if event["method"] == "custom"]
    assert event["params"]["data"] == {"name": "progress", "payload": {"done": 1}}
    assert names_in(event["params"]["namespace"]) == ["report"]
    assert list(run.custom) == [event["params"]["data"]]


def test_filters_choose_the_models(mock_server: MockServer) -> None:
    named = model(mock_server).with_config(run_name="first")
    chain = RunnableParallel(a=named, b=model(mock_server, tags=["second"]))
    for events, messages, _ in both(chain, "p", include_names=["first"]):
        assert len(messages) == 1
        assert {event["params"]["data"][1]["name"] for event in events if event["method"] == "messages"} == {"first"}
    for _, messages, _ in both(chain, "p", exclude_tags=["second"]):
        assert len(messages) == 1


def test_a_chain_without_a_chat_model_has_its_output(mock_server: MockServer) -> None:
    for events, messages, output in both(OpenAI(base_url=mock_server.url, api_key=KEY) | StrOutputParser(), "p"):
        assert [event["method"] for event in events] == ["values"]
        assert messages == []
        assert output == TEXT


def test_a_completion_model_has_no_such_events(mock_server: MockServer) -> None:
    llm = OpenAI(base_url=mock_server.url, api_key=KEY)
    with pytest.raises(NotImplementedError, match="those of chat models"):
        llm.stream_events("p", version="v3")

    async def main() -> None:
        await llm.astream_events("p", version="v3")

    with pytest.raises(NotImplementedError, match="those of chat models"):
        asyncio.run(main())


@pytest.mark.parametrize("is_fused", [True, False])
def test_several_tasks_read_one_run(mock_server: MockServer, is_fused: bool) -> None:
    one = model(mock_server)
    chain: Any = PROMPT | one | StrOutputParser() if is_fused else RunnableLambda(lambda x: one.invoke(x["text"]).text)

    async def texts(run: Any) -> list[str]:
        return [await message.text async for message in run.messages]

    async def main() -> None:
        run = await chain.astream_events({"text": "p"}, version="v3")
        events, found, again, output = await asyncio.gather(aread(run), texts(run), texts(run), run.output())
        assert found == again == [output] == [TEXT]
        assert_valid_event_stream(protocol_events(events))

    asyncio.run(main())
    assert len(mock_server.requests) == 1


def test_a_message_is_read_while_its_model_streams(server: MockServer) -> None:
    chain = PROMPT | model(server) | StrOutputParser()
    run = chain.stream_events({"text": "p"}, version="v3")
    message = next(iter(run.messages))
    pieces = iter(message.text)
    assert [next(pieces) for _ in range(3)] == list(VERSE[:3])
    assert message is next(iter(run.messages))
    run.close()
    assert_closed_by_us(server)
    with pytest.raises(RuntimeError, match="closed before its end"):
        run.output  # noqa: B018


def test_a_chain_of_our_own_steps_runs_in_the_task_that_reads_it(mock_server: MockServer) -> None:
    async def main() -> None:
        run = await (PROMPT | model(mock_server) | StrOutputParser()).astream_events({"text": "p"}, version="v3")
        async for _ in run:
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


@pytest.mark.parametrize("step", ["the prompt", "the pick"])
def test_a_step_that_fails_ends_the_run_with_its_error(mock_server: MockServer, step: str) -> None:
    chain = PROMPT | model(mock_server) | StrOutputParser() | RunnablePick("a")
    run = chain.stream_events({} if step == "the prompt" else {"text": "p"}, version="v3")
    events: list[Any] = []
    with pytest.raises(KeyError if step == "the prompt" else ValueError):
        events.extend(run)
    assert "values" not in [event["method"] for event in events]
    with pytest.raises((KeyError, ValueError)):
        run.output  # noqa: B018


def test_handlers_are_notified_of_the_runs_of_a_chain(mock_server: MockServer) -> None:
    calls: list[str] = []

    class Handler(BaseCallbackHandler):
        def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
            calls.append("chain")

        def on_llm_new_token(self, *args: Any, **kwargs: Any) -> None:
            calls.append("token")

    run = (PROMPT | model(mock_server)).stream_events({"text": "p"}, {"callbacks": [Handler()]}, version="v3")
    assert run.output.text == TEXT
    assert calls.count("chain") == 2
    assert calls.count("token") >= len(VERSE) - 1


@pytest.mark.parametrize("how", ["break", "aclose", "async with", "cancel"])
def test_leaving_the_run_of_a_chain_closes_its_connection(server: MockServer, how: str) -> None:
    chain = PROMPT | model(server) | StrOutputParser()

    async def main() -> None:
        run = await chain.astream_events({"text": "p"}, version="v3")
        messages = aiter(run.messages)
        message = await anext(messages)
        assert await anext(aiter(message.text)) == VERSE[0]
        if how == "aclose":
            await run.aclose()
        elif how == "async with":
            async with run:
                pass
        elif how == "cancel":
            task = asyncio.create_task(aread(run))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        del run, messages, message
        await asyncio.to_thread(server.wait_closed, timeout=10)

    asyncio.run(main())
    assert_closed_by_us(server)


@pytest.mark.usefixtures("without_the_collector")
def test_the_run_of_a_chain_ends_when_the_last_reference_goes(server: MockServer) -> None:
    for _ in (PROMPT | model(server)).stream_events({"text": "p"}, version="v3"):
        break
    assert_closed_by_us(server)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_model_that_fails_fails_its_message_and_the_run(asynchronous: bool) -> None:
    with MockServer(Reply(fault=Cut(3))) as server:
        chain = PROMPT | model(server)
        events: list[Any] = []

        def sync() -> None:
            run = chain.stream_events({"text": "p"}, version="v3")
            with pytest.raises(StreamTruncatedError):
                events.extend(run)
            message = run.messages._source.items[0]
            assert isinstance(message.state.error, StreamTruncatedError)
            with pytest.raises(StreamTruncatedError):
                run.output  # noqa: B018

        async def main() -> None:
            run = await chain.astream_events({"text": "p"}, version="v3")
            async for message in run.messages:
                with pytest.raises(StreamTruncatedError):
                    await message.output
                break
            with pytest.raises(StreamTruncatedError):
                await run.output()
            events.extend(run._events._source.items)

        asyncio.run(main()) if asynchronous else sync()
    assert protocol_events(events)[-1] == {
        "event": "error",
        "message": "the answer was cut off before its end",
        "code": "stream_truncated",
    }
    assert "values" not in [event["method"] for event in events]


def test_an_attempt_that_failed_has_an_error_and_the_next_one_a_message() -> None:
    with MockServer(script=[Reply(fault=Cut(3)), Reply()]) as server:
        one = model(server)

        def ask(text: str) -> str:
            try:
                return one.invoke(text).text
            except StreamTruncatedError:
                return one.invoke(text).text

        events, messages, output = read(RunnableLambda(ask), "p")
    assert output == TEXT
    assert [type(message._accumulator.error) for message in messages] == [StreamTruncatedError, type(None)]
    assert [event["event"] for event in protocol_events(events)].count("error") == 1
