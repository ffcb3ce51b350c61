"""What apps do with LangChain's chat models, with ours beside langchain-openai's: bindings, schemas, caches, copies."""

import copy
import json
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from langchain_chat import Recorder, aoutcome, body_of, chat_models, choice, describe, outcome, payload
from millstream.integrations.langchain import ChatOpenAI
from millstream.testing import MockServer, Reply

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_openai
    import langchain_openai.chat_models.base as base
    from langchain_core.caches import InMemoryCache
    from langchain_core.load import dumpd, load
    from langchain_core.messages import AIMessageChunk
    from langchain_core.outputs import ChatGenerationChunk
    from langchain_core.runnables import ConfigurableField
    from pydantic import BaseModel, SecretStr


class Answer(BaseModel):
    """An answer."""

    a: int


def pieces(*texts: str) -> bytes:
    """Return the body of a stream of these texts."""
    head = payload(choice({"role": "assistant", "content": ""}))
    return body_of(
        [head, *[payload(choice({"content": text})) for text in texts], payload(choice({}, finish_reason="stop"))]
    )


def arguments(*texts: str) -> bytes:
    """Return the body of a stream of a tool call with these arguments."""
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "Answer", "arguments": ""}}
    rest = [payload(choice({"tool_calls": [{"index": 0, "function": {"arguments": text}}]})) for text in texts]
    return body_of([payload(choice({"tool_calls": [call]})), *rest, payload(choice({}, finish_reason="tool_calls"))])


def answer(content: str | None = None, **message: Any) -> bytes:
    """Return a whole response."""
    spoken = {"role": "assistant", "content": content, **message}
    return json.dumps(payload({"index": 0, "message": spoken, "finish_reason": "stop"})).encode()


SCHEMA = {"title": "Answer", "type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
CALL: dict[str, Any] = {
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "Answer", "arguments": '{"a": 1}'}}]
}
STRUCTURED: dict[str, tuple[Any, dict[str, Any], bytes, bytes]] = {
    "functions": (Answer, {"method": "function_calling"}, arguments('{"a"', ": 1", "2}"), answer(**CALL)),
    "functions with the raw message": (
        SCHEMA,
        {"method": "function_calling", "include_raw": True},
        arguments('{"a"', ": 1", "2}"),
        answer(**CALL),
    ),
    "JSON mode": (None, {"method": "json_mode"}, pieces('{"a"', ": 1", "2}"), answer('{"a": 1}')),
    "a schema": (Answer, {"method": "json_schema"}, pieces('{"a"', ": 1", "2}"), answer('{"a": 1}')),
    "a schema as a dict": (SCHEMA, {"method": "json_schema"}, pieces('{"a"', ": 1", "2}"), answer('{"a": 1}')),
    "a refusal": (Answer, {"method": "json_schema"}, pieces(""), answer(None, refusal="no")),
}


def by_key(items: list[Any]) -> Any:
    """Return what came for each key: the branches of a parallel step run in threads, in no order."""
    if not all(isinstance(item, dict) for item in items):
        return items
    return {key: [item[key] for item in items if key in item] for key in {key for item in items for key in item}}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", STRUCTURED)
def test_structured_output_is_that_of_langchain(name: str) -> None:
    schema, options, streamed, whole = STRUCTURED[name]

    def reply(request: Any) -> Reply:
        if request.body.get("stream"):
            return Reply(body=streamed)
        return Reply(body=whole, content_type="application/json")

    with chat_models(reply) as (model, peer, server):
        ours, theirs = (each.with_structured_output(schema, **options) for each in (model, peer))
        sort: Any = by_key if "raw" in name else list
        assert sort(outcome(lambda: ours.stream("p"))) == sort(outcome(lambda: theirs.stream("p")))
        assert sort(aoutcome(lambda: ours.astream("p"))) == sort(aoutcome(lambda: theirs.astream("p")))
        assert outcome(lambda: [ours.invoke("p")]) == outcome(lambda: [theirs.invoke("p")])
        bodies = [request.body for request in server.requests]
        assert bodies[0] == bodies[1]


