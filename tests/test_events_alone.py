"""Stream events of what is no chain: prompts, parsers, Runnables whose ``stream`` is a user's; and users' run ids."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest

from marks import versions

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.language_models import fake as their_fake
    from langchain_core.language_models import fake_chat_models as their_chat
    from langchain_core.messages import AIMessage as TheirMessage
    from langchain_core.runnables import Runnable as TheirRunnable

from chains import chat_prompt, events_of, function, json_parser, parser, prompt
from langchain_peer import allow_v1
from millstream.callbacks.manager import CallbackManager
from millstream.language_models import fake as our_fake
from millstream.language_models import fake_chat_models as our_chat
from millstream.messages import AIMessage
from millstream.runnables import Runnable, RunnableLambda
from recording import AstreamBody, make_models

LIBRARIES: Any = (
    (their_fake, their_chat, TheirMessage, TheirRunnable),
    (our_fake, our_chat, AIMessage, Runnable),
)


def both(make: Any) -> Any:
    return tuple(make(place, *LIBRARIES[place]) for place in (0, 1))


def streaming_llm(place: int, fake: Any, *_: Any) -> Any:
    return fake.FakeStreamingListLLM(responses=["abc"])


def doubling_llm(place: int, *_: Any) -> Any:
    base: Any = type(make_models(AstreamBody)[place])

    class Doubling(base):  # type: ignore[misc]
        async def astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            async for chunk in base.astream(self, *args, **kwargs):
                yield chunk * 2

    return Doubling()


def breaking_llm(place: int, *_: Any) -> Any:
    base: Any = type(make_models(AstreamBody)[place])

    class Breaking(base):  # type: ignore[misc]
        async def astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            async for chunk in base.astream(self, *args, **kwargs):
                yield chunk * 2
                raise LookupError("broken")

    return Breaking()


def doubling_chat(place: int, fake: Any, chat: Any, message: Any, *_: Any) -> Any:
    base = chat.GenericFakeChatModel

    class Doubling(base):  # type: ignore[misc, valid-type]
        async def astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            async for chunk in base.astream(self, *args, **kwargs):
                yield chunk
                yield chunk

    return Doubling(messages=iter([message(content="a b c")]))


def asking_chat(place: int, fake: Any, chat: Any, message: Any, *_: Any) -> Any:
    class Asking(chat.GenericFakeChatModel):  # type: ignore[misc]
        async def astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            yield await self.ainvoke(*args, **kwargs)

    return Asking(messages=iter([message(content="a b c")]))


def nesting(place: int, fake: Any, chat: Any, message: Any, base: Any) -> Any:
    llm = fake.FakeListLLM(responses=["abc"])

    class Nesting(base):  # type: ignore[misc]
        def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
            return llm.invoke(input, config)

    return Nesting()


def bound(pair: Any) -> Any:
    return tuple(one.with_config(run_name="n", tags=["b"], metadata={"k": 1}) for one in pair)


ALONE: dict[str, Any] = {
    "a prompt": (prompt, {"text": "hi"}),
    "a chat prompt": (chat_prompt, {"text": "hi"}),
    "a bound prompt": (lambda: bound(prompt()), {"text": "hi"}),
    "a parser": (parser, "abc"),
    "a json parser": (json_parser, '{"a": 1}'),
    "a function": (lambda: function(len), "abc"),
    "a fake that streams": (lambda: both(streaming_llm), "hi"),
    "a fake that streams in a chain": (
        lambda: tuple(m | p for m, p in zip(both(streaming_llm), parser(), strict=True)),
        "hi",
    ),
    "a model with a stream of its own": (lambda: both(doubling_llm), "hi"),
    "that model, bound": (lambda: bound(both(doubling_llm)), "hi"),
    "a model whose own stream fails": (lambda: both(breaking_llm), "hi"),
    "a chat model with a stream of its own": (lambda: both(doubling_chat), "hi"),
    "a chat model that asks itself": (lambda: both(asking_chat), "hi"),
    "a Runnable without a run of its own": (lambda: both(nesting), "hi"),
}


@versions
@pytest.mark.parametrize("config", [None, {"tags": ["t"], "run_name": "named", "run_id": UUID(int=7)}])
@pytest.mark.parametrize("alone", ALONE)
def test_events_of_what_stands_alone_are_langchains(alone: str, config: Any, version: str) -> None:
    make, input = ALONE[alone]
    theirs, ours = make()
    with allow_v1():
        expected = events_of(theirs.astream_events(input, config, version=version))
    assert expected[0]
    assert events_of(ours.astream_events(input, config, version=version)) == expected


@versions
@pytest.mark.parametrize("alone", ["a prompt", "a json parser", "a function"])
def test_events_for_sync_code_are_those_of_async_code(alone: str, version: str) -> None:
    make, input = ALONE[alone]
    ours = make()[1]
    assert events_of(ours.stream_events(input, version=version)) == events_of(
        ours.astream_events(input, version=version)
    )


def test_a_stream_of_a_users_own_is_what_sync_events_show() -> None:
    class Doubling(our_fake.FakeListLLM):
        def stream(self, *args: Any, **kwargs: Any) -> Any:
            for chunk in super().stream(*args, **kwargs):
                yield chunk
                yield chunk

    events = list(Doubling(responses=["ab"]).stream_events("p", version="v1"))
    assert [event["data"].get("chunk") for event in events] == [None, "ab", "ab", None]
    assert events[-1]["data"] == {"output": "abab"}


# Run ids of users.

ID = UUID(int=7)
inner = RunnableLambda(lambda text: text, name="inner")


def same(config: Any) -> Any:
    return {**config, "run_id": ID}


def names(events: list[Any]) -> list[Any]:
    return [(event["event"], event["name"], event["parent_ids"]) for event in events]


@versions
@pytest.mark.parametrize("for_async", [False, True])
def test_a_run_below_may_have_the_id_of_the_run_above(version: str, for_async: bool) -> None:
    def outer(text: str, config: Any) -> Any:
        return inner.invoke(text, same(config))

    async def aouter(text: str, config: Any) -> Any:
        return await inner.ainvoke(text, same(config))

    def innermost(text: str, config: Any) -> Any:
        return RunnableLambda(outer).invoke(text, same(config))

    chain = RunnableLambda(aouter if for_async else outer, name="outer")
    events = names(_events(chain, for_async, version))
    above = [str(ID)] if version == "v2" else []
    assert events == [
        ("on_chain_start", "outer", []),
        ("on_chain_start", "inner", above),
        ("on_chain_end", "inner", above),
        ("on_chain_stream", "outer", []),
        ("on_chain_end", "outer", []),
    ]
    deep = names(_events(RunnableLambda(innermost), for_async, version))
    assert all(parents in ([], above) for _, _, parents in deep)
    assert [event for event, _, _ in deep].count("on_chain_end") == 3


def _events(chain: Any, for_async: bool, version: str) -> list[Any]:
    config: Any = {"run_id": ID}
    if not for_async:
        return list(chain.stream_events("p", config, version=version))

    async def read() -> list[Any]:
        return [event async for event in chain.astream_events("p", config, version=version)]

    return asyncio.run(read())


@versions
def test_two_runs_at_once_may_have_one_id(version: str) -> None:
    async def outer(text: str) -> Any:
        config: Any = {"run_id": UUID(int=8)}
        return await asyncio.gather(inner.ainvoke(text, config), inner.ainvoke(text, config))

    events = _events(RunnableLambda(outer, name="outer"), True, version)
    assert [(event["event"], event["name"]) for event in events].count(("on_chain_end", "inner")) == 2
    if version == "v2":
        assert {tuple(event["parent_ids"]) for event in events if event["name"] == "inner"} == {(str(ID),)}


def test_models_below_may_have_the_id_of_the_run_above() -> None:
    llm = our_fake.FakeListLLM(responses=["a"])

    def outer(text: str, config: Any) -> Any:
        return llm.invoke(text, same(config))

    events = names(_events(RunnableLambda(outer, name="outer"), False, "v2"))
    assert [(event, parents) for event, name, parents in events if name == "FakeListLLM"] == [
        ("on_llm_start", [str(ID)]),
        ("on_llm_end", [str(ID)]),
    ]


def test_a_manager_of_users_may_name_its_own_run_as_the_parent() -> None:
    def stream(config: Any) -> Iterator[Any]:
        return iter(inner.stream_events("p", config))

    manager = CallbackManager([], [], ID, parent_ids=[str(ID), str(ID)])
    events = list(stream({"callbacks": manager, "run_id": ID}))
    assert [event["parent_ids"] for event in events] == [[str(ID)]] * 3
