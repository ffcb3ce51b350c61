"""``decode`` and ``iter_sse`` over the responses of every HTTP client: what they return, and when."""

import asyncio
import doctest
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from typing import Any

import httpx
import httpx2
import pytest
import requests
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from http_clients import BODY, collect, every_client
from millstream import Delta, StreamDecoder
from millstream.integrations._decoded_response import find_format
from millstream.integrations.responses import adecode, aiter_sse, decode, iter_sse
from millstream.testing import Chunking, Compress, Drip, MockServer, Reply, Stall, varied
from mock_clients import client_of
from strategies import CUTS
from streams import cut

FRAMINGS = ["chunked", "close", "http/1.0"]
CHAT, COMPLETIONS = "/chat/completions", "/completions"
EVENTS = b": hello\n\nevent: greeting\nid: 1\ndata: Hel\ndata: lo\n\nretry: 5\n\ndata: {}\n\ndata: unfinished"
READ_EVENTS = [("greeting", "Hel\nlo", "1", None), ("message", "{}", "1", None)]


def fields(events: list[Any]) -> list[tuple[Any, ...]]:
    return [(event.event, event.data, event.id, event.retry) for event in events]


def sdk_texts(server: MockServer) -> list[str]:
    chunks = client_of(server).chat.completions.create(**BODY)
    return [text for chunk in chunks if (text := chunk.choices[0].delta.content)]


@every_client()
@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_text_is_that_of_the_sdk(client: str, framing: Any) -> None:
    pieces = varied(200)
    with MockServer(Reply(pieces=pieces, framing=framing)) as server:
        texts = collect(client, server.url + CHAT)
        assert [text for text in texts if text] == sdk_texts(server)
        assert "".join(texts) == "".join(pieces)


@every_client()
@pytest.mark.parametrize("fault", [Drip(3), Chunking(), Compress("gzip"), Compress("deflate")], ids=repr)
def test_the_text_is_read_whatever_the_transfer(client: str, fault: Any) -> None:
    pieces = varied(50)
    with MockServer(Reply(pieces=pieces, fault=fault)) as server:
        assert "".join(collect(client, server.url + CHAT)) == "".join(pieces)


