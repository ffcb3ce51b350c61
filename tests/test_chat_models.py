"""``BaseChatModel``: users' models, the calls of their handlers, and the fakes, compared with LangChain's."""

import asyncio
import contextlib
import json
import re
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from endings import exhaust, read_all
from langchain_peer import KEY, achat_peer, chat_peer, dump_messages
from recording import achat_handlers, ahandlers, chat_handlers, comparable_calls, handlers
from test_chat_events import BODIES, AstreamBody, BrokenBody, EmptyBody, StreamBody, WholeBody, build_pair

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.language_models import fake_chat_models as their_fakes
    from langchain_core.messages import AIMessage as TheirMessage

from millstream import BaseChatModel, ChatOpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.language_models import (
    FakeListChatModel,
    FakeListChatModelError,
    FakeListLLM,
    FakeListLLMError,
    FakeStreamingListLLM,
    GenericFakeChatModel,
    ParrotFakeChatModel,
    SimpleChatModel,
)
from millstream.language_models import fake_chat_models as our_fakes
from millstream.messages import AIMessage, AIMessageChunk, HumanMessage
from millstream.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from millstream.testing import MockServer

CONFIG: dict[str, Any] = {"tags": ["c"], "metadata": {"k": 1}, "run_name": "r", "run_id": UUID(int=3)}


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda model, config: model.invoke("hello", config, stop=["x"], extra=1),
    "ainvoke": lambda model, config: asyncio.run(model.ainvoke("hello", config, stop=["x"], extra=1)),
    "stream": lambda model, config: list(model.stream("hello", config, stop=["x"], extra=1)),
    "astream": lambda model, config: asyncio.run(exhaust(model.astream("hello", config, stop=["x"], extra=1))),
    "batch": lambda model, config: model.batch(["hello"], config),
}


def normalize(log: Any) -> Any:
    """Return the recorded calls with LangChain's finish reasons corrected, and tokens as keywords."""
    for place, (label, event, args, kwargs) in enumerate(log):
        if event == "on_llm_new_token" and args:
            log[place] = (label, event, (), {**kwargs, "token": args[0]})
    return json.loads(re.sub('"(stop)+"', '"stop"', json.dumps(comparable_calls(log), default=str)))


@pytest.mark.parametrize("make_handler", [handlers, ahandlers, chat_handlers, achat_handlers])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body", [*BODIES, BrokenBody])
def test_handlers_receive_langchains_calls(body: type, way: str, make_handler: Any) -> None:
    calls = []
    for place in (0, 1):
        log: list[Any] = []
        flags = {"run_inline": True} if make_handler in (handlers, chat_handlers) else {}
        model = build_pair(body)[place]
        config = {**CONFIG, "callbacks": [make_handler(log, "config", **flags)[place]]}
        with contextlib.suppress(RuntimeError):
            WAYS[way](model, config)
        calls.append(normalize(log))
    assert calls[1] == calls[0]
    assert calls[1]


@pytest.mark.parametrize(("way", "streaming"), [("stream", False), ("invoke", True), ("batch", False)])
def test_handlers_of_chat_openai_receive_langchains_calls(mock_server: MockServer, way: str, streaming: bool) -> None:
    calls: dict[str, Any] = {
        "batch": lambda model, config: model.batch(["a"], {**config, "run_id": None}),
        "invoke": lambda model, config: model.invoke("hello", config, stop=["x"]),
        "stream": lambda model, config: list(model.stream("hello", config, stop=["x"], temperature=0.5)),
    }
    logs: list[list[Any]] = [[], []]
    with chat_peer(mock_server.url, streaming=streaming, tags=["m"], model="m") as theirs:
        calls[way](theirs, {**CONFIG, "callbacks": [chat_handlers(logs[0])[0]]})
    ours = ChatOpenAI(base_url=mock_server.url, api_key=KEY, streaming=streaming, tags=["m"], model="m")
    calls[way](ours, {**CONFIG, "callbacks": [chat_handlers(logs[1])[1]]})
    theirs, ours = [drop_details(normalize(log)) for log in logs]
    assert ours == theirs


