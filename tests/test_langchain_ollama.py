"""``ChatOllama`` of ``millstream.integrations.langchain``, beside langchain-ollama's over the same bytes."""

import asyncio
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import httpx
    import langchain_ollama
    import ollama
    from langchain_core.messages import HumanMessage

import langchain_chat
from endings import assert_closed_by_us
from langchain_chat import ainvoke, aoutcome, describe, invoke, outcome, outcomes
from langchain_peer import allow_v1
from millstream.errors import ProviderError, StreamTruncatedError
from millstream.integrations import langchain as ours
from millstream.testing import Cut, MockServer, Reply, assert_no_leaks
from ollama_peers import END, line, lines, served, texts
from test_ollama_answers import CASES

_CALL_ID = re.compile(r"^[0-9a-f-]{36}$")
cases = pytest.mark.parametrize("name", CASES)


@contextmanager
def models(reply: Any, **arguments: Any) -> Iterator[tuple[Any, Any, MockServer]]:
    """Make our model and langchain-ollama's for one server, and close their clients at the end."""
    with MockServer(reply) as server, asyncio.Runner() as runner:
        given = {"model": "m", "base_url": server.origin, **arguments}
        both: tuple[Any, Any] = (ours.ChatOllama(**given), langchain_ollama.ChatOllama(**given))
        langchain_chat._runners.append(runner)
        try:
            yield *both, server
        finally:
            langchain_chat._runners.pop()
            for model in both:
                model._client.close()
                runner.run(model._async_client.close())


