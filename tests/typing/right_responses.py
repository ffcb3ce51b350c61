"""What type checkers infer for the readers of responses, and for httpx-sse's interface: every line here is right."""

from typing import Any, assert_type

import aiohttp
import httpx
import httpx2
import openai
import requests
import urllib3

from millstream import Delta, ServerSentEvent
from millstream.integrations import adecode, aiter_sse, decode, iter_sse
from millstream.integrations import httpx_sse as ours
from millstream.streaming.stream import AsyncStream, Stream


def texts(response: httpx.Response, second: requests.Response, third: urllib3.BaseHTTPResponse) -> str:
    assert_type(decode(response), Stream[str])
    assert_type(decode(second, "deltas", format="openai.chat", n=1), Stream[Delta])
    assert_type(decode(third, "records", prefix=b"", suffix=b"\n"), Stream[bytes])
    assert_type(iter_sse(response, max_event_size=1 << 20, eof="flush"), Stream[ServerSentEvent])
    with decode([b"data: {}\n\n"]) as stream:
        return "".join(stream)


async def atexts(response: httpx2.Response, second: aiohttp.ClientResponse) -> str:
    assert_type(adecode(response), AsyncStream[str])
    assert_type(adecode(second, "deltas"), AsyncStream[Delta])
    assert_type(adecode(second, "records"), AsyncStream[bytes])
    assert_type(aiter_sse(second), AsyncStream[ServerSentEvent])
    return "".join([text async for text in adecode(response)])


def of_the_sdk(client: openai.OpenAI) -> list[str]:
    with client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True) as response:
        return list(decode(response))


def events(client: httpx.Client, second: httpx2.Client) -> list[str]:
    with ours.connect_sse(client, "GET", "http://x/", headers={"a": "b"}, max_event_size=100) as source:
        assert_type(source, ours.EventSource)
        found = [event.data for event in source.iter_sse()]
    with ours.connect_sse(second, "GET", httpx2.URL("http://x/")) as source:
        for event in source.iter_sse():
            assert_type(event, ours.ServerSentEvent)
            assert_type(event.event, str)
            assert_type(event.retry, int | None)
            assert_type(event.json(), Any)
    return found


async def aevents(client: httpx.AsyncClient, second: httpx2.AsyncClient) -> list[ours.ServerSentEvent]:
    async with ours.aconnect_sse(client, "GET", "http://x/") as source:
        found = [event async for event in source.aiter_sse()]
    async with ours.aconnect_sse(second, "GET", "http://x/") as source:
        try:
            found += [event async for event in source.aiter_sse()]
        except ours.SSEError as error:
            print(error)
    return [*found, ours.ServerSentEvent(event="a", data=None)]
