"""Models ask a cache as LangChain's do: under the same keys, with the same answers and callbacks."""

import asyncio
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_core.caches as their_caches
    import langchain_core.globals as their_globals
    import langchain_core.language_models as their_models
    import langchain_core.messages as their_messages
    import langchain_core.outputs as their_outputs
    from langchain_core.load import dumps as their_dumps

import millstream.caches as our_caches
import millstream.globals as our_globals
import millstream.language_models as our_models
import millstream.messages as our_messages
import millstream.outputs as our_outputs
from millstream.language_models.caching import dump_messages
from recording import StreamBody, achat_handlers, ahandlers, chat_handlers, comparable_calls, handlers, make_models

LIBRARIES = [
    (their_caches, their_globals, their_models, their_messages, their_outputs),
    (our_caches, our_globals, our_models, our_messages, our_outputs),
]
USAGE: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
ASYNC = pytest.mark.parametrize("for_async", [False, True])


@pytest.fixture(autouse=True)
def without_a_global_cache() -> Iterator[None]:
    yield
    our_globals.set_llm_cache(None)
    their_globals.set_llm_cache(None)


def call(model: Any, method: str, for_async: bool, *args: Any, **kwargs: Any) -> Any:
    return (
        asyncio.run(getattr(model, f"a{method}")(*args, **kwargs))
        if for_async
        else getattr(model, method)(*args, **kwargs)
    )


def chat_model(models: Any, messages: Any, cache: Any) -> Any:
    answers = [
        messages.AIMessage("a", id="1", usage_metadata=USAGE, response_metadata={"model_name": "m"}),
        messages.AIMessage("b"),
        messages.AIMessage("c"),
    ]
    return models.FakeMessagesListChatModel(responses=answers, cache=cache)


def plain(message: Any) -> Any:
    return message.content, message.id, message.usage_metadata, message.response_metadata


@ASYNC
@pytest.mark.parametrize("is_global", [False, True])
def test_a_chat_model_asks_the_cache_as_langchains_does(is_global: bool, for_async: bool) -> None:
    seen: list[Any] = []
    for position, (caches, globals_, models, messages, _) in enumerate(LIBRARIES):
        cache = caches.InMemoryCache()
        if is_global:
            globals_.set_llm_cache(cache)
        model = chat_model(models, messages, None if is_global else cache)
        log: list[Any] = []
        config = {"callbacks": [(achat_handlers if for_async else chat_handlers)(log)[position]]}
        results = [
            plain(call(model, "invoke", for_async, *args, config, **kwargs))[:3]
            for args, kwargs in (
                (("p",), {}),
                (("p",), {}),
                (([messages.HumanMessage("p", id="of the message")],), {}),
                (("p",), {"stop": ["x"]}),
                (("p",), {"temperature": 1}),
                (("p",), {"stop": ["x"]}),
            )
        ]
        calls = [(event, kwargs.get("name")) for _, event, _, kwargs in log]
        seen.append((results, calls, [*cache._cache]))
    theirs, ours = seen
    numbered = [[(content, id and id[:8], usage) for content, id, usage in one[0]] for one in seen]
    assert numbered[1] == numbered[0]
    assert ours[1:] == theirs[1:]


@ASYNC
def test_a_completion_model_asks_the_cache_as_langchains_does(for_async: bool) -> None:
    seen: list[Any] = []
    for position, (caches, _, models, _, _) in enumerate(LIBRARIES):
        cache = caches.InMemoryCache()
        model = models.FakeListLLM(responses=["a", "b", "c", "d"], cache=cache)
        log: list[Any] = []
        handler = (ahandlers if for_async else handlers)(log)[position]
        outputs: list[Any] = [
            call(model, "invoke", for_async, "p", {"callbacks": [handler]}),
            call(model, "invoke", for_async, "p", {"callbacks": [handler]}),
            call(model, "batch", for_async, ["q", "p", "r"], {"callbacks": [handler]}),
            call(model, "batch", for_async, ["q", "p"], {"callbacks": [handler]}),
        ]
        result = call(model, "generate", for_async, ["p", "s"], callbacks=[[handler], None], run_name=["x", "y"])
        outputs += [[generations[0].text for generations in result.generations], len(result.run)]
        result = call(model, "generate", for_async, ["p", "s"])
        outputs += [[generations[0].text for generations in result.generations], result.llm_output, result.run]
        seen.append((outputs, comparable_calls(log), [*cache._cache]))
    theirs, ours = seen
    assert ours == theirs


@ASYNC
def test_a_stream_does_not_ask_the_cache(for_async: bool) -> None:
    async def aread(model: Any) -> list[str]:
        return [chunk async for chunk in model.astream("ab")]

    for library, model in zip(LIBRARIES, make_models(StreamBody), strict=True):
        model.cache = library[0].InMemoryCache()
        assert (asyncio.run(aread(model)) if for_async else list(model.stream("ab"))) == ["", "a", "b"]
        assert not model.cache._cache
        call(model, "invoke", for_async, "ab")
        (key,) = model.cache._cache
        model.cache.update(*key, [library[4].Generation(text="kept")])
        assert call(model, "invoke", for_async, "ab") == "kept"
        assert (asyncio.run(aread(model)) if for_async else list(model.stream("ab"))) == ["", "a", "b"]


def test_an_answer_of_a_cache_is_a_copy() -> None:
    model = chat_model(our_models, our_messages, our_caches.InMemoryCache())
    for _ in range(3):
        message = model.invoke("p")
        assert message.content == "a"
        message.content = "changed"


