"""Apps that handle the errors of a model handle those of Millstream's in the same way."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware
from langchain_core.exceptions import ContextOverflowError
from langchain_core.prompts import ChatPromptTemplate

from app_kits import KITS, App, Kit, shown, shown_by_langchain
from endings import aread
from millstream.testing import ErrorFrame, ErrorStatus, Garble, Reply, refusing_url

PROMPT = ChatPromptTemplate.from_messages([("human", "{text}")])
FILL = {"text": "Name a fish."}
REFUSALS: dict[str, Reply] = {
    **{str(status): Reply(fault=ErrorStatus(status)) for status in (400, 401, 403, 404, 409, 413, 422, 429, 500, 503)},
    "context": Reply(fault=ErrorStatus(400, "context_length_exceeded: too long", code="context_length_exceeded")),
    "schema": Reply(fault=ErrorStatus(400, "'response_format' of type 'json_schema' is not supported with this model")),
    "text": Reply(status=502, body=b"<html>bad gateway</html>", content_type="text/html"),
    "other JSON": Reply(status=422, body=b'{"detail": "no"}', content_type="application/json"),
    "frame": Reply(fault=ErrorFrame(after=1)),
}


@contextmanager
def catching(seen: list[Any]) -> Iterator[None]:
    """Append the error of a block and what an app reads of it, and the warnings for users."""
    names = ("status_code", "code", "type", "param", "request_id", "message", "is_retryable")
    with warnings.catch_warnings(record=True) as warned:
        warnings.filterwarnings("always", category=UserWarning)
        try:
            yield
        except Exception as error:
            seen.append((error, {name: getattr(error, name, None) for name in names}))
    seen.append([str(one.message) for one in warned if one.category is UserWarning])


def caught(call: Callable[..., Any], *args: Any) -> list[Any]:
    """Return the result or the error of ``call``."""
    seen: list[Any] = []
    with catching(seen):
        seen.append(call(*args))
    return seen


def read(model: Any) -> list[Any]:
    return list(model.stream("p"))


def models_of(kit: Kit) -> list[Any]:
    return [kit.model(max_retries=0), kit.llm(max_retries=0)]


def refusal(reply: Reply) -> App:
    def app(kit: Kit) -> Iterator[Any]:
        kit.server.reply = reply
        for model in models_of(kit):
            yield caught(read, model)
            yield caught(model.invoke, "p")
            yield model.batch(["p"], return_exceptions=True)

    return app


def arefusal(reply: Reply) -> App:
    async def app(kit: Kit) -> Any:
        kit.server.reply = reply
        seen: list[Any] = []
        for model in models_of(kit):
            for call in (aread(model.astream("p")), model.ainvoke("p")):
                with catching(seen):
                    await call
        return seen

    return app


def fallback(errors: tuple[type[Exception], ...]) -> App:
    def app(kit: Kit) -> Iterator[Any]:
        kit.script(Reply(fault=ErrorStatus(429)), Reply(pieces=["a trout"]))
        model = kit.model(max_retries=0).with_fallbacks([kit.model(model="gpt-5")], exceptions_to_handle=errors)
        yield caught((PROMPT | model).invoke, FILL)

    return app


def fallback_with_the_error(kit: Kit) -> Iterator[Any]:
    kit.script(Reply(fault=ErrorStatus(500)), Reply(pieces=["a trout"]))
    first = PROMPT | kit.model(max_retries=0)
    second = (lambda fill: f"{fill['text']} {type(fill['error']).__name__}") | kit.model(model="gpt-5")
    yield from first.with_fallbacks([second], exception_key="error").stream(FILL)


def retry(kit: Kit) -> Iterator[Any]:
    kit.script(Reply(fault=ErrorStatus(429)), Reply(fault=ErrorStatus(500)))
    kinds = (openai.RateLimitError,)
    model = kit.model(max_retries=0)
    retrying = model.with_retry(retry_if_exception_type=kinds, wait_exponential_jitter=False, stop_after_attempt=3)
    yield caught(retrying.invoke, "p")
    yield caught(retrying.invoke, "p")


def own_retries(kit: Kit) -> Iterator[Any]:
    """The model's own retries wait as the server asks."""
    headers = {"retry-after-ms": "1"}
    for status in (429, 500, 408, 409):
        kit.script(*[Reply(fault=ErrorStatus(status, headers=headers))] * 2)
        yield list(kit.model(max_retries=2).stream("p"))
    kit.script(*[Reply(fault=ErrorStatus(503, headers=headers))] * 3)
    yield caught(kit.model(max_retries=2).invoke, "p")
    yield [request.headers.get("x-stainless-retry-count") for request in kit.server.requests]


def middleware(kit: Kit) -> Iterator[Any]:
    kit.script(Reply(fault=ErrorStatus(429)), Reply(pieces=["a trout"]))
    retrying = ModelRetryMiddleware(retry_on=(openai.RateLimitError,), initial_delay=0.001, jitter=False)
    agent = create_agent(kit.model(max_retries=0), [], middleware=[retrying])
    asked: Any = {"messages": [("human", "hello")]}
    yield agent.invoke(asked)


def no_server(kit: Kit) -> Iterator[Any]:
    with refusing_url() as url:
        model = kit.model(base_url=url, max_retries=0)
        yield caught(model.invoke, "p")
        yield caught(read, model)
    garbled = kit.model(max_retries=0)
    kit.server.reply = Reply(fault=Garble("status-line"))
    yield caught(read, garbled)


def context_overflow(kit: Kit) -> Iterator[Any]:
    kit.server.reply = REFUSALS["context"]
    with pytest.raises(ContextOverflowError) as raised:
        kit.model().invoke("p")
    yield raised.value


APPS: dict[str, App] = {
    **{f"refusal, {name}": refusal(reply) for name, reply in REFUSALS.items()},
    **{f"refusal, {name}, async": arefusal(reply) for name, reply in REFUSALS.items()},
    "fallback": fallback((openai.RateLimitError,)),
    "fallback for another error": fallback((openai.AuthenticationError,)),
    "fallback with the error": fallback_with_the_error,
    "retry": retry,
    "retries of the model": own_retries,
    "middleware": middleware,
    "no server": no_server,
    "context overflow": context_overflow,
}


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("kit", KITS)
def test_an_app_catches_the_errors_that_it_catches_of_langchains_model(app: str, kit: str) -> None:
    assert shown(APPS[app], KITS[kit]) == shown_by_langchain(APPS[app])