def test_tools_are_bound_as_in_langchain() -> None:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    with chat_models(Reply(tool_calls=[{"name": "add", "args": {"a": 1, "b": 2}}])) as (model, peer, server):
        for bound in (model.bind_tools([add], tool_choice="any"), peer.bind_tools([add], tool_choice="any")):
            assert bound.invoke("p").tool_calls[0]["args"] == {"a": 1, "b": 2}
            *_, last = _sums(bound.stream("p"))
            assert last.tool_calls[0]["args"] == {"a": 1, "b": 2}
        bodies = [request.body for request in server.requests]
        assert bodies[:2] == bodies[2:]


def _sums(chunks: Any) -> Iterator[Any]:
    total = None
    for chunk in chunks:
        total = chunk if total is None else total + chunk
        yield total


def test_batches_are_those_of_langchain() -> None:
    with chat_models(Reply(pieces=lambda prompt, index: [prompt])) as (model, peer, _):
        inputs = ["a", "b", "c"]
        found, expected = ([message.content for message in each.batch(inputs)] for each in (model, peer))
        assert found == expected == inputs

        async def batch() -> Any:
            for message in await model.abatch(inputs):
                yield message.content

        assert aoutcome(batch) == inputs
        assert sorted(index for index, _ in model.batch_as_completed(inputs)) == [0, 1, 2]


def test_an_answer_in_the_cache_is_not_requested_again() -> None:
    with chat_models(Reply(), cache=InMemoryCache()) as (model, _, server):
        first, second = model.invoke("p"), model.invoke("p")
        assert first.content == second.content
        assert len(server.requests) == 1
        assert "".join(chunk.content for chunk in model.stream("p")) == first.content
        assert len(server.requests) == 2


def test_handlers_of_the_model_and_of_the_environment_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    with chat_models(Reply(), callbacks=[recorder]) as (model, peer, _):
        list(model.stream("p"))
        found, recorder.calls = recorder.calls, []
        list(peer.stream("p"))
        assert describe(found) == describe(recorder.calls)
    with chat_models(Reply()) as (model, _, _):
        from langchain_core.callbacks import get_usage_metadata_callback

        with get_usage_metadata_callback() as usage:
            list(model.stream("p", stream_usage=True))
        assert usage.usage_metadata["m"]["output_tokens"] > 0


def test_copies_and_pickles_are_as_those_of_langchain() -> None:
    with MockServer() as server:
        model = _make(server, temperature=0.5)
        for copied in (
            copy.copy(model),
            model.model_copy(update={"temperature": 0.1}),
            model.bind(temperature=0.1).bound,
        ):
            assert "".join(chunk.content for chunk in copied.stream("p"))
        assert type(copy.deepcopy(model.model_dump())) is dict
        peer: Any = langchain_openai.ChatOpenAI
        theirs = peer(model="m", base_url=server.url, api_key=SecretStr("k"), temperature=0.5)
        assert model.model_dump() == theirs.model_dump()
        assert repr(model).partition("client=")[0] == repr(theirs).partition("client=")[0]
        outcomes = []
        for each in (model, theirs):
            try:
                pickle.dumps(each)
            except Exception as error:
                outcomes.append(type(error))
        assert len(outcomes) in (0, 2)
        assert len(set(outcomes)) <= 1
        chunks = list(model.stream("p"))
        assert pickle.loads(pickle.dumps(chunks)) == chunks
        assert [chunk.model_copy(deep=True) for chunk in chunks] == [copy.deepcopy(chunk) for chunk in chunks] == chunks


def _make(server: MockServer, **arguments: Any) -> Any:
    cls: Any = ChatOpenAI
    return cls(model="m", base_url=server.url, api_key=SecretStr("k"), **arguments)


def test_serialization_is_that_of_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with MockServer() as server, warnings.catch_warnings(action="ignore"):
        peer: Any = langchain_openai.ChatOpenAI
        model, theirs = _make(server), peer(model="m", base_url=server.url, api_key=SecretStr("k"))
        assert dumpd(model) == dumpd(theirs)
        assert ChatOpenAI.lc_id() == langchain_openai.ChatOpenAI.lc_id()
        loaded = load(dumpd(model), secrets_map={"OPENAI_API_KEY": "k"}, allowed_objects="all")
        assert type(loaded) is langchain_openai.ChatOpenAI
        assert isinstance(model, langchain_openai.ChatOpenAI)


def test_fields_are_configurable() -> None:
    with chat_models(Reply()) as (model, _, server):
        chosen = model.configurable_fields(temperature=ConfigurableField(id="t"))
        list(chosen.stream("p", {"configurable": {"t": 0.25}}))
        assert server.requests[-1].body["temperature"] == 0.25
        other = model.configurable_alternatives(ConfigurableField(id="which"), other=model.bind(stop=["x"]))
        list(other.stream("p", {"configurable": {"which": "other"}}))
        assert server.requests[-1].body["stop"] == ["x"]


