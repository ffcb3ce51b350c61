"""Runnables with the messages of a conversation, beside LangChain's."""

import asyncio
import warnings
from typing import Any

import langchain_core.chat_history as their_history
import langchain_core.language_models as their_models
import langchain_core.messages as their_messages
import langchain_core.prompts as their_prompts
import langchain_core.runnables as theirs
import pytest
from pydantic import BaseModel, Field

import millstream.chat_history as our_history
import millstream.language_models as our_models
import millstream.messages as our_messages
import millstream.prompts as our_prompts
import millstream.runnables as ours
from millstream.chat_history import BaseChatMessageHistory, InMemoryChatMessageHistory
from millstream.messages import AIMessage, BaseMessage, HumanMessage

LIBRARIES = [
    (ours, our_history, our_messages, our_models, our_prompts),
    (theirs, their_history, their_messages, their_models, their_prompts),
]
pytestmark = [
    pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated"),
    pytest.mark.filterwarnings("ignore:The class `InMemoryChatMessageHistory` was deprecated"),
]


def echo(messages: Any, make: Any) -> Any:
    texts = [message.content for message in messages if message.type == "human"]
    return make("you said: " + ", ".join(texts))


def compose(shape: str, library: Any, messages: Any, models: Any, prompts: Any) -> tuple[Any, dict[str, Any], Any]:
    """Return a step, the keys of its history, and the function that makes its inputs."""
    step, ai, human = library.RunnableLambda, messages.AIMessage, messages.HumanMessage
    both = {"input_messages_key": "new", "history_messages_key": "old"}
    one = {"input_messages_key": "all"}
    chat = models.FakeListChatModel(responses=["r1", "r2"])
    prompt = prompts.ChatPromptTemplate.from_messages([("placeholder", "{old}"), ("human", "{new}")])
    shapes: dict[str, Any] = {
        "messages": (step(lambda value: echo(value, ai)), {}, lambda text: [human(text)]),
        "message": (step(lambda value: echo(value, str)), {}, human),
        "text": (step(lambda value: [echo(value, ai)]), {}, str),
        "dict": (step(lambda value: echo(value["all"], ai)), one, lambda text: {"all": [human(text)]}),
        "both keys": (step(lambda value: echo(value["old"], ai)), both, lambda text: {"new": text}),
        "output key": (
            step(lambda value: {"answer": echo(value["old"], ai)}),
            {**both, "output_messages_key": "answer"},
            lambda text: {"new": text},
        ),
        "dict output": (step(lambda value: {"output": [echo(value["old"], ai)]}), both, lambda text: {"new": text}),
        "prompt": (prompt | step(lambda value: echo(value.to_messages(), ai)), both, lambda text: {"new": text}),
        "model": (chat, {}, lambda text: [human(text)]),
        "prompt and model": (
            prompt | models.FakeListChatModel(responses=["r1", "r2"]),
            both,
            lambda text: {"new": text},
        ),
    }
    return shapes[shape]  # type: ignore[no-any-return]


SHAPES = ["messages", "message", "text", "dict", "both keys", "output key", "dict output", "prompt", "model"]


