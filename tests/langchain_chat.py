"""The chat models of ``millstream.integrations.langchain`` beside langchain-openai's: the same calls, described."""

import asyncio
import json
import re
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_openai
    from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler

from millstream.integrations import langchain as ours
from millstream.testing import MockServer
from sdk_clients import TLS

__all__ = (
    *("AsyncRecorder", "Recorder", "ainvoke", "aoutcome", "body_of", "chat_models", "choice", "describe"),
    *("describe_error", "invoke", "outcome", "outcomes", "payload"),
)

_RUN = re.compile(r"(lc_run--|run-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def payload(*choices: Any, **members: Any) -> dict[str, Any]:
    """Return a payload with ``choices``, as OpenAI sends it."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m-2024"}
    return {**head, "choices": list(choices), **members}


def choice(delta: Any, **members: Any) -> dict[str, Any]:
    """Return a choice with ``delta``."""
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None, **members}


def body_of(payloads: Sequence[Any], *, done: bool = True) -> bytes:
    """Return the body of a stream with ``payloads``: values, or the bytes of frames."""
    frames = [item if isinstance(item, bytes) else b"data: " + json.dumps(item).encode() + b"\n\n" for item in payloads]
    return b"".join(frames) + b"data: [DONE]\n\n" * done


# The event loop of the models that a test is about: a client of httpx belongs to one loop.
_runners: list[asyncio.Runner] = []


@contextmanager
def chat_models(
    reply: Any, *, azure: bool = False, own_clients: bool = False, **arguments: Any
) -> Iterator[tuple[Any, Any, MockServer]]:
    """Make ours and langchain-openai's model for one server; close the HTTP clients of the peer at the end.

    With ``own_clients`` both use these clients.
    """
    classes: tuple[Any, Any] = (langchain_openai.ChatOpenAI, ours.ChatOpenAI)
    given = {"model": "m", "api_key": "k", "max_retries": 0, **arguments}
    if azure:
        classes = (langchain_openai.AzureChatOpenAI, ours.AzureChatOpenAI)
        given = {"api_version": "v", "azure_deployment": "d", "stream_usage": True, **given}
    with MockServer(reply) as server, httpx2.Client(verify=TLS) as client, asyncio.Runner() as runner:
        given = {**({"azure_endpoint": server.origin} if azure else {"base_url": server.url}), **given}
        aclient = httpx2.AsyncClient(verify=TLS)
        theirs, mine = classes
        clients = {"http_client": client, "http_async_client": aclient}
        _runners.append(runner)
        try:
            yield mine(**given, **(clients if own_clients else {})), theirs(**{**clients, **given}), server
        finally:
            _runners.pop()
            runner.run(aclient.aclose())


def describe(value: Any) -> Any:
    """Return all of a value that users and handlers receive; ids of runs are numbered in the order they appear."""
    return _Description().of(value)


class _Description:
    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def of(self, value: Any) -> Any:
        if isinstance(value, BaseException):
            return describe_error(value)
        if hasattr(value, "__pydantic_fields_set__"):
            fields = {name: self.of(part) for name, part in vars(value).items()}
            return type(value).__name__, fields, sorted(value.__pydantic_fields_set__), value.__pydantic_extra__
        if isinstance(value, dict):
            return {name: self.of(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(part) for part in value]
        if isinstance(value, str | int | float | None | bool):
            return _RUN.sub(self._number, value) if isinstance(value, str) else value
        return self.of(str(value)) if type(value).__name__ == "UUID" else type(value).__name__

    def _number(self, match: re.Match[str]) -> str:
        return self._ids.setdefault(match[0], f"{match[1] or ''}{len(self._ids)}")


def describe_error(error: Any) -> dict[str, Any]:
    """Return all of an exception that users read."""
    response, request = getattr(error, "response", None), getattr(error, "request", None)
    names = ("message", "body", "code", "param", "type", "status_code", "request_id", "timeout_s", "model_name")
    return {
        "classes": [kind.__name__ for kind in type(error).__mro__],
        "text": _RUN.sub("ID", str(error)),
        **{name: getattr(error, name) for name in names if hasattr(error, name)},
        "response": None if response is None else (response.status_code, response.text, type(response).__name__),
        "request": None if request is None else (request.method, str(request.url), request.content),
    }


def outcome(call: Callable[[], Any]) -> list[Any]:
    """Return the description of the items that ``call`` yields, and of the exception that ends them."""
    items: list[Any] = []
    try:
        items.extend(call())
    except Exception as error:
        items.append(error)
    return list(describe(items))


def aoutcome(call: Callable[[], Any]) -> list[Any]:
    """:func:`outcome` of an async iterable."""
    items: list[Any] = []

    async def main() -> None:
        async for item in call():
            items.append(item)  # noqa: PERF401

    try:
        _runners[-1].run(main())
    except Exception as error:
        items.append(error)
    return list(describe(items))


def invoke(model: Any, input: Any = "p", **kwargs: Any) -> Any:
    """Return the description of what ``invoke`` returns or raises, and of the calls of a handler."""
    recorder = Recorder()
    return outcome(lambda: [model.invoke(input, {"callbacks": [recorder]}, **kwargs)]), list(describe(recorder.calls))


def ainvoke(model: Any, input: Any = "p", **kwargs: Any) -> Any:
    """:func:`invoke` for async code."""
    recorder = AsyncRecorder()

    async def call() -> AsyncIterator[Any]:
        yield await model.ainvoke(input, {"callbacks": [recorder]}, **kwargs)

    return aoutcome(call), list(describe(recorder.calls))


def outcomes(model: Any, *, input: Any = "p", config: Any = None, **kwargs: Any) -> dict[str, list[Any]]:
    """Return the outcomes of all ways to stream: where nobody listens, where somebody does, and of ``_stream``."""
    recorder, arecorder = Recorder(), AsyncRecorder()
    observed, aobserved = ({**(config or {}), "callbacks": [handler]} for handler in (recorder, arecorder))
    messages = model._convert_input(input).to_messages()
    return {
        "unobserved stream": outcome(lambda: model.stream(input, config, **kwargs)),
        "unobserved astream": aoutcome(lambda: model.astream(input, config, **kwargs)),
        "observed stream": outcome(lambda: model.stream(input, observed, **kwargs)),
        "callbacks of stream": list(describe(recorder.calls)),
        "observed astream": aoutcome(lambda: model.astream(input, aobserved, **kwargs)),
        "callbacks of astream": list(describe(arecorder.calls)),
        "_stream": outcome(lambda: model._stream(messages, **kwargs)),
        "_astream": aoutcome(lambda: model._astream(messages, **kwargs)),
    }


class Recorder(BaseCallbackHandler):
    """Records its calls, with their arguments."""

    def __init__(self) -> None:
        self.calls: list[Any] = []


class AsyncRecorder(AsyncCallbackHandler):
    """:class:`Recorder` for async code."""

    def __init__(self) -> None:
        self.calls: list[Any] = []


def _recording(name: str) -> Callable[..., Any]:
    def record(self: Any, *args: Any, **kwargs: Any) -> None:
        self.calls.append((name, list(args), dict(kwargs)))

    return record


def _arecording(name: str) -> Callable[..., Any]:
    async def record(self: Any, *args: Any, **kwargs: Any) -> None:
        self.calls.append((name, list(args), dict(kwargs)))

    return record


for _name in ("on_chat_model_start", "on_llm_new_token", "on_llm_end", "on_llm_error", "on_stream_event"):
    setattr(Recorder, _name, _recording(_name))
    setattr(AsyncRecorder, _name, _arecording(_name))
