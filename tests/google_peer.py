"""LangChain's own ``ChatGoogleGenerativeAI``, as the oracle beside ours: the same arguments, the same server."""

import asyncio
import json
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any
from uuid import UUID

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_core.messages as their_messages
    from langchain_google_genai import ChatGoogleGenerativeAI as TheirModel

import millstream.messages as our_messages
from millstream import ChatGoogleGenerativeAI
from millstream.language_models.model_type import ModelCall
from millstream.testing import MockServer, Reply

__all__ = (
    *("ANSWER", "KEY", "PNG", "ask", "bodies", "human", "ai", "system", "tool_result", "our_request", "whole"),
    *("quiet", "their_model", "our_model", "both_messages", "plain", "read_async", "their_messages", "TheirModel"),
)

KEY = "gk-canary-0123456789"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ANSWER = {
    "candidates": [{"content": {"parts": [{"text": "hi"}], "role": "model"}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
    "modelVersion": "gemini-2.5-flash",
}

Message = tuple[str, dict[str, Any]]
"""A message of either library: the name of its class, and its arguments."""


def human(content: Any) -> Message:
    return "HumanMessage", {"content": content}


def system(content: Any) -> Message:
    return "SystemMessage", {"content": content}


def ai(content: Any, **fields: Any) -> Message:
    return "AIMessage", {"content": content, **fields}


def tool_result(content: Any, id: str, **fields: Any) -> Message:
    return "ToolMessage", {"content": content, "tool_call_id": id, **fields}


def whole(document: Any = ANSWER) -> Reply:
    """Return the reply with one whole answer."""
    return Reply(body=json.dumps(document).encode(), content_type="application/json", framing="length")


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out the warnings of both libraries."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def plain(value: Any) -> Any:
    """Return messages, generations, results and events of either library as plain values, with numbered ids."""
    return _Plain().of(value)


_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class _Plain:
    """Numbers the ids of runs, calls and messages in the order in which they appear."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def of(self, value: Any) -> Any:
        if hasattr(value, "content_blocks"):
            dumped = value.model_dump()
            return [type(value).__name__, self.of(dumped), self.of(value.content_blocks)]
        if hasattr(value, "generation_info"):
            return [value.text, self.of(value.generation_info), self.of(value.message)]
        if hasattr(value, "generations"):
            return [self.of(value.generations), self.of(value.llm_output)]
        if isinstance(value, dict):
            return {self.of(key): self.of(item) for key, item in value.items() if key != "lc_versions"}
        if isinstance(value, list | tuple):
            return [self.of(item) for item in value]
        if isinstance(value, UUID):
            value = str(value)
        if isinstance(value, str):
            text = str(getattr(value, "value", value))
            return _ID.sub(lambda found: self._ids.setdefault(found[0], f"id-{len(self._ids)}"), text)
        return value


def their_model(server: MockServer, **arguments: Any) -> Any:
    """Return LangChain's model for ``server``; it sends each request once."""
    given = {"model": "gemini-2.5-flash", "api_key": KEY, "max_retries": 1, **arguments}
    return TheirModel(base_url=server.origin, **given)


def our_model(server: MockServer, **arguments: Any) -> ChatGoogleGenerativeAI:
    """Return our model for ``server``."""
    given: Any = {"model": "gemini-2.5-flash", "api_key": KEY, "max_retries": 1, **arguments}
    return ChatGoogleGenerativeAI(base_url=server.origin, **given)


def both_messages(messages: Sequence[Message] | str) -> tuple[Any, Any]:
    """Return messages of LangChain's and of ours."""
    if isinstance(messages, str):
        return messages, messages
    theirs, ours = ([getattr(home, name)(**fields) for name, fields in messages] for home in _HOMES)
    return theirs, ours


_HOMES: tuple[Any, Any] = (their_messages, our_messages)


def our_request(model: Any, messages: Any, **kwargs: Any) -> tuple[str, Any]:
    """Return the path and the body of the request that our model sends."""
    stop = kwargs.pop("stop", None)
    pending = model._build_pending(ModelCall(messages, stop, kwargs), stream=False)
    request = model._build_request(pending, KEY, None)
    return request.url.partition("//")[2].partition("/")[2], json.loads(request.body)


def ask(
    messages: Sequence[Message] | str = "hi",
    *,
    bind: Mapping[str, Any] | None = None,
    schema: Mapping[str, Any] | None = None,
    call: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> tuple[Any, Any]:
    """Return path and body of the requests that LangChain's model and ours send, or the texts of their errors.

    ``bind`` are the arguments of ``bind_tools``, ``schema`` those of ``with_structured_output``, ``call`` those of
    the call.
    """
    theirs, ours = both_messages(messages)
    with MockServer(whole()) as server, quiet():
        return (
            _outcome(_their_request, server, theirs, bind, schema, call or {}, arguments),
            _outcome(_our_request, server, ours, bind, schema, call or {}, arguments),
        )


def bodies(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """:func:`ask`, without the paths."""
    theirs, ours = ask(*args, **kwargs)
    return theirs[1], ours[1]


def _outcome(send: Any, *args: Any) -> tuple[str, Any]:
    try:
        outcome: tuple[str, Any] = send(*args)
    except Exception as error:
        return "error", str(error)
    return outcome


def _bound(model: Any, bind: Any, schema: Any) -> Any:
    # LangChain changes the dicts that it receives.
    model = model if bind is None else model.bind_tools(**_copied(bind))
    return model if schema is None else model.with_structured_output(**_copied(schema))


def _copied(values: Any) -> Any:
    if isinstance(values, dict):
        return {key: _copied(value) for key, value in values.items()}
    return [_copied(value) for value in values] if isinstance(values, list) else values


def _their_request(server: MockServer, messages: Any, bind: Any, schema: Any, call: Any, arguments: Any) -> Any:
    model = _bound(their_model(server, **_copied(arguments)), bind, schema)
    before = len(server.requests)
    try:
        model.invoke(messages, **_copied(call))
    except Exception:
        # Of structured output: the answer does not fit.
        if len(server.requests) == before:
            raise
    request = server.requests[-1]
    return request.path.lstrip("/"), request.body


def _our_request(server: MockServer, messages: Any, bind: Any, schema: Any, call: Any, arguments: Any) -> Any:
    bound = _bound(our_model(server, **deepcopy(arguments)), bind, schema)
    bound = getattr(bound, "first", bound)
    model, kwargs = getattr(bound, "bound", bound), getattr(bound, "kwargs", {})
    return our_request(model, model._model_type.prompt(messages), **{**kwargs, **call})


def read_async(model: Any, read: Callable[[Any], Any]) -> Any:
    """Return what the coroutine ``read(model)`` returns; close the connections of the model in its event loop."""

    async def read_and_close() -> Any:
        try:
            return await read(model)
        finally:
            await model.aclose()

    return asyncio.run(read_and_close())
