"""Accelerated clients over other HTTP clients, under hooks, and inside of LangChain's model."""

import asyncio
import gzip
import warnings
from typing import Any

import httpx
import httpx2
import openai
import pytest
from openai._streaming import SSEDecoder

from millstream.integrations.openai import accelerate, restore
from millstream.integrations.openai.payloads import ChunkDecoder
from millstream.testing import MockServer, Reply
from sdk_peer import MESSAGES, Body, assert_same, collect, http, sse

PAYLOADS: list[dict[str, Any]] = [
    {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    for choice in (
        {"index": 0, "delta": {"role": "assistant", "content": ""}},
        *({"index": 0, "delta": {"content": text}} for text in ("a", "b", "c")),
        {"index": 0, "delta": {}, "finish_reason": "stop"},
    )
]
LIBRARIES = [http] if http is httpx else [httpx, httpx2]
both_ways = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


def client_of(library: Any, respond: Any, *, asynchronous: bool, **options: Any) -> Any:
    transport = library.MockTransport(respond)
    if asynchronous:
        http_client = library.AsyncClient(transport=transport, **options)
        return openai.AsyncOpenAI(api_key="key", max_retries=0, http_client=http_client)
    return openai.OpenAI(api_key="key", max_retries=0, http_client=library.Client(transport=transport, **options))


@both_ways
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_a_stream_over_any_http_library_is_the_sdks(library: Any, coding: str, asynchronous: bool) -> None:
    stream = sse(*PAYLOADS)
    body = gzip.compress(stream) if coding else stream

    def respond(request: Any) -> Any:
        return library.Response(
            200, headers={"content-encoding": coding} if coding else {}, stream=Body([body[:9], body[9:]])
        )

    ours, theirs = (
        collect(act(client_of(library, respond, asynchronous=asynchronous))) for act in (accelerate, restore)
    )
    assert ours[1] is theirs[1] is None
    for mine, its in zip(ours[0], theirs[0], strict=True):
        assert_same(mine, its)


@both_ways
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_response_that_a_hook_has_read_is_streamed_from_memory(library: Any, asynchronous: bool) -> None:
    seen: list[int] = []

    def respond(request: Any) -> Any:
        return library.Response(200, stream=Body([sse(*PAYLOADS)]))

    def hook(response: Any) -> None:
        seen.append(len(response.read()))

    async def ahook(response: Any) -> None:
        seen.append(len(await response.aread()))

    hooks = {"response": [ahook if asynchronous else hook]}
    chunks, error = collect(accelerate(client_of(library, respond, asynchronous=asynchronous, event_hooks=hooks)))
    assert (len(chunks), error, seen) == (5, None, [len(sse(*PAYLOADS))])


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_response_counts_what_it_has_downloaded(library: Any) -> None:
    stream = sse(*PAYLOADS)
    client = accelerate(client_of(library, lambda _: library.Response(200, stream=Body([stream])), asynchronous=False))
    opened = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    list(opened)
    assert opened.response.num_bytes_downloaded == len(stream)
    assert opened.response.is_closed


@both_ways
def test_a_client_with_a_decoder_or_a_constructor_of_its_own_uses_it(asynchronous: bool) -> None:
    def respond(request: Any) -> Any:
        return http.Response(200, stream=Body([sse(*PAYLOADS)]))

    class OwnDecoder(SSEDecoder):
        def decode(self, line: str) -> Any:
            seen.append(line)
            return super().decode(line)

    def construct(*, data: Any, **arguments: Any) -> Any:
        return data["choices"][0]["delta"]

    seen: list[str] = []
    client = accelerate(client_of(http, respond, asynchronous=asynchronous))
    client._make_sse_decoder = OwnDecoder
    assert len(collect(client)[0]) == 5
    assert len([line for line in seen if line]) == 6
    client = accelerate(client_of(http, respond, asynchronous=asynchronous))
    client._process_response_data = construct
    assert collect(client)[0] == [payload["choices"][0]["delta"] for payload in PAYLOADS]


@both_ways
def test_langchains_model_streams_the_same_over_an_accelerated_client(asynchronous: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        langchain_openai = pytest.importorskip("langchain_openai")

    def chunks(server: MockServer, act: Any) -> list[Any]:
        sync = act(openai.OpenAI(base_url=server.url, api_key="key"))
        other = act(openai.AsyncOpenAI(base_url=server.url, api_key="key"))
        model = langchain_openai.ChatOpenAI(
            model="m",
            client=sync.chat.completions,
            async_client=other.chat.completions,
            root_client=sync,
            root_async_client=other,
        )

        async def main() -> list[Any]:
            async with other:
                return [chunk async for chunk in model.astream("Hello")]

        with sync:
            found = asyncio.run(main()) if asynchronous else list(model.stream("Hello"))
        return [chunk.model_copy(update={"id": None}) for chunk in found]

    with MockServer(Reply(tool_calls=[{"name": "f", "args": {"a": "b"}}])) as server:
        assert len(chunks(server, accelerate)) > 2
        server.reply = Reply()
        assert chunks(server, accelerate) == chunks(server, restore)


def test_payloads_of_one_shape_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Any] = []
    read_event: Any = ChunkDecoder._read_event

    def count(self: Any, event: Any, chunks: list[Any]) -> None:
        parsed.append(event.data)
        read_event(self, event, chunks)

    monkeypatch.setattr(ChunkDecoder, "_read_event", count)
    payloads = [PAYLOADS[1] | {"obfuscation": str(place)} for place in range(100)]
    body = sse(*PAYLOADS[:1], *payloads, PAYLOADS[-1])
    client = accelerate(client_of(http, lambda _: http.Response(200, stream=Body([body])), asynchronous=False))
    assert len(collect(client)[0]) == 102
    # The first, one of each shape, the last, and the end mark.
    assert len(parsed) == 4
