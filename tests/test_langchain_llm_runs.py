"""``OpenAI`` of ``integrations.langchain``: handlers and events as of langchain-openai's, and streams that are left."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import langchain_openai as theirs
import openai
import pytest
from langchain_core.callbacks import CallbackManager
from langchain_core.language_models import BaseLLM
from langchain_core.outputs import GenerationChunk
from langchain_core.prompts import PromptTemplate
from pydantic import SecretStr

import millstream.integrations.langchain as ours
from langchain_llms import apair, collect, completion, describe, events, over
from langchain_peer import KEY, normalize_events
from millstream.testing import Cut, MockServer, Reply, Stall, assert_no_leaks
from recording import Theirs, TheirsAsync, comparable_calls

LIBRARIES = (theirs, ours)
BODY = events(completion(text="a"), completion(text="b", logprobs={"tokens": ["b"]}), completion(finish_reason="stop"))
BROKEN = events(completion(text="a"), {"error": {"message": "no"}})


def calls_of(library: Any, method: str, handler: Any, body: bytes = BODY, **fields: Any) -> Any:
    """Return the outputs of one call, and the calls of a handler during it."""
    log: list[Any] = []
    model = over(library, body, **fields)
    config: Any = {"callbacks": [handler(log)], "tags": ["t"], "metadata": {"m": 1}, "run_name": "named"}
    if method in ("invoke", "ainvoke"):
        try:
            call = getattr(model, method)("p", config)
            outputs = [call if method == "invoke" else asyncio.run(call)]
        except openai.OpenAIError as error:
            outputs = [error]
    else:
        outputs = collect(model, method, "p", config, stop=["x"])
    return list(map(describe, outputs)), comparable_calls(log)


@pytest.mark.parametrize("method", ["stream", "astream"])
@pytest.mark.parametrize("handler", [Theirs, TheirsAsync])
@pytest.mark.parametrize("body", [BODY, BROKEN, events()], ids=["whole", "broken", "empty"])
def test_handlers_receive_the_calls_of_langchain_openais(method: str, handler: Any, body: bytes) -> None:
    if method == "stream" and handler is TheirsAsync:
        pytest.skip("LangChain's sync code makes coroutines of these calls and runs them in a thread")
    peer, mine = (calls_of(library, method, handler, body) for library in LIBRARIES)
    assert mine == peer
    assert mine[1]


@pytest.mark.parametrize("method", ["invoke", "ainvoke"])
@pytest.mark.parametrize("body", [BODY, BROKEN], ids=["whole", "broken"])
def test_handlers_receive_the_calls_of_a_call_that_streams(method: str, body: bytes) -> None:
    peer, mine = (calls_of(library, method, Theirs, body, streaming=True, verbose=True) for library in LIBRARIES)
    assert mine == peer
    assert "on_llm_new_token" in [call[1] for call in mine[1]]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.filterwarnings("ignore:astream_events version='v1' is deprecated")
@pytest.mark.parametrize("is_chain", [False, True])
def test_events_are_langchain_openais(version: Any, is_chain: bool) -> None:
    async def read(library: Any) -> list[Any]:
        model = over(library, BODY)
        chain: Any = PromptTemplate.from_template("{text}") | model | ours.StrOutputParser() if is_chain else model
        given: Any = {"text": "p"} if is_chain else "p"
        found = [event async for event in chain.astream_events(given, version=version)]
        order = list(dict.fromkeys(event["run_id"] for event in found))
        return [{**event, "parent_ids": list(map(order.index, event["parent_ids"]))} for event in found]

    peer, mine = (normalize_events(asyncio.run(read(library))) for library in LIBRARIES)
    assert mine == peer


@pytest.mark.parametrize("observed_by", ["config", "model", "verbose", "context"])
@pytest.mark.parametrize("method", ["stream", "astream"])
def test_langchains_machinery_runs_only_where_a_handler_is_configured(
    observed_by: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    inner = CallbackManager.configure

    def machinery(*args: Any, **kwargs: Any) -> Any:
        started.append(args)
        raise LookupError

    monkeypatch.setattr(BaseLLM, method, machinery)
    assert collect(over(ours, BODY), method, "p") == ["a", "b", ""]
    assert started == []
    log: list[Any] = []
    fields: dict[str, Any] = {"verbose": True} if observed_by == "verbose" else {}
    if observed_by == "model":
        fields = {"callbacks": [Theirs(log)]}
    if observed_by == "context":
        monkeypatch.setattr(CallbackManager, "configure", lambda *args: inner([Theirs(log)], *args[1:]))
    config: Any = {"callbacks": [Theirs(log)]} if observed_by == "config" else None
    assert [type(output) for output in collect(over(ours, BODY, **fields), method, "p", config)] == [LookupError]
    assert len(started) == 1


# What stays with langchain-openai.


class Own(ours.OpenAI):
    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        for chunk in super()._stream(prompt, stop, run_manager, **kwargs):
            yield GenerationChunk(text=chunk.text.upper())


def test_a_stream_that_a_class_of_an_app_overrides_is_called() -> None:
    library = MagicMock(OpenAI=Own)
    assert collect(over(library, BODY), "stream", "p") == ["A", "B", ""]
    assert collect(over(library, BODY), "astream", "p") == ["a", "b", ""]


def test_a_client_that_is_not_the_sdks_is_called() -> None:
    payloads = [completion(text="a"), completion(text="b")]
    client, async_client = MagicMock(), MagicMock()
    client.create.side_effect = lambda **params: iter(payloads) if params.get("stream") else payloads[0] | {"usage": {}}

    async def create(**params: Any) -> Any:
        return _each(payloads) if params.get("stream") else payloads[0] | {"usage": {}}

    async def _each(items: list[Any]) -> Any:
        for item in items:
            yield item

    async_client.create = create
    model = ours.OpenAI(api_key=SecretStr(KEY), client=client, async_client=async_client)
    assert collect(model, "stream", "p") == collect(model, "astream", "p") == ["a", "b"]
    assert (model.invoke("p"), asyncio.run(model.ainvoke("p"))) == ("a", "a")


def test_the_sdks_own_connections_are_not_used() -> None:
    with MockServer() as server:
        model = ours.OpenAI(base_url=server.url, api_key=SecretStr(KEY))
        assert "".join(model.stream("p")) == model.invoke("p")
        assert not model.client._client._client._transport._pool.connections


# Streams that are left.


@pytest.mark.parametrize("how", ["close", "drop", "with", "raise"])
@pytest.mark.parametrize("is_observed", [False, True])
def test_a_stream_that_is_left_closes_its_connection_at_once(how: str, is_observed: bool) -> None:
    with MockServer(Reply(fault=Stall(after=2))) as server:
        model = ours.OpenAI(base_url=server.url, api_key=SecretStr(KEY))
        config: Any = {"callbacks": [Theirs([])]} if is_observed else None
        stream: Any = model.stream("p", config)
        gc.disable()
        try:
            if how == "with":
                with stream:
                    next(iter(stream))
            elif how == "raise":
                with pytest.raises(LookupError):
                    _leave(stream)
                stream = None
            else:
                next(iter(stream))
            if how == "close":
                stream.close()
            del stream
            server.wait_until(lambda: server.connections.open == 0)
        finally:
            gc.enable()


def _leave(stream: Any) -> None:
    for _ in stream:
        raise LookupError


@pytest.mark.parametrize("how", ["aclose", "drop", "cancel"])
@pytest.mark.parametrize("is_observed", [False, True])
def test_an_async_stream_that_is_left_closes_its_connection(how: str, is_observed: bool) -> None:
    async def main(server: MockServer) -> None:
        model = ours.OpenAI(base_url=server.url, api_key=SecretStr(KEY))
        config: Any = {"callbacks": [TheirsAsync([])]} if is_observed else None

        async def read() -> None:
            async for _ in model.astream("p", config):
                pass

        if how == "cancel":
            task = asyncio.create_task(read())
            await server.await_until(lambda: bool(server.requests) and server.requests[0].pieces_sent == 2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            stream: Any = model.astream("p", config)
            await anext(aiter(stream))
            if how == "aclose":
                await stream.aclose()
            del stream
        await server.await_until(lambda: server.connections.open == 0)

    with MockServer(Reply(fault=Stall(after=2))) as server:
        asyncio.run(main(server))


@pytest.mark.parametrize("is_async", [False, True])
def test_a_chain_that_is_left_closes_its_connection(is_async: bool) -> None:
    async def aleave(chain: Any, server: MockServer) -> None:
        async for _ in chain.astream({"text": "p"}):
            break
        await server.await_until(lambda: server.connections.open == 0)

    with MockServer(Reply(fault=Stall(after=2))) as server:
        model = ours.OpenAI(base_url=server.url, api_key=SecretStr(KEY))
        chain: Any = PromptTemplate.from_template("{text}") | model | ours.StrOutputParser()
        if is_async:
            asyncio.run(aleave(chain, server))
        else:
            for _ in chain.stream({"text": "p"}):
                break
            server.wait_until(lambda: server.connections.open == 0)


def test_streams_leak_nothing() -> None:
    with MockServer() as server:
        model = ours.OpenAI(base_url=server.url, api_key=SecretStr(KEY))
        list(model.stream("p"))
        with assert_no_leaks():
            list(model.stream("p"))
            next(iter(model.stream("p")))
            model.invoke("p")


@pytest.mark.parametrize("is_chain", [False, True])
def test_async_streams_leak_nothing(is_chain: bool) -> None:
    async def main(url: str) -> None:
        model = ours.OpenAI(base_url=url, api_key=SecretStr(KEY))
        subject: Any = PromptTemplate.from_template("{text}") | model | ours.StrOutputParser() if is_chain else model
        given: Any = {"text": "p"} if is_chain else "p"
        _ = [text async for text in subject.astream(given)]
        async with assert_no_leaks():
            _ = [text async for text in subject.astream(given)]
            await subject.ainvoke(given)

    with MockServer() as server:
        asyncio.run(main(server.url))


@pytest.mark.parametrize("fault", [Cut(1, "reset"), Cut(1, "fin"), Cut("head", "fin")], ids=repr)
@pytest.mark.parametrize("is_observed", [False, True])
def test_a_stream_that_fails_closes_its_connection(fault: Any, is_observed: bool) -> None:
    async def aread(model: Any, config: Any, server: MockServer) -> None:
        with pytest.raises(openai.APIError):
            _ = [text async for text in model.astream("p", config)]
        await server.await_until(lambda: server.connections.open == 0)

    config: Any = {"callbacks": [Theirs([])]} if is_observed else None
    with MockServer(Reply(fault=fault)) as server:
        model = ours.OpenAI(base_url=server.url, api_key=SecretStr(KEY), max_retries=0)
        with pytest.raises(openai.APIError):
            list(model.stream("p", config))
        server.wait_until(lambda: server.connections.open == 0)
        asyncio.run(aread(model, config, server))


def test_fallbacks_and_retries_of_langchain_stream_the_next_answer() -> None:
    async def read(chain: Any) -> list[str]:
        return [text async for text in chain.astream("p")]

    broken, whole = over(ours, BROKEN, status=500), over(ours, BODY)
    for chain in (broken.with_fallbacks([whole]), whole.with_retry() | ours.StrOutputParser()):
        assert list(chain.stream("p")) == asyncio.run(read(chain)) == ["a", "b", ""]


def test_a_stream_is_lazy() -> None:
    with MockServer() as server:
        model = ours.OpenAI(base_url=server.url, api_key=SecretStr(KEY))
        stream = model.stream("p")
        assert server.requests == []
        stream.close()
        assert list(stream) == []
        assert server.requests == []


def test_models_of_both_libraries_answer_together() -> None:
    async def main(url: str) -> None:
        async with apair(url) as models:
            first, second = await asyncio.gather(*(model.ainvoke("p") for model in models))
            assert first == second

    with MockServer() as server:
        asyncio.run(main(server.url))