def drop_details(value: Any) -> Any:
    """Return ``value`` without the fields that the SDK adds to a response, and the number of the mock's response."""
    if isinstance(value, dict):
        return {key: drop_details(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [drop_details(item) for item in value]
    return "chatcmpl" if isinstance(value, str) and value.startswith("chatcmpl-mock") else value


def test_handlers_of_chat_openai_in_async_code_receive_langchains_calls(mock_server: MockServer) -> None:
    logs: list[list[Any]] = [[], []]

    async def theirs() -> None:
        async with achat_peer(mock_server.url, model="m") as model:
            await exhaust(model.astream("hello", {**CONFIG, "callbacks": [achat_handlers(logs[0])[0]]}))

    asyncio.run(theirs())
    ours = ChatOpenAI(base_url=mock_server.url, api_key=KEY, model="m")
    config: Any = {**CONFIG, "callbacks": [achat_handlers(logs[1])[1]]}
    asyncio.run(exhaust(ours.astream("hello", config)))
    assert normalize(logs[1]) == normalize(logs[0])


def test_a_handler_that_ignores_chat_models_receives_no_start() -> None:
    log: list[Any] = []
    ours = chat_handlers(log)[1]
    type(ours).ignore_chat_model = True
    try:
        build_pair(WholeBody)[1].invoke("p", {"callbacks": [ours]})
    finally:
        del type(ours).ignore_chat_model
    assert [event for _, event, _, _ in log] == ["on_llm_end"]


class Noting(BaseCallbackHandler):
    """Records the ends and errors of runs, with their results."""

    run_inline = True

    def __init__(self) -> None:
        self.ends: list[Any] = []

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.ends.append(("end", response.generations[0][0].text))

    def on_llm_error(self, error: BaseException, *, response: Any = None, **kwargs: Any) -> None:
        self.ends.append((type(error).__name__, [[one.text for one in choices] for choices in response.generations]))


@pytest.mark.parametrize("body", [StreamBody, AstreamBody])
def test_leaving_early_closes_the_model_and_reports_an_error_with_the_chunks_so_far(body: type) -> None:
    closed: list[str] = []

    class Endless(body):  # type: ignore[misc]
        def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
            try:
                while True:
                    yield self.chunk("a")
            finally:
                closed.append("sync")

        async def _astream(
            self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
        ) -> AsyncIterator[Any]:
            try:
                yield self.chunk("a")
                await asyncio.Event().wait()
            finally:
                closed.append("async")

    model = build_pair(Endless)[1]
    noting = Noting()
    for _ in model.stream("p", {"callbacks": [noting]}):
        break
    assert (closed, noting.ends) == (["sync"], [("GeneratorExit", [["a"], []])])

    async def leave(how: str) -> None:
        stream = model.astream("p", {"callbacks": [noting]})
        await anext(stream)
        if how == "aclose":
            await stream.aclose()
            return
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(stream)

    asyncio.run(leave("aclose"))
    asyncio.run(leave("cancel"))
    assert closed == ["sync", "async", "async"]
    assert noting.ends[1:] == [("GeneratorExit", [["a"], []]), ("CancelledError", [["a"], []])]


# Calls.


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream", "generate", "agenerate"])
def test_a_users_model_answers_as_langchains_does(body: type, way: str) -> None:
    def call(model: Any) -> Any:
        if way.endswith("stream"):
            return read_all(getattr(model, way)("hello"))[0]
        if way.endswith("generate"):
            message = HumanMessage("hello") if isinstance(model, BaseChatModel) else TheirHuman("hello")
            found = getattr(model, way)([[message], [message]])
            result = asyncio.run(found) if way.startswith("a") else found
            return [[choice.message for choice in choices] for choices in result.generations], result.llm_output
        found = getattr(model, way)("hello")
        return asyncio.run(found) if way.startswith("a") else found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_core.messages import HumanMessage as TheirHuman
    theirs, ours = build_pair(body)
    assert dump_messages(call(ours)) == dump_messages(call(theirs))


def test_a_stream_that_yields_nothing_raises() -> None:
    ours = build_pair(EmptyBody)[1]
    for stream in (ours.stream("p"), ours.astream("p")):
        items, error = read_all(stream)
        assert (items, type(error), str(error)) == ([], ValueError, "No generation chunks were returned")


def test_an_object_that_is_not_a_chunk_is_rejected() -> None:
    class Wrong(WholeBody, BaseChatModel):
        def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
            yield "text"

    _, error = read_all(Wrong().stream("p"))
    assert isinstance(error, TypeError)
    assert "ChatGenerationChunk" in str(error)


def test_inputs_of_any_form_become_messages() -> None:
    parrot = ParrotFakeChatModel()
    assert parrot.invoke("a").content == "a"
    assert parrot.invoke([("system", "s"), {"role": "user", "content": "b"}]).content == "b"
    assert parrot.invoke([TheirMessage("c")]).content == "c"
    for wrong in (5, b"bytes", None):
        with pytest.raises(ValueError, match="Invalid input type"):
            parrot.invoke(wrong)  # type: ignore[arg-type]


def test_a_rate_limiter_is_called_before_each_request() -> None:
    class Limiter:
        calls = 0

        def acquire(self, *, blocking: bool = True) -> bool:
            self.calls += 1
            return blocking

        async def aacquire(self, *, blocking: bool = True) -> bool:
            return self.acquire(blocking=blocking)

    limiter = Limiter()
    model = type("Limited", (AstreamBody, StreamBody, BaseChatModel), {"chunk": None, "result": None})(
        rate_limiter=limiter
    )
    type(model).chunk = staticmethod(lambda text: ChatGenerationChunk(AIMessageChunk(text)))
    type(model).result = staticmethod(lambda text: ChatResult([ChatGeneration(AIMessage(text))]))
    model.invoke("p")
    list(model.stream("p"))
    asyncio.run(model.ainvoke("p"))
    asyncio.run(exhaust(model.astream("p")))
    assert limiter.calls == 4


def test_the_first_failure_of_many_answers_ends_all_their_runs() -> None:
    class Slow(WholeBody, BaseChatModel):
        ended: Any = None

        async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            if messages[0].content == "bad":
                raise RuntimeError("bad")
            try:
                await asyncio.Event().wait()
            finally:
                self.ended.append(messages[0].content)

    noting = Noting()
    ended: list[str] = []
    with pytest.raises(RuntimeError, match="bad"):
        asyncio.run(Slow(ended=ended).agenerate([["good"], ["bad"]], callbacks=[noting]))
    assert ended == ["good"]
    assert noting.ends == [("RuntimeError", [[]])] * 2


def test_a_simple_model_returns_one_text() -> None:
    class Shout(SimpleChatModel):
        def _call(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            return str(messages[-1].content).upper()

        @property
        def _llm_type(self) -> str:
            return "shout"

    assert Shout().invoke("a").content == "A"
    assert [chunk.content for chunk in Shout().stream("b")] == ["B"]
    assert Shout().asdict() == {"_type": "shout"}
    assert (Shout() | (lambda message: message.content)).invoke("c") == "C"


def test_generations_are_values() -> None:
    chunk = ChatGenerationChunk(AIMessageChunk("a"), {"finish_reason": "stop"})
    rest = [chunk, ChatGenerationChunk(AIMessageChunk("b"))]
    total = chunk + rest
    assert total == ChatGenerationChunk(AIMessageChunk("aab"), {"finish_reason": "stop"})
    assert (total.text, total.type) == ("aab", "ChatGenerationChunk")
    assert total != ChatGeneration(AIMessageChunk("aab"), {"finish_reason": "stop"})
    assert repr(ChatGeneration(AIMessage("a"))).startswith("ChatGeneration(text='a', message=AIMessage(content='a'")
    assert ChatGeneration(AIMessage([{"text": "a"}, "b", {"type": "image"}])).text == "ab"
    assert ChatResult([ChatGeneration(AIMessage("a"))]) == ChatResult([ChatGeneration(AIMessage("a"))])
    assert ChatResult([]).model_dump() == {"generations": [], "llm_output": None}
    with pytest.raises(TypeError, match="unsupported operand"):
        chunk + "b"


def test_unsupported_output_versions_are_rejected() -> None:
    with pytest.raises(ValueError, match="output_version"):
        ParrotFakeChatModel(output_version="v3")


# Fakes.

FAKES: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("generic", lambda fakes, message: fakes.GenericFakeChatModel(messages=iter([message("a b", id="m"), "c d"] * 9))),
    ("list", lambda fakes, message: fakes.FakeListChatModel(responses=["ab", "c"])),
    (
        "messages",
        lambda fakes, message: fakes.FakeMessagesListChatModel(responses=[message("a", id="m"), message("b")]),
    ),
    ("parrot", lambda fakes, message: fakes.ParrotFakeChatModel()),
    ("fake", lambda fakes, message: fakes.FakeChatModel()),
]


@pytest.mark.parametrize("make", [fake[1] for fake in FAKES], ids=[fake[0] for fake in FAKES])
def test_the_fakes_answer_as_langchains_do(make: Any) -> None:
    calls = []
    for fakes, message in ((their_fakes, TheirMessage), (our_fakes, AIMessage)):
        model = make(fakes, message)
        answers = [
            model.invoke("p"),
            list(model.stream("p")),
            asyncio.run(model.ainvoke("p")),
            read_all(model.astream("p"))[0],
            model.batch(["p", "q"], {"max_concurrency": 1}),
            asyncio.run(model.abatch(["p", "q"], {"max_concurrency": 1})),
            model.asdict(),
        ]
        calls.append(dump_messages(answers))
    assert calls[1] == calls[0]


def test_fakes_can_sleep_and_fail() -> None:
    model = FakeListChatModel(responses=["abc"], error_on_chunk_number=2, sleep=0.001)
    begun = time.monotonic()
    for stream in (model.stream("p"), model.astream("p")):
        chunks, error = read_all(stream)
        assert ([chunk.content for chunk in chunks], type(error)) == (["a", "b"], FakeListChatModelError)
    assert model.invoke("p").content == "abc"
    assert time.monotonic() - begun >= 0.007
    wrongs: list[Any] = [AIMessage(["a"]), HumanMessage("a")]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"content to be a string|return an AIMessage"):
            list(GenericFakeChatModel(messages=iter([wrong])).stream("p"))


def test_the_fake_completion_models_return_the_responses_of_their_list() -> None:
    assert FakeListLLM(responses=["a", "b"]).batch(["p", "q", "r"]) == ["a", "b", "a"]
    assert asyncio.run(FakeListLLM(responses=["a"]).ainvoke("p")) == "a"
    model = FakeStreamingListLLM(responses=["abc", "de"])
    assert list(model.stream("p")) == ["a", "b", "c"]
    assert read_all(model.astream("p")) == (["d", "e"], None)
    model = FakeStreamingListLLM(responses=["abc"], error_on_chunk_number=1, sleep=0)
    for stream in (model.stream("p"), model.astream("p")):
        items, error = read_all(stream)
        assert (items, type(error)) == (["a"], FakeListLLMError)
