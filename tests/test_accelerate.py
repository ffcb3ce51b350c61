"""``accelerate`` and ``restore``: the client stays the same object, with the same calls."""

import asyncio
import threading
from typing import Any

import openai
import pytest
from openai import AsyncStream, Stream
from openai.types.chat import ChatCompletionChunk

from millstream.errors import UnsupportedError
from millstream.integrations.openai import accelerate, clients, restore
from millstream.integrations.openai.streams import AcceleratedAsyncStream, AcceleratedStream
from millstream.testing import MockServer
from sdk_peer import MESSAGES, client_over, collect, sse

KINDS = [openai.OpenAI, openai.AsyncOpenAI, openai.AzureOpenAI, openai.AsyncAzureOpenAI]
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"} | {
    "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def make(kind: Any) -> Any:
    azure = {"azure_endpoint": "https://a.example", "api_version": "2024-10-21"} if "Azure" in kind.__name__ else {}
    return kind(api_key="key", **azure)


def is_accelerated(client: Any) -> bool:
    return type(client) not in KINDS


@every_kind
def test_the_client_is_the_same_object_of_the_same_class_and_can_be_restored(kind: Any) -> None:
    client = make(kind)
    resource = client.chat.completions
    assert accelerate(client) is client
    assert isinstance(client, kind)
    assert is_accelerated(client)
    assert (type(client).__name__, client.user_agent) == (kind.__name__, make(kind).user_agent)
    assert client.chat.completions is resource
    accelerated = type(client)
    assert accelerate(client) is client
    assert type(client) is accelerated
    assert restore(client) is client
    assert type(client) is kind
    assert restore(client) is client


@every_kind
@pytest.mark.parametrize("method", ["copy", "with_options"])
def test_copies_of_an_accelerated_client_are_accelerated(kind: Any, method: str) -> None:
    client = accelerate(make(kind))
    copy = getattr(client, method)(timeout=3.0)
    assert type(copy) is type(client)
    assert copy.timeout == 3.0
    restore(client)
    assert is_accelerated(copy)
    assert not is_accelerated(getattr(client, method)(timeout=3.0))


@pytest.mark.parametrize("function", [accelerate, restore])
def test_other_clients_are_refused(function: Any) -> None:
    class Ours(openai.OpenAI):
        pass

    class Alike:
        chat = completions = None

    with pytest.raises(TypeError, match=r"needs an OpenAI, AsyncOpenAI, .*, not test_accelerate.*Ours: a subclass may"):
        function(Ours(api_key="key"))
    with pytest.raises(TypeError, match=r"not test_accelerate.*Alike$"):
        function(Alike())
    with pytest.raises(TypeError, match=r"not builtins\.NoneType$"):
        function(None)
    with pytest.raises(TypeError, match=r"not openai\.resources\."):
        function(make(openai.OpenAI).chat.completions)


def test_an_unknown_version_of_the_sdk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "__version__", "4.0.1")
    vars(clients._acceleration).pop("_accelerated", None)
    client = make(openai.OpenAI)
    with pytest.raises(
        UnsupportedError, match=r"knows the versions 2 and 3 of the openai package .*; 4\.0\.1 over pydantic"
    ):
        accelerate(client)
    assert type(client) is openai.OpenAI