def talk(shape: str, how: str, library: Any, history: Any, messages: Any, models: Any, prompts: Any) -> Any:
    step, keys, make = compose(shape, library, messages, models, prompts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = history.InMemoryChatMessageHistory()
        chain = library.RunnableWithMessageHistory(step, lambda session_id: kept, **keys)
    config = {"configurable": {"session_id": "1"}}
    outputs = []

    async def aread(value: Any) -> list[Any]:
        return [chunk async for chunk in chain.astream(value, config)]

    for text in ("hello", "bye"):
        if how == "invoke":
            outputs.append(chain.invoke(make(text), config))
        elif how == "ainvoke":
            outputs.append(asyncio.run(chain.ainvoke(make(text), config)))
        elif how == "stream":
            outputs += list(chain.stream(make(text), config))
        else:
            outputs += asyncio.run(aread(make(text)))
    return [plain(output) for output in outputs], [(message.type, message.content) for message in kept.messages]


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return getattr(value, "content", value)


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("shape", [*SHAPES, "prompt and model"])
def test_conversations_are_langchain_s(shape: str, how: str) -> None:
    found, expected = (talk(shape, how, *library) for library in LIBRARIES)
    assert found == expected
    assert [kind.partition("Chunk")[0] for kind, _ in found[1]] in (
        ["human", "ai", "human", "ai"],
        ["human", "AIMessage", "human", "AIMessage"],
    )


def make_history(library: Any, history: Any, **options: Any) -> Any:
    kept = history.InMemoryChatMessageHistory()
    step = library.RunnableLambda(lambda messages: "answer")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return library.RunnableWithMessageHistory(step, options.pop("get", lambda session_id: kept), **options)


@pytest.mark.parametrize(("library", "history"), [library[:2] for library in LIBRARIES])
def test_a_call_without_the_key_of_its_history_is_refused(library: Any, history: Any) -> None:
    with pytest.raises(ValueError, match=r"Missing keys \['session_id'\] in config\['configurable'\]") as raised:
        make_history(library, history).invoke("hello")
    assert "{'configurable': {'session_id': '" in str(raised.value)


def test_the_key_of_the_new_messages_is_found_beside_that_of_the_old_ones() -> None:
    kept = our_history.InMemoryChatMessageHistory()
    chain = make_history(ours, our_history, get=lambda session_id: kept, history_messages_key="history")
    chain.invoke({"question": "hello"}, {"configurable": {"session_id": "1"}})
    assert [message.content for message in kept.messages] == ["hello", "answer"]


@pytest.mark.parametrize("options", [{"history_messages_key": "history"}, {"input_messages_key": "input"}])
def test_an_input_without_new_messages_is_refused_before_the_call(options: dict[str, Any]) -> None:
    chain = make_history(ours, our_history, **options)
    with pytest.raises(ValueError, match=r"input_messages_key must name .* one of \['question', 'mood'\], not 'input'"):
        chain.invoke({"question": "hello", "mood": "glad"}, {"configurable": {"session_id": "1"}})


@pytest.mark.parametrize(("library", "history"), [library[:2] for library in LIBRARIES])
def test_a_history_may_have_several_keys(library: Any, history: Any) -> None:
    kept: dict[Any, Any] = {}

    def get(user: str, room: str) -> Any:
        return kept.setdefault((user, room), history.InMemoryChatMessageHistory())

    specs = [library.ConfigurableFieldSpec(id=key, annotation=str) for key in ("user", "room")]
    chain = make_history(library, history, get=get, history_factory_config=specs)
    chain.invoke("hello", {"configurable": {"user": "u", "room": "r"}})
    assert list(kept) == [("u", "r")]
    assert sorted(spec.id for spec in chain.config_specs) == ["room", "user"]
    wrong = make_history(library, history, get=lambda user: None, history_factory_config=specs)
    with pytest.raises(ValueError, match=r"Expected keys \['room', 'user'\] do not match parameter names \['user'\]"):
        wrong.invoke("hello", {"configurable": {"user": "u", "room": "r"}})


def test_the_caller_s_configuration_is_not_changed() -> None:
    config: Any = {"configurable": {"session_id": "1"}}
    make_history(ours, our_history).invoke("hello", config)
    assert config == {"configurable": {"session_id": "1"}}


def test_each_input_of_a_batch_has_its_own_history() -> None:
    kept: dict[str, InMemoryChatMessageHistory] = {}

    def get(session_id: str) -> InMemoryChatMessageHistory:
        return kept.setdefault(session_id, InMemoryChatMessageHistory())

    chain = make_history(ours, our_history, get=get)
    chain.batch(["a", "b"], [{"configurable": {"session_id": "1"}}, {"configurable": {"session_id": "2"}}])
    assert {key: history.messages[0].content for key, history in kept.items()} == {"1": "a", "2": "b"}


def test_calls_of_one_conversation_at_once_lose_no_message() -> None:
    kept = InMemoryChatMessageHistory(messages=[HumanMessage("old")])

    async def main() -> None:
        loaded = 0
        both = asyncio.Event()

        async def answer(messages: Any) -> str:
            nonlocal loaded
            loaded += 1
            if loaded == 2:
                both.set()
            await both.wait()
            return f"answer to {messages[-1].content}"

        chain = ours.RunnableWithMessageHistory(ours.RunnableLambda(answer), lambda: kept)
        await asyncio.gather(*(chain.ainvoke([HumanMessage(text)]) for text in ("a", "b")))

    asyncio.run(main())
    first, second = ["a", "answer to a"], ["b", "answer to b"]
    assert [message.content for message in kept.messages] in (["old", *first, *second], ["old", *second, *first])


def test_a_stream_that_is_left_adds_what_has_come() -> None:
    kept = InMemoryChatMessageHistory()
    model = our_models.FakeListChatModel(responses=["abc"])
    chain = ours.RunnableWithMessageHistory(model, lambda: kept)
    stream: Any = chain.stream([HumanMessage("hello")])
    assert next(stream).content == "a"
    stream.close()
    # The model's run ended with an error, as every model's that is left: nothing is added.
    assert kept.messages == []


# Histories of users.


def test_a_history_of_a_user_may_be_a_pydantic_model() -> None:
    class Kept(BaseChatMessageHistory, BaseModel):
        messages: list[BaseMessage] = Field(default_factory=list)

        def add_messages(self, messages: Any) -> None:
            self.messages.extend(messages)

        def clear(self) -> None:
            self.messages = []

    kept = Kept()
    kept.add_message(AIMessage("hi"))
    kept.add_user_message("hello")
    assert str(kept) == "AI: hi\nHuman: hello"
    assert asyncio.run(kept.aget_messages()) == kept.messages
    asyncio.run(kept.aclear())
    assert kept.messages == []


def test_a_history_without_a_method_that_adds_says_so() -> None:
    class Kept(BaseChatMessageHistory):
        def clear(self) -> None:
            """Do nothing."""

    with pytest.raises(NotImplementedError, match="Please implement add_message or add_messages"):
        Kept().add_message(AIMessage("hi"))


def test_a_history_in_memory_is_what_langchain_s_is() -> None:
    kept = InMemoryChatMessageHistory(messages=[HumanMessage("a")])
    kept.add_ai_message("b")
    asyncio.run(kept.aadd_messages([HumanMessage("c")]))
    assert kept == InMemoryChatMessageHistory(messages=[HumanMessage("a"), AIMessage("b"), HumanMessage("c")])
    assert kept != InMemoryChatMessageHistory()
    kept.clear()
    assert kept.messages == []
