"""langchain-ollama's ``ChatOllama`` as the oracle beside ours: the same arguments, the same served bytes."""

import asyncio
import json
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_ollama
    from langchain_core import messages as their_messages

from endings import aread
from millstream import messages as our_messages
from millstream.providers.ollama import ChatOllama
from millstream.testing import MockServer, Reply

__all__ = (
    *("END", "READS", "ask", "both", "calling", "dump", "end", "line", "lines", "ollama_of", "peer", "read", "served"),
    *("texts", "their_messages", "our_messages"),
)

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def line(content: str | None = "", *, done: bool = False, **members: Any) -> dict[str, Any]:
    """Return a payload of the server: members of the message are ``thinking`` and ``tool_calls``."""
    message = {"role": "assistant", "content": content}
    message |= {name: members.pop(name) for name in ("thinking", "tool_calls", "role") if name in members}
    if content is None:
        del message["content"]
    return {"model": "m", "created_at": "2026-01-01T00:00:00.5Z", "message": message, "done": done, **members}


def end(content: str = "", **members: Any) -> dict[str, Any]:
    """Return the last payload, with its counts."""
    counts = {"total_duration": 5, "load_duration": 1, "prompt_eval_count": 3, "prompt_eval_duration": 2}
    return line(content, done=True, **{"done_reason": "stop", **counts, "eval_count": 4, "eval_duration": 9, **members})


END = end()


def texts(*pieces: str) -> list[dict[str, Any]]:
    """Return a whole answer that streams as ``pieces``."""
    return [*map(line, pieces), END]


def lines(*payloads: Any, newline: bytes = b"\n") -> bytes:
    """Return the body of a stream, in which other characters than ASCII are not escaped; bytes stay as they are."""
    return b"".join(
        (one if isinstance(one, bytes) else json.dumps(one, ensure_ascii=False).encode()) + newline for one in payloads
    )


def served(*payloads: Any, **reply: Any) -> Reply:
    """Return the reply with these payloads, in one write each."""
    return Reply(**{"body": [lines(one) for one in payloads], "content_type": "application/x-ndjson", **reply})


def calling(*calls: tuple[str, Any]) -> dict[str, Any]:
    """Return a payload with whole tool calls."""
    return line("", tool_calls=[{"function": {"name": name, "arguments": args}} for name, args in calls])


def ollama_of(server: MockServer, **arguments: Any) -> ChatOllama:
    """Return our model for ``server``."""
    return ChatOllama(**{"model": "m", "base_url": server.origin, "max_retries": 0, **arguments})


@contextmanager
def peer(server: MockServer, **arguments: Any) -> Iterator[Any]:
    """Make LangChain's model for ``server``, and close its sync client."""
    model: Any = langchain_ollama.ChatOllama(**{"model": "m", "base_url": server.origin, **arguments})
    try:
        yield model
    finally:
        model._client.close()


async def _with_client(model: Any, call: Callable[[Any], Any]) -> Any:
    try:
        return await call(model)
    finally:
        if (client := getattr(model, "_async_client", None)) is not None:
            await client.close()


def _sync(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda model, /, *args, **kwargs: call(model, *args, **kwargs)


def _async(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda model, /, *args, **kwargs: asyncio.run(_with_client(model, lambda one: call(one, *args, **kwargs)))


async def _alist(stream: Any) -> list[Any]:
    return await aread(stream)


READS: dict[str, Callable[..., Any]] = {
    "invoke": _sync(lambda model, /, *args, **kwargs: model.invoke(*args, **kwargs)),
    "ainvoke": _async(lambda model, /, *args, **kwargs: model.ainvoke(*args, **kwargs)),
    "stream": _sync(lambda model, /, *args, **kwargs: list(model.stream(*args, **kwargs))),
    "astream": _async(lambda model, /, *args, **kwargs: _alist(model.astream(*args, **kwargs))),
    "batch": _sync(lambda model, input, /, **kwargs: model.batch([input], **kwargs)),
    "abatch": _async(lambda model, input, /, **kwargs: model.abatch([input], **kwargs)),
}
"""The ways to ask a model."""


def read(model: Any, how: str, input: Any = "p", /, **kwargs: Any) -> Any:
    """Return what a model answers, described: its messages as dicts."""
    return dump(READS[how](model, input, **kwargs))


def ask(reply: Any, how: str, *, fields: Any = None, input: Any = "p", **kwargs: Any) -> tuple[Any, Any, list[Any]]:
    """Return our answer and LangChain's over one reply, and the bodies of the two requests."""
    inputs = (input, input) if isinstance(input, str) else (input(our_messages), input(their_messages))
    with MockServer(reply) as server, peer(server, **(fields or {})) as theirs:
        mine = read(ollama_of(server, **(fields or {})), how, inputs[0], **kwargs)
        expected = read(theirs, how, inputs[1], **kwargs)
        return mine, expected, [request.body for request in server.requests]


def both(server: MockServer, call: Callable[[Any], Any], **fields: Any) -> tuple[Any, Any]:
    """Return what ``call`` returns for our model and for LangChain's."""
    with peer(server, **fields) as theirs:
        return call(ollama_of(server, **fields)), call(theirs)


def dump(value: Any) -> Any:
    """Return ``value`` with messages and log probabilities as dicts, and with numbers in place of generated ids."""
    ids: dict[str, str] = {}
    return _dump(value, ids)


def _dump(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _UUID.sub(lambda found: ids.setdefault(found[0], f"#{len(ids)}"), value)
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if isinstance(value, dict):
        return {key: _dump(item, ids) for key, item in value.items() if key not in ("lc_versions",)}
    return [_dump(item, ids) for item in value] if isinstance(value, list | tuple) else value
