"""``ChatAnthropic`` of the LangChain integration, beside langchain-anthropic's: the same calls over the same bytes."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_anthropic
    from pydantic import SecretStr

from anthropic_peer import KEY, MODEL, forget_clients, read_warnings, run
from anthropic_samples import ANSWERS, STREAMS, stream_reply, whole_reply
from langchain_chat import AsyncRecorder, Recorder, describe
from langchain_peer import allow_v1
from millstream.integrations import langchain as ours
from millstream.testing import MockServer

OWN = ("model", "betas", "thinking", "mcp_servers", "context_management")


@contextmanager
def models(reply: Any, options: dict[str, Any], **arguments: Any) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
    """Make our model and langchain-anthropic's for one server; yield the arguments of the call too."""
    own = {name: value for name, value in options.items() if name in OWN}
    call = {name: value for name, value in options.items() if name not in OWN}
    forget_clients()
    with MockServer(reply) as server, read_warnings():
        given: dict[str, Any] = {"model": MODEL, "base_url": server.origin, "api_key": SecretStr(KEY), "max_retries": 0}
        given |= {**own, **arguments}
        yield ours.ChatAnthropic(**given), langchain_anthropic.ChatAnthropic(**given), call


async def read_all(stream: Any) -> list[Any]:
    """Return the items of ``stream``."""
    return [item async for item in stream]


WAYS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "stream": lambda model, call: list(model.stream("p", **call)),
    "astream": lambda model, call: run(model, lambda: read_all(model.astream("p", **call))),
    "stream with a handler": lambda model, call: list(model.stream("p", {"callbacks": [Recorder()]}, **call)),
    "astream with a handler": lambda model, call: run(
        model, lambda: read_all(model.astream("p", {"callbacks": [AsyncRecorder()]}, **call))
    ),
    "_stream": lambda model, call: list(model._stream(model._convert_input("p").to_messages(), **call)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", STREAMS)
def test_the_chunks_are_langchains(name: str, way: str) -> None:
    payloads, options = STREAMS[name]
    with models(stream_reply(payloads), options) as (mine, theirs, call):
        assert describe(WAYS[way](mine, call)) == describe(WAYS[way](theirs, call))


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", ["text", "thinking", "a tool call", "a tool of the server", "betas"])
def test_the_events_are_langchains(name: str, version: str) -> None:
    payloads, options = STREAMS[name]
    with models(stream_reply(payloads), options) as (mine, theirs, call), allow_v1():
        events, expected = (
            run(model, lambda model=model: read_all(model.astream_events("p", version=version, **call)))  # type: ignore[misc]
            for model in (mine, theirs)
        )
        assert describe(events) == describe(expected)


@pytest.mark.parametrize("name", STREAMS)
def test_the_split_of_a_stream_does_not_matter(name: str) -> None:
    payloads, options = STREAMS[name]
    with models(stream_reply(payloads, bytes_per_write=5), options) as (mine, theirs, call):
        assert describe(list(mine.stream("p", **call))) == describe(list(theirs.stream("p", **call)))


@pytest.mark.parametrize("name", ANSWERS)
def test_a_whole_answer_is_langchains(name: str) -> None:
    answer, options = ANSWERS[name]
    with models(whole_reply(answer), options) as (mine, theirs, call):
        assert describe(mine.invoke("p", **call)) == describe(theirs.invoke("p", **call))
        assert describe(run(mine, lambda: mine.ainvoke("p", **call))) == describe(theirs.invoke("p", **call))


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_standard_content_is_langchains(version: str) -> None:
    payloads, options = STREAMS["a tool of the server"]
    with models(stream_reply(payloads), options, output_version=version) as (mine, theirs, call):
        assert describe(list(mine.stream("p", **call))) == describe(list(theirs.stream("p", **call)))


def test_the_requests_are_langchains() -> None:
    with MockServer() as server, read_warnings():
        given: dict[str, Any] = {
            "model": MODEL,
            "base_url": server.origin,
            "api_key": SecretStr(KEY),
            "temperature": 0.5,
        }
        for model in (ours.ChatAnthropic(**given), langchain_anthropic.ChatAnthropic(**given)):
            bound = model.bind_tools([{"type": "web_fetch_20250910", "name": "web_fetch"}])
            list(bound.stream([("system", "s"), ("human", "h")], stop=["x"]))
            model.invoke("p", extra_headers={"x-one": "1"})
        mine, theirs = server.requests[:2], server.requests[2:]
        for first, second in zip(mine, theirs, strict=True):
            assert first.body == second.body
            changing = ("user-agent", "host", "connection", "content-length", "accept-encoding", "accept")
            headers = [
                {key: value for key, value in request.headers.items() if key not in changing}
                for request in (first, second)
            ]
            assert headers[0] == headers[1]
