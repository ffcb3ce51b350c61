"""The pages about migrating: what their tables call repaired, beside the library that it is repaired for."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import httpx_sse
import pytest

from millstream import StreamTruncatedError
from millstream.integrations import httpx_sse as ours
from millstream.testing import Cut, MockServer, Reply, Stall

FOLDER = Path(__file__).parent.parent / "docs" / "migrating"
LANGCHAIN, HTTPX_SSE = (FOLDER / f"from-{name}.md" for name in ("langchain-openai", "httpx-sse"))


def labels(page: Path, title: str) -> list[str]:
    """Return the first cells of the table after ``title``."""
    table = page.read_text().partition(title)[2].partition("|---|")[2].partition("\n\n")[0]
    return [line.strip("| ").split(" | ")[0] for line in table.splitlines()[1:]]


def read(module: Any, content: bytes, type: str = "text/event-stream", **options: Any) -> list[tuple[str, str, str]]:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": type}, content=content)

    client = httpx.Client(transport=httpx.MockTransport(respond))
    with client, module.connect_sse(client, "GET", "http://server", **options) as source:
        return [(event.event, event.data, event.id) for event in source.iter_sse()]


def blocks_without_data() -> None:
    content = b"id: 1\n\nevent: greeting\n\nretry: 5\n\ndata: a\n\n"
    assert [event for event, _, _ in read(httpx_sse, content)] == ["message", "greeting", "message", "message"]
    assert read(ours, content) == [("message", "a", "1")]


def byte_order_mark() -> None:
    content = b"\xef\xbb\xbfdata: a\n\ndata: b\n\n"
    assert [data for _, data, _ in read(httpx_sse, content)] == ["b"]
    assert [data for _, data, _ in read(ours, content)] == ["a", "b"]


def charset() -> None:
    content, kind = "data: é\n\n".encode(), "text/event-stream; charset=latin-1"
    assert [read(module, content, kind)[0][1] for module in (httpx_sse, ours)] == ["Ã©", "é"]


def endless_event() -> None:
    content = b"data: " + b"x" * 1000 + b"\n\n"
    assert len(read(httpx_sse, content)[0][1]) == 1000
    with pytest.raises(ours.SSEError, match="100 bytes"):
        read(ours, content, max_event_size=100)


def leaving_the_loop() -> None:
    with MockServer(Reply(fault=Stall(after=3))) as server:
        for module, is_closed in ((httpx_sse, False), (ours, True)):
            body = {"prompt": "Hello", "stream": True}
            connect: Any = module.connect_sse
            with httpx.Client() as client, connect(client, "POST", f"{server.url}/completions", json=body) as source:
                for _ in source.iter_sse():
                    break
                assert source.response.is_closed is is_closed


def headers_of_the_caller() -> None:
    mine = {"X-Mine": "1"}
    read(ours, b"", headers=mine)
    assert mine == {"X-Mine": "1"}
    read(httpx_sse, b"", headers=mine)
    assert mine != {"X-Mine": "1"}


OF_HTTPX_SSE: dict[str, Callable[[], None]] = {
    "a block without `data` that has an `id`, an `event` or a `retry`": blocks_without_data,
    "a byte order mark at the beginning": byte_order_mark,
    "a charset in the content type other than UTF-8": charset,
    "an event that never ends": endless_event,
    "leaving the loop": leaving_the_loop,
    "the headers that are passed": headers_of_the_caller,
}


def texts(module: str, server: MockServer, **options: Any) -> Iterator[str]:
    model = import_module(module).ChatOpenAI(model="m", base_url=server.url, api_key="k", max_retries=0, **options)
    return (chunk.content for chunk in model.stream("Hello"))


KEPT = "millstream.integrations.langchain"


def cut_stream() -> None:
    import openai

    with MockServer(Reply(fault=Cut(after=3, how="end"))) as server:
        text = "".join(texts("langchain_openai", server))
        with pytest.raises(openai.APIConnectionError) as caught:
            list(texts(KEPT, server))
    cause: BaseException | None = caught.value
    while cause is not None and not isinstance(cause, StreamTruncatedError):
        cause = cause.__cause__
    assert isinstance(cause, StreamTruncatedError)
    assert cause.text == text != ""


def stalled_stream() -> None:
    from langchain_openai import StreamChunkTimeoutError

    with MockServer(Reply(fault=Stall(after=3))) as server, pytest.raises(StreamChunkTimeoutError):
        list(texts(KEPT, server, stream_chunk_timeout=0.2))


def half_a_pair() -> None:
    with MockServer(Reply(pieces=["\ud83d", "\ude00"])) as server:
        with pytest.raises(UnicodeEncodeError):
            [text.encode() for text in texts("langchain_openai", server)]
        assert "".join(texts(KEPT, server)) == "😀"


def left_chain() -> None:
    for module, of_parser in (("langchain_openai", "langchain_core.output_parsers"), (KEPT, KEPT)):
        with MockServer(Reply(fault=Stall(after=3))) as server:
            model = import_module(module).ChatOpenAI(model="m", base_url=server.url, api_key="k")
            stream = (model | import_module(of_parser).StrOutputParser()).stream("Hello")
            next(stream)
            if module != KEPT:
                server.release()
            stream.close()
            server.wait_until(lambda: server.requests[0].over)
            assert server.requests[0].answered is (module != KEPT)


OF_LANGCHAIN: dict[str, Callable[[], None]] = {
    "the connection ends in the middle of an answer": cut_stream,
    "a server that sends nothing more": stalled_stream,
    "half a surrogate pair at the end of a chunk": half_a_pair,
    "a chain with a parser is left early": left_chain,
}


@pytest.mark.parametrize("label", OF_HTTPX_SSE)
def test_the_page_of_httpx_sse_is_right(label: str) -> None:
    OF_HTTPX_SSE[label]()


@pytest.mark.parametrize("label", OF_LANGCHAIN)
def test_the_page_of_langchain_is_right(label: str) -> None:
    OF_LANGCHAIN[label]()


def test_each_row_of_the_tables_has_its_test() -> None:
    assert labels(HTTPX_SSE, "## What is repaired") == list(OF_HTTPX_SSE)
    assert labels(LANGCHAIN, "**Repaired**") == list(OF_LANGCHAIN)
