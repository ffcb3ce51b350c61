"""Streams of version 3 of the events, read in every way, and described for comparisons between two libraries."""

import asyncio
import re
import warnings
from collections.abc import Callable
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_openai

from langchain_chat import body_of, choice, payload
from millstream import ChatOpenAI
from millstream.testing import MockServer, Reply

__all__ = ("ANSWERS", "PROJECTIONS", "aread_stream", "both_models", "plain", "read_stream")

_RUN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PROJECTIONS = ("text", "reasoning", "tool_calls")


def _call(index: int, id: str | None = None, name: str | None = None, args: str = "") -> dict[str, Any]:
    head = {} if id is None else {"id": id, "type": "function"}
    return {"index": index, **head, "function": {**({} if name is None else {"name": name}), "arguments": args}}


_USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9, "prompt_tokens_details": {"cached_tokens": 3}}
ANSWERS: dict[str, list[Any]] = {
    "a text": [
        payload(choice({"role": "assistant", "content": ""})),
        payload(choice({"content": "Hel"})),
        payload(choice({"content": "lo 🐠\n"})),
        payload(choice({}, finish_reason="stop")),
        payload(usage=_USAGE),
    ],
    "an empty text": [payload(choice({"role": "assistant", "content": ""})), payload(choice({}, finish_reason="stop"))],
    "two calls": [
        payload(choice({"role": "assistant", "content": None, "tool_calls": [_call(0, "c1", "look")]})),
        payload(choice({"tool_calls": [_call(0, args='{"where"')]})),
        payload(choice({"tool_calls": [_call(0, args=': "Rome"}'), _call(1, "c2", "wait", "{}")]})),
        payload(choice({}, finish_reason="tool_calls")),
        payload(usage=_USAGE),
    ],
    "a text and a call that is cut off": [
        payload(choice({"role": "assistant", "content": "Let me see"})),
        payload(choice({"tool_calls": [_call(0, "c1", "look", '{"a')]})),
        payload(choice({"content": "."})),
        payload(choice({}, finish_reason="length")),
    ],
    "details": [
        payload(choice({"role": "assistant", "content": "a"}), system_fingerprint="fp", service_tier="flex"),
        payload(choice({}, finish_reason="stop"), system_fingerprint="fp", service_tier="flex"),
    ],
}
"""The payloads of answers that both libraries read alike."""


def both_models(server: MockServer, **arguments: Any) -> tuple[Any, Any]:
    """Return our model and langchain-openai's, for one server."""
    given = {"model": "m", "api_key": "k", "max_retries": 0, "base_url": server.url, **arguments}
    return ChatOpenAI(**given), langchain_openai.ChatOpenAI(**given)


def reply_of(payloads: list[Any], *, done: bool = True) -> Reply:
    """Return the reply with ``payloads`` as a stream."""
    return Reply(body=body_of(payloads, done=done), content_type="text/event-stream")


def plain(value: Any) -> Any:
    """Return a value without what differs from run to run, and with messages as dicts."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if isinstance(value, str):
        return _RUN.sub("ID", value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return list(map(plain, value)) if isinstance(value, list | tuple) else value


def _failure(read: Callable[[], Any]) -> Any:
    try:
        return plain(read())
    except Exception as error:
        return type(error).__name__


def read_stream(stream: Any) -> dict[str, Any]:
    """Return all that a stream for sync code has: its events, its projections, its message."""
    events: list[Any] = []
    found = {"failure": _failure(lambda: events.extend(stream)), "events": plain(events)}
    for name in PROJECTIONS:
        found[name] = _failure(lambda name=name: list(getattr(stream, name)))  # type: ignore[misc]
        found[f"whole {name}"] = _failure(lambda name=name: getattr(stream, name).get())  # type: ignore[misc]
    return {**found, "output": _failure(lambda: stream.output), "id": plain(stream.message_id), "done": stream.done}


async def aread_stream(opening: Any) -> dict[str, Any]:
    """:func:`read_stream` for async code; ``opening`` is to be awaited. All projections are read at once."""
    stream = await opening
    events: list[Any] = []

    async def attempt(reading: Any) -> Any:
        try:
            return plain(await reading)
        except Exception as error:
            return type(error).__name__

    async def items(of: Any) -> list[Any]:
        return [item async for item in of]

    async def read_events() -> None:
        async for event in stream:
            events.append(event)  # noqa: PERF401

    names = ["failure", *PROJECTIONS, *(f"whole {name}" for name in PROJECTIONS), "output"]
    projections = [getattr(stream, name) for name in PROJECTIONS]
    readings = [read_events(), *map(items, projections), *map(_value, projections), _value(stream.output)]
    values = await asyncio.gather(*map(attempt, readings))
    found = dict(zip(names, values, strict=True), events=plain(events))
    return {**found, "id": plain(stream.message_id), "done": stream.done}


async def _value(projection: Any) -> Any:
    return await projection