def test_threads_may_accelerate_one_client_at_once() -> None:
    client = client_over(sse(CHUNK))
    outcomes: list[Any] = []
    start = threading.Barrier(8)

    def act() -> None:
        start.wait()
        for _ in range(20):
            accelerate(client)
            outcomes.append(collect(client)[1])
            restore(client)

    threads = [threading.Thread(target=act) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [None] * 160


def test_a_stream_and_its_chunks_are_instances_of_the_sdks_classes() -> None:
    client = accelerate(client_over(sse(CHUNK)))
    with client.chat.completions.create(model="m", messages=MESSAGES, stream=True) as stream:
        assert isinstance(stream, Stream)
        assert isinstance(stream, AcceleratedStream)
        assert stream.response.status_code == 200
        (chunk,) = stream
    assert type(chunk) is ChatCompletionChunk
    assert chunk.choices[0].delta.content == "Hi"


def test_an_async_stream_and_its_chunks_are_instances_of_the_sdks_classes() -> None:
    async def main() -> Any:
        client = accelerate(client_over(sse(CHUNK), asynchronous=True))
        async with await client.chat.completions.create(model="m", messages=MESSAGES, stream=True) as stream:
            assert isinstance(stream, AsyncStream)
            assert isinstance(stream, AcceleratedAsyncStream)
            return [chunk async for chunk in stream]

    (chunk,) = asyncio.run(main())
    assert type(chunk) is ChatCompletionChunk


def test_a_resource_from_before_is_accelerated_and_one_from_then_is_restored() -> None:
    client = client_over(sse(CHUNK))
    completions = client.chat.completions
    accelerate(client)
    stream: Any = completions.create(model="m", messages=MESSAGES, stream=True)
    assert isinstance(stream, AcceleratedStream)
    with_raw = client.chat.completions.with_raw_response
    assert isinstance(with_raw.create(model="m", messages=MESSAGES, stream=True).parse(), AcceleratedStream)
    restore(client)
    assert type(completions.create(model="m", messages=MESSAGES, stream=True)) is Stream
    assert type(with_raw.create(model="m", messages=MESSAGES, stream=True).parse()) is Stream


def test_raw_and_streaming_responses_parse_to_an_accelerated_stream() -> None:
    client = accelerate(client_over(sse(CHUNK)))
    raw = client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES, stream=True)
    assert [chunk.id for chunk in raw.parse()] == ["c"]
    with client.chat.completions.with_streaming_response.create(model="m", messages=MESSAGES, stream=True) as response:
        stream = response.parse()
        assert isinstance(stream, AcceleratedStream)
        assert [chunk.id for chunk in stream] == ["c"]
    with client.chat.completions.with_streaming_response.create(model="m", messages=MESSAGES, stream=True) as response:
        assert next(response.iter_lines()).startswith("data: {")


def test_a_custom_type_of_stream_stays_what_it_is() -> None:
    class Own(Stream[ChatCompletionChunk]):
        pass

    client = accelerate(client_over(sse(CHUNK)))
    raw = client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES, stream=True)
    assert type(raw.parse(to=Own)) is Own


@pytest.mark.parametrize("beta", [False, True])
def test_the_helper_for_events_runs_over_an_accelerated_stream(beta: bool) -> None:
    def events(client: Any) -> list[str]:
        resource = (client.beta if beta else client).chat.completions
        with resource.stream(model="m", messages=MESSAGES) as stream:
            kinds = [repr(event) for event in stream]
            return [*kinds, repr(stream.get_final_completion())]

    ours = events(accelerate(client_over(sse(CHUNK))))
    assert ours == events(client_over(sse(CHUNK)))
    assert "content.done" in ours[-2]


def test_whole_answers_and_other_endpoints_stay_the_sdks(mock_server: MockServer) -> None:
    with openai.OpenAI(base_url=mock_server.url, api_key="key", max_retries=0) as plain:
        theirs = plain.chat.completions.create(model="m", messages=MESSAGES, seed=1), plain.models.list()
        accelerate(plain)
        ours = plain.chat.completions.create(model="m", messages=MESSAGES, seed=1), plain.models.list()
    assert ours[0].choices == theirs[0].choices
    assert (theirs[0]._request_id, ours[0]._request_id) == ("req-mock1", "req-mock3")
    assert ours[1].data == theirs[1].data


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_requests_are_the_sdks(mock_server: MockServer, asynchronous: bool) -> None:
    kind: Any = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    for act in (restore, accelerate):
        client: Any = act(kind(base_url=mock_server.url, api_key="key"))
        assert collect(client)[1] is None
        if not asynchronous:
            client.close()
    theirs, ours = mock_server.requests
    assert (ours.method, ours.path, ours.body) == (theirs.method, theirs.path, theirs.body)
    assert ours.headers == theirs.headers


def test_an_error_status_and_retries_are_the_sdks() -> None:
    outcomes = []
    for act in (restore, accelerate):
        with MockServer() as server:
            plain = openai.OpenAI(base_url=server.url, api_key="key", max_retries=1)
            with act(plain) as client, pytest.raises(openai.RateLimitError) as caught:
                client.chat.completions.create(model="fault:status:429", messages=MESSAGES, stream=True)
            outcomes.append((str(caught.value), caught.value.body, len(server.requests)))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][2] == 2