@every_client()
@pytest.mark.parametrize("coding", ["", "gzip", "identity"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_piece_is_returned_before_the_next_one_is_sent(client: str, framing: Any, coding: str) -> None:
    sent: list[int] = []
    fault = (Compress(), Stall(2)) if coding == "gzip" else Stall(2)
    headers = {"content-encoding": coding} if coding == "identity" else {}
    with MockServer(Reply(pieces=["a", "b", "c", "d"], framing=framing, fault=fault, headers=headers)) as server:

        def visit(texts: list[Any]) -> None:
            if len(texts) == 2:
                sent.append(server.requests[-1].pieces_sent)
                server.release()

        assert "".join(collect(client, server.url + CHAT, visit=visit)) == "abcd"
    assert sent == [2]


@every_client()
def test_deltas_are_those_of_the_decoder(client: str) -> None:
    call = {"name": "f", "args": {"a": 1}, "id": "c"}
    with MockServer(Reply(tool_calls=[call])) as server:
        body = httpx2.post(server.url + CHAT, json=BODY).content.replace(b"chatcmpl-mock1", b"chatcmpl-mock2")
        deltas = collect(client, server.url + CHAT, "decode", "deltas")
        decoder = StreamDecoder("openai.chat")
        assert deltas == [*decoder.feed(body), *decoder.close()]
        assert [call.name for delta in deltas for call in delta.tool_calls if call.name] == ["f"]
        assert all(type(delta) is Delta for delta in deltas)


@every_client()
def test_records_are_bytes_that_are_ready_to_be_sent(client: str) -> None:
    with MockServer(Reply(pieces=["Hel", "lo\n", "\u2028"], finish_reason="stop")) as server:
        records = collect(client, server.url + CHAT, "decode", "records")
        assert b"".join(records) == b'data: "Hel"\n\ndata: "lo\\n"\n\ndata: "\\u2028"\n\ndata: ""\n\n'
        lines = collect(client, server.url + CHAT, "decode", "records", prefix=b"", suffix=b"\n")
        assert b"".join(lines).splitlines() == [b'"Hel"', b'"lo\\n"', b'"\\u2028"', b'""']


@every_client()
@pytest.mark.parametrize("framing", FRAMINGS)
def test_events_are_those_of_the_specification(client: str, framing: Any) -> None:
    with MockServer(Reply(body=[EVENTS[:30], EVENTS[30:]], framing=framing)) as server:
        assert fields(collect(client, server.url + CHAT, "iter_sse")) == READ_EVENTS
        flushed = collect(client, server.url + CHAT, "iter_sse", eof="flush")
        assert fields(flushed)[2:] == [("message", "unfinished", "1", None)]


@every_client()
def test_an_event_is_returned_before_the_next_one_is_sent(client: str) -> None:
    writes = [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]
    sent: list[int] = []
    with MockServer(Reply(body=writes, fault=Stall(2))) as server:

        def visit(events: list[Any]) -> None:
            if len(events) == 2:
                sent.append(server.requests[-1].pieces_sent)
                server.release()

        assert len(collect(client, server.url + CHAT, "iter_sse", visit=visit)) == 3
    assert sent == [2]


@every_client(but=("urllib", "openai"))
def test_the_format_is_found_by_the_path(client: str) -> None:
    frames = b'data: {"choices": [{"%s"}]}\n\ndata: [DONE]\n\n'
    texts = {CHAT: b'delta": {"content": "a"}, "x": "y', COMPLETIONS: b'text": "a", "x": "y'}
    for path, choice in texts.items():
        with MockServer(Reply(body=frames % choice)) as server:
            assert collect(client, server.url + path + "?api-version=1") == ["a"]


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(
    "choice", [b'"delta": {"content": "a"}', b'"text": "a"', b'"index":0,"text" : "a", "finish_reason":"stop"']
)
def test_the_format_is_found_by_the_first_payload_of_an_iterable(choice: bytes, size: int) -> None:
    data = b': hi\n\n\ndata: {"id": "x", "choices": [{%s}]}\n\ndata: [DONE]\n\nignored' % choice
    texts = list(decode([data[at : at + size] for at in range(0, len(data), size)]))
    assert "".join(texts) == "a"


def test_a_text_about_keys_does_not_decide_the_format() -> None:
    data = b'data: {"id": "\\"text\\": x", "choices": [{"delta": {"content": "\\"text\\": y"}}]}\n\ndata: [DONE]\n\n'
    assert list(decode([data])) == ['"text": y']


def test_a_whole_document_is_read_in_either_format() -> None:
    assert list(
        decode([b'{"object": "chat.completion", "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}'])
    ) == ["a"]
    assert list(decode([b'{"choices": [{"text": "a", "finish_reason": "stop"}]}'])) == ["a"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["a", "\u00e9", "\U0001f600", "\\ud83d", "\\ude00", "\\n"]), max_size=8), CUTS)
@pytest.mark.usefixtures("half")
def test_any_split_of_an_iterable_has_the_text_of_the_whole(pieces: list[str], cuts: list[int]) -> None:
    data = "".join(f'data: {{"choices": [{{"delta": {{"content": "{piece}"}}}}]}}\n\n' for piece in pieces)
    body = (data + 'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n').encode()
    decoder = StreamDecoder("openai.chat")
    texts = [*decoder.feed_text(body), *decoder.close_text()]
    assert "".join(decode(cut(body, cuts))) == "".join(texts)
    records = b"".join(decode(cut(body, cuts), "records", prefix=b"", suffix=b"\n"))
    assert len(records.splitlines()) == len(texts)


def test_a_body_that_has_been_read_is_decoded() -> None:
    with MockServer() as server:
        url = server.url + CHAT
        whole = "".join(decode(httpx.post(url, json=BODY)))
        assert len(whole) > 100
        read: list[Callable[[], Any]] = [
            lambda: httpx2.post(url, json=BODY),
            lambda: requests.post(url, json=BODY),
            lambda: urllib3.request("POST", url, json=BODY),
            lambda: httpx.post(url, json=BODY).content,
            lambda: httpx.post(url, json=BODY).iter_bytes(),
        ]
        for send in read:
            assert "".join(decode(send())) == whole


def test_the_objects_of_the_sdk_are_responses() -> None:
    with MockServer() as server, client_of(server) as client:
        completions: Any = client.chat.completions
        whole = "".join(decode(completions.create(**BODY)))
        assert len(whole) > 100
        assert "".join(decode(completions.with_raw_response.create(**BODY))) == whole
        with completions.with_streaming_response.create(**BODY) as response:
            assert "".join(decode(response)) == whole


