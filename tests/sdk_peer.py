"""The OpenAI SDK as it is, as the oracle beside an accelerated client: the same bytes, in memory."""

import asyncio
import copy
import json
import pickle
from collections.abc import AsyncIterator, Iterator, Sequence
from operator import attrgetter
from typing import Any

import httpx
import httpx2
import openai
from openai import _streaming
from openai._models import BaseModel

from millstream.integrations.openai import accelerate

__all__ = (
    "CONNECTION_ERROR",
    "MESSAGES",
    "Body",
    "assert_equal_outcomes",
    "assert_same",
    "client_over",
    "collect",
    "collect_both",
    "describe",
    "http",
    "sse",
)

# Version 2 of the SDK is built on httpx. Streams of earlier versions raise its exceptions as they are.
http: Any = httpx if openai.__version__.startswith("2.") else httpx2
CONNECTION_ERROR = openai.APIConnectionError if hasattr(_streaming, "request_exceptions") else http.TransportError
MESSAGES: list[Any] = [{"role": "user", "content": "Hello"}]


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream, httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives in ``reads``; one that is an exception is raised."""

    def __init__(self, reads: Sequence[bytes | Exception]) -> None:
        self._reads = reads
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for read in self._reads:
            if isinstance(read, Exception):
                raise read
            yield read

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for read in self:
            yield read

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


def sse(*payloads: Any, done: bool = True) -> bytes:
    """Return a stream whose events have ``payloads``: strings as they are, other values as JSON."""
    texts = [payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads]
    return "".join(f"data: {text}\n\n" for text in [*texts, *["[DONE]"] * done]).encode()


def client_over(*reads: bytes | Exception, asynchronous: bool = False, **given: Any) -> Any:
    """Return a client of the SDK whose responses have ``reads`` for a body."""

    def respond(request: Any) -> Any:
        return http.Response(200, headers={"content-type": "text/event-stream"}, stream=Body(reads))

    transport = http.MockTransport(respond)
    options: dict[str, Any] = {"api_key": "key", "max_retries": 0} | given
    if asynchronous:
        return openai.AsyncOpenAI(http_client=http.AsyncClient(transport=transport), **options)
    return openai.OpenAI(http_client=http.Client(transport=transport), **options)


# The resource and the input of a stream, by the name of the endpoint.
_CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("chat.completions", {"messages": MESSAGES}),
    "completions": ("completions", {"prompt": "Hello"}),
    "responses": ("responses", {"input": "Hello"}),
}


def collect(client: Any, *, legacy: bool = False, api: str = "chat") -> tuple[list[Any], Exception | None]:
    """Return the chunks of one stream and the exception that it ended with; an async client is closed."""
    chunks: list[Any] = []
    add = chunks.append
    path, arguments = _CALLS["completions" if legacy else api]
    resource = attrgetter(path)(client)

    async def read() -> None:
        async with client:
            async for chunk in await resource.create(model="m", stream=True, **arguments):
                add(chunk)

    try:
        if isinstance(client, openai.AsyncOpenAI):
            asyncio.run(read())
        else:
            for chunk in resource.create(model="m", stream=True, **arguments):
                add(chunk)
    except Exception as error:
        return chunks, error
    return chunks, None


def collect_both(*reads: bytes | Exception, legacy: bool = False, api: str = "chat", **options: Any) -> tuple[Any, Any]:
    """Return :func:`collect` of an accelerated client, and that of a client as it is."""
    ours = collect(accelerate(client_over(*reads, **options)), legacy=legacy, api=api)
    return ours, collect(client_over(*reads, **options), legacy=legacy, api=api)


def describe(value: Any) -> Any:
    """Return everything that can be seen of ``value``, the order of its fields included."""
    if isinstance(value, BaseModel):
        fields_set: Any = value.model_fields_set
        return (
            type(value),
            [(name, describe(field)) for name, field in vars(value).items()],
            # A payload may have a key that is a parameter of the SDK's ``construct``, of any type.
            sorted(fields_set) if isinstance(fields_set, set) else fields_set,
            [(name, describe(field)) for name, field in (value.model_extra or {}).items()],
            value.__pydantic_private__,
        )
    if isinstance(value, dict):
        return [(key, describe(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [describe(item) for item in value]
    return type(value), repr(value)


def assert_equal_outcomes(ours: Any, theirs: Any) -> None:
    """Check the items and the exceptions of two streams."""
    assert len(ours[0]) == len(theirs[0])
    for mine, its in zip(ours[0], theirs[0], strict=True):
        assert_same(mine, its)
    assert type(ours[1]) is type(theirs[1])
    assert str(ours[1]) == str(theirs[1])
    for name in ("message", "body", "code", "param", "type"):
        assert getattr(ours[1], name, None) == getattr(theirs[1], name, None)


def assert_same(ours: Any, theirs: Any) -> None:
    """Check that two chunks are equal in all respects."""
    assert describe(ours) == describe(theirs)
    assert repr(ours) == repr(theirs)
    if isinstance(theirs, BaseModel):
        for method in ("model_dump", "model_dump_json", "to_dict", "to_json"):
            assert _outcome(ours, method) == _outcome(theirs, method)
        assert repr(ours == theirs) == repr(theirs == copy.deepcopy(theirs))
        assert describe(pickle.loads(pickle.dumps(ours))) == describe(ours)
        assert not hasattr(ours, "_request_id")


def _outcome(chunk: Any, method: str) -> Any:
    try:
        return repr(getattr(chunk, method)(warnings=False))
    except Exception as error:
        return type(error), str(error)