def named(value: Any) -> Any:
    """Return a description with equal ids of tool calls, and without the path of the model's class."""
    if isinstance(value, dict) and value.get("type") == "not_implemented":
        return value["id"][-1]
    if isinstance(value, dict):
        return {key: named(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [named(item) for item in value]
    return _CALL_ID.sub("#", value) if isinstance(value, str) else value


def test_the_class_is_langchains_with_other_streams() -> None:
    assert issubclass(ours.ChatOllama, langchain_ollama.ChatOllama)
    assert ours.ChatOllama.__module__.startswith("millstream.")


@cases
def test_streams_are_langchains(name: str) -> None:
    payloads, fields, arguments = CASES[name]
    with models(served(*payloads), **fields) as (mine, theirs, server):
        assert named(outcomes(mine, **arguments)) == named(outcomes(theirs, **arguments))
        bodies = [request.body for request in server.requests]
    assert bodies[: len(bodies) // 2] == bodies[len(bodies) // 2 :]


@cases
def test_answers_are_langchains(name: str) -> None:
    payloads, fields, arguments = CASES[name]
    with models(served(*payloads), **fields) as (mine, theirs, _):
        assert named(invoke(mine, **arguments)) == named(invoke(theirs, **arguments))
        assert named(ainvoke(mine, **arguments)) == named(ainvoke(theirs, **arguments))


@pytest.mark.parametrize("version", ["v1", "v2"])
@cases
def test_events_are_langchains(name: str, version: Any) -> None:
    payloads, fields, arguments = CASES[name]
    with models(served(*payloads), **fields) as (mine, theirs, _), allow_v1():
        calls = [partial(model.astream_events, "p", version=version, **arguments) for model in (mine, theirs)]
        read = [aoutcome(call) for call in calls]
    assert named(read[0]) == named(read[1])


def test_tools_structured_output_and_v1_content_are_langchains() -> None:
    schema = {"title": "A", "type": "object", "properties": {"a": {"type": "integer"}}}
    with models(served(*texts('{"a"', ": 1}"))) as (mine, theirs, server):
        for model in (mine, theirs):
            assert model.with_structured_output(schema).invoke("p") == {"a": 1}
            model.bind_tools([schema]).invoke([HumanMessage([{"type": "image_url", "image_url": "aGk="}])])
        bodies = [request.body for request in server.requests]
        headers = [request.headers for request in server.requests]
    assert bodies[:2] == bodies[2:]
    assert [one["user-agent"] for one in headers] == [headers[0]["user-agent"]] * 4


# What is different.


def test_a_line_separator_in_a_text_is_read() -> None:
    body = [lines(line("a\u2028b"), END)]
    with models(Reply(body=body)) as (mine, theirs, _):
        assert mine.invoke("p").content == "a\u2028b"
        with pytest.raises(json.JSONDecodeError):
            theirs.invoke("p")


FAILURES: dict[str, tuple[Any, type[Exception], type[Exception]]] = {
    "cut": (served(line("a")), httpx.RemoteProtocolError, StreamTruncatedError),
    "broken": (Reply(pieces=["a", "b"], fault=Cut(after=1)), httpx.RemoteProtocolError, StreamTruncatedError),
    "error": (served(line("a"), {"error": "no memory"}), ollama.ResponseError, ProviderError),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_stream_that_fails_raises_the_sdks_exception_with_ours_as_its_cause(name: str) -> None:
    reply, kind, cause = FAILURES[name]
    with models(reply) as (mine, _, _server):
        for stream in (mine.stream("p"), mine._stream([HumanMessage("p")])):
            seen = []
            with pytest.raises(kind) as caught:
                seen.extend(stream)
            assert isinstance(caught.value.__cause__, cause)
            assert "".join(getattr(one, "text", one) for one in seen) == "a"
        with pytest.raises(kind):
            mine.invoke("p")


def test_errors_of_the_server_are_langchains() -> None:
    with models(served({"error": "no memory"})) as (mine, theirs, _):
        assert outcome(lambda: mine.stream("p")) == outcome(lambda: theirs.stream("p"))
    with models(Reply(status=404, body=b'{"error":"model not found"}')) as (mine, theirs, _):
        errors = []
        for model in (mine, theirs):
            with pytest.raises(ollama.ResponseError) as caught:
                model.invoke("p")
            errors.append((caught.value.error, caught.value.status_code))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["stream", "astream"])
@pytest.mark.usefixtures("without_the_collector")
def test_leaving_a_stream_closes_its_connection(server: MockServer, asynchronous: bool) -> None:
    async def leave(model: Any) -> None:
        async with model.astream("p") as stream:
            await anext(stream)
        await model._async_client.close()

    with assert_no_leaks():
        model: Any = ours.ChatOllama(model="m", base_url=server.origin)
        if asynchronous:
            asyncio.run(leave(model))
        else:
            for _ in model.stream("p"):
                break
        assert_closed_by_us(server)
        model._client.close()


# What is left to langchain-ollama.


def test_a_subclass_that_overrides_how_chunks_are_made_keeps_langchains_streams() -> None:
    class Mine(ours.ChatOllama):
        def _iterate_over_stream(self, *args: Any, **kwargs: Any) -> Any:
            for chunk in super()._iterate_over_stream(*args, **kwargs):
                chunk.message.content = str(chunk.message.content).upper()
                yield chunk

    with MockServer(served(*texts("a", "b"))) as server:
        model: Any = Mine(model="m", base_url=server.origin)
        assert "".join(str(chunk.content) for chunk in model.stream("p")) == "AB"
        assert model.invoke("p").content == "AB"
        model._client.close()


def test_a_client_with_arguments_of_httpx_sends_the_request_itself() -> None:
    seen: list[str] = []

    class Transport(httpx.HTTPTransport):
        def handle_request(self, request: Any) -> Any:
            seen.append(str(request.url))
            return super().handle_request(request)

    with MockServer(served(*texts("a", "b"))) as server:
        model: Any = ours.ChatOllama(model="m", base_url=server.origin, sync_client_kwargs={"transport": Transport()})
        assert [chunk.content for chunk in model.stream("p")] == ["a", "b", "", ""]
        model._client.close()
    assert seen == [f"{server.origin}/api/chat"]


def test_a_mocked_client_is_asked() -> None:
    model: Any = ours.ChatOllama(model="m", base_url="http://127.0.0.1:9")

    class Fake:
        def chat(self, **kwargs: Any) -> Any:
            return iter([ollama.ChatResponse(**one) for one in texts("a")])

    model._client.close()
    model._client = Fake()
    assert model.invoke("p").content == "a"
    assert describe([chunk.content for chunk in model.stream("p")]) == ["a", "", ""]


def test_streams_of_the_mock_server_are_read(mock_server: MockServer) -> None:
    model: Any = ours.ChatOllama(model="m", base_url=mock_server.origin)
    assert "".join(str(chunk.content) for chunk in model.stream("p")) == model.invoke("p").content
    model._client.close()
