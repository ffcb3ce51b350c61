"""Completion models of langchain-openai and of ``integrations.langchain``, over the same server or the same bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

import httpx2
import langchain_openai
from pydantic import SecretStr

import millstream.integrations.langchain as ours
from langchain_peer import KEY, aclients, clients

__all__ = ("apair", "both", "clients_over", "collect", "completion", "describe", "events", "over", "pair")


def completion(**choice: Any) -> dict[str, Any]:
    """Return a payload with one choice."""
    return {"choices": [{"index": 0, "text": "", "logprobs": None, "finish_reason": None} | choice]}


def events(*payloads: Any, done: bool = True) -> bytes:
    """Return a stream whose events have ``payloads``: strings as they are, other values as JSON."""
    texts = [payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads]
    return "".join(f"data: {text}\n\n" for text in [*texts, *["[DONE]"] * done]).encode()


def over(library: Any, *reads: bytes, content_type: str = "text/event-stream", status: int = 200, **given: Any) -> Any:
    """Return a model of ``library`` whose responses have ``reads`` for a body."""

    def respond(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, headers={"content-type": content_type}, stream=_Body(reads))

    fields: dict[str, Any] = {"model": "m", "base_url": "http://memory/v1", "max_retries": 0} | given
    return library.OpenAI(api_key=SecretStr(KEY), **clients_over(respond), **fields)


def clients_over(respond: Callable[[httpx2.Request], httpx2.Response]) -> dict[str, Any]:
    """Return the arguments of a model whose requests ``respond`` answers."""
    transport = httpx2.MockTransport(respond)
    return {
        "http_client": httpx2.Client(transport=transport),
        "http_async_client": httpx2.AsyncClient(transport=transport),
    }


class _Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, reads: Sequence[bytes]) -> None:
        self._reads = reads

    def __iter__(self) -> Iterator[bytes]:
        yield from self._reads

    async def __aiter__(self) -> Any:
        for read in self._reads:
            yield read


@contextmanager
def pair(url: str, **fields: Any) -> Iterator[tuple[Any, Any]]:
    """Make a model of langchain-openai, with clients that are closed at the end, and one of ours, for sync code."""
    given: dict[str, Any] = {"api_key": SecretStr(KEY), "base_url": url} | fields
    with clients() as own:
        yield langchain_openai.OpenAI(**own, **given), ours.OpenAI(**given)


@asynccontextmanager
async def apair(url: str, **fields: Any) -> AsyncIterator[tuple[Any, Any]]:
    """:func:`pair` for async code."""
    given: dict[str, Any] = {"api_key": SecretStr(KEY), "base_url": url} | fields
    async with aclients() as own:
        yield langchain_openai.OpenAI(**own, **given), ours.OpenAI(**given)


def collect(model: Any, method: str, *args: Any, **kwargs: Any) -> list[Any]:
    """Return the outputs of ``stream``, ``astream``, ``_stream`` or ``_astream``, and the error at their end."""
    outputs: list[Any] = []
    made = getattr(model, method)(*args, **kwargs)

    async def read() -> None:
        async for output in made:
            outputs.append(output)  # noqa: PERF401

    try:
        if method.endswith("astream"):
            asyncio.run(read())
        else:
            with closing(made):
                for output in made:
                    outputs.append(output)  # noqa: PERF402
    except Exception as error:
        outputs.append(error)
    return outputs


def describe(value: Any) -> Any:
    """Return everything that can be seen of a chunk, a text, a result or an error."""
    if isinstance(value, BaseException):
        body, status = getattr(value, "body", None), getattr(value, "status_code", None)
        return (type(value), str(value), body, status, getattr(value, "request_id", None))
    if hasattr(value, "model_dump"):
        seen = (type(value), repr(value), value.model_dump(), vars(value), value.model_fields_set)
        return (*seen, value.__pydantic_extra__, value.__pydantic_private__)
    return value


def both(call: Callable[[Any], Any], *models: Any) -> list[Any]:
    """Return what ``call`` returns or raises for each of the models."""
    found = []
    for model in models:
        try:
            found.append(describe(call(model)))
        except Exception as error:
            found.append(describe(error))
    return found