def test_the_state_of_an_httpx_response_is_kept() -> None:
    with MockServer() as server:
        for library in (httpx, httpx2):
            with library.Client() as client:
                for _ in range(2):
                    with client.stream("POST", server.url + CHAT, json=BODY) as response:
                        assert "".join(decode(response))
                        assert response.is_closed
                        assert response.is_stream_consumed
                        assert response.num_bytes_downloaded > 1000
                        assert response.elapsed.total_seconds() > 0
                        with pytest.raises(library.StreamConsumed):
                            response.read()


async def _async_bytes() -> AsyncIterator[bytes]:
    yield b"data: {}\n\n"


def _sync_bytes() -> Iterator[bytes]:
    yield b"data: {}\n\n"


def test_another_object_than_a_response_is_refused() -> None:
    async def main() -> None:
        async with httpx.AsyncClient() as client, client.stream("POST", url, json=BODY) as response:
            for read in (decode, iter_sse):
                with pytest.raises(TypeError, match="for async code: write `async for` over `adecode`"):
                    read(response)
        body = _async_bytes()
        with pytest.raises(TypeError, match="this async_generator is for async code"):
            decode(body)

    with MockServer() as server:
        url = server.url + CHAT
        asyncio.run(main())
        with httpx.stream("POST", url, json=BODY) as response:
            for aread in (adecode, aiter_sse):
                with pytest.raises(TypeError, match="this Response is for sync code: write `for` over `decode`"):
                    aread(response)
        with pytest.raises(TypeError, match="this generator is for sync code"):
            adecode(_sync_bytes())
    for wrong in ("text", None, 3):
        with pytest.raises(TypeError, match=f"expected a response of httpx, .* not {type(wrong).__name__}$"):
            decode(wrong)


def test_wrong_arguments_are_refused_before_anything_is_read() -> None:
    with pytest.raises(ValueError, match=r"output must be one of 'text', 'deltas', 'records', not 'events'"):
        decode([], "events")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="format"):
        decode([], format="telegraph")
    with pytest.raises(
        TypeError, match=r"^the output 'text' takes no argument 'prefix': it takes format, n, max_event_size$"
    ):
        decode([], prefix=b"")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="max_event_size"):
        decode([], max_event_size=0)
    with pytest.raises(ValueError, match="eof"):
        iter_sse([], eof="x")


def test_no_client_is_imported() -> None:
    program = (
        "import sys\n"
        "from millstream.integrations import decode, iter_sse\n"
        "assert next(iter(iter_sse([b'data: a\\n\\n']))).data == 'a'\n"
        "clients = {'aiohttp', 'httpx', 'httpx2', 'openai', 'requests', 'urllib3', 'http'}\n"
        "assert not clients & sys.modules.keys(), clients & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("module", ["responses", "httpx_sse"])
def test_the_examples_are_true(module: str) -> None:
    results = doctest.testmod(import_module(f"millstream.integrations.{module}"))
    assert results.failed == 0
    assert results.attempted > 0


@pytest.mark.parametrize(
    ("url", "format"),
    [
        ("https://a.example/v1/chat/completions?x=1", "openai.chat"),
        ("https://a.example/v1/completions/", "openai.completions"),
        ("https://a.example/v1/responses", "openai.responses"),
        ("https://a.example/v1/messages", "anthropic.messages"),
        ("https://a.example/v1beta/models/g:streamGenerateContent?alt=sse", "gemini.generate"),
        ("http://localhost:11434/api/chat", "ollama.chat"),
        ("http://localhost:11434/api/generate", "ollama.generate"),
        ("https://a.example/v2/chat", "auto"),
    ],
)
def test_the_path_of_the_url_says_the_format(url: str, format: str) -> None:
    assert find_format(httpx.Response(200, request=httpx.Request("POST", url))) == format


def test_the_first_payload_says_the_format_of_a_response_without_a_url() -> None:
    body = [b'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 0, "delta": ', b"{"]
    body += [b'"type": "text_delta", "text": "Hi"}}\n\ndata: {"type": "message_stop"}\n\n']
    assert list(decode(body)) == ["Hi"]
