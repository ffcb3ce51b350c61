"""Which calls stream, compared with LangChain: ``streaming``, ``disable_streaming``, ``stream`` and handlers."""

import asyncio
import itertools
import warnings
from typing import Any

import pytest

from endings import exhaust
from langchain_peer import achat_peer, chat_peer
from millstream import ChatOpenAI
from millstream.testing import MockServer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.callbacks.base import BaseCallbackHandler as TheirHandler

from millstream.callbacks import BaseCallbackHandler

TOOLS = [{"type": "function", "function": {"name": "f"}}]
SWITCHES: list[dict[str, Any]] = [
    streaming | disabled
    for streaming, disabled in itertools.product(
        (dict[str, Any](), {"streaming": True}, {"streaming": False}),
        (
            dict[str, Any](),
            {"disable_streaming": True},
            {"disable_streaming": False},
            {"disable_streaming": "tool_calling"},
        ),
    )
]


def call(model: Any, way: str, arguments: dict[str, Any], handler: Any) -> None:
    config = {"callbacks": [handler]} if handler else None
    if way == "invoke":
        model.invoke("p", config, **arguments)
    elif way == "stream":
        list(model.stream("p", config, **arguments))
    elif way == "ainvoke":
        asyncio.run(model.ainvoke("p", config, **arguments))
    elif way == "astream":
        asyncio.run(exhaust(model.astream("p", config, **arguments)))
    else:
        asyncio.run(exhaust(model.astream_events("p", config, version="v2", **arguments)))


@pytest.mark.parametrize("fields", SWITCHES, ids=repr)
@pytest.mark.parametrize("way", ["invoke", "astream", "events"])
def test_a_request_streams_where_langchains_does(fields: dict[str, Any], way: str, mock_server: MockServer) -> None:
    for tools, handled in itertools.product((False, True), (False, True)):
        arguments = {"tools": TOOLS} if tools else {}
        # LangChain requests a stream here, and then cannot read it.
        is_broken = fields.get("streaming") is True
        must_not = fields.get("disable_streaming") is True or (
            fields.get("disable_streaming") == "tool_calling" and tools
        )
        ours = ChatOpenAI(base_url=mock_server.url, api_key="k", **fields)
        call(ours, way, arguments, BaseCallbackHandler() if handled else None)
        body = mock_server.requests[-1].body
        if is_broken and must_not:
            assert body["stream"] is False
            continue

        async def theirs(arguments: dict[str, Any] = arguments, handled: bool = handled) -> None:
            async with achat_peer(mock_server.url, **fields) as model:
                config: Any = {"callbacks": [TheirHandler()]} if handled else None
                if way == "ainvoke":
                    await model.ainvoke("p", config, **arguments)
                elif way == "astream":
                    await exhaust(model.astream("p", config, **arguments))
                else:
                    await exhaust(model.astream_events("p", config, version="v2", **arguments))

        if way in ("invoke", "stream"):
            with chat_peer(mock_server.url, **fields) as model:
                call(model, way, arguments, TheirHandler() if handled else None)
        else:
            asyncio.run(theirs())
        assert body == mock_server.requests[-1].body


def test_a_whole_response_is_not_streamed_whatever_the_arguments(mock_server: MockServer) -> None:
    model = ChatOpenAI(base_url=mock_server.url, api_key="k", streaming=True, disable_streaming=True)
    for _ in (model.invoke("p"), model.invoke("p", stream=True), asyncio.run(model.ainvoke("p"))):
        assert mock_server.requests[-1].body["stream"] is False
    model.batch(["a", "b"])
    list(model.stream("p"))
    assert [request.body["stream"] for request in mock_server.requests] == [False] * 6