# What langchain-openai keeps.


def test_a_client_that_is_not_the_sdks_is_called() -> None:
    chunk = payload(choice({"role": "assistant", "content": "fake"}))

    class Fake:
        def create(self, **kwargs: Any) -> Any:
            class Chunks:
                def __enter__(self) -> Any:
                    return iter([chunk])

                def __exit__(self, *raised: Any) -> None: ...

            return Chunks()

    cls: Any = ChatOpenAI
    model = cls(model="m", api_key=SecretStr("k"), client=Fake())
    assert [part.content for part in model.stream("p")] == ["fake", ""]


def test_an_async_key_leaves_async_calls_alone() -> None:
    async def key() -> str:
        return "computed"

    with chat_models(Reply(), api_key=key) as (model, peer, server):
        assert aoutcome(lambda: model.astream("p"))
        assert server.requests[-1].headers["authorization"] == "Bearer computed"
        assert outcome(lambda: model.stream("p")) == outcome(lambda: peer.stream("p"))
        assert outcome(lambda: [model.invoke("p")]) == outcome(lambda: [peer.invoke("p")])


def test_hooks_of_a_subclass_are_called() -> None:
    class Shouting(ChatOpenAI):
        def _convert_chunk_to_generation_chunk(self, chunk: Any, *args: Any) -> ChatGenerationChunk | None:
            made = super()._convert_chunk_to_generation_chunk(chunk, *args)
            assert made is not None
            made.message.content = str(made.message.content).upper()
            return made

    class Canned(ChatOpenAI):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
            yield ChatGenerationChunk(message=AIMessageChunk(content="canned"))

    with MockServer(Reply(pieces=["a", "b"])) as server:
        classes: list[Any] = [Shouting, Canned]
        shouting, canned = (cls(model="m", base_url=server.url, api_key=SecretStr("k")) for cls in classes)
        assert "".join(chunk.content for chunk in shouting.stream("p")) == "AB"
        assert "".join(chunk.content for chunk in canned.stream("p")) == "canned"
        assert canned.invoke("p").content == "ab"


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (base, "_convert_delta_to_message_chunk"),
        (base.BaseChatOpenAI, "_convert_chunk_to_generation_chunk"),
    ],
)
def test_a_patched_converter_sees_every_chunk(monkeypatch: pytest.MonkeyPatch, place: Any, name: str) -> None:
    seen = []
    original = getattr(place, name)

    def convert(*arguments: Any) -> Any:
        seen.append(1)
        return original(*arguments)

    with chat_models(Reply(body=pieces("a", "b"))) as (model, _, _):
        monkeypatch.setattr(place, name, convert)
        assert len(list(model.stream("p"))) == 5
    assert len(seen) == 4


def test_a_patched_sdk_sees_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    with chat_models(Reply()) as (model, _, _):
        kind = type(model.client)
        original = kind.create

        def create(self: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(kwargs["model"])
            return original(self, *args, **kwargs)

        monkeypatch.setattr(kind, "create", create)
        assert "".join(chunk.content for chunk in model.stream("p"))
        assert model.invoke("p").content
    assert seen == ["m", "m"]


def test_nothing_of_langchain_runs_per_chunk_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with chat_models(Reply(body=pieces(*"abc"))) as (model, _, _):
        kept = SimpleNamespace(calls=0)
        original = ChatGenerationChunk.__init__

        def count(self: Any, *args: Any, **kwargs: Any) -> None:
            kept.calls += 1
            original(self, *args, **kwargs)

        list(model.stream("p"))
        monkeypatch.setattr(ChatGenerationChunk, "__init__", count)
        assert len(list(model.stream("p"))) == 6
        # The first payload and the last one have more than text.
        assert kept.calls == 2


def test_an_unknown_version_of_langchain_is_reported() -> None:
    program = (
        "import langchain_openai, langchain_core.language_models._utils as utils\n"
        "del utils._normalize_messages\n"
        "from millstream.integrations.langchain import ChatOpenAI"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    message = (
        "ImportError: millstream.integrations.langchain.ChatOpenAI does not support this version of langchain-core"
    )
    assert message in done.stderr