def test_our_models_read_a_cache_of_langchains() -> None:
    cache = their_caches.InMemoryCache()
    theirs, ours = (chat_model(models, messages, cache) for _, _, models, messages, _ in LIBRARIES)
    expected = plain(theirs.invoke("p"))
    found = ours.invoke("p")
    assert type(found) is our_messages.AIMessage
    assert plain(found) == (*expected[:2], {**USAGE, "total_cost": 0}, expected[3])
    llms = [
        models.FakeListLLM(responses=[text], cache=cache) for text, models in (("x", their_models), ("y", our_models))
    ]
    for llm in llms:
        # The parameters, which are the responses here, belong to the key.
        key = "p", str(sorted({**llm.asdict(), "stop": None}.items())) if llm is llms[1] else ""
        cache.update(*key, [their_outputs.Generation(text="z")])
    assert llms[1].invoke("p") == "z"


def test_generations_without_a_message_become_messages() -> None:
    cache = our_caches.InMemoryCache()
    model = chat_model(our_models, our_messages, cache)
    model.invoke("p")
    (key,) = cache._cache
    cache.update(*key, [our_outputs.Generation("text", {"finish_reason": "stop"})])
    assert model.invoke("p").content == "text"


@ASYNC
@pytest.mark.parametrize("name", ["FakeListLLM", "FakeListChatModel"])
def test_a_cache_that_is_not_there_or_is_no_cache_is_refused(name: str, for_async: bool) -> None:
    model = getattr(our_models, name)(responses=["a", "b"], cache=True)
    with pytest.raises(ValueError, match="no cache found. No global cache was configured"):
        call(model, "invoke", for_async, "p")
    model = getattr(our_models, name)(responses=["a", "b"], cache="x")
    with pytest.raises(ValueError, match="Unsupported cache value x"):
        call(model, "invoke", for_async, "p")
    our_globals.set_llm_cache(our_caches.InMemoryCache())
    model = getattr(our_models, name)(responses=["a", "b"], cache=False)
    outputs = [call(model, "invoke", for_async, "p") for _ in "ab"]
    assert [getattr(output, "content", output) for output in outputs] == ["a", "b"]


def test_arguments_of_a_call_are_part_of_a_completion_models_key() -> None:
    # LangChain leaves them out, and returns the answer to the first call.
    model = our_models.FakeListLLM(responses=["a", "b"], cache=our_caches.InMemoryCache())
    assert [model.invoke("p", temperature=value) for value in (0, 1, 0)] == ["a", "b", "a"]


def test_a_secret_is_no_part_of_a_key() -> None:
    cache = our_caches.InMemoryCache()
    model = our_models.FakeListLLM(responses=["a"], cache=cache)
    model.invoke("p", extra_headers={"Authorization": "canary"})
    assert "canary" not in str([*cache._cache])


MESSAGES: list[tuple[str, dict[str, Any]]] = [
    ("HumanMessage", {"content": "é"}),
    (
        "HumanMessage",
        {"content": [{"type": "text", "text": "x"}, "y"], "name": "n", "additional_kwargs": {"lc": 1}, "id": "1"},
    ),
    ("AIMessage", {"content": ""}),
    ("AIMessage", {"content": "a", "response_metadata": {"x": {"lc": 1, "y": ()}}, "usage_metadata": USAGE}),
    (
        "AIMessage",
        {"content": "a", "tool_calls": [{"name": "f", "args": {"a": 1}, "id": "i"}], "usage_metadata": USAGE},
    ),
    ("AIMessage", {"content": "a", "invalid_tool_calls": [{"name": "f", "args": "{", "id": "i", "error": None}]}),
    ("AIMessageChunk", {"content": "z", "tool_call_chunks": [{"name": "f", "args": "{}", "id": "i", "index": 0}]}),
    ("ToolMessage", {"content": "r", "tool_call_id": "i"}),
    ("ToolMessage", {"content": "r", "tool_call_id": "i", "artifact": {"x": USAGE.keys, (1,): 2}, "status": "error"}),
    ("ToolMessage", {"content": "r", "tool_call_id": "i", "artifact": {"__lc_escaped__": 1}}),
    ("SystemMessage", {"content": "s", "name": ""}),
    ("ChatMessage", {"content": "c", "role": "r"}),
    ("FunctionMessage", {"content": "f", "name": "n"}),
    ("HumanMessageChunk", {"content": "h"}),
]


@pytest.mark.parametrize(("name", "fields"), MESSAGES)
def test_messages_are_written_into_keys_as_in_langchain(name: str, fields: dict[str, Any]) -> None:
    theirs = getattr(their_messages, name)(**fields)
    assert dump_messages([getattr(our_messages, name)(**fields)]) == their_dumps(
        [theirs.model_copy(update={"id": None})]
    )


# Rate limiters.


class Counting:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def acquire(self, *, blocking: bool = True) -> bool:
        self.calls.append("acquire")
        return blocking

    async def aacquire(self, *, blocking: bool = True) -> bool:
        self.calls.append("aacquire")
        return blocking


@ASYNC
def test_an_answer_of_a_cache_needs_no_permission_of_the_rate_limiter(for_async: bool) -> None:
    limiter = Counting()
    model = our_models.FakeListChatModel(responses=["a", "b"], cache=our_caches.InMemoryCache(), rate_limiter=limiter)
    assert [call(model, "invoke", for_async, text).content for text in "ppq"] == ["a", "a", "b"]
    assert limiter.calls == ["aacquire" if for_async else "acquire"] * 2
