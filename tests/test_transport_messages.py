"""The messages of connection errors name the timeout and the stage, equally over both transports."""

import asyncio
import itertools
from functools import partial
from typing import Any

import pytest

from endings import at_once, read_all
from langchain_peer import KEY
from marks import both_ways, over_both
from millstream import ChatOpenAI, OpenAI
from millstream.errors import (
    APIConnectionError,
    APITimeoutError,
    MillstreamError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.testing import Cut, MockServer, Refuse, Reply, Stall, refusing_url, unaccepting_url

BEFORE = "the request failed before the response began: "
MID = "the connection timed out in mid-stream: "


def model(cls: Any, url: str, transport: str, **arguments: Any) -> Any:
    return cls(base_url=url, api_key=KEY, transport=transport, max_retries=0, **arguments)


def failure(llm: Any, asynchronous: bool, streams: bool = True) -> Exception:
    """Return the error of a stream, or of a whole answer."""
    if streams:
        _, error = read_all(llm.astream("p") if asynchronous else llm.stream("p"))
        assert error is not None
        return error
    with pytest.raises(MillstreamError) as caught:
        asyncio.run(llm.ainvoke("p")) if asynchronous else llm.invoke("p")
    return caught.value


def failures(cls: Any, url: str, *streams: bool, **waits: float) -> list[tuple[type, str]]:
    """Return the errors over both transports, of sync and of async code: all are waited for at the same time."""
    every = itertools.product(("native", "httpx2"), (False, True), streams)
    errors = at_once([partial(failure, model(cls, url, over, **waits), later, many) for over, later, many in every])
    return [(type(error), str(error)) for error in errors]


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize(
    ("waits", "says"),
    [
        ({"timeout": 0.5}, "nothing arrived within 0.5 s"),
        ({"stream_chunk_timeout": 0.5}, "nothing arrived within 0.5 s"),
        ({"total_timeout": 0.5}, "the response did not end within 0.5 s"),
    ],
)
def test_the_error_of_a_stalled_stream_names_the_timeout(
    waits: dict[str, float], says: str, mock_server: MockServer
) -> None:
    mock_server.reply = Reply(fault=Stall(after=3))
    assert failures(OpenAI, mock_server.url, True, **waits) == [(StreamStalledError, MID + says)] * 4


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize(
    ("waits", "says"),
    [
        ({"timeout": 0.5}, "timed out (the head did not come within 0.5 s)"),
        ({"total_timeout": 0.5}, "timed out (the response did not end within 0.5 s)"),
    ],
)
def test_the_error_of_a_missing_head_names_the_timeout(
    waits: dict[str, float], says: str, mock_server: MockServer
) -> None:
    mock_server.reply = Reply(fault=Stall(after="request"))
    assert failures(OpenAI, mock_server.url, True, False, **waits) == [(APITimeoutError, BEFORE + says)] * 8


@pytest.mark.usefixtures("native")
def test_the_error_of_a_failed_connect_names_the_origin() -> None:
    with refusing_url() as url:
        for kind, message in failures(ChatOpenAI, url, True):
            assert kind is APIConnectionError
            assert message.startswith(f"{BEFORE}no connection to {url.removesuffix('/v1')}: ")
    with unaccepting_url() as url:
        says = f"{BEFORE}timed out (no connection to {url.removesuffix('/v1')} within 0.5 s)"
        assert failures(ChatOpenAI, url, True, timeout=0.5) == [(APITimeoutError, says)] * 4


@both_ways
@over_both
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_the_error_of_a_lost_connection_says_how_it_was_lost(
    transport: str, asynchronous: bool, streams: bool, mock_server: MockServer
) -> None:
    llm = model(ChatOpenAI, mock_server.url, transport)
    mock_server.reply = Reply(fault=Cut(after=3))
    error = failure(llm, asynchronous, streams)
    assert type(error) is StreamTruncatedError
    assert "the connection broke in mid-stream: [Errno" in str(error)
    mock_server.reply = Reply(fault=Refuse())
    error = failure(llm, asynchronous, streams)
    assert type(error) is APIConnectionError
    assert str(error).startswith(BEFORE + "[Errno")


@both_ways
def test_the_error_of_a_failed_connect_mentions_a_proxy(asynchronous: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_url() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.removesuffix("/v1"))
        monkeypatch.setenv("NO_PROXY", "")
        llm = ChatOpenAI(base_url="http://name.example/v1", api_key=KEY, max_retries=0)
        error = failure(llm, asynchronous)
    assert str(error).startswith(f"{BEFORE}no connection to http://name.example:80, or to the proxy on the way: ")
