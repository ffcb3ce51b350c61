"""Other packages over a stream in memory: each function imports its package, and raises ``ImportError`` without it."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from .harness import Reads

__all__ = (
    "PROMPT",
    "langchain_events",
    "langchain_texts",
    "memory_transport",
    "msgspec_loop",
    "sdk_texts",
    "split_loop",
    "texts_of_events",
)

PROMPT = "a prompt"
_MESSAGES: Any = [{"role": "user", "content": PROMPT}]
_OPTIONS: Any = {"model": "gpt-4.1", "base_url": "http://memory/v1", "api_key": "none"}


def memory_transport(library: ModuleType, reads: Reads) -> Any:
    """Return a transport of ``library``, httpx or httpx2, for sync and async clients: every response has the reads.

    Every iteration of a body continues where the last one stopped, as over a socket.
    """

    class Body(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self._reads = iter(reads)

        def __iter__(self) -> Iterator[bytes]:
            return self._reads

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for data in self._reads:
                yield data

    class Memory(library.BaseTransport, library.AsyncBaseTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:
            headers = {"content-type": "text/event-stream"}
            return library.Response(200, headers=headers, stream=Body(), request=request)

        async def handle_async_request(self, request: Any) -> Any:
            return self.handle_request(request)

    return Memory()


def _clients(reads: Reads) -> tuple[Any, Any]:
    """Return a sync and an async client of the HTTP library that the installed openai SDK uses."""
    sdk = import_module("openai")
    library = sys.modules[sdk.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0]]
    transport = memory_transport(library, reads)
    return library.Client(transport=transport), library.AsyncClient(transport=transport)


def split_loop(load: Callable[[bytes], Any], reads: Iterable[bytes]) -> list[str]:
    """Return the texts of a chat stream, read by a loop as one writes it by hand, with a function that reads JSON."""
    texts: list[str] = []
    buffer = b""
    for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(b"data: {"):
                text = load(frame[6:])["choices"][0]["delta"].get("content")
                if text:
                    texts.append(text)
    return texts


def msgspec_loop() -> Callable[[Reads], list[str]]:
    """Return the same loop over msgspec's typed structs, which hold what is needed and no more."""
    msgspec = import_module("msgspec")
    make = msgspec.defstruct
    delta = make("Delta", [("content", str | None, None)], gc=False)
    choice = make("Choice", [("delta", delta)], gc=False)
    decode = msgspec.json.Decoder(make("Chunk", [("choices", list[choice])], gc=False)).decode  # type: ignore[valid-type]

    def run(reads: Reads) -> list[str]:
        texts: list[str] = []
        buffer = b""
        for data in reads:
            buffer += data
            frames = buffer.split(b"\n\n")
            buffer = frames.pop()
            for frame in frames:
                if frame.startswith(b"data: {"):
                    text = decode(frame[6:]).choices[0].delta.content
                    if text:
                        texts.append(text)
        return texts

    return run


def sdk_texts(reads: Reads, *, accelerated: bool) -> Callable[[], list[str]]:
    """Return a function that streams texts through the openai SDK."""
    client = import_module("openai").OpenAI(
        base_url=_OPTIONS["base_url"], api_key="none", http_client=_clients(reads)[0]
    )
    if accelerated:
        import_module("millstream.integrations.openai").accelerate(client)

    def run() -> list[str]:
        chunks = client.chat.completions.create(model="gpt-4.1", messages=_MESSAGES, stream=True)
        return [text for chunk in chunks if (text := chunk.choices[0].delta.content)]

    return run


def langchain_texts(package: str, reads: Reads) -> Callable[[], list[str]]:
    """Return a function that streams the texts of LangChain's ``ChatOpenAI``, as ``package`` has it."""
    model = import_module(package).ChatOpenAI(**_OPTIONS, http_client=_clients(reads)[0])
    return lambda: [chunk.content for chunk in model.stream(PROMPT) if chunk.content]


def langchain_events(package: str, reads: Reads) -> Callable[[], Awaitable[list[str]]]:
    """Return a function that streams the events of LangChain's ``ChatOpenAI``, as ``package`` has it."""
    model = import_module(package).ChatOpenAI(**_OPTIONS, http_async_client=_clients(reads)[1])

    async def run() -> list[str]:
        events = [event async for event in model.astream_events(PROMPT, version="v2")]
        return texts_of_events(events)

    return run


def texts_of_events(events: list[Any]) -> list[str]:
    """Return the texts in the chunks of events."""
    return [event["data"]["chunk"].content for event in events if event["event"].endswith("_stream")]
