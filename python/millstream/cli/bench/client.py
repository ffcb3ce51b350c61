"""A client in a process of its own: ``python -m millstream.cli.bench.client NAME URL STREAMS``.

It reads a stream once to be warm, then the number of streams, one after the other, and prints its CPU time and a
digest of their text as JSON; ``null`` if its package is not installed.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from .peers import split_loop

__all__ = ("CLIENTS", "main")

_PROMPT = "a prompt"
_BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": _PROMPT}], "stream": True})
_HEADERS = {"content-type": "application/json", "authorization": "Bearer none"}

Stream = Callable[[], Iterator[str]]


def _ours(url: str) -> Stream:
    from millstream import ChatOpenAI

    model = ChatOpenAI(model="m", base_url=url, api_key="none")
    return lambda: (chunk.content for chunk in model.stream(_PROMPT) if isinstance(chunk.content, str))


def _standard_library(url: str) -> Stream:
    from http.client import HTTPConnection

    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port)

    def stream() -> Iterator[str]:
        connection.request("POST", f"{place.path}/chat/completions", _BODY, _HEADERS)
        with connection.getresponse() as response:
            yield from split_loop(json.loads, iter(lambda: response.read1(65536), b""))

    return stream


def _httpx2(url: str) -> Stream:
    import httpx2

    client = httpx2.Client(trust_env=False)

    def stream() -> Iterator[str]:
        with client.stream("POST", f"{url}/chat/completions", content=_BODY, headers=_HEADERS) as response:
            yield from split_loop(json.loads, response.iter_raw())

    return stream


def _openai(url: str) -> Stream:
    import openai

    client = openai.OpenAI(base_url=url, api_key="none")
    messages: Any = [{"role": "user", "content": _PROMPT}]

    def stream() -> Iterator[str]:
        for chunk in client.chat.completions.create(model="m", messages=messages, stream=True):
            yield (chunk.choices[0].delta.content or "") if chunk.choices else ""

    return stream


def _langchain(url: str) -> Stream:
    from langchain_openai import ChatOpenAI

    model: Any = ChatOpenAI(model="m", base_url=url, api_key="none")  # type: ignore[arg-type]
    return lambda: (chunk.content for chunk in model.stream(_PROMPT))


CLIENTS: dict[str, tuple[str, Callable[[str], Stream]]] = {
    "ours": ("Millstream, ChatOpenAI.stream", _ours),
    "http.client": ("a loop over http.client and json", _standard_library),
    "httpx2": ("a loop over httpx2 and json", _httpx2),
    "openai": ("the SDK (openai)", _openai),
    "langchain": ("LangChain's app (langchain-openai)", _langchain),
}
"""The clients: the name and the function that returns one, by key."""


def main() -> None:
    """Measure the client that the command line names."""
    name, url, streams = sys.argv[1], sys.argv[2], int(sys.argv[3])
    try:
        stream = CLIENTS[name][1](url)
    except ImportError:
        print("null")
        return
    text = "".join(stream())
    start = time.process_time_ns()
    for _ in range(streams):
        if "".join(stream()) != text:
            raise SystemExit(f"{name} read another text the second time")
    spent = time.process_time_ns() - start
    print(json.dumps({"cpu": spent / streams, "digest": hashlib.sha256(text.encode()).hexdigest()}))


if __name__ == "__main__":
    main()
